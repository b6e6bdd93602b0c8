//! Steps, tasks, retries and exit handlers, told as the lines of the status.

use crate::harness::{Case, step};

/// Templates that the cases share: each is one `arc` step.
const TEMPLATES: &str = r#"
- name: ok
  container: {image: arc, command: [arc, step, "echo fine"]}
- name: fail
  container: {image: arc, command: [arc, step, "exit 1"]}
- name: refuse
  container: {image: arc, command: [arc, step, "exit 3"]}
- name: say
  inputs: {parameters: [{name: text}]}
  outputs: {parameters: [{name: said, valueFrom: {path: /tmp/said}}]}
  container:
    image: arc
    command: [arc, step, 'printf %s "$TEXT" | tee "$ARC_MOUNT_ROOT/tmp/said"']
    env: [{name: TEXT, value: "{{inputs.parameters.text}}"}]
"#;

async fn check(spec: &str, expected: &[&str]) {
    check_case(Case::new(&format!("entrypoint: main\n{spec}{TEMPLATES}")), expected).await;
}

async fn check_case(case: Case, expected: &[&str]) {
    assert_eq!(case.problems(), [], "the template is fine");
    let folder = tempfile::tempdir().unwrap();
    let outcome = case.run(folder.path()).await;
    assert_eq!(outcome.lines(), expected);
}

#[tokio::test]
async fn a_failed_step_fails_its_list_and_nothing_after_it_runs() {
    check(
        "
templates:
- name: main
  steps:
  - - {name: a, template: ok}
    - {name: b, template: refuse}
  - - {name: c, template: ok}",
        &[
            "Failed w: child 'w-2028477360' failed",
            "Steps Failed w: child 'w-2028477360' failed",
            "StepGroup Failed w[0]: child 'w-2028477360' failed",
            "Pod Succeeded w[0].a",
            "Pod Failed w[0].b: main: Error (exit code 3)",
        ],
    )
    .await;
}

#[tokio::test]
async fn results_and_outputs_reach_later_steps_and_are_never_templates_again() {
    let spec = r#"
templates:
- name: main
  outputs: {parameters: [{name: all, valueFrom: {parameter: "{{steps.b.outputs.parameters.said}}!"}}]}
  steps:
  - - name: a
      template: say
      arguments: {parameters: [{name: text, value: "{{workflow.name}}/{{workflow.parameters.tag}}"}]}
  - - name: b
      template: say
      arguments: {parameters: [{name: text, value: "{{steps.a.outputs.result}}+{{steps.a.status}}"}]}
  - - {name: c, template: ok, when: "{{steps.b.outputs.result}} == 'x'"}
    - {name: d, template: ok, when: "'{{steps.b.outputs.result}}' =~ '^w/[{]{2}.tag}}'"}
"#;
    let spec =
        format!("entrypoint: main\narguments: {{parameters: [{{name: tag}}]}}\n{spec}{TEMPLATES}");
    let case = Case::new(&spec).parameter("tag", "{{.tag}}");
    let folder = tempfile::tempdir().unwrap();
    let outcome = case.run(folder.path()).await;
    assert_eq!(
        outcome.lines(),
        [
            "Succeeded w",
            "Steps Succeeded w",
            "StepGroup Succeeded w[0]",
            "Pod Succeeded w[0].a",
            "StepGroup Succeeded w[1]",
            "Pod Succeeded w[1].b",
            "StepGroup Succeeded w[2]",
            "Skipped Skipped w[2].c: when 'w/{{.tag}}+Succeeded == 'x'' evaluated false",
            "Pod Succeeded w[2].d",
        ]
    );
    let outputs = outcome.report.status.nodes["w"].outputs.clone().unwrap();
    assert_eq!(outputs.parameters[0].value.as_deref(), Some("w/{{.tag}}+Succeeded!"));
}

#[tokio::test]
async fn an_output_with_braces_of_argo_stays_text() {
    let spec = r#"
entrypoint: main
templates:
- name: main
  steps:
  - - {name: a, template: hostile}
  - - name: b
      template: say
      arguments: {parameters: [{name: text, value: "{{steps.a.outputs.result}}"}]}
- name: hostile
  container: {image: arc, command: [arc, step, "printf '{''{workflow.uid}} {''{=1+1}} $(HOME)'"]}
"#;
    let folder = tempfile::tempdir().unwrap();
    let outcome = Case::new(&format!("{spec}{TEMPLATES}")).run(folder.path()).await;
    assert_eq!(outcome.logs(), ["{{workflow.uid}} {{=1+1}} $(HOME)"; 2]);
}

#[tokio::test]
async fn tasks_run_when_what_they_depend_on_allows_it() {
    check(
        "
templates:
- name: main
  dag:
    tasks:
    - {name: a, template: ok}
    - {name: b, template: fail, dependencies: [a]}
    - {name: on-failure, template: ok, depends: b.Failed && !a.Failed}
    - {name: skipped, template: ok, depends: a, when: '1 > 2'}
    - {name: last, template: ok, depends: skipped && (on-failure || b)}",
        &[
            "Succeeded w",
            "Dag Succeeded w",
            "Pod Succeeded w.a",
            "Pod Failed w.b: main: Error (exit code 1)",
            "Pod Succeeded w.last",
            "Pod Succeeded w.on-failure",
            "Skipped Skipped w.skipped: when '1 > 2' evaluated false",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_task_whose_branch_failed_fails_the_graph_and_stops_it() {
    check(
        "
templates:
- name: main
  dag:
    tasks:
    - {name: a, template: refuse}
    - {name: b, template: ok, depends: a}
    - {name: c, template: ok, depends: b}",
        &[
            "Failed w",
            "Dag Failed w",
            "Pod Failed w.a: main: Error (exit code 3)",
            "Skipped Omitted w.b: omitted: depends condition not met",
            "Skipped Omitted w.c: omitted: depends condition not met",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_retry_expression_tells_refusal_from_failure() {
    check(
        "
templates:
- name: main
  steps:
  - - {name: a, template: again}
- name: again
  retryStrategy: {limit: 3, expression: asInt(lastRetry.exitCode) == 1}
  container: {image: arc, command: [arc, step, 'exit $((1 + 2 * {{retries}}))']}",
        &[
            "Failed w: child 'w-2078810217' failed",
            "Steps Failed w: child 'w-2078810217' failed",
            "StepGroup Failed w[0]: child 'w-2078810217' failed",
            "Retry Failed w[0].a: retryStrategy.expression evaluated to false",
            "Pod Failed w[0].a(0): main: Error (exit code 1)",
            "Pod Failed w[0].a(1): main: Error (exit code 3)",
        ],
    )
    .await;
}

#[tokio::test]
async fn the_exit_handler_learns_how_the_workflow_ended_and_may_fail_it() {
    check(
        "
onExit: bye
templates:
- name: main
  steps:
  - - {name: a, template: ok}
- name: bye
  steps:
  - - {name: never, template: ok, when: '{{workflow.status}} != Succeeded'}
    - {name: always, template: fail, when: '{{workflow.status}} == Succeeded'}",
        &[
            "Failed w: child 'w-3299128832' failed",
            "Steps Succeeded w",
            "Steps Failed w.onExit: child 'w-3299128832' failed",
            "StepGroup Failed w.onExit[0]: child 'w-3299128832' failed",
            "Pod Failed w.onExit[0].always: main: Error (exit code 1)",
            "Skipped Skipped w.onExit[0].never: when 'Succeeded != Succeeded' evaluated false",
            "StepGroup Succeeded w[0]",
            "Pod Succeeded w[0].a",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_pods_own_deadline_ends_the_pod_and_not_its_neighbours() {
    check(
        "
templates:
- name: main
  steps:
  - - {name: a, template: slow}
    - {name: b, template: ok}
- name: slow
  activeDeadlineSeconds: 1
  container: {image: arc, command: [arc, step, 'sleep 60']}",
        &[
            "Failed w: child 'w-2078810217' failed",
            "Steps Failed w: child 'w-2078810217' failed",
            "StepGroup Failed w[0]: child 'w-2078810217' failed",
            "Pod Failed w[0].a: Pod was active on the node longer than the specified deadline",
            "Pod Succeeded w[0].b",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_cancelled_run_ends_even_when_a_step_ignores_it() {
    let script = "trap '' TERM; echo up; while :; do sleep 1; done";
    let case = Case::new(&step(script)).cancel_on("up");
    check_case(
        case,
        &[
            "Failed w: Stopped with strategy 'Terminate'",
            "Pod Failed w: workflow shutdown with strategy:  Terminate",
        ],
    )
    .await;
}

#[tokio::test]
async fn steps_of_a_stopped_list_never_start_and_no_exit_handler_runs() {
    let spec = format!(
        "entrypoint: main
onExit: ok
templates:
- name: main
  steps:
  - - {{name: a, template: wait}}
  - - {{name: b, template: ok}}
- name: wait
  retryStrategy: {{limit: 5, retryPolicy: Always}}
  container: {{image: arc, command: [arc, step, 'echo up; exec sleep 60']}}{TEMPLATES}"
    );
    check_case(
        Case::new(&spec).cancel_on("up"),
        &[
            "Failed w: Stopped with strategy 'Terminate'",
            "Steps Failed w: workflow shutdown with strategy:  Terminate",
            "StepGroup Failed w[0]: workflow shutdown with strategy:  Terminate",
            "Retry Failed w[0].a: workflow shutdown with strategy:  Terminate",
            "Pod Failed w[0].a(0): workflow shutdown with strategy:  Terminate",
        ],
    )
    .await;
}

#[tokio::test]
async fn parallelism_one_runs_side_by_side_steps_one_after_the_other() {
    let spec = "entrypoint: main
parallelism: 1
volumeClaimTemplates: [{metadata: {name: work}}]
templates:
- name: main
  steps:
  - - {name: a, template: alone}
    - {name: b, template: alone}
    - {name: c, template: alone}
- name: alone
  container:
    image: arc
    command: [arc, step, 'cd $ARC_MOUNT_ROOT/work && mkdir busy && rmdir busy']
    volumeMounts: [{name: work, mountPath: /work}]";
    check_case(
        Case::new(spec),
        &[
            "Succeeded w",
            "Steps Succeeded w",
            "StepGroup Succeeded w[0]",
            "Pod Succeeded w[0].a",
            "Pod Succeeded w[0].b",
            "Pod Succeeded w[0].c",
        ],
    )
    .await;
}
