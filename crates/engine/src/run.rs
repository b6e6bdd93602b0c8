//! Runs a workflow that is ready.

use std::path::PathBuf;
use std::time::Duration;

use arc_api::argo::WorkflowStatus;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::{Event, Ready};

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

/// Runs a workflow to its end.
pub async fn run(
    _ready: Ready,
    options: &RunOptions,
    _events: UnboundedSender<Event>,
    _cancel: CancellationToken,
) -> RunReport {
    RunReport { status: WorkflowStatus::default(), root: options.work_dir.clone() }
}
