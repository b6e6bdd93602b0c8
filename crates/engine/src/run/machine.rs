//! What all parts of a run share.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::folders::Folders;
use super::recorder::Recorder;
use crate::Ready;

/// Pods at the same time, whatever the template asks for: each has processes and open files.
const MAX_PARALLEL_PODS: usize = 32;
/// Bytes of all parameter values of one run, so that values made of values cannot fill the memory.
const MAX_VALUE_BYTES: usize = 64 * 1024 * 1024;

/// The state of one run.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) ready: Ready,
    pub(super) folders: Folders,
    pub(super) recorder: Recorder,
    pub(super) pods: Semaphore,
    pub(super) grace: Duration,
    value_bytes: AtomicUsize,
}

impl Machine {
    pub(super) fn new(ready: Ready, folders: Folders, recorder: Recorder, grace: Duration) -> Self {
        let pods = ready.spec().parallelism.unwrap_or(MAX_PARALLEL_PODS).min(MAX_PARALLEL_PODS);
        Self {
            ready,
            folders,
            recorder,
            pods: Semaphore::new(pods),
            grace,
            value_bytes: AtomicUsize::new(0),
        }
    }

    /// Counts a value that stays in memory.
    pub(super) fn keep(&self, value: &str) -> Result<(), String> {
        let before = self.value_bytes.fetch_add(value.len(), Ordering::Relaxed);
        if before.saturating_add(value.len()) > MAX_VALUE_BYTES {
            return Err(format!("the workflow's values take more than {MAX_VALUE_BYTES} bytes"));
        }
        Ok(())
    }
}
