//! Runs a workflow that is ready: entrypoint first, then `onExit`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_api::argo::{Phase, WorkflowStatus};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::template::{Name, Template};
use crate::{Event, Ready};

mod container;
mod dag;
mod execute;
mod folders;
mod invocation;
mod lines;
mod machine;
mod outputs;
mod pod;
mod process;
mod recorder;
mod retry;
mod steps;
mod stop;

use execute::{Call, Ended, execute};
use folders::Folders;
use machine::Machine;
use recorder::Recorder;
use stop::{Cause, Stop};

/// How long a step may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(10);

/// Where and how to run.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The folder for volumes and pods; each workflow gets a folder of its own name in it.
    pub work_dir: PathBuf,
    /// The time between asking a step to end and ending it.
    pub grace: Duration,
}

impl RunOptions {
    /// Runs in `work_dir`, with ten seconds of grace.
    pub fn new(work_dir: impl Into<PathBuf>) -> Self {
        Self { work_dir: work_dir.into(), grace: GRACE }
    }
}

/// What became of a workflow, and where its files are.
#[derive(Clone, Debug)]
pub struct RunReport {
    /// The status as Argo would have written it.
    pub status: WorkflowStatus,
    /// The workflow's folder: `volumes/<claim>` and, for each pod, `pods/<node id>/root`.
    pub root: PathBuf,
}

impl RunReport {
    /// Returns where a file that a pod saw at the absolute `path` lies on this machine.
    ///
    /// Secret volumes are gone by then.
    pub fn file(&self, node_id: &str, path: &str) -> PathBuf {
        self.root.join("pods").join(node_id).join("root").join(path.trim_start_matches('/'))
    }
}

/// Runs a workflow to its end; `cancel` stops it the way `argo terminate` does.
///
/// The future must be awaited to its end: that is what stops the steps and removes the secret files.
/// A run that failed, was stopped or could not start is a status, not an error.
pub async fn run(
    ready: Ready,
    options: &RunOptions,
    events: UnboundedSender<Event>,
    cancel: CancellationToken,
) -> RunReport {
    let started = Timestamp::now();
    let root = options.work_dir.join(&ready.name);
    let folders = match Folders::create(&root) {
        Ok(folders) => folders,
        Err(error) => return RunReport { status: not_started(started, &error), root },
    };
    let created = ready.created.clone().unwrap_or_else(|| started.to_string());
    let machine = Machine::new(ready, folders, Recorder::new(events), options.grace);
    let ended = run_main(&machine, &created, &cancel).await;
    let (phase, message) = match run_on_exit(&machine, &created, &ended, &cancel).await {
        Some(exit) if is_failed(exit.phase) && !is_failed(ended.phase) => {
            (exit.phase, exit.message)
        }
        _ => (ended.phase, ended.message),
    };
    let message = if cancel.is_cancelled() && is_failed(phase) {
        "Stopped with strategy 'Terminate'".to_owned()
    } else {
        message
    };
    let (nodes, progress) = machine.recorder.finish();
    let status = WorkflowStatus {
        phase,
        message,
        started_at: Some(Time(started)),
        finished_at: Some(Time(Timestamp::now())),
        progress,
        nodes,
        // Argo keeps outputs at their nodes; a workflow has only those that a template exports.
        outputs: None,
    };
    RunReport { status, root: machine.folders.root().to_owned() }
}

async fn run_main(machine: &Machine, created: &str, cancel: &CancellationToken) -> Ended {
    let Some(entrypoint) = machine.ready.spec().entrypoint.clone() else {
        return Ended::error(String::new(), "spec: `entrypoint` is missing".to_owned());
    };
    let name = machine.ready.name.clone();
    run_one(
        machine,
        Entry { template: entrypoint, name, created, status: "", is_exit: false },
        cancel,
    )
    .await
}

/// A terminated workflow runs no exit handler, as in Argo; one that took too long does.
async fn run_on_exit(
    machine: &Machine,
    created: &str,
    ended: &Ended,
    cancel: &CancellationToken,
) -> Option<Ended> {
    let template = machine.ready.spec().on_exit.clone()?;
    if cancel.is_cancelled() {
        return None;
    }
    let name = format!("{}.onExit", machine.ready.name);
    let status = ended.phase.as_str();
    Some(run_one(machine, Entry { template, name, created, status, is_exit: true }, cancel).await)
}

/// A template that the workflow itself calls.
struct Entry<'run> {
    template: Name,
    name: String,
    created: &'run str,
    status: &'run str,
    is_exit: bool,
}

async fn run_one(machine: &Machine, entry: Entry<'_>, cancel: &CancellationToken) -> Ended {
    let template: Option<Arc<Template>> =
        machine.ready.spec().templates.get(&entry.template.text).cloned();
    let Some(template) = template else {
        return Ended::error(
            String::new(),
            format!("template {:?} does not exist", entry.template.text),
        );
    };
    let stop = Stop::default();
    let scope = machine.ready.workflow_scope(entry.created, entry.status);
    let arguments: BTreeMap<String, Arc<str>> = machine
        .ready
        .parameters
        .iter()
        .map(|(name, value)| (name.clone(), Arc::from(value.as_str())))
        .collect();
    let call = Call {
        display_name: entry.name.clone(),
        name: entry.name,
        template: &template,
        arguments,
        boundary: None,
        workflow: &scope,
        stop: &stop,
        attempt: None,
    };
    let deadline = if entry.is_exit { None } else { machine.ready.deadline };
    let mut work = execute(machine, call);
    tokio::select! {
        ended = &mut work => return ended,
        () = cancel.cancelled() => stop.stop(Cause::Terminated),
        () = stop::after(deadline) => stop.stop(Cause::Deadline),
    }
    work.await
}

fn not_started(started: Timestamp, error: &folders::Error) -> WorkflowStatus {
    WorkflowStatus {
        phase: Phase::Error,
        message: chain(error),
        started_at: Some(Time(started)),
        finished_at: Some(Time(Timestamp::now())),
        ..WorkflowStatus::default()
    }
}

/// Whether a phase counts as a failure.
pub(crate) fn is_failed(phase: Phase) -> bool {
    matches!(phase, Phase::Failed | Phase::Error)
}

/// An error with its causes, for a status message.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Returns where an absolute path of a container lies under its root.
pub(crate) fn inside(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}
