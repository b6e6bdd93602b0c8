//! What the steps leave behind: `plan.json` and `scan.json` for one another, `result.json` for everybody else.
//!
//! The same JSON is `ArtifactWorkflow.status.result`; a test in `tests/` holds the two together.

use std::path::Path;

use arc_oci::{Descriptor, Digest};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Error;
pub use crate::source::SourceEvidence;

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Resolved; the rest is still to come.
    Planned,
    /// Copied, scanned, signed, attested, tagged.
    Delivered,
    /// The destination already held the same digest with valid evidence; nothing moved.
    AlreadyDelivered,
    /// The scan said no; nothing was written to the destination.
    Refused,
    /// Nothing was written, as asked.
    DryRun,
}

/// What `fetch` decided, for `scan` and `publish`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// How far things are.
    pub outcome: Outcome,
    /// The source's root manifest.
    pub root: Descriptor,
    /// The source repository, full path within its registry.
    pub source_repository: String,
    /// The resolved source tag.
    pub source_tag: Option<String>,
    /// The destination repository, full path within its registry.
    pub destination_repository: String,
    /// The destination tag.
    pub destination_tag: String,
    /// When the delivery began.
    pub started_at: jiff::Timestamp,
    /// The advisory database as an OCI reference with digest, where it was fetched.
    pub database: Option<String>,
    /// Upstream's evidence that held, where some was asked for.
    #[serde(default)]
    pub source_evidence: Vec<SourceEvidence>,
}

/// `result.json`: what was done, in the words of `ArtifactWorkflow.status.result`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepResult {
    /// How it ended.
    pub outcome: Outcome,
    /// Where it came from.
    pub source: Source,
    /// Where it went.
    pub destination: Place,
    /// What the scan said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan: Option<ScanSummary>,
    /// The signature's manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<SignatureRecord>,
    /// The attestations' manifests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attestations: Vec<AttestationRecord>,
    /// Blobs written to the destination.
    #[serde(default)]
    pub blobs_moved: u64,
    /// Bytes of those blobs.
    #[serde(default)]
    pub bytes_moved: u64,
    /// Bytes the destination lacks, in a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_planned: Option<u64>,
    /// What was done, in order.
    #[serde(default)]
    pub steps: Vec<StepRecord>,
}

/// The resolved source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// `registry/repository:tag`.
    pub reference: String,
    /// Digest of the root manifest.
    pub digest: Digest,
    /// The tag that was chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// The destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// `registry/repository:tag`.
    pub reference: String,
    /// Digest under that tag, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// The scan's verdict in numbers, and what it refused.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScanSummary {
    /// Findings of severity critical.
    pub critical: u64,
    /// Findings of severity high.
    pub high: u64,
    /// Findings of severity medium.
    pub medium: u64,
    /// Findings of severity low.
    pub low: u64,
    /// Findings whose advisory gives no severity.
    pub unknown: u64,
    /// Which scanner, with version.
    pub scanner: String,
    /// Digest of the advisories used.
    pub database: String,
    /// The findings that refuse the image, or, if none does, the worst ones.
    #[serde(default)]
    pub findings: Vec<FindingRecord>,
}

/// One finding, short enough for a status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FindingRecord {
    /// Advisory or CVE identifier.
    pub id: String,
    /// The package.
    pub package: String,
    /// The installed version.
    pub installed: String,
    /// The version that repairs it, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed: Option<String>,
    /// The severity.
    pub severity: String,
    /// Where to read on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// The signature that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignatureRecord {
    /// Digest of the manifest that carries it.
    pub digest: String,
}

/// One attestation that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttestationRecord {
    /// The in-toto predicate type.
    pub predicate_type: String,
    /// Digest of the manifest that carries it.
    pub digest: String,
}

/// One thing that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepRecord {
    /// `resolve`, `fetch`, `scan`, `publish`, …
    pub name: String,
    /// When it began.
    pub started_at: jiff::Timestamp,
    /// When it ended.
    pub completed_at: jiff::Timestamp,
    /// What happened, in one sentence.
    pub message: String,
}

/// Reads a file that an earlier step left.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let bytes = std::fs::read(path).map_err(|source| Error::File {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_slice(&bytes)
        .map_err(|source| Error::Understand { path: path.to_owned(), source })
}

/// Writes a file for a later step: whole or not at all.
pub(crate) fn write<T: Serialize>(path: &Path, value: &T) -> Result<(), Error> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|source| Error::Understand { path: path.to_owned(), source })?;
    bytes.push(b'\n');
    write_bytes(path, &bytes)
}

/// Writes a file: whole or not at all.
pub(crate) fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let failed = |source| Error::File { action: "write", path: path.to_owned(), source };
    let unfinished = path.with_extension("unfinished");
    std::fs::write(&unfinished, bytes).map_err(failed)?;
    std::fs::rename(&unfinished, path).map_err(failed)
}

/// Removes a file of an earlier run, if there is one.
pub(crate) fn remove(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::File { action: "remove", path: path.to_owned(), source: error })
        }
        _ => Ok(()),
    }
}

impl Plan {
    /// The destination as `registry/repository:tag`.
    pub(crate) fn destination_reference(&self, request: &crate::Request) -> String {
        let mut reference = request.destination.remote.reference(&self.destination_repository);
        reference.tag = Some(self.destination_tag.clone());
        reference.to_string()
    }
}

/// RFC 3339 with whole seconds: what every verifier parses.
pub(crate) fn seconds(time: jiff::Timestamp) -> String {
    let whole = jiff::Timestamp::from_second(time.as_second()).unwrap_or(time);
    whole.to_string()
}
