//! Statuses that no recording shows; the recordings are in `tests/it/recordings.rs`.

use std::collections::BTreeMap;

use arc_api::argo::{self, NodeStatus, NodeType, Outputs, WorkflowStatus};
use arc_api::{
    ArtifactWorkflow, ArtifactWorkflowSpec, ArtifactWorkflowStatus, DestinationResult, Order,
    OrderArtifact, OrderSpec, Phase, Reason,
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::json;

use super::*;
use crate::plan::{Delivery, Plan, SharedArtifact};
use crate::problem::Problem;
use crate::validate::{ArtifactVerdict, ValidatedOrder};

fn reporting(phase: argo::Phase, result: &str) -> WorkflowStatus {
    let outputs =
        Outputs { parameters: vec![argo::Parameter::new("result", result)], ..Outputs::default() };
    let node = NodeStatus {
        id: "a".into(),
        type_: NodeType::Pod,
        outputs: Some(outputs),
        ..NodeStatus::default()
    };
    WorkflowStatus { phase, nodes: [("a".to_owned(), node)].into(), ..WorkflowStatus::default() }
}

#[track_caller]
fn check(result: &str, expected: (Phase, Reason, Option<&str>)) {
    let status = derive_status(&reporting(argo::Phase::Succeeded, result), None);
    let found =
        (status.phase.unwrap_or_default(), status.reason.unwrap_or_default(), status.message);
    assert_eq!(found, (expected.0, expected.1.into(), expected.2.map(str::to_owned)), "{result}");
}

#[test]
fn the_report_of_the_steps_decides_what_success_means() {
    let with = |outcome: &str| {
        json!({"outcome": outcome, "destination": {"reference": "harbor.example/a:1"}, "bytesPlanned": 7}).to_string()
    };
    check("{}", (Phase::Succeeded, Reason::Succeeded, None));
    check(
        &with("Delivered"),
        (Phase::Succeeded, Reason::Succeeded, Some("delivered to harbor.example/a:1")),
    );
    check(
        &with("AlreadyDelivered"),
        (
            Phase::Succeeded,
            Reason::AlreadyDelivered,
            Some("harbor.example/a:1 held it already; nothing moved"),
        ),
    );
    check(
        &with("DryRun"),
        (
            Phase::Succeeded,
            Reason::DryRun,
            Some("would move 7 bytes to harbor.example/a:1; nothing moved"),
        ),
    );
    check(&with("Refused"), (Phase::Failed, Reason::PolicyRefused, Some("refused by policy")));
    check(
        r#"{"outcome":"Refused","scan":{"critical":1}}"#,
        (Phase::Failed, Reason::ScanRefused, Some("refused by policy")),
    );
}

#[test]
fn a_report_that_cannot_be_read_is_no_success() {
    for result in
        ["no json", r#"{"outcome":"Perhaps"}"#, r#"{"blobsMoved":-1}"#, &"x".repeat(300_000)]
    {
        let status = derive_status(&reporting(argo::Phase::Succeeded, result), None);
        assert_eq!((status.phase, status.result), (Some(Phase::Error), None));
        assert_eq!(status.reason.as_deref(), Some("InvalidResult"));
    }
}

#[test]
fn a_refused_scan_says_what_it_found() {
    let mut workflow = reporting(
        argo::Phase::Failed,
        &json!({"outcome": "Refused", "scan": {"critical": 1, "high": 2, "findings": vec![json!({"id": "x"}); 50]}})
            .to_string(),
    );
    let node = workflow.nodes.get_mut("a").expect("the workflow has one");
    node.display_name = "scan".into();
    node.boundary_id = "pipeline".into();
    node.phase = argo::Phase::Failed;
    node.message = "main: Error (exit code 3): openssl is too old".into();
    let status = derive_status(&workflow, None);
    assert_eq!(status.reason.as_deref(), Some("ScanRefused"));
    assert_eq!(
        status.message.as_deref(),
        Some(
            "step \"scan\" ended with exit code 3: refused by policy; the scan found 1 critical and 2 high; \
             openssl is too old"
        )
    );
    let findings = status.result.and_then(|result| result.scan).map(|scan| scan.findings.len());
    assert_eq!(findings, Some(20));
}

/// `fetch` is tried twice and ends well, then `scan` fails at its only try.
#[test]
fn only_the_tries_of_the_step_itself_are_counted() {
    let node = |id: &str, type_, phase, message: &str| NodeStatus {
        id: id.into(),
        name: id.into(),
        display_name: id.into(),
        type_,
        phase,
        boundary_id: "pipeline".into(),
        message: message.into(),
        ..NodeStatus::default()
    };
    let failed = "Error (exit code 1)";
    let mut retry = node("fetch", NodeType::Retry, argo::Phase::Succeeded, "");
    retry.children = vec!["fetch(0)".into(), "fetch(1)".into()];
    let nodes = [
        retry,
        node("fetch(0)", NodeType::Pod, argo::Phase::Failed, failed),
        node("fetch(1)", NodeType::Pod, argo::Phase::Succeeded, ""),
        node("scan", NodeType::Pod, argo::Phase::Failed, failed),
    ];
    let nodes = nodes.into_iter().map(|node| (node.id.clone(), node)).collect();
    let workflow =
        WorkflowStatus { phase: argo::Phase::Failed, nodes, ..WorkflowStatus::default() };
    let status = derive_status(&workflow, None);
    let steps: Vec<&str> = status.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(steps, ["scan", "fetch"]);
    let message = "step \"scan\" ended with exit code 1: failed, a retry may help";
    assert_eq!(status.message.as_deref(), Some(message));
}

#[test]
fn a_pod_that_ends_well_without_its_output_is_an_invalid_result() {
    let mut workflow = reporting(argo::Phase::Error, "");
    let node = workflow.nodes.get_mut("a").expect("the workflow has one");
    node.phase = argo::Phase::Error;
    node.message =
        "wait: Error (exit code 64): open /result.json: no such file or directory".into();
    node.outputs.as_mut().expect("the node has some").exit_code = Some("0".into());
    workflow.message = "child 'a' errored".into();
    assert_eq!(derive_status(&workflow, None).reason.as_deref(), Some("InvalidResult"));
}

#[test]
fn a_graph_that_bites_its_tail_ends() {
    let node = |id: &str, next: &str| NodeStatus {
        id: id.into(),
        name: id.into(),
        type_: NodeType::Retry,
        boundary_id: next.into(),
        children: vec![next.into(), "gone".into()],
        ..NodeStatus::default()
    };
    let nodes = [("a".to_owned(), node("a", "b")), ("b".to_owned(), node("b", "a"))].into();
    let workflow =
        WorkflowStatus { phase: argo::Phase::Failed, nodes, ..WorkflowStatus::default() };
    assert_eq!(derive_status(&workflow, None).message.as_deref(), Some("Argo gives no reason"));
}

/// An order of as many artifacts as there are entries: blocked where there is none, else with that status.
struct Story {
    order: Order,
    validated: ValidatedOrder,
    plan: Plan,
    existing: BTreeMap<String, ArtifactWorkflow>,
}

enum Artifact {
    Blocked,
    Planned,
    At(Phase, Reason),
}

fn story(artifacts: &[Artifact]) -> Story {
    let spec = OrderSpec {
        artifacts: vec![
            OrderArtifact { type_: "oci".into(), ..OrderArtifact::default() };
            artifacts.len()
        ],
        ..OrderSpec::default()
    };
    let mut story = Story {
        order: Order::new("demo", spec),
        validated: ValidatedOrder::default(),
        plan: Plan::default(),
        existing: BTreeMap::new(),
    };
    story.order.metadata.generation = Some(3);
    for (index, artifact) in artifacts.iter().enumerate() {
        let problem = Problem::new(
            format!("spec.artifacts[{index}].srcRef"),
            Reason::EndpointNotFound,
            "is missing",
        );
        let problems = if matches!(artifact, Artifact::Blocked) {
            vec![problem.hint("make it")]
        } else {
            vec![]
        };
        // The rows read a verdict's problems only, so an empty list stands for an artifact that passed.
        let verdict = ArtifactVerdict { index, name: index.to_string(), outcome: Err(problems) };
        story.validated.artifacts.push(verdict);
        let name = format!("demo-{index}");
        if !matches!(artifact, Artifact::Blocked) {
            story.plan.deliveries.push(Delivery {
                artifact_index: index,
                artifact_name: index.to_string(),
                shared_with: vec![],
                artifact_workflow: ArtifactWorkflow::new(&name, ArtifactWorkflowSpec::default()),
                parameters: vec![],
            });
        }
        if let Artifact::At(phase, reason) = artifact {
            let status = ArtifactWorkflowStatus {
                phase: Some(*phase),
                reason: Some((*reason).into()),
                ..ArtifactWorkflowStatus::default()
            };
            story.existing.insert(name.clone(), with_status(&name, status));
        }
    }
    story
}

fn with_status(name: &str, status: ArtifactWorkflowStatus) -> ArtifactWorkflow {
    ArtifactWorkflow {
        status: Some(status),
        ..ArtifactWorkflow::new(name, ArtifactWorkflowSpec::default())
    }
}

impl Story {
    fn status(&self, second: i64) -> arc_api::OrderStatus {
        let now = Timestamp::from_second(second).expect("a small number of seconds");
        let existing = self.existing.iter().map(|(name, one)| (name.clone(), one)).collect();
        derive_order_status(&self.order, &self.validated, &self.plan, &existing, now)
    }
}

/// Phase, progress, and the status and reason of each condition.
fn sum(status: &arc_api::OrderStatus) -> (Phase, String, Vec<String>) {
    let conditions =
        status.conditions.iter().map(|one| format!("{}={} {}", one.type_, one.status, one.reason));
    (
        status.phase.unwrap_or_default(),
        status.progress.clone().unwrap_or_default(),
        conditions.collect(),
    )
}

#[track_caller]
fn check_order(artifacts: &[Artifact], phase: Phase, progress: &str, conditions: [&str; 3]) {
    let conditions = conditions.map(str::to_owned).to_vec();
    assert_eq!(sum(&story(artifacts).status(0)), (phase, progress.to_owned(), conditions));
}

#[test]
fn an_order_stands_where_its_artifacts_stand() {
    let done = || Artifact::At(Phase::Succeeded, Reason::Succeeded);
    let failed = || Artifact::At(Phase::Failed, Reason::ScanRefused);
    let running = || Artifact::At(Phase::Running, Reason::Running);
    let [accepted, not_accepted] = ["Accepted=True Accepted", "Accepted=False ArtifactsBlocked"];
    let complete = "Complete=True Succeeded";
    let under_way = ["Complete=False Running", "Ready=Unknown Running"];
    check_order(&[], Phase::Succeeded, "0/0", [accepted, complete, "Ready=True Succeeded"]);
    check_order(
        &[done(), done()],
        Phase::Succeeded,
        "2/2",
        [accepted, complete, "Ready=True Succeeded"],
    );
    check_order(
        &[Artifact::Planned],
        Phase::Pending,
        "0/1",
        [accepted, under_way[0], under_way[1]],
    );
    check_order(
        &[done(), Artifact::Planned],
        Phase::Running,
        "1/2",
        [accepted, under_way[0], under_way[1]],
    );
    check_order(
        &[running(), failed()],
        Phase::Running,
        "0/2",
        [accepted, under_way[0], "Ready=False ArtifactsFailed"],
    );
    check_order(
        &[done(), failed()],
        Phase::Failed,
        "1/2",
        [accepted, "Complete=True ArtifactsFailed", "Ready=False ArtifactsFailed"],
    );
    check_order(
        &[done(), Artifact::Blocked],
        Phase::Pending,
        "1/2",
        [not_accepted, "Complete=False ArtifactsBlocked", "Ready=False ArtifactsBlocked"],
    );
}

#[test]
fn a_suspended_order_says_so() {
    let mut story = story(&[Artifact::Planned, Artifact::At(Phase::Succeeded, Reason::Succeeded)]);
    story.order.spec.suspend = true;
    let status = story.status(0);
    assert_eq!(status.phase, Some(Phase::Suspended));
    assert_eq!(status.artifacts[0].phase, Phase::Suspended);
    assert_eq!(status.artifacts[1].phase, Phase::Succeeded);
}

#[test]
fn the_first_thing_to_know_is_the_message() {
    let blocked =
        story(&[Artifact::Blocked, Artifact::At(Phase::Running, Reason::Running)]).status(0);
    let text = "artifact \"0\": spec.artifacts[0].srcRef: is missing; make it";
    assert_eq!(blocked.message.as_deref(), Some(text));
    assert_eq!(blocked.artifacts[0].reason.as_deref(), Some("EndpointNotFound"));
    let failed =
        story(&[Artifact::Blocked, Artifact::At(Phase::Failed, Reason::ScanRefused)]).status(0);
    assert_eq!(failed.message.as_deref(), Some("artifact \"1\": ScanRefused"));
}

#[test]
fn a_condition_keeps_its_date_while_its_status_stays() {
    let mut story = story(&[Artifact::At(Phase::Running, Reason::Running)]);
    let first = story.status(100);
    story.order.status = Some(first.clone());
    assert_eq!(story.status(200), first);
    let done = ArtifactWorkflowStatus {
        phase: Some(Phase::Succeeded),
        ..ArtifactWorkflowStatus::default()
    };
    story.existing.insert("demo-0".to_owned(), with_status("demo-0", done));
    let dates: Vec<i64> = story
        .status(300)
        .conditions
        .iter()
        .map(|one| one.last_transition_time.0.as_second())
        .collect();
    assert_eq!(dates, [100, 300, 300]);
}

#[test]
fn artifacts_that_share_a_delivery_share_its_status() {
    let mut story = story(&[Artifact::At(Phase::Succeeded, Reason::Succeeded), Artifact::Planned]);
    story.plan.deliveries.truncate(1);
    story.plan.deliveries[0].shared_with.push(SharedArtifact { index: 1, name: "1".to_owned() });
    let destination = DestinationResult {
        reference: "harbor.example/a:1".into(),
        digest: Some("sha256:0".into()),
    };
    let status = story.existing.get_mut("demo-0").and_then(|one| one.status.as_mut());
    status.expect("the story has it").result =
        Some(arc_api::DeliveryResult { destination: Some(destination), ..Default::default() });
    for row in story.status(0).artifacts {
        assert_eq!(row.artifact_workflow.as_deref(), Some("demo-0"));
        assert_eq!(row.destination.as_deref(), Some("harbor.example/a:1"));
        assert_eq!(row.digest.as_deref(), Some("sha256:0"));
    }
}

#[test]
fn rows_have_names_of_their_own_even_in_a_refused_order() {
    let mut story =
        story(&[Artifact::Blocked, Artifact::Blocked, Artifact::Blocked, Artifact::Blocked]);
    for (index, name) in ["same", "same", "Not Legal", "2"].into_iter().enumerate() {
        story.validated.artifacts[index].name = name.to_owned();
    }
    let names: Vec<String> = story.status(0).artifacts.into_iter().map(|row| row.name).collect();
    assert_eq!(names, ["same", "1", "2", "3"]);
}

#[test]
fn what_is_stuck_is_said_when_nothing_failed() {
    let with = |phase, reason: Reason, message: &str| {
        let mut story = story(&[Artifact::At(phase, reason), Artifact::At(phase, Reason::Running)]);
        let status = story.existing.get_mut("demo-0").and_then(|one| one.status.as_mut());
        status.expect("the story has it").message = Some(message.to_owned());
        story.status(0).message
    };
    let said = |text: &str| Some(format!("artifact \"0\": {text}"));
    assert_eq!(with(Phase::Running, Reason::ImagePullFailed, "no image"), said("no image"));
    assert_eq!(with(Phase::Pending, Reason::SecretNotFound, "no secret"), said("no secret"));
    assert_eq!(with(Phase::Pending, Reason::Scheduled, "at three"), None);
    assert_eq!(with(Phase::Running, Reason::Running, "busy"), None);
}

#[test]
fn an_artifact_that_is_handed_over_runs_and_its_beginning_changes_nothing() {
    let mut story = story(&[Artifact::At(Phase::Running, Reason::Running), Artifact::Planned]);
    let created = Time(Timestamp::from_second(50).expect("a small number of seconds"));
    let handed_over = story.existing.get_mut("demo-0").expect("the story has it");
    handed_over.metadata.creation_timestamp = Some(created.clone());
    handed_over.metadata.generation = Some(1);
    let begun = story.status(60);
    story.existing.get_mut("demo-0").expect("the story has it").status = None;
    assert_eq!(story.status(60), begun);
    assert_eq!((begun.artifacts[0].phase, begun.phase), (Phase::Running, Some(Phase::Running)));
    assert_eq!(begun.artifacts[0].started_at, Some(created));
}

#[test]
fn what_waits_for_its_schedule_keeps_no_order_from_rest() {
    let scheduled = || Artifact::At(Phase::Pending, Reason::Scheduled);
    let done = || Artifact::At(Phase::Succeeded, Reason::Succeeded);
    for (artifacts, expected) in [
        (vec![scheduled(), done()], Phase::Pending),
        (vec![scheduled(), Artifact::At(Phase::Failed, Reason::StepFailed)], Phase::Failed),
        (vec![scheduled(), done(), Artifact::Planned], Phase::Running),
    ] {
        assert_eq!(story(&artifacts).status(0).phase, Some(expected));
    }
}

#[test]
fn an_order_tells_when_it_expires_and_that_it_is_suspended() {
    let mut story = story(&[]);
    story.order.spec.ttl = Some("1h".to_owned());
    story.order.spec.suspend = true;
    let created = Timestamp::from_second(100).expect("a small number of seconds");
    story.order.metadata.creation_timestamp = Some(Time(created));
    let status = story.status(200);
    assert_eq!(status.expires_at.map(|at| at.0.as_second()), Some(3700));
    assert!(status.suspended);
}

/// etcd takes 1.5 MiB by default; a status has to leave room for the order itself.
#[test]
fn the_status_of_a_thousand_artifacts_fits_into_an_object() {
    let long = |text: &str, length: usize| text.repeat(length / text.len());
    let bytes = |kind: &dyn Fn() -> Artifact, text: &str| {
        let mut story = story(&(0..1000).map(|_| kind()).collect::<Vec<_>>());
        for artifact in &mut story.order.spec.artifacts {
            artifact.type_ = long(text, 252);
        }
        for verdict in &mut story.validated.artifacts {
            verdict.name = format!("{}{:03}", "a".repeat(60), verdict.index % 1000);
            if let Some(problem) = verdict.outcome.as_mut().err().and_then(|all| all.first_mut()) {
                problem.message = long(text, 2000);
            }
        }
        for status in story.existing.values_mut().filter_map(|one| one.status.as_mut()) {
            status.message = Some(long(text, 2000));
            let destination = DestinationResult {
                reference: long(text, 400),
                digest: Some(format!("sha512:{}", "0".repeat(128))),
            };
            let destination = Some(destination);
            status.result = Some(arc_api::DeliveryResult { destination, ..Default::default() });
        }
        let status = story.status(0);
        assert_eq!(status.artifacts.len(), 1000);
        assert!(status.artifacts[0].type_.is_some());
        serde_json::to_vec(&status).expect("a status is plain data").len()
    };
    let failed = || Artifact::At(Phase::Failed, Reason::StepFailed);
    let succeeded = || Artifact::At(Phase::Succeeded, Reason::Succeeded);
    for text in ["word ", "\"", "ü", "\u{1}"] {
        for kind in [&failed as &dyn Fn() -> Artifact, &succeeded, &|| Artifact::Blocked] {
            let bytes = bytes(kind, text);
            assert!(bytes < 1024 * 1024, "{bytes} bytes with {text:?}");
        }
    }
}
