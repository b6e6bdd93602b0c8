//! Deliveries with a schedule: the Argo `CronWorkflow` that starts their runs, and what is said before the first.

use arc_api::argo::{CronWorkflow, CronWorkflowSpec, Metadata};
use arc_api::{Cron, Phase, Reason, labels};
use jiff::SignedDuration;

use super::hold::Hold;
use super::{Pass, credentials};
use crate::hydrate::{copied_labels, hydrate, metadata};
use crate::schedule;
use crate::text::shorten;

/// Workflows of earlier runs that Argo keeps, of each outcome; ARC deletes them when their time is over.
const KEPT_RUNS: i32 = 3;

/// How long after the time of a run it is looked for.
const RUN_PATIENCE: SignedDuration = SignedDuration::from_secs(60);

/// Longest text of Argo's about a schedule that goes into a status.
const MAX_MESSAGE_CHARS: usize = 480;

impl Pass<'_> {
    /// Applies the `CronWorkflow` where it is not what it should be.
    pub(super) fn schedule(&mut self) {
        let Some(cron) = &self.observed.artifact_workflow.spec.cron else { return };
        let is_suspended = match self.hold_of_order() {
            Some(Hold::Silent) => return,
            Some(Hold::Because(..)) => true,
            None => false,
        };
        let wanted = self.cron_workflow(cron, is_suspended);
        let is_there = self.observed.cron_workflow.is_some_and(|found| {
            let labels = |of: &CronWorkflow| of.metadata.labels.clone().unwrap_or_default();
            let found_labels = labels(found);
            found.spec == wanted.spec
                && labels(&wanted).iter().all(|(key, value)| found_labels.get(key) == Some(value))
        });
        let is_going = self
            .observed
            .cron_workflow
            .is_some_and(|found| found.metadata.deletion_timestamp.is_some());
        if !is_there && !is_going {
            self.actions.cron_workflow = Some(wanted);
        }
    }

    fn cron_workflow(&self, cron: &Cron, suspend: bool) -> CronWorkflow {
        let of = self.observed.artifact_workflow;
        let credentials = credentials::hash(of, self.observed.secrets).ok().flatten();
        let annotations =
            credentials.into_iter().map(|hash| (labels::CREDENTIALS.to_owned(), hash)).collect();
        let spec = CronWorkflowSpec {
            schedules: cron.schedules.clone(),
            timezone: cron.timezone.clone().filter(|zone| !zone.is_empty()),
            starting_deadline_seconds: cron.starting_deadline_seconds,
            concurrency_policy: Some("Forbid".to_owned()),
            suspend,
            successful_jobs_history_limit: Some(KEPT_RUNS),
            failed_jobs_history_limit: Some(KEPT_RUNS),
            when: cron.when.clone(),
            workflow_metadata: Some(Metadata { labels: copied_labels(of), annotations }),
            workflow_spec: hydrate(of).spec,
        };
        CronWorkflow::new(metadata(of), spec)
    }

    /// Says when the first run comes, or why none does.
    pub(super) fn wait_for_schedule(&mut self) {
        match self.hold_of_order().or_else(|| self.hold_of_namespace()) {
            Some(Hold::Silent) => return,
            Some(Hold::Because(phase, reason, message)) => {
                return self.wait(phase, reason, message);
            }
            None => {}
        }
        if let Some(wrong) = self.complaint() {
            return self.wait(Phase::Pending, Reason::WorkflowError, Some(wrong));
        }
        let cron = self.observed.artifact_workflow.spec.cron.as_ref();
        let next = cron.and_then(|cron| schedule::next_run(cron, self.now));
        let message = next.map_or_else(
            || "its schedule has no next run".to_owned(),
            |next| format!("waits for its first run at {next}"),
        );
        self.wait(Phase::Pending, Reason::Scheduled, Some(message));
        if let Some(next) = next.and_then(|next| next.checked_add(RUN_PATIENCE).ok()) {
            self.look_again(next);
        }
    }

    /// What Argo says against the schedule.
    fn complaint(&self) -> Option<String> {
        let status = self.observed.cron_workflow?.status.as_ref()?;
        let wrong = status.conditions.iter().find(|condition| {
            matches!(condition.type_.as_str(), "SpecError" | "SubmissionError")
                && condition.status == "True"
        })?;
        let text = format!("Argo cannot run the schedule: {}", wrong.message);
        Some(shorten(&text, MAX_MESSAGE_CHARS))
    }
}
