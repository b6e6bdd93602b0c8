//! What the steps of a delivery report: the content of `result.json`.
//!
//! Every field may be missing, because each step adds what it knows and a failed delivery ends early.
//! Times are the text that the step wrote.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the steps of a delivery report.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DeliveryResult {
    /// How the delivery ended; empty while it has not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// What was found at the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceResult>,
    /// Where it is, or would be, at the destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<DestinationResult>,
    /// What the scan found; empty while nothing was scanned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan: Option<ScanResult>,
    /// The signature at the destination; empty while there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<SignatureResult>,
    /// The attestations at the destination.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attestations: Vec<AttestationResult>,
    /// Blobs that were copied.
    pub blobs_moved: u64,
    /// Bytes that were copied.
    pub bytes_moved: u64,
    /// Bytes that the destination lacked at the beginning.
    pub bytes_planned: u64,
    /// The finer steps, in the order they ran.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepResult>,
}

/// How a delivery ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
pub enum Outcome {
    /// Copied, scanned, signed and attested.
    Delivered,
    /// The destination already held it, with valid evidence; nothing moved.
    AlreadyDelivered,
    /// A policy said no; nothing is under the destination's tag.
    Refused,
    /// Only looked; nothing was written.
    DryRun,
}

impl Outcome {
    /// Returns the word that stands in `result.json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "Delivered",
            Self::AlreadyDelivered => "AlreadyDelivered",
            Self::Refused => "Refused",
            Self::DryRun => "DryRun",
        }
    }
}

/// What was found at the source.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SourceResult {
    /// Reference it was taken from. Example: `quay.io/library/alpine:3.18.4`.
    pub reference: String,
    /// Digest of its manifest or index. Example: `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// Tag that the order's tag or range resolved to; empty where a digest was ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// Where an artifact is, or would be, at the destination.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DestinationResult {
    /// Reference it was brought to. Example: `harbor.example.com/team-a/alpine:3.18.4`.
    pub reference: String,
    /// Digest at the destination, the same as at the source; empty while nothing is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// What a scan found.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ScanResult {
    /// Number of critical findings.
    pub critical: u64,
    /// Number of high findings.
    pub high: u64,
    /// Number of medium findings.
    pub medium: u64,
    /// Number of low findings.
    pub low: u64,
    /// Number of findings whose severity nobody gave.
    pub unknown: u64,
    /// Program that scanned. Example: `arc 0.1.0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scanner: Option<String>,
    /// Digest of the advisories that were used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// The findings, or the worst of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FindingResult>,
}

/// One weakness of one package.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FindingResult {
    /// Name of the advisory. Example: `CVE-2024-0001`.
    pub id: String,
    /// Package that is affected. Example: `openssl`.
    pub package: String,
    /// Version that is installed.
    pub installed: String,
    /// First version without the weakness; empty where there is none yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed: Option<String>,
    /// How bad it is. Example: `CRITICAL`.
    pub severity: String,
    /// Where to read more; empty where the advisory says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A signature at the destination.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SignatureResult {
    /// Digest of the manifest that carries the signature.
    pub digest: String,
}

/// An attestation at the destination.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AttestationResult {
    /// What is attested. Example: `https://slsa.dev/provenance/v1`.
    pub predicate_type: String,
    /// Digest of the manifest that carries the attestation.
    pub digest: String,
}

/// One of the finer steps of a delivery.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StepResult {
    /// Name of the step. Example: `resolve`.
    pub name: String,
    /// When the step began, as RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When the step ended, as RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<String>,
    /// What the step did, in one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_complete_result_survives_reading_and_writing() {
        let written = json!({
            "outcome": "Delivered",
            "source": { "reference": "quay.io/library/alpine:3.18.4", "digest": "sha256:aa", "tag": "3.18.4" },
            "destination": { "reference": "harbor.example.com/team-a/alpine:3.18.4", "digest": "sha256:aa" },
            "scan": {
                "critical": 0, "high": 1, "medium": 2, "low": 3, "unknown": 4,
                "scanner": "arc 0.1.0", "database": "sha256:bb",
                "findings": [{
                    "id": "CVE-2024-0001", "package": "openssl", "installed": "3.1.0", "fixed": "3.1.1",
                    "severity": "HIGH", "url": "https://example.com/CVE-2024-0001",
                }],
            },
            "signature": { "digest": "sha256:cc" },
            "attestations": [{ "predicateType": "https://slsa.dev/provenance/v1", "digest": "sha256:dd" }],
            "blobsMoved": 3, "bytesMoved": 1024, "bytesPlanned": 2048,
            "steps": [{
                "name": "resolve", "startedAt": "2026-11-20T19:27:21Z", "completedAt": "2026-11-20T19:27:22Z",
                "message": "3.18.4 is the highest tag that fits",
            }],
        });
        let read: DeliveryResult = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), written);
    }

    #[test]
    fn a_result_may_know_little_and_may_know_more_than_we_do() {
        let read: DeliveryResult =
            serde_json::from_value(json!({ "source": { "digest": "sha256:aa" }, "later": true }))
                .unwrap();
        let source = SourceResult { digest: "sha256:aa".to_owned(), ..SourceResult::default() };
        assert_eq!(read, DeliveryResult { source: Some(source), ..DeliveryResult::default() });
    }
}
