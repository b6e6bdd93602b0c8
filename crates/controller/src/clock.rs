//! What time it is: read once per pass, and handed down.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// The machine's clock, or one that starts at a chosen moment and goes as tokio's time does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Option<(Timestamp, Instant)>);

impl Clock {
    pub(crate) fn new(starts_at: Option<Timestamp>) -> Self {
        Self(starts_at.map(|start| (start, Instant::now())))
    }

    pub(crate) fn now(self) -> Timestamp {
        let Some((start, since)) = self.0 else { return Timestamp::now() };
        let passed = SignedDuration::try_from(since.elapsed()).unwrap_or_default();
        start.checked_add(passed).unwrap_or(Timestamp::MAX)
    }
}
