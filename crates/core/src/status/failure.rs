//! Why a workflow failed: the step that really did, not the follow-up error that Argo shows.
//!
//! Argo ends every later container of a failed pod with exit code 64 and repeats *that* text as the workflow's message.
//! The real cause is the step whose own exit code is neither 64 nor a kill.

use arc_api::argo::WorkflowStatus;
use arc_api::{ArtifactWorkflowStatus, DeliveryResult, Outcome, Reason};

use super::steps::{Step, tries};
use crate::exit_code::ExitCode;

/// Reason and sentence of a failure.
pub(super) struct Failure {
    pub(super) reason: Reason,
    pub(super) message: String,
}

impl Failure {
    fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }
}

/// What is known beside Argo's nodes.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) result: Option<&'a DeliveryResult>,
    /// The status before.
    pub(super) previous: Option<&'a ArtifactWorkflowStatus>,
    /// What the failed step wrote last.
    pub(super) log: Option<&'a str>,
}

/// Returns the step that really failed: one that said so itself, else the first when the time was over, else one that
/// was killed, else the first.
pub(super) fn culprit<'s, 'a>(
    workflow: &WorkflowStatus,
    steps: &'s [Step<'a>],
) -> Option<&'s Step<'a>> {
    let failed = |is_it: &dyn Fn(Option<i32>) -> bool| {
        steps.iter().find(|step| step.has_failed() && is_it(step.exit_code))
    };
    let is_late = deadline_text(workflow).is_some();
    failed(&is_own_word)
        .or_else(|| failed(&|code| !is_late && is_kill(code)))
        .or_else(|| failed(&|_| true))
}

/// Finds out why `workflow`, which failed, did so.
pub(super) fn explain(workflow: &WorkflowStatus, steps: &[Step<'_>], known: Known<'_>) -> Failure {
    if workflow.message.starts_with("Stopped with strategy") {
        return Failure::new(Reason::Stopped, format!("stopped by somebody: {}", workflow.message));
    }
    if let Some(step) = steps.iter().find(|step| step.has_failed() && is_own_word(step.exit_code)) {
        return of_step(workflow, step, known);
    }
    if let Some(failure) = deadline(workflow, steps, known.previous) {
        return failure;
    }
    if let Some(step) = steps.iter().find(|step| step.has_failed() && is_kill(step.exit_code)) {
        return of_step(workflow, step, known);
    }
    of_argo(workflow, steps)
}

/// A code that the step's own program chose.
fn is_own_word(code: Option<i32>) -> bool {
    code.is_some_and(|code| {
        !matches!(ExitCode::of(code), ExitCode::Done | ExitCode::ArgoExecutor | ExitCode::Killed)
    })
}

fn is_kill(code: Option<i32>) -> bool {
    code.is_some_and(|code| ExitCode::of(code) == ExitCode::Killed)
}

fn of_step(workflow: &WorkflowStatus, step: &Step<'_>, known: Known<'_>) -> Failure {
    let result = known.result;
    let code = step.exit_code.unwrap_or_default();
    let meaning = ExitCode::of(code);
    let reason = match meaning {
        ExitCode::Refused if is_scan(step, result) => Reason::ScanRefused,
        ExitCode::Refused => Reason::PolicyRefused,
        ExitCode::WrongInput => Reason::WrongInput,
        _ => Reason::StepFailed,
    };
    let tries = match tries(workflow, step) {
        1 => String::new(),
        tries => format!(" (after {tries} tries)"),
    };
    let scan =
        result.and_then(|result| result.scan.as_ref()).filter(|_| reason == Reason::ScanRefused);
    let scan = scan
        .map(|scan| format!("; the scan found {} critical and {} high", scan.critical, scan.high));
    let own = own_text(&step.node.message).or_else(|| known.log.and_then(complaint));
    let own = own.map(|text| format!("; {text}"));
    let (scan, own) = (scan.unwrap_or_default(), own.unwrap_or_default());
    let message =
        format!("step {:?} ended with exit code {code}: {meaning}{tries}{scan}{own}", step.name);
    Failure::new(reason, message)
}

fn is_scan(step: &Step<'_>, result: Option<&DeliveryResult>) -> bool {
    let found_something = |result: &DeliveryResult| {
        result.outcome == Some(Outcome::Refused)
            && result.scan.as_ref().is_some_and(|scan| scan.critical + scan.high > 0)
    };
    step.name.contains("scan") || result.is_some_and(found_something)
}

/// What stands behind `scan: Error (exit code 3): `, which is usually nothing.
fn own_text(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("(exit code ")?;
    let text = rest.split_once(')')?.1.trim_start_matches(':').trim();
    (!text.is_empty()).then_some(text)
}

/// The last thing that a step of ours complained about in its log.
fn complaint(log: &str) -> Option<&str> {
    let text = log.lines().rev().find_map(|line| line.trim().strip_prefix("error: "))?.trim();
    (!text.is_empty()).then_some(text)
}

/// What Argo says of a time that was over.
fn deadline_text(workflow: &WorkflowStatus) -> Option<&str> {
    let is_deadline = |text: &&str| {
        text.contains("exceeded its deadline")
            || text.contains("Max duration limit exceeded")
            || text.contains("than the specified deadline")
    };
    let of_nodes = workflow.nodes.values().map(|node| node.message.as_str());
    std::iter::once(workflow.message.as_str()).chain(of_nodes).find(is_deadline)
}

fn deadline(
    workflow: &WorkflowStatus,
    steps: &[Step<'_>],
    previous: Option<&ArtifactWorkflowStatus>,
) -> Option<Failure> {
    let text = deadline_text(workflow)?;
    // At the end nothing tells any more that the image was the cause; the status before it does.
    let pull_failed = |status: &&ArtifactWorkflowStatus| {
        status.reason.as_deref() == Some(Reason::ImagePullFailed.as_str())
    };
    if let Some(before) = previous.filter(pull_failed) {
        let message = before
            .message
            .clone()
            .unwrap_or_else(|| "the image of a step cannot be pulled".to_owned());
        return Some(Failure::new(Reason::ImagePullFailed, message));
    }
    let message = match steps.iter().find(|step| step.has_failed()) {
        Some(step) => format!("step {:?} did not end in time: {text}", step.name),
        None => format!("the workflow did not end in time: {text}"),
    };
    Some(Failure::new(Reason::DeadlineExceeded, message))
}

/// Nothing that a step did: the workflow itself could not be run or judged.
fn of_argo(workflow: &WorkflowStatus, steps: &[Step<'_>]) -> Failure {
    let text = workflow.message.as_str();
    if text.contains("workflowtemplates.argoproj.io") && text.ends_with("not found") {
        return Failure::new(Reason::WorkflowTemplateNotFound, text);
    }
    if let Some(name) = text
        .strip_prefix("invalid spec: spec.arguments.")
        .and_then(|rest| rest.split_once(".value or "))
    {
        let message =
            format!("the workflow template needs the parameter {:?}, which nobody gave", name.0);
        return Failure::new(Reason::MissingParameter, message);
    }
    let all_done = !steps.is_empty()
        && steps.iter().all(|step| !step.has_failed() || step.exit_code == Some(0));
    let of_wait = steps
        .iter()
        .map(|step| step.node.message.as_str())
        .chain([text])
        .find(|text| text.starts_with("wait: Error"));
    if let Some(text) = of_wait.filter(|_| all_done) {
        let message = format!("the steps ended well, but what they report cannot be read: {text}");
        return Failure::new(Reason::InvalidResult, message);
    }
    let of_node = steps.iter().find(|step| step.has_failed() && !step.node.message.is_empty());
    let message = match of_node {
        Some(step) if text.is_empty() => format!("step {:?}: {}", step.name, step.node.message),
        _ if text.is_empty() => "Argo gives no reason".to_owned(),
        _ => text.to_owned(),
    };
    Failure::new(Reason::WorkflowError, message)
}
