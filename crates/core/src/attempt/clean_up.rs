//! Deletes Argo's bulky workflows once their end is recorded and their time is over; the record stays.

use arc_api::argo;
use jiff::{SignedDuration, Timestamp};

use super::Pass;
use super::catch_up::has_ended;
use super::run::Run;
use crate::duration;

/// No workflow is deleted sooner after its end, whatever is asked for: others watch it too.
const SHORTEST_STAY: SignedDuration = SignedDuration::from_secs(60);

impl Pass<'_> {
    pub(super) fn clean_up(&mut self) {
        for run in self.runs.clone() {
            let is_going = run.workflow.metadata.deletion_timestamp.is_some();
            if is_going || !run.has_ended() {
                continue;
            }
            let at = self.end_of_stay(&run);
            if !self.is_recorded(&run) {
                // This pass records it, and nothing else may happen to it until its time is over.
                self.look_again(at.max(self.now + SHORTEST_STAY));
            } else if at <= self.now {
                self.actions.delete.push(run.name.to_owned());
            } else {
                self.look_again(at);
            }
        }
    }

    /// Tells whether the status in the store, not only the one to be written, says how the run ended.
    fn is_recorded(&self, run: &Run<'_>) -> bool {
        let before = &self.before;
        if before.workflow.as_deref() == Some(run.name) {
            return has_ended(before);
        }
        if self.is_scheduled() {
            let is_known =
                before.history.iter().any(|one| one.workflow.as_deref() == Some(run.name));
            let last = before.submitted_at.as_ref().map(|time| time.0);
            is_known || last.is_some_and(|last| run.submitted < last)
        } else {
            run.number.unwrap_or(1) < before.attempt
        }
    }

    fn end_of_stay(&self, run: &Run<'_>) -> Timestamp {
        let spec = &self.observed.artifact_workflow.spec;
        let (own, default) = if run.phase() == argo::Phase::Succeeded {
            (&spec.ttl_after_finished, self.defaults.keep_finished)
        } else {
            (&spec.ttl_after_failed, self.defaults.keep_failed)
        };
        let own = own.as_deref().and_then(duration::parse);
        let stay = own.and_then(|own| SignedDuration::try_from(own).ok()).unwrap_or(default);
        let finished = run.workflow.status.as_ref().and_then(|status| status.finished_at.as_ref());
        let finished = finished.map_or(run.submitted, |time| time.0);
        finished.checked_add(stay.max(SHORTEST_STAY)).unwrap_or(Timestamp::MAX)
    }
}
