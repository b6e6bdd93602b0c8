//! What is refused, by name and line, before anything runs.

use crate::harness::{Case, document, step};

/// Problems of a spec, as `file:line:column: message`.
fn problems(spec: &str) -> Vec<String> {
    Case::new(spec).problems().iter().map(ToString::to_string).collect()
}

#[track_caller]
fn check(spec: &str, expected: &[&str]) {
    assert_eq!(problems(spec), expected, "\n{}", document(spec));
}

/// A spec whose only template has these lines after its name.
fn template(lines: &str) -> String {
    format!("entrypoint: main\ntemplates:\n- name: main\n{lines}")
}

#[test]
fn every_unsupported_feature_is_refused_at_once_by_name_and_place() {
    check(
        "entrypoint: main
podSpecPatch: '{}'
synchronization: {mutex: {name: m}}
hooks: {exit: {template: a}}
templateDefaults: {container: {}}
templates:
- name: main
  memoize: {key: k}
  steps:
  - - {name: a, template: b, withItems: [1, 2]}
    - {name: c, templateRef: {name: x, template: y}}
    - {name: d, template: b, withParam: '[]', continueOn: {failed: true}}
    - name: e
      template: b
      arguments: {artifacts: []}
- name: b
  daemon: true
  inputs: {artifacts: [{name: x, path: /x}]}
  sidecars: []
  initContainers: []
  container: {image: arc, command: [arc], envFrom: [], lifecycle: {}}
- name: c
  resource: {action: get}
- name: d
  suspend: {}
- name: e
  http: {url: x}
- name: f
  plugin: {x: {}}",
        &[
            "t.yaml:7:3: spec: `podSpecPatch` is not supported by `arc run`",
            "t.yaml:8:3: spec: `synchronization` is not supported by `arc run`",
            "t.yaml:9:3: spec: `hooks` is not supported by `arc run`",
            "t.yaml:10:3: spec: `templateDefaults` is not supported by `arc run`",
            "t.yaml:13:5: template \"main\": `memoize` is not supported by `arc run`",
            "t.yaml:15:32: step \"a\": `withItems` is not supported by `arc run`",
            "t.yaml:16:19: step \"c\": `templateRef` is not supported by `arc run`",
            "t.yaml:17:32: step \"d\": `withParam` is not supported by `arc run`",
            "t.yaml:17:49: step \"d\": `continueOn` is not supported by `arc run`",
            "t.yaml:20:21: step \"e\": arguments: `artifacts` is not supported by `arc run`",
            "t.yaml:22:5: template \"b\": `daemon` is not supported by `arc run`",
            "t.yaml:23:14: template \"b\": inputs: `artifacts` is not supported by `arc run`",
            "t.yaml:24:5: template \"b\": `sidecars` is not supported by `arc run`",
            "t.yaml:25:5: template \"b\": `initContainers` is not supported by `arc run`",
            "t.yaml:26:45: container: `envFrom` is not supported by `arc run`",
            "t.yaml:26:58: container: `lifecycle` is not supported by `arc run`",
            "t.yaml:28:5: template \"c\": `resource` is not supported by `arc run`",
            "t.yaml:30:5: template \"d\": `suspend` is not supported by `arc run`",
            "t.yaml:32:5: template \"e\": `http` is not supported by `arc run`",
            "t.yaml:34:5: template \"f\": `plugin` is not supported by `arc run`",
        ],
    );
}

#[test]
fn every_refusal_of_a_feature_has_a_hint() {
    let problems = Case::new("entrypoint: a\ntemplates: []\nhooks: {}\nfoo: 1").problems();
    let hints: Vec<Option<&str>> = problems.iter().map(|one| one.hint.as_deref()).collect();
    let remove = Some("remove it, or run this workflow on a cluster");
    assert_eq!(hints, [None, Some("use `onExit` of the workflow"), remove]);
}

#[test]
fn fields_without_a_meaning_here_are_accepted() {
    let ignored = "entrypoint: main
serviceAccountName: a
automountServiceAccountToken: false
executor: {serviceAccountName: b}
securityContext: {runAsUser: 65532}
podGC: {strategy: OnPodCompletion}
ttlStrategy: {}
tolerations: []
nodeSelector: {}
templates:
- name: main
  metadata: {labels: {a: b}}
  securityContext: {}
  containerSet:
    volumeMounts: []
    containers:
    - {name: main, image: arc, command: [arc], imagePullPolicy: Always, resources: {}, securityContext: {}, ports: []}";
    check(ignored, &[]);
}

#[test]
fn placeholders_that_nothing_fills_in_are_refused() {
    check(
        "entrypoint: main
arguments: {parameters: [{name: tag, value: v1}]}
templates:
- name: main
  inputs: {parameters: [{name: tag}]}
  steps:
  - - name: a
      template: b
      arguments: {parameters: [{name: x, value: \"{{steps.later.outputs.result}}\"}]}
    - {name: c, template: b, when: \"{{steps.a.outputs.result}} == 1\", arguments: {parameters: [{name: x, value: y}]}}
  - - name: later
      template: b
      arguments: {parameters: [{name: x, value: \"{{steps.a.outputs.parameters.nope}}{{tasks.a.status}}\"}]}
- name: b
  inputs: {parameters: [{name: x}]}
  container:
    image: arc
    command: [arc, step, \"{{inputs.parameters.y}}{{inputs.artifacts.x}}{{workflow.labels.a}}{{.tag}}{{item}}\"]
    args: [\"{{=sprig.env('HOME')}}\"]
    env:
    - {name: A, value: \"{{workflow.parameters.other}}{{steps.a.status}}{{pod.name}}{{workflow.parameters.tag}}\"}",
        &[
            "t.yaml:14:51: template \"main\": failed to resolve {{steps.later.outputs.result}}",
            "t.yaml:15:38: template \"main\": failed to resolve {{steps.a.outputs.result}}",
            "t.yaml:18:51: template \"main\": failed to resolve {{steps.a.outputs.parameters.nope}}",
            "t.yaml:18:51: template \"main\": failed to resolve {{tasks.a.status}}",
            "t.yaml:23:28: template \"b\": failed to resolve {{inputs.artifacts.x}}",
            "t.yaml:23:28: template \"b\": failed to resolve {{inputs.parameters.y}}",
            "t.yaml:23:28: template \"b\": failed to resolve {{workflow.labels.a}}",
            "t.yaml:24:14: args: `{{=sprig.env('HOME')}}` is not supported by `arc run`",
            "t.yaml:26:26: template \"b\": failed to resolve {{steps.a.status}}",
            "t.yaml:26:26: template \"b\": failed to resolve {{workflow.parameters.other}}",
        ],
    );
}

#[test]
fn calls_that_do_not_fit_are_refused() {
    check(
        "entrypoint: main
onExit: nobody
templates:
- name: main
  steps:
  - - {name: a, template: missing}
    - {name: b, template: needs}
    - {name: b, template: needs, arguments: {parameters: [{name: x, value: 1}]}}
- name: needs
  inputs: {parameters: [{name: x}]}
  dag:
    tasks:
    - {name: a, template: needs2, depends: b && nope}
    - {name: b, template: needs2, dependencies: [a]}
    - {name: c, template: needs2, depends: a.Daemoned}
- name: needs2
  containerSet:
    containers:
    - {name: a, image: arc, command: [arc], dependencies: [b]}
    - {name: b, image: arc, command: [arc], dependencies: [a]}
  outputs: {parameters: [{name: r, valueFrom: {path: /r}}]}",
        &[
            "t.yaml:7:11: template \"nobody\" does not exist",
            "t.yaml:11:29: step \"a\": template \"missing\" does not exist",
            "t.yaml:12:16: step \"b\": inputs.parameters.x was not supplied",
            "t.yaml:13:16: there is another step \"b\"",
            "t.yaml:14:5: template \"needs\": a, b, c wait for each other",
            "t.yaml:18:16: template \"needs\": dependency \"nope\" does not exist",
            "t.yaml:20:16: depends: `a.Daemoned` is not supported by `arc run`",
            "t.yaml:21:5: template \"needs2\": a, b wait for each other",
            "t.yaml:26:35: template \"needs2\": outputs are read from a container called \"main\", and there is none",
        ],
    );
}

#[test]
fn templates_that_call_themselves_are_refused() {
    check(
        "entrypoint: a
templates:
- name: a
  steps: [[{name: x, template: b}]]
- name: b
  dag: {tasks: [{name: y, template: a, when: 'false'}]}",
        &["t.yaml:11:39: template \"a\" calls itself: a → b → a"],
    );
}

#[test]
fn values_of_the_wrong_form_are_refused() {
    check(
        &template(
            "  activeDeadlineSeconds: soon
  parallelism: \"{{inputs.parameters.x}}\"
  retryStrategy: {limit: 1000, retryPolicy: Sometimes, backoff: {duration: long}, expression: 'x == 1'}
  outputs: {parameters: [{name: a, valueFrom: {path: ../etc}}, {name: b, valueFrom: {expression: '1'}}]}
  container:
    image: arc
    command: arc
    env: [{name: A=B, value: x}, {name: LD_PRELOAD, value: x}]
    volumeMounts:
    - {name: v, mountPath: /a/../b}
    - {name: v, mountPath: /a}
    - {name: v, mountPath: /a/b/}
    - {name: v, mountPath: /c, subPath: x}",
        ),
        &[
            "t.yaml:9:28: activeDeadlineSeconds: \"soon\" is not a duration such as \"30\", \"90s\" or \"1h30m\"",
            "t.yaml:10:18: parallelism: placeholders are not supported here by `arc run`",
            "t.yaml:11:28: retryStrategy.limit: 1000 is more than 100",
            "t.yaml:11:47: retryPolicy: \"Sometimes\" is not one of Always, OnFailure, OnError, OnTransientError",
            "t.yaml:11:97: retryStrategy.expression: `x` is not supported by `arc run`",
            "t.yaml:12:56: template \"main\": outputs: parameter \"a\": \"../etc\" is not an absolute path without `.`, `..`, `:` and `,`",
            "t.yaml:12:88: template \"main\": outputs: parameter \"b\": valueFrom: `expression` is not supported by `arc run`",
            "t.yaml:15:16: command: expected a list, found text",
            "t.yaml:16:20: env: \"A=B\" is not a name of a variable",
            "t.yaml:18:30: volumeMounts: mountPath: \"/a/../b\" is not an absolute path without `.`, `..`, `:` and `,`",
            "t.yaml:19:9: volume \"v\" does not exist",
            "t.yaml:20:9: volumeMounts: \"/a\" and \"/a/b\" overlap",
            "t.yaml:21:9: volume \"v\" does not exist",
            "t.yaml:21:34: volumeMounts: `subPath` is not supported by `arc run`",
        ],
    );
}

#[test]
fn programs_volumes_and_variables_must_be_safe_and_there() {
    let spec = "entrypoint: main
volumes:
- {name: creds, secret: {secretName: s, items: [{key: password, path: p}]}}
- {name: map, configMap: {name: m}}
- {name: host, hostPath: {path: /}}
templates:
- name: main
  containerSet:
    volumeMounts: [{name: creds, mountPath: /c}, {name: map, mountPath: /m}, {name: no, mountPath: /n}]
    containers:
    - {name: a, image: 'registry.example/arc:1', command: [arc], env: [{name: LD_PRELOAD, value: x}]}
    - {name: b, image: busybox, command: [arc]}
    - {name: c, image: registry.example/notarc, command: [arc]}
    - {name: d, image: --privileged, command: [sh]}
    - {name: e, image: \"{{inputs.parameters.i}}\", command: [arc]}
    - {name: f, image: arc, command: [arc], volumeMounts: [{name: other, mountPath: /o}]}
    - {name: g, image: arc, command: [arc, $(A), $$(B), $(date)], env: [{name: A, value: x}]}
  inputs: {parameters: [{name: i, default: arc}]}";
    let mut case = Case::new(spec).secret("s", "username", "x");
    case.programs.container_runtime = None;
    let problems: Vec<String> = case.problems().iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "t.yaml:10:18: volume \"host\": `hostPath` is not supported by `arc run`",
            "t.yaml:14:22: volume \"creds\": secret \"s\" has no key \"password\"",
            "t.yaml:14:52: volume \"map\": configmap \"m\" not found",
            "t.yaml:14:80: volume \"no\" does not exist",
            "t.yaml:16:100: container \"a\": the variable LD_PRELOAD is not supported by `arc run`",
            "t.yaml:17:26: container \"b\": image \"busybox\" needs podman or docker, and neither was found",
            "t.yaml:18:26: container \"c\": image \"registry.example/notarc\" needs podman or docker, and neither was found",
            "t.yaml:19:26: container \"d\": \"--privileged\" is not an image",
            "t.yaml:20:26: container \"e\": image and program must be known before anything runs",
            "t.yaml:21:62: container \"f\": volume mount \"other\" is not one of the set",
            "t.yaml:22:46: container \"g\": `$(NAME)` is not supported by `arc run`",
            "t.yaml:22:52: container \"g\": `$(NAME)` is not supported by `arc run`",
        ]
    );
}

#[test]
fn a_value_that_a_cluster_would_evaluate_is_refused() {
    let spec = format!("arguments: {{parameters: [{{name: tag}}]}}\n{}", step("true"));
    for value in ["{{workflow.uid}}", "{{=1+1}}", "$(SPEC_TAG)"] {
        let problems = Case::new(&spec).parameter("tag", value).problems();
        let messages: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(messages.len(), 1, "{value}");
        assert!(
            messages[0].starts_with("Workflow \"w\": spec.arguments.tag.value: contains "),
            "{messages:?}"
        );
    }
    assert_eq!(Case::new(&spec).parameter("tag", "{{.tag}}").problems(), []);
}

#[test]
fn only_the_values_a_template_allows_are_accepted() {
    let spec = format!(
        "arguments: {{parameters: [{{name: mode, value: a, enum: [a, b]}}]}}\n{}",
        step("true")
    );
    let problems = Case::new(&spec).parameter("mode", "c").problems();
    assert_eq!(
        problems[0].to_string(),
        "Workflow \"w\": spec.arguments.mode.value: \"c\" is not one of a, b"
    );
    assert_eq!(Case::new(&spec).parameter("mode", "b").problems(), []);
}

#[test]
fn files_that_are_no_templates_are_refused_and_other_kinds_left_alone() {
    let mut case = Case::new(&step("true"));
    case.sources[0].text = "kind: Order\napiVersion: arc.opendefense.cloud/v1alpha1\n---\napiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: x}\n---\napiVersion: argoproj.io/v1alpha1\nkind: WorkflowTemplate\n".to_owned();
    let messages: Vec<String> = case.problems().iter().map(ToString::to_string).collect();
    assert_eq!(
        messages,
        [
            "t.yaml:4:1: kind \"Workflow\" is not a template",
            "t.yaml:8:1: WorkflowTemplate: `metadata.name` is missing",
        ]
    );
    case.sources[0].text = "a: [1\n".to_owned();
    let problem = &case.problems()[0];
    assert!(problem.message.starts_with("invalid YAML: "), "{problem}");
    assert_eq!(problem.line, 1);
}
