//! Templates that want to break the engine end in an error, in bounded time and memory.

use arc_api::argo::Phase;

use crate::harness::{Case, step};

#[track_caller]
fn refused(text: String, expected: &str) {
    let mut case = Case::new("");
    case.sources[0].text = text;
    let problems = case.problems();
    let found = problems.iter().any(|problem| problem.message.contains(expected));
    assert!(found, "{expected:?} is not in {:?}", problems.iter().take(5).collect::<Vec<_>>());
}

fn refused_spec(spec: &str, expected: &str) {
    refused(crate::harness::document(spec), expected);
}

#[test]
fn yaml_bombs_are_refused() {
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..10 {
        let items = vec![format!("*a{}", level - 1); 10].join(",");
        bomb.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    refused(bomb, "invalid YAML");
    refused("[".repeat(200_000), "invalid YAML");
    refused("- ".repeat(200_000), "invalid YAML");
    refused("{a: ".repeat(200_000), "invalid YAML");
    refused("---\na: b\n".repeat(1000), "invalid YAML");
    refused(format!("a: {}", "x".repeat(5 * 1024 * 1024)), "larger than");
    refused("a: &a [*a]\n".to_owned(), "invalid YAML");
}

#[test]
fn calls_without_end_are_refused() {
    let chain: String = (0..100)
        .map(|level| {
            format!("- name: t{level}\n  steps: [[{{name: a, template: t{}}}]]\n", level + 1)
        })
        .collect();
    let leaf = "- name: t100\n  container: {image: arc, command: [arc]}\n";
    refused_spec(
        &format!("entrypoint: t0\ntemplates:\n{chain}{leaf}"),
        "calls nest deeper than 32",
    );
    let tree: String = (0..20)
        .map(|level| {
            let steps: Vec<String> = (0..10)
                .map(|step| format!("{{name: s{step}, template: t{}}}", level + 1))
                .collect();
            format!("- name: t{level}\n  steps: [[{}]]\n", steps.join(", "))
        })
        .collect();
    let leaf = "- name: t20\n  container: {image: arc, command: [arc]}\n";
    refused_spec(&format!("entrypoint: t0\ntemplates:\n{tree}{leaf}"), "more than 10000 nodes");
}

#[test]
fn wide_templates_are_refused() {
    let tasks: Vec<String> =
        (0..5000).map(|number| format!("{{name: t{number}, template: leaf}}")).collect();
    let leaf = "- name: leaf\n  container: {image: arc, command: [arc]}\n";
    for kind in ["steps: [[TASKS]]", "dag: {tasks: [TASKS]}"] {
        let kind = kind.replace("TASKS", &tasks.join(", "));
        refused_spec(
            &format!("entrypoint: a\ntemplates:\n- name: a\n  {kind}\n{leaf}"),
            "more than 1000 steps",
        );
    }
}

#[test]
fn expression_bombs_are_refused() {
    for when in ["(".repeat(100_000), "!".repeat(100_000), "a == b && ".repeat(100_000)] {
        let spec = format!(
            "entrypoint: a\ntemplates:\n- name: a\n  steps: [[{{name: b, template: b, when: '{when}true'}}]]\n- name: b\n  container: {{image: arc, command: [arc]}}"
        );
        refused_spec(&spec, "when: the expression");
    }
}

#[tokio::test]
async fn retries_inside_retries_end() {
    let mut spec =
        "entrypoint: t0\nretryStrategy: {limit: 100, retryPolicy: Always}\ntemplates:\n".to_owned();
    for level in 0..5 {
        spec.push_str(&format!(
            "- name: t{level}\n  steps: [[{{name: a, template: t{}}}]]\n",
            level + 1
        ));
    }
    // The innermost fails before it starts a process, so that ten thousand nodes take no time.
    spec.push_str("- name: t5\n  steps: [[{name: x, template: leaf, when: '1 < a'}]]\n- name: leaf\n  container: {image: arc, command: [arc]}\n");
    let folder = tempfile::tempdir().unwrap();
    let outcome = Case::new(&spec).run(folder.path()).await;
    let status = outcome.report.status;
    assert!(matches!(status.phase, Phase::Error | Phase::Failed));
    assert_eq!(status.nodes.len(), 10_000);
}

#[tokio::test]
async fn endless_output_is_cut() {
    let script =
        "head -c 40000000 /dev/zero | tr '\\0' x; yes '' | head -n 2000000 >&2; printf end";
    let spec = "entrypoint: main\ntemplates:\n- name: main\n  steps:\n  - - {name: a, template: loud}\n  - - {name: b, template: quiet, when: \"'{{steps.a.outputs.result}}' =~ 'xend$'\"}\n- name: quiet\n  container: {image: arc, command: [arc, step, 'true']}\n- name: loud\n";
    let container = step(script).split_once("  container").unwrap().1.to_owned();
    let folder = tempfile::tempdir().unwrap();
    let outcome = Case::new(&format!("{spec}  container{container}")).run(folder.path()).await;
    let nodes = outcome.report.status.nodes;
    let loud = nodes.values().find(|node| node.display_name == "a").unwrap();
    let result = loud.outputs.clone().unwrap().result.unwrap();
    assert_eq!(result.len(), 256 * 1024);
    let quiet = nodes.values().find(|node| node.display_name == "b").unwrap();
    assert_eq!(quiet.phase, Phase::Succeeded, "{}", quiet.message);
    assert!(outcome.events.len() < 600_000, "{}", outcome.events.len());
}

#[tokio::test]
async fn values_made_of_values_do_not_fill_the_memory() {
    // Each level passes the value on three times as long.
    let mut spec = "entrypoint: t0\narguments: {parameters: [{name: v}]}\ntemplates:\n".to_owned();
    for level in 0..12 {
        spec.push_str(&format!(
            "- name: t{level}\n  inputs: {{parameters: [{{name: v}}]}}\n  steps: [[{{name: a, template: t{}, arguments: {{parameters: [{{name: v, value: '{}'}}]}}}}]]\n",
            level + 1,
            "{{inputs.parameters.v}}".repeat(3),
        ));
    }
    spec.push_str("- name: t12\n  inputs: {parameters: [{name: v}]}\n  container: {image: arc, command: [arc, step, 'true']}\n");
    let folder = tempfile::tempdir().unwrap();
    let outcome = Case::new(&spec).parameter("v", &"x".repeat(10_000)).run(folder.path()).await;
    let messages: Vec<&str> =
        outcome.report.status.nodes.values().map(|node| node.message.as_str()).collect();
    assert!(
        messages.iter().any(|message| message.contains("longer than 1048576 bytes")),
        "{messages:?}"
    );
}
