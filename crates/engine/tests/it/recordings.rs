//! The engine runs what a real Argo 4.1 ran, and must end with the same nodes, phases, messages and outputs.

use std::collections::BTreeMap;
use std::path::Path;

use arc_api::argo::{NodeStatus, NodeType, Workflow, WorkflowStatus};
use arc_engine::TemplateSource;
use serde_json::{Value, json};

use crate::harness::Case;

fn recording(name: &str) -> (Case, WorkflowStatus) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/recordings/{name}.json"));
    let mut recording: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let workflow: Workflow = serde_json::from_value(recording["workflow"].take()).unwrap();
    let reference = workflow.spec.workflow_template_ref.clone().unwrap();
    let document = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ClusterWorkflowTemplate",
        "metadata": {"name": reference.name},
        "spec": recording["template"].take(),
    });
    let mut case = Case::new("");
    case.sources.clear();
    if !document["spec"].is_null() {
        let text = serde_json::to_string_pretty(&document).unwrap();
        case.sources.push(TemplateSource { file: "template.json".to_owned(), text });
    }
    case.workflow = workflow;
    (case, serde_json::from_value(recording["status"].take()).unwrap())
}

/// Times differ; and progress is only kept for nodes that have containers.
fn comparable(mut status: WorkflowStatus) -> WorkflowStatus {
    status.started_at = None;
    status.finished_at = None;
    for node in status.nodes.values_mut() {
        let NodeStatus { started_at, finished_at, progress, children, type_, .. } = node;
        (*started_at, *finished_at) = (None, None);
        if !matches!(type_, NodeType::Pod | NodeType::Container) {
            progress.clear();
        }
        children.sort();
    }
    status
}

async fn check(name: &str, change: impl FnOnce(Case) -> Case) {
    let (case, expected) = recording(name);
    let folder = tempfile::tempdir().unwrap();
    let outcome = change(case).run(folder.path()).await;
    let actual = comparable(outcome.report.status);
    let expected = comparable(expected);
    let nodes = |status: &WorkflowStatus| -> BTreeMap<String, Value> {
        let nodes = status.nodes.iter();
        nodes.map(|(id, node)| (id.clone(), serde_json::to_value(node).unwrap())).collect()
    };
    assert_eq!(nodes(&actual), nodes(&expected), "{name}");
    assert_eq!(actual, expected, "{name}");
}

#[tokio::test]
async fn a_container_set_that_succeeds_reads_like_argo() {
    check("succeeded", |case| case).await;
}

#[tokio::test]
async fn a_refusal_by_the_scan_reads_like_argo() {
    check("refused-by-scan", |case| case).await;
}

#[tokio::test]
async fn a_second_try_that_succeeds_reads_like_argo() {
    check("retried-then-succeeded", |case| case).await;
}

#[tokio::test]
async fn exhausted_retries_read_like_argo() {
    check("retries-exhausted", |case| case).await;
}

#[tokio::test]
async fn a_missing_output_reads_like_argo() {
    check("output-missing", |case| case).await;
}

#[tokio::test]
async fn steps_with_a_skipped_one_read_like_argo() {
    check("steps-three-pods", |case| case).await;
}

#[tokio::test]
async fn a_deadline_reads_like_argo() {
    // The recording waited six seconds for it.
    check("deadline-exceeded", |mut case| {
        case.workflow.spec.active_deadline_seconds = Some(1);
        case
    })
    .await;
}

#[tokio::test]
async fn a_termination_reads_like_argo() {
    check("stopped", |case| {
        case.cancel.cancel();
        case
    })
    .await;
}

#[test]
fn what_argo_refuses_is_refused_in_its_words_before_anything_runs() {
    for name in ["template-not-found", "parameter-missing"] {
        let (case, status) = recording(name);
        let messages: Vec<String> =
            case.problems().into_iter().map(|problem| problem.message).collect();
        assert_eq!(messages, [status.message], "{name}");
    }
}
