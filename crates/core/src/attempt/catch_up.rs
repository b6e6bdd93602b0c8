//! Reads what happened since the status was written: attempts that are new, and how they stand.

use arc_api::argo::WorkflowStatus;
use arc_api::{ArtifactWorkflowStatus, AttemptStatus, Phase, Reason};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::run::Run;
use super::{LogOf, Pass};
use crate::{redact, status};

/// Earlier attempts that a status remembers.
const MAX_HISTORY: usize = 10;
/// Lines of a log that a status keeps.
const MAX_LOG_LINES: usize = 20;
/// Bytes of a log that a status keeps.
const MAX_LOG_BYTES: usize = 2048;

/// Tells whether nothing more happens to the attempt that a status is about.
pub(super) fn has_ended(record: &ArtifactWorkflowStatus) -> bool {
    record.phase.is_some_and(Phase::is_terminal)
}

impl<'a> Pass<'a> {
    /// Brings the record up to what Argo says.
    pub(super) fn catch_up(&mut self) {
        for run in self.runs.clone() {
            if self.record.workflow.as_deref() == Some(run.name) {
                if !has_ended(&self.record) {
                    self.progress(&run);
                }
            } else if self.is_newer(&run) {
                self.remember();
                let attempt = run.number.unwrap_or_default().max(self.record.attempt + 1);
                self.begin(&run, attempt);
                self.progress(&run);
            }
        }
    }

    /// The Argo workflow that the record is about, as far as it exists.
    pub(super) fn latest(&self) -> Option<Run<'a>> {
        let name = self.record.workflow.as_deref()?;
        self.runs.iter().copied().find(|run| run.name == name)
    }

    fn is_newer(&self, run: &Run<'_>) -> bool {
        if !self.is_scheduled() {
            return run.number.unwrap_or(1) > self.record.attempt;
        }
        let is_known = |earlier: &AttemptStatus| earlier.workflow.as_deref() == Some(run.name);
        let submitted = self.record.submitted_at.as_ref().map(|time| time.0);
        let last =
            submitted.map(|time| (time, self.record.workflow.as_deref().unwrap_or_default()));
        last.is_none_or(|last| run.key() > last) && !self.record.history.iter().any(is_known)
    }

    /// Makes the record one of this attempt, which has just begun.
    pub(super) fn begin(&mut self, run: &Run<'_>, attempt: u32) {
        self.actions.wants_log = None;
        self.record = ArtifactWorkflowStatus {
            attempt,
            workflow: Some(run.name.to_owned()),
            submitted_at: Some(Time(run.submitted)),
            credentials: run.credentials(),
            phase: Some(Phase::Running),
            reason: Some(Reason::Running.into()),
            ..self.lasting()
        };
    }

    /// What of the record holds for every attempt.
    pub(super) fn lasting(&self) -> ArtifactWorkflowStatus {
        ArtifactWorkflowStatus {
            history: self.record.history.clone(),
            conditions: self.record.conditions.clone(),
            observed_generation: self.record.observed_generation,
            ..ArtifactWorkflowStatus::default()
        }
    }

    fn progress(&mut self, run: &Run<'_>) {
        let nothing_yet = WorkflowStatus::default();
        let of_argo = run.workflow.status.as_ref().unwrap_or(&nothing_yet);
        let is_last = self.runs.last().is_some_and(|last| last.name == run.name);
        let log = self
            .observed
            .log
            .filter(|_| is_last)
            .map(|log| redact::tail(&redact::redact(log), MAX_LOG_LINES, MAX_LOG_BYTES));
        let found = status::derive(of_argo, Some(&self.record), log.as_deref());
        if !has_ended(&found) {
            // What Argo has taken over is under way, whether its pod has begun or waits: one write for both.
            let is_waiting = found.reason.as_deref() == Some(Reason::Pending.as_str());
            let reason = if is_waiting { Some(Reason::Running.into()) } else { found.reason };
            // Only a new reason is worth a write.
            if self.record.reason != reason {
                self.record.reason = reason;
                self.record.message = found.message;
            }
            return;
        }
        let is_failure = found.phase != Some(Phase::Succeeded);
        if is_failure && self.observed.log.is_none() {
            self.actions.wants_log = status::log_of(of_argo).map(|(node_id, container)| LogOf {
                workflow: run.name.to_owned(),
                node_id,
                container,
            });
        }
        let record = std::mem::take(&mut self.record);
        self.record = ArtifactWorkflowStatus {
            attempt: record.attempt,
            workflow: record.workflow,
            submitted_at: record.submitted_at,
            credentials: record.credentials,
            history: record.history,
            conditions: record.conditions,
            observed_generation: record.observed_generation,
            log: log.filter(|log| is_failure && !log.is_empty()),
            ..found
        };
    }

    /// Moves the attempt that the record is about into its history.
    pub(super) fn remember(&mut self) {
        let record = &mut self.record;
        let is_there = record.history.last().is_some_and(|last| last.attempt == record.attempt);
        if record.attempt == 0 || is_there {
            return;
        }
        let (phase, reason) = if has_ended(record) {
            (record.phase, record.reason.clone())
        } else {
            (Some(Phase::Error), Some(Reason::WorkflowNotFound.into()))
        };
        let destination = record.result.as_ref().and_then(|result| result.destination.as_ref());
        record.history.push(AttemptStatus {
            attempt: record.attempt,
            workflow: record.workflow.clone(),
            phase,
            reason,
            started_at: record.started_at.clone().or_else(|| record.submitted_at.clone()),
            completed_at: record.completed_at.clone(),
            digest: destination.and_then(|destination| destination.digest.clone()),
        });
        let surplus = record.history.len().saturating_sub(MAX_HISTORY);
        record.history.drain(..surplus);
    }
}
