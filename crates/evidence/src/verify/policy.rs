//! What a verifier demands.

use std::{collections::BTreeSet, time::Duration};

use crate::{keys::PublicKey, scan_result::Severity};

/// What must hold for a digest to be accepted.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The key set: every counted signature was made by one of these.
    pub keys: Vec<PublicKey>,
    /// Whether the image itself must be signed; true unless only upstream attestations are of interest.
    pub require_signature: bool,
    /// Predicate types of which a valid attestation must exist.
    pub require: BTreeSet<String>,
    /// What the newest valid vulnerability attestation must say; it must exist if this is set.
    pub scan: Option<ScanPolicy>,
}

/// What the scan must say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScanPolicy {
    /// Severities of which no finding may exist, in addition to the verdict of the time; may be empty.
    pub gate: BTreeSet<Severity>,
    /// Longest time since the end of the scan.
    pub max_age: Option<Duration>,
}

impl Policy {
    /// Returns a policy that requires a signature by one of the keys, and nothing else.
    pub fn new(keys: Vec<PublicKey>) -> Self {
        Self { keys, require_signature: true, require: BTreeSet::new(), scan: None }
    }

    /// Requires a valid attestation of this predicate type as well.
    #[must_use]
    pub fn require(mut self, predicate_type: &str) -> Self {
        self.require.insert(predicate_type.to_owned());
        self
    }

    /// Requires a vulnerability attestation that passes.
    #[must_use]
    pub fn with_scan(mut self, scan: ScanPolicy) -> Self {
        self.scan = Some(scan);
        self
    }
}
