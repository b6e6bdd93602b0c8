//! What should happen next to one delivery: which attempt is made, stopped, deleted, and what its status says.
//!
//! An `ArtifactWorkflow` is one delivery, the lasting record; an Argo `Workflow` is one attempt of it. Attempt 1 has the
//! record's name, attempt N > 1 is called `<record>-<N>`. With a schedule the attempts are the runs of an Argo
//! `CronWorkflow` of the record's name.
//! [`act`] is the only place that decides what re-runs what; the table is in `docs/operations/re-runs.md`.
//! It is idempotent: once its actions are carried out, it asks for nothing more at the same time.

use std::collections::BTreeMap;

use arc_api::argo::{CronWorkflow, Workflow};
use arc_api::{ArtifactWorkflow, ArtifactWorkflowStatus, Order, Reason};
use jiff::{SignedDuration, Timestamp};

mod catch_up;
mod clean_up;
mod credentials;
mod go_on;
mod hold;
mod report;
mod rival;
mod run;
mod scheduled;
mod wish;

pub use rival::rival;
use run::Run;

/// One delivery and what is around it, as the stores show it.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// The delivery.
    pub artifact_workflow: &'a ArtifactWorkflow,
    /// The order it was made for; nothing starts without it.
    pub order: Option<&'a Order>,
    /// Every Argo workflow that it or its `CronWorkflow` owns, in any order.
    pub workflows: &'a [&'a Workflow],
    /// The `CronWorkflow` of its name.
    pub cron_workflow: Option<&'a CronWorkflow>,
    /// Secrets of the namespace: name to resourceVersion. What is missing here does not exist.
    pub secrets: &'a BTreeMap<String, String>,
    /// The artifact workflow that this one waits for, see [`rival`].
    pub rival: Option<&'a str>,
    /// What [`Actions::wants_log`] asked for; the empty text where it cannot be had. `None` before anybody asked.
    pub log: Option<&'a str>,
    /// The workflow that [`Actions::confirm_gone`] asked about, once the API server said that it does not exist.
    pub gone: Option<&'a str>,
    /// Whether the API server forbids to make its Argo workflow, because the namespace is no tenant's.
    pub is_forbidden: bool,
}

/// What holds where an artifact type says nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Defaults {
    /// How long the Argo workflow of a success stays after its end.
    pub keep_finished: SignedDuration,
    /// How long the Argo workflow of a failure stays after its end.
    pub keep_failed: SignedDuration,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            keep_finished: SignedDuration::from_mins(10),
            keep_failed: SignedDuration::from_hours(24),
        }
    }
}

/// What to do now, in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Actions {
    /// Workflow to POST; that it exists already is as good.
    pub create: Option<Workflow>,
    /// `CronWorkflow` to apply.
    pub cron_workflow: Option<CronWorkflow>,
    /// Names of workflows to end: patch `spec.shutdown: Terminate`.
    pub stop: Vec<String>,
    /// Names of workflows to delete.
    pub delete: Vec<String>,
    /// The status that the artifact workflow should have; to be written when it differs from the one it has.
    pub status: ArtifactWorkflowStatus,
    /// When to call again although nothing changed.
    pub look_again: Option<Timestamp>,
    /// A log to fetch and to call again with, before anything of these actions is carried out. Asked for once.
    pub wants_log: Option<LogOf>,
    /// A workflow that should be there and is not in the store. A store may lag, so this is the one read of a pass: ask
    /// the API server for it; when it answers 404 call again with [`Observed::gone`], else wait for the store.
    pub confirm_gone: Option<String>,
    /// What changed and is worth an Event.
    pub notes: Vec<Note>,
}

/// The container whose log tells why an attempt failed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogOf {
    /// Name of the Argo workflow; its pods have it as label `workflows.argoproj.io/workflow`.
    pub workflow: String,
    /// Id of the node that is the pod; the pod has it as annotation `workflows.argoproj.io/node-id`.
    pub node_id: String,
    /// Name of the container within the pod.
    pub container: String,
}

/// Something that changed and that a human should know of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Note {
    /// What happened, as one word.
    pub reason: Reason,
    /// What happened, in one sentence.
    pub message: String,
    /// Whether it is a warning rather than news.
    pub is_warning: bool,
}

/// Decides what happens next to one delivery.
pub fn act(observed: &Observed<'_>, defaults: &Defaults, now: Timestamp) -> Actions {
    let mut pass = Pass::new(observed, *defaults, now);
    if observed.artifact_workflow.metadata.deletion_timestamp.is_none() {
        pass.catch_up();
        pass.go_on();
        pass.clean_up();
        pass.schedule();
        pass.report();
    }
    Actions { status: pass.record, ..pass.actions }
}

/// One call of [`act`] under way.
struct Pass<'a> {
    observed: Observed<'a>,
    defaults: Defaults,
    /// In whole seconds, as Kubernetes writes times.
    now: Timestamp,
    /// The status in the store.
    before: ArtifactWorkflowStatus,
    /// The status as it becomes.
    record: ArtifactWorkflowStatus,
    /// What exists, the oldest first.
    runs: Vec<Run<'a>>,
    actions: Actions,
}

impl<'a> Pass<'a> {
    fn new(observed: &Observed<'a>, defaults: Defaults, now: Timestamp) -> Self {
        let before = observed.artifact_workflow.status.clone().unwrap_or_default();
        Self {
            observed: *observed,
            defaults,
            now: whole_seconds(now),
            record: before.clone(),
            before,
            runs: run::all(observed),
            actions: Actions::default(),
        }
    }

    fn is_scheduled(&self) -> bool {
        self.observed.artifact_workflow.spec.cron.is_some()
    }

    /// Asks for another look at `at`, unless an earlier one is asked for.
    fn look_again(&mut self, at: Timestamp) {
        let earlier = self.actions.look_again.filter(|earlier| *earlier < at);
        self.actions.look_again = Some(earlier.unwrap_or(at));
    }

    fn note(&mut self, reason: Reason, message: impl Into<String>, is_warning: bool) {
        self.actions.notes.push(Note { reason, message: message.into(), is_warning });
    }
}

/// Kubernetes drops what is finer.
fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
