//! The Argo workflows of a delivery as attempts of it, or as runs of its schedule.

use arc_api::argo::{self, CRON_WORKFLOW_LABEL, Workflow};
use arc_api::labels;
use jiff::Timestamp;
use kube::ResourceExt;

use super::{Observed, whole_seconds};

/// One Argo workflow of a delivery.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run<'a> {
    pub(super) workflow: &'a Workflow,
    pub(super) name: &'a str,
    /// Which attempt it is; a run of a schedule does not know.
    pub(super) number: Option<u32>,
    /// When it was made, by the clock of whoever made it.
    pub(super) submitted: Timestamp,
}

impl<'a> Run<'a> {
    fn of(workflow: &'a Workflow, owner: &str) -> Self {
        let name = workflow.metadata.name.as_deref().unwrap_or_default();
        let annotation = |key: &str| workflow.annotations().get(key);
        let is_of_schedule = workflow.labels().contains_key(CRON_WORKFLOW_LABEL);
        let written = annotation(labels::ATTEMPT).and_then(|number| number.parse().ok());
        let number = written.or_else(|| number_in(name, owner)).filter(|_| !is_of_schedule);
        let submitted = annotation(labels::SUBMITTED_AT).and_then(|second| second.parse().ok());
        let submitted = submitted.and_then(|second| Timestamp::from_second(second).ok());
        let created = || workflow.metadata.creation_timestamp.as_ref().map(|time| time.0);
        let submitted =
            submitted.filter(|_| !is_of_schedule).or_else(created).unwrap_or(Timestamp::UNIX_EPOCH);
        Self { workflow, name, number, submitted: whole_seconds(submitted) }
    }

    /// Where Argo says it stands.
    pub(super) fn phase(&self) -> argo::Phase {
        self.workflow.status.as_ref().map(|status| status.phase).unwrap_or_default()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.phase().is_terminal()
    }

    /// Hash of the versions of the Secrets it was started with.
    pub(super) fn credentials(&self) -> Option<String> {
        self.workflow.annotations().get(labels::CREDENTIALS).cloned()
    }

    /// What sorts runs of a schedule.
    pub(super) fn key(&self) -> (Timestamp, &'a str) {
        (self.submitted, self.name)
    }
}

/// Returns what the delivery or its schedule owns, the oldest first.
pub(super) fn all<'a>(observed: &Observed<'a>) -> Vec<Run<'a>> {
    let of = observed.artifact_workflow;
    let name = of.metadata.name.as_deref().unwrap_or_default();
    let owners = [
        of.metadata.uid.as_deref(),
        observed.cron_workflow.and_then(|cron| cron.metadata.uid.as_deref()),
    ];
    // One of an earlier object of the same name is none of ours, even while it waits for its deletion.
    let is_ours = |workflow: &&&Workflow| {
        let mut owned_by =
            workflow.owner_references().iter().filter(|one| one.controller == Some(true));
        of.metadata.uid.is_none() || owned_by.any(|one| owners.contains(&Some(one.uid.as_str())))
    };
    let runs = observed.workflows.iter().filter(is_ours);
    let mut runs: Vec<Run<'a>> = runs.map(|workflow| Run::of(workflow, name)).collect();
    if of.spec.cron.is_some() {
        runs.sort_by_key(Run::key);
    } else {
        runs.sort_by_key(|run| (run.number.unwrap_or(1), run.name));
    }
    runs
}

/// Reads `3` in `demo-0123456789abcdef-3`; the name alone is attempt 1.
fn number_in(name: &str, owner: &str) -> Option<u32> {
    match name.strip_prefix(owner)? {
        "" => Some(1),
        rest => rest.strip_prefix('-')?.parse().ok(),
    }
}
