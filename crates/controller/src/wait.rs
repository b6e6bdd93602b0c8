//! Moments and how far away they are.

use std::time::Duration;

use jiff::Timestamp;

/// How long it is from `now` to `at`; nothing when that is over.
pub(crate) fn until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or_default()
}
