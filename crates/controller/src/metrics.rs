//! What is counted and measured.

use std::time::Duration;

/// What is counted and measured.
#[derive(Debug, Default)]
pub struct Metrics {}

#[expect(clippy::unused_self, reason = "nothing is counted yet")]
impl Metrics {
    /// A pass of the reconciler of `kind` came to its end after this time in the queue and at work.
    pub fn pass(&self, kind: &'static str, is_error: bool, queued: Duration, took: Duration) {
        let _ = (kind, is_error, queued, took);
    }

    /// An object of `kind` cannot be read.
    pub fn malformed(&self, kind: &'static str) {
        let _ = kind;
    }

    /// The stores were filled, or are no longer.
    pub fn synced(&self, is_synced: bool) {
        let _ = is_synced;
    }

    /// The watch of `kind` broke and is taken up again.
    pub fn watch_error(&self, kind: &'static str) {
        let _ = kind;
    }
}
