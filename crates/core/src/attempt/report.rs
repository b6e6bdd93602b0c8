//! Finishes the status: its condition, and what has changed that a human should know of.

use arc_api::conditions::READY;
use arc_api::{ArtifactWorkflowStatus, Phase, Reason};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::Pass;
use super::catch_up::has_ended;

impl Pass<'_> {
    pub(super) fn report(&mut self) {
        let Some(phase) = self.record.phase else { return };
        self.record.observed_generation = self.observed.artifact_workflow.metadata.generation;
        self.record.conditions = vec![self.ready(phase)];
        self.notes();
    }

    fn ready(&self, phase: Phase) -> Condition {
        let is_scheduled = self.is(Reason::Scheduled);
        let status = match phase {
            Phase::Succeeded | Phase::Skipped => "True",
            Phase::Failed | Phase::Error => "False",
            Phase::Pending if !is_scheduled => "False",
            Phase::Pending | Phase::Suspended | Phase::Running => "Unknown",
        };
        let before = self.record.conditions.iter().find(|one| one.type_ == READY);
        let since = before.filter(|before| before.status == status);
        // A time that does not depend on who looks when: a pass over an older status says the same.
        let at = match phase {
            Phase::Running => self.record.submitted_at.clone(),
            Phase::Pending | Phase::Suspended => None,
            Phase::Succeeded | Phase::Skipped | Phase::Failed | Phase::Error => {
                self.record.completed_at.clone()
            }
        };
        Condition {
            type_: READY.to_owned(),
            status: status.to_owned(),
            reason: self.record.reason.clone().unwrap_or_else(|| phase.as_str().to_owned()),
            message: self.record.message.clone().unwrap_or_default(),
            last_transition_time: since
                .map(|before| before.last_transition_time.clone())
                .or(at)
                .unwrap_or(Time(self.now)),
            observed_generation: self.observed.artifact_workflow.metadata.generation,
        }
    }

    fn notes(&mut self) {
        let message = self.record.message.clone().unwrap_or_default();
        let has_just_ended = has_ended(&self.record)
            && !(has_ended(&self.before) && self.before.workflow == self.record.workflow);
        if has_just_ended && self.record.phase != Some(Phase::Succeeded) {
            let reason = self.record.reason.as_deref().and_then(Reason::named);
            self.note(reason.unwrap_or(Reason::WorkflowError), message, true);
            return;
        }
        let (is_held, was_held) = (held(&self.record), held(&self.before));
        if let Some(reason) = is_held.filter(|_| is_held != was_held) {
            self.note(reason, message, reason != Reason::SameDeliveryRunning);
        } else if was_held.is_some() && self.record.phase == Some(Phase::Running) {
            self.note(Reason::Released, "what it waited for has come; it begins", false);
        }
    }

    fn is(&self, reason: Reason) -> bool {
        self.record.reason.as_deref() == Some(reason.as_str())
    }
}

/// What a status waits for that somebody should know of.
fn held(status: &ArtifactWorkflowStatus) -> Option<Reason> {
    let reason = status.reason.as_deref().and_then(Reason::named)?;
    let is_news = !matches!(reason, Reason::Scheduled | Reason::Pending);
    (status.phase == Some(Phase::Pending) && is_news).then_some(reason)
}
