//! Decides what happens next: nothing, a stop, or another attempt. The table of what re-runs what is [`Pass::again`].

use arc_api::argo::Workflow;
use arc_api::{ArtifactWorkflowStatus, Phase, Reason, labels};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;

use super::catch_up::has_ended;
use super::hold::Hold;
use super::run::Run;
use super::{Pass, credentials};
use crate::hydrate::hydrate;

/// How often in a row a workflow that vanished is replaced; then something deletes them on purpose.
const MAX_REPLACED: usize = 3;

/// When to look again for a workflow that a store may still bring.
const STORE_PATIENCE: SignedDuration = SignedDuration::from_secs(10);

impl Pass<'_> {
    pub(super) fn go_on(&mut self) {
        if self.stop() {
            return;
        }
        let is_waited_for = self.record.attempt > 0 && self.record.phase == Some(Phase::Running);
        if is_waited_for && self.latest().is_none() {
            self.gone();
        }
        match self.record.phase {
            Some(Phase::Running) => {}
            Some(phase) if phase.is_terminal() => {
                if self.again() {
                    // What keeps it from beginning is no news about an attempt that has ended.
                    _ = self.begin_another();
                }
            }
            _ => self.begin_or_wait(),
        }
    }

    /// Nothing has run yet, or what ran has vanished.
    fn begin_or_wait(&mut self) {
        if self.is_scheduled() && !self.again() {
            return self.wait_for_schedule();
        }
        if let Some(Hold::Because(phase, reason, message)) = self.begin_another() {
            self.wait(phase, reason, message);
        }
    }

    /// Stops what is to be stopped; returns whether anything is under way, so that nothing else may begin.
    fn stop(&mut self) -> bool {
        let wish = self.wish(labels::STOP_AT);
        let under_way: Vec<Run<'_>> =
            self.runs.iter().copied().filter(|run| !run.has_ended()).collect();
        for run in &under_way {
            let is_stopping = run.workflow.spec.shutdown.is_some();
            if wish.reaches(run.submitted, self.now) && !is_stopping {
                self.actions.stop.push(run.name.to_owned());
            }
        }
        if !under_way.is_empty()
            && let Some(next) = wish.next(self.now)
        {
            self.look_again(next);
        }
        !under_way.is_empty()
    }

    /// The workflow of an attempt under way is not in the store.
    fn gone(&mut self) {
        if matches!(self.hold_of_order(), Some(Hold::Silent)) {
            return;
        }
        let name = self.record.workflow.clone().unwrap_or_default();
        if self.observed.gone != Some(name.as_str()) {
            self.actions.confirm_gone = Some(name);
            self.look_again(self.now + STORE_PATIENCE);
            return;
        }
        let submitted = self.submitted();
        if self.wish(labels::STOP_AT).reaches(submitted, self.now) {
            let message = format!("stopped by somebody: Argo workflow {name:?} was deleted");
            return self.end(Phase::Failed, Reason::Stopped, message);
        }
        if self.is_scheduled() {
            let message = format!(
                "Argo workflow {name:?} is gone although it had not ended; the schedule goes on"
            );
            return self.end(Phase::Error, Reason::WorkflowNotFound, message);
        }
        let replaced = self.record.history.iter().rev().take_while(|earlier| {
            earlier.phase == Some(Phase::Error)
                && earlier.reason.as_deref() == Some(Reason::WorkflowNotFound.as_str())
        });
        if replaced.count() >= MAX_REPLACED {
            let message = format!(
                "Argo workflow {name:?} is gone although it had not ended, as were the {MAX_REPLACED} before it; find out \
                 who deletes them, then annotate with retry-failed"
            );
            return self.end(Phase::Failed, Reason::WorkflowNotFound, message);
        }
        let message = format!(
            "Argo workflow {name:?} is gone although it had not ended; another one takes its place"
        );
        self.note(Reason::WorkflowReplaced, message, true);
        self.remember();
        self.record = ArtifactWorkflowStatus { attempt: self.record.attempt, ..self.lasting() };
    }

    /// Tells whether what has ended, or waits for its schedule, is to be done again now.
    fn again(&mut self) -> bool {
        let (now, since) = (self.now, self.submitted());
        let has_failed = matches!(self.record.phase, Some(Phase::Failed | Phase::Error));
        let force = self.wish(labels::FORCE_AT);
        let retry = self.wish(labels::RETRY_FAILED);
        if force.is_due(since, now) || has_failed && retry.is_due(since, now) {
            return true;
        }
        if has_failed && self.has_new_credentials() {
            return true;
        }
        let next = force.next(now).into_iter().chain(retry.next(now).filter(|_| has_failed)).min();
        if let Some(next) = next {
            self.look_again(next);
        }
        false
    }

    /// Tells whether a Secret has another version than the attempt was started with. Who stopped it did so on purpose.
    fn has_new_credentials(&self) -> bool {
        let was_stopped = self.record.reason.as_deref() == Some(Reason::Stopped.as_str());
        let current = credentials::hash(self.observed.artifact_workflow, self.observed.secrets);
        match (&self.record.credentials, current) {
            (Some(then), Ok(Some(now))) => *then != now && !was_stopped,
            _ => false,
        }
    }

    /// When the attempt was submitted; before the first, when the delivery was ordered.
    fn submitted(&self) -> Timestamp {
        let created = || self.observed.artifact_workflow.creation_timestamp();
        let submitted = self.record.submitted_at.clone().or_else(created);
        submitted.map_or(Timestamp::UNIX_EPOCH, |time| time.0)
    }

    /// Makes the next attempt, unless something is against it.
    fn begin_another(&mut self) -> Option<Hold> {
        if let Some(hold) = self.hold() {
            return Some(hold);
        }
        let numbers = self.runs.iter().filter_map(|run| run.number);
        let attempt = numbers.max().unwrap_or_default().max(self.record.attempt) + 1;
        let workflow = self.workflow(attempt);
        self.remember();
        let name = workflow.name_any();
        let run =
            Run { workflow: &workflow, name: &name, number: Some(attempt), submitted: self.now };
        self.begin(&run, attempt);
        self.actions.create = Some(workflow);
        None
    }

    fn workflow(&self, attempt: u32) -> Workflow {
        let of = self.observed.artifact_workflow;
        let mut workflow = hydrate(of);
        if attempt > 1 {
            workflow.metadata.name = Some(format!("{}-{attempt}", of.name_any()));
        }
        let credentials = credentials::hash(of, self.observed.secrets).ok().flatten();
        let annotations = [
            (labels::ATTEMPT, Some(attempt.to_string())),
            (labels::SUBMITTED_AT, Some(self.now.as_second().to_string())),
            (labels::CREDENTIALS, credentials),
        ];
        let annotations =
            annotations.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        workflow.metadata.annotations = Some(annotations.collect());
        workflow
    }

    fn end(&mut self, phase: Phase, reason: Reason, message: String) {
        self.record.phase = Some(phase);
        self.record.reason = Some(reason.into());
        self.record.message = Some(message);
        self.record.completed_at = Some(Time(self.now));
    }

    /// Says what is waited for.
    pub(super) fn wait(&mut self, phase: Phase, reason: Reason, message: Option<String>) {
        debug_assert!(!has_ended(&self.record), "what has ended does not wait");
        self.record.phase = Some(phase);
        self.record.reason = Some(reason.into());
        self.record.message = message;
    }
}
