//! The vulnerability scan predicate of cosign, version 1.
//!
//! cosign parses both times as RFC 3339 and `scanner.result` as an object.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{encoding, scan_result::ScanResult};

/// The whole predicate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vuln {
    /// What started the scan.
    pub invocation: Invocation,
    /// What scanned, with which database, and what it found.
    pub scanner: Scanner,
    /// When.
    pub metadata: Metadata,
}

/// What started the scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invocation {
    /// The scan's settings, such as `["--severity", "HIGH,CRITICAL"]`.
    pub parameters: Vec<String>,
    /// The order's artifact, such as `arc://orders/team-a/app/artifacts/alpine`.
    pub uri: String,
    /// UID of the workflow or the order.
    pub event_id: String,
    /// Usually [`super::SCAN_BUILDER_ID`].
    #[serde(rename = "builder.id")]
    pub builder_id: String,
}

/// What scanned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scanner {
    /// Package URL or web address of the scanner.
    pub uri: String,
    /// Its version.
    pub version: String,
    /// The advisories it used.
    pub db: Database,
    /// What it found and what the gate said.
    pub result: ScanResult,
}

/// The advisories a scan used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Database {
    /// Where it came from, with its digest.
    pub uri: String,
    /// Its version, or its digest where it has none.
    pub version: String,
    /// Time of its newest advisory (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_update: Option<String>,
}

/// When the scan ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// Start (RFC 3339).
    pub scan_started_on: String,
    /// End (RFC 3339); the verifier judges the scan's age by it.
    pub scan_finished_on: String,
}

/// Returns the predicate as JSON.
pub fn vuln(vuln: &Vuln) -> Value {
    encoding::to_value(vuln)
}
