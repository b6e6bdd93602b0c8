//! Where an order or one of its artifacts stands.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where an order, an artifact of it, or a step of an artifact workflow stands.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    Deserialize,
    Eq,
    Hash,
    JsonSchema,
    Ord,
    PartialEq,
    PartialOrd,
    Serialize,
)]
pub enum Phase {
    /// Nothing runs yet. The reason says what is waited for: something that is missing or does not fit, the same
    /// delivery of another order, or the time of a schedule. It starts by itself once that has come.
    #[default]
    Pending,
    /// Held back by `spec.suspend` of the order.
    Suspended,
    /// At work.
    Running,
    /// Done. Also a dry run that came to its end.
    Succeeded,
    /// Ended without delivery, refusals by policy included.
    Failed,
    /// Could not be judged, for instance because Argo itself failed.
    Error,
    /// Not needed and therefore left out; steps only.
    Skipped,
}

impl Phase {
    /// Returns the word that stands in the status.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Suspended => "Suspended",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Error => "Error",
            Self::Skipped => "Skipped",
        }
    }

    /// Tells whether nothing more will happen without a change from outside.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Error | Self::Skipped)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
