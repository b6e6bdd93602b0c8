//! What a real Argo Workflows 4.1 wrote last, and the status that ARC derives from it.
#![expect(
    clippy::disallowed_methods,
    reason = "the recordings are files; only the core itself may not read any"
)]

use std::path::Path;

use arc_api::argo::WorkflowStatus;
use arc_api::{ArtifactWorkflowStatus, Phase};
use arc_core::derive_status;

fn recorded(name: &str) -> WorkflowStatus {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings").join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Phase, reason and message, and each step as `name phase exit-code`.
fn summary(status: &ArtifactWorkflowStatus) -> (Phase, String, String, Vec<String>) {
    let steps = status.steps.iter().map(|step| match step.exit_code {
        Some(code) => format!("{} {} {code}", step.name, step.phase),
        None => format!("{} {}", step.name, step.phase),
    });
    (
        status.phase.unwrap(),
        status.reason.clone().unwrap(),
        status.message.clone().unwrap_or_default(),
        steps.collect(),
    )
}

#[track_caller]
fn check(name: &str, (phase, reason): (Phase, &str), message: &str, steps: &[&str]) {
    let status = derive_status(&recorded(name), None);
    let steps = steps.iter().map(|step| (*step).to_owned()).collect();
    assert_eq!(summary(&status), (phase, reason.to_owned(), message.to_owned(), steps), "{name}");
}

#[test]
fn success_has_no_more_to_say_than_its_steps() {
    check(
        "succeeded",
        (Phase::Succeeded, "Succeeded"),
        "",
        &["fetch Succeeded 0", "scan Succeeded 0", "main Succeeded 0"],
    );
    check(
        "steps-three-pods",
        (Phase::Succeeded, "Succeeded"),
        "",
        &["fetch Succeeded 0", "scan Skipped", "publish Succeeded 0"],
    );
}

#[test]
fn only_the_last_try_counts() {
    check(
        "retried-then-succeeded",
        (Phase::Succeeded, "Succeeded"),
        "",
        &["fetch Succeeded 0", "main Succeeded 0"],
    );
    check(
        "retries-exhausted",
        (Phase::Failed, "StepFailed"),
        "step \"main\" ended with exit code 1: failed, a retry may help (after 2 tries)",
        &["fetch Succeeded 0", "main Failed 1"],
    );
}

#[test]
fn the_step_that_really_failed_is_named() {
    check(
        "refused-by-scan",
        (Phase::Failed, "ScanRefused"),
        "step \"scan\" ended with exit code 3: refused by policy",
        &["fetch Succeeded 0", "scan Failed 3", "main Error 64"],
    );
    check(
        "pod-deleted",
        (Phase::Failed, "StepFailed"),
        "step \"fetch\" ended with exit code 143: killed from outside",
        &["fetch Failed 143", "main Failed 143"],
    );
    check(
        "output-missing",
        (Phase::Error, "InvalidResult"),
        "the steps ended well, but what they report cannot be read: wait: Error (exit code 64): open \
         /mainctrfs/work/result.json: no such file or directory",
        &["fetch Succeeded 0", "main Succeeded 0"],
    );
}

#[test]
fn what_ended_a_workflow_from_outside_is_named() {
    check(
        "deadline-exceeded",
        (Phase::Failed, "DeadlineExceeded"),
        "step \"fetch\" did not end in time: Step exceeded its deadline",
        &["fetch Failed", "main Failed"],
    );
    check(
        "stopped",
        (Phase::Failed, "Stopped"),
        "stopped by somebody: Stopped with strategy 'Terminate'",
        &["fetch Failed", "main Failed"],
    );
}

#[test]
fn a_workflow_that_argo_cannot_begin_says_why() {
    check(
        "template-not-found",
        (Phase::Error, "WorkflowTemplateNotFound"),
        "clusterworkflowtemplates.argoproj.io \"no-such-template\" not found",
        &[],
    );
    check(
        "parameter-missing",
        (Phase::Failed, "MissingParameter"),
        "the workflow template needs the parameter \"specTag\", which nobody gave",
        &[],
    );
}

#[test]
fn an_image_that_cannot_be_pulled_is_remembered_beyond_the_deadline() {
    let waiting = derive_status(&recorded("image-cannot-be-pulled-before-the-end"), None);
    let (phase, reason, message, _) = summary(&waiting);
    assert_eq!((phase, reason.as_str()), (Phase::Running, "ImagePullFailed"));
    assert!(
        message.starts_with("ImagePullBackOff: Back-off pulling image \"127.0.0.1:1/none:1\""),
        "{message}"
    );

    let last = recorded("image-cannot-be-pulled");
    let (phase, reason, remembered, _) = summary(&derive_status(&last, Some(&waiting)));
    assert_eq!((phase, reason.as_str(), remembered), (Phase::Failed, "ImagePullFailed", message));

    check(
        "image-cannot-be-pulled",
        (Phase::Failed, "DeadlineExceeded"),
        "step \"fetch\" did not end in time: Pod was active on the node longer than the specified deadline",
        &["fetch Failed", "main Failed 143"],
    );
}
