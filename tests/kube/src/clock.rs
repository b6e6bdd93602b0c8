//! The server's clock: tokio's, so a test with paused time has it in its hands.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Wall time that goes as tokio's time goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Timestamp,
    since: Instant,
}

impl Clock {
    pub(crate) fn starting_at(start: Timestamp) -> Self {
        Self { start, since: Instant::now() }
    }

    /// Now, as Kubernetes writes it: whole seconds in UTC.
    pub(crate) fn now(&self) -> String {
        self.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    pub(crate) fn timestamp(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.since.elapsed()).unwrap_or_default();
        self.start.checked_add(elapsed).unwrap_or(self.start)
    }
}
