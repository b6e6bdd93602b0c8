//! How far a transfer is, for progress bars.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Bytes to move and bytes moved; clones share the same counters.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Bytes that this transfer has to move, as far as known by now.
    pub total: Arc<AtomicU64>,
    /// Bytes moved, or found to be there already.
    pub done: Arc<AtomicU64>,
}

impl Progress {
    /// Returns counters at zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns (done, total) in bytes.
    pub fn snapshot(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }

    pub(crate) fn add_total(&self, bytes: u64) {
        self.total.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn add_done(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Takes back bytes of an attempt that failed and starts again.
    pub(crate) fn take_back(&self, bytes: u64) {
        self.done.fetch_sub(bytes, Ordering::Relaxed);
    }
}
