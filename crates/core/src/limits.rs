//! What an installation allows; a laptop allows everything.

use jiff::SignedDuration;

/// Limits that the operator of an installation sets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Shortest time between two runs of a schedule; zero allows any.
    pub minimum_interval: SignedDuration,
}

impl Limits {
    /// Allows everything, as `arc run` does.
    pub const NONE: Self = Self { minimum_interval: SignedDuration::ZERO };
}

impl Default for Limits {
    fn default() -> Self {
        Self { minimum_interval: SignedDuration::from_mins(10) }
    }
}
