//! The status of an artifact workflow, from the status of its Argo workflow.

use arc_api::argo::{NodeType, WorkflowStatus};
use arc_api::{ArtifactWorkflowStatus, DeliveryResult, Outcome, Phase, Reason, StepStatus, argo};

use super::result::{self, Report};
use super::{MAX_MESSAGE_CHARS, failure, steps};
use crate::text::shorten;

/// Most steps in a status; a template of ours has three, and a status must fit into an object.
const MAX_STEPS: usize = 50;

/// How Argo begins the message of a pod that waits for its image.
const PULL_FAILURES: [&str; 4] =
    ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"];

/// Derives the status of an artifact workflow.
///
/// `previous` is the status before, which remembers what Argo's last word leaves out (an image that could not be
/// pulled ends as a mere deadline).
pub fn derive_status(
    workflow: &WorkflowStatus,
    previous: Option<&ArtifactWorkflowStatus>,
) -> ArtifactWorkflowStatus {
    derive(workflow, previous, None)
}

/// Returns the node that is the pod, and the container in it, whose log tells why `workflow` failed; nothing where no
/// container ran.
pub(crate) fn log_of(workflow: &WorkflowStatus) -> Option<(String, String)> {
    let latest = steps::latest(workflow);
    failure::culprit(workflow, &latest).map(steps::Step::container)
}

/// Derives the status; `log` is what the failed step wrote last, already without secrets.
pub(crate) fn derive(
    workflow: &WorkflowStatus,
    previous: Option<&ArtifactWorkflowStatus>,
    log: Option<&str>,
) -> ArtifactWorkflowStatus {
    let latest = steps::latest(workflow);
    let report = result::read(workflow);
    let (phase, reason, message) = match steps::phase(workflow.phase) {
        Phase::Succeeded => succeeded(&report),
        phase @ (Phase::Pending | Phase::Running) => under_way(phase, workflow),
        phase => {
            let known = failure::Known { result: report.readable(), previous, log };
            let failure = failure::explain(workflow, &latest, known);
            (phase, failure.reason, Some(failure.message))
        }
    };
    let steps: Vec<StepStatus> = latest.iter().take(MAX_STEPS).map(steps::Step::status).collect();
    ArtifactWorkflowStatus {
        phase: Some(phase),
        reason: Some(reason.into()),
        message: message.map(|text| shorten(&text, MAX_MESSAGE_CHARS)),
        started_at: workflow.started_at.clone(),
        completed_at: workflow.finished_at.clone(),
        steps,
        result: report.readable().cloned(),
        ..ArtifactWorkflowStatus::default()
    }
}

type Verdict = (Phase, Reason, Option<String>);

/// A workflow that succeeded, unless its own report says otherwise: what cannot be read was not delivered.
fn succeeded(report: &Report) -> Verdict {
    let result = match report {
        Report::Missing => return (Phase::Succeeded, Reason::Succeeded, None),
        Report::Readable(result) => result,
        Report::Unreadable(why) => {
            let message =
                format!("the workflow succeeded, but what its steps report cannot be read: {why}");
            return (Phase::Error, Reason::InvalidResult, Some(message));
        }
    };
    let destination =
        result.destination.as_ref().map_or("its destination", |destination| &destination.reference);
    match result.outcome {
        None => (Phase::Succeeded, Reason::Succeeded, None),
        Some(Outcome::Delivered) => {
            (Phase::Succeeded, Reason::Succeeded, Some(format!("delivered to {destination}")))
        }
        Some(Outcome::AlreadyDelivered) => (
            Phase::Succeeded,
            Reason::AlreadyDelivered,
            Some(format!("{destination} held it already; nothing moved")),
        ),
        Some(Outcome::DryRun) => {
            let bytes = result.bytes_planned;
            (
                Phase::Succeeded,
                Reason::DryRun,
                Some(format!("would move {bytes} bytes to {destination}; nothing moved")),
            )
        }
        Some(Outcome::Refused) => {
            (Phase::Failed, refusal(result), Some("refused by policy".to_owned()))
        }
    }
}

fn refusal(result: &DeliveryResult) -> Reason {
    let found_something = result.scan.as_ref().is_some_and(|scan| scan.critical + scan.high > 0);
    if found_something { Reason::ScanRefused } else { Reason::PolicyRefused }
}

fn under_way(phase: Phase, workflow: &WorkflowStatus) -> Verdict {
    let waiting = workflow.nodes.values().find(|node| {
        node.type_ == NodeType::Pod
            && node.phase == argo::Phase::Pending
            && PULL_FAILURES.iter().any(|word| node.message.starts_with(word))
    });
    match waiting {
        Some(node) => (phase, Reason::ImagePullFailed, Some(node.message.clone())),
        None if phase == Phase::Pending => (phase, Reason::Pending, None),
        None => (phase, Reason::Running, None),
    }
}
