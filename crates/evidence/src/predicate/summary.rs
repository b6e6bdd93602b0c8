//! SLSA verification summary v1: which policy an artifact passed, for readers who trust the verifier.
//!
//! Its DSSE envelope as a file ([`crate::Envelope::to_json`]) is what `slsa-verifier verify-vsa` reads.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ResourceDescriptor, VERIFIER_ID};
use crate::encoding;

/// The level of an artifact whose scan passed the gate.
pub const LEVEL_SCAN_PASSED: &str = "ARC_SCAN_PASSED";
/// The level of an artifact whose upstream evidence held.
pub const LEVEL_SOURCE_VERIFIED: &str = "ARC_SOURCE_VERIFIED";
/// The version of SLSA that the levels refer to.
const SLSA_VERSION: &str = "1.1";

/// Whether the artifact passed the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum VerificationResult {
    /// It passed.
    Passed,
    /// It did not; other verifiers refuse it.
    Failed,
}

/// The facts of one verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationSummary {
    /// Version of ARC.
    pub arc_version: String,
    /// When the policy was applied (RFC 3339).
    pub time_verified: String,
    /// What was verified, such as `oci://registry.example/team/app`; compared byte by byte by verifiers.
    pub resource_uri: String,
    /// The policy: its URI, such as `arc://policies/oci-image`, and the digest of its text.
    pub policy: ResourceDescriptor,
    /// The attestations that were looked at, each with URI and digest.
    pub input_attestations: Vec<ResourceDescriptor>,
    /// The outcome.
    pub result: VerificationResult,
    /// Levels reached, such as [`LEVEL_SCAN_PASSED`]; own ones must not start with `SLSA_`.
    pub verified_levels: Vec<String>,
}

/// Returns the verification summary predicate as JSON.
pub fn vsa(summary: &VerificationSummary) -> Value {
    json!({
        "verifier": {"id": VERIFIER_ID, "version": {"arc": summary.arc_version}},
        "timeVerified": summary.time_verified,
        "resourceUri": summary.resource_uri,
        "policy": encoding::to_value(&summary.policy),
        "inputAttestations": encoding::to_value(&summary.input_attestations),
        "verificationResult": encoding::to_value(&summary.result),
        "verifiedLevels": summary.verified_levels,
        "dependencyLevels": {},
        "slsaVersion": SLSA_VERSION,
    })
}
