//! Reads the JSON report of the external scanner Trivy instead of scanning here.
//!
//! The public entry is [`read`]. A report without results may be one about an image Trivy could not scan:
//! [`Report::is_scanned`] tells, and the caller must treat the opposite as a failed scan.

use serde::{Deserialize, Deserializer};

use crate::{Finding, Severity};

/// Largest report; one of an image with tens of thousands of findings has about 100 MB.
const MAX_REPORT_BYTES: usize = 512 << 20;
/// The report format this reader knows.
const SCHEMA_VERSION: u64 = 2;

/// Why a report cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The report is not JSON, or its fields are of the wrong type.
    #[error("failed to read the trivy report")]
    ParseReport {
        /// What was wrong.
        source: serde_json::Error,
    },
    /// It is JSON, but not what Trivy writes.
    #[error("not a trivy report: {problem}")]
    NotAReport {
        /// What was wrong.
        problem: String,
    },
    /// The report is too large.
    #[error("the trivy report exceeds the limit of {limit} bytes")]
    ExceedLimit {
        /// The bound.
        limit: usize,
    },
}

/// What a Trivy report says.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The image as it was named to Trivy.
    pub artifact: String,
    /// Digest of the image's config, `sha256:<hex>`: which platform of which image this is about; empty if unsaid.
    pub image_id: String,
    /// The distribution as Trivy recognised it, such as `alpine 3.18.4`.
    pub distribution: Option<String>,
    /// When the report was made, RFC 3339.
    pub created_at: Option<String>,
    /// Whether any package list was scanned; a report that is not cannot clear an image.
    pub is_scanned: bool,
    /// The findings, worst first.
    pub findings: Vec<Finding>,
}

/// Returns the findings of a report, worst first.
///
/// # Errors
///
/// Anything that is not a complete Trivy report is an error.
pub fn findings(report: &[u8]) -> Result<Vec<Finding>, Error> {
    Ok(read(report)?.findings)
}

/// Reads a report (`trivy image --format json`).
pub fn read(report: &[u8]) -> Result<Report, Error> {
    if report.len() > MAX_REPORT_BYTES {
        return Err(Error::ExceedLimit { limit: MAX_REPORT_BYTES });
    }
    let document: Document =
        serde_json::from_slice(report).map_err(|source| Error::ParseReport { source })?;
    let not_a_report = |problem: String| Err(Error::NotAReport { problem });
    match document.schema_version {
        Some(SCHEMA_VERSION) => {}
        Some(version) => {
            return not_a_report(format!(
                "`SchemaVersion` is {version}; expected {SCHEMA_VERSION}"
            ));
        }
        None => return not_a_report("`SchemaVersion` is missing".to_owned()),
    }
    let Some(artifact) = document.artifact_name.filter(|_| document.artifact_type.is_some()) else {
        return not_a_report("`ArtifactName` or `ArtifactType` is missing".to_owned());
    };
    let is_scanned = document.results.iter().any(Outcome::is_scanned);
    let mut findings: Vec<Finding> = document
        .results
        .into_iter()
        .flat_map(|result| result.vulnerabilities)
        .filter_map(finding)
        .collect();
    findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.key().cmp(&b.key())));
    findings.dedup();
    let image_id = document.metadata.image_id;
    let distribution =
        document.metadata.os.map(|os| format!("{} {}", os.family, os.name).trim().to_owned());
    Ok(Report {
        artifact,
        image_id,
        distribution,
        created_at: document.created_at,
        is_scanned,
        findings,
    })
}

fn finding(vulnerability: Vulnerability) -> Option<Finding> {
    // The only status that says the image is not concerned, from a VEX document.
    if vulnerability.status == "not_affected" {
        return None;
    }
    let score = vulnerability.cvss.values().filter_map(|cvss| cvss.v40_score.or(cvss.v3_score));
    let score = score.max_by(f64::total_cmp);
    Some(Finding {
        id: vulnerability.id,
        aliases: vulnerability.vendor_ids,
        source: vulnerability.pkg_name.clone(),
        package: vulnerability.pkg_name,
        installed: vulnerability.installed_version,
        fixed: Some(vulnerability.fixed_version).filter(|fixed| !fixed.is_empty()),
        severity: Severity::from_word(&vulnerability.severity).unwrap_or_default(),
        score,
        summary: vulnerability.title,
        url: vulnerability.primary_url,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    #[serde(default)]
    schema_version: Option<u64>,
    #[serde(default)]
    artifact_name: Option<String>,
    #[serde(default)]
    artifact_type: Option<String>,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    metadata: Metadata,
    #[serde(default, deserialize_with = "or_default")]
    results: Vec<Outcome>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default, rename = "OS")]
    os: Option<Os>,
    #[serde(default, rename = "ImageID", deserialize_with = "or_default")]
    image_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Os {
    #[serde(default, deserialize_with = "or_default")]
    family: String,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Outcome {
    #[serde(default, deserialize_with = "or_default")]
    class: String,
    #[serde(default, deserialize_with = "or_default")]
    vulnerabilities: Vec<Vulnerability>,
}

impl Outcome {
    fn is_scanned(&self) -> bool {
        matches!(self.class.as_str(), "os-pkgs" | "lang-pkgs") || !self.vulnerabilities.is_empty()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Vulnerability {
    #[serde(rename = "VulnerabilityID")]
    id: String,
    #[serde(default, rename = "VendorIDs", deserialize_with = "or_default")]
    vendor_ids: Vec<String>,
    pkg_name: String,
    #[serde(default, deserialize_with = "or_default")]
    installed_version: String,
    #[serde(default, deserialize_with = "or_default")]
    fixed_version: String,
    #[serde(default, deserialize_with = "or_default")]
    status: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    title: String,
    #[serde(default, rename = "PrimaryURL", deserialize_with = "or_default")]
    primary_url: String,
    #[serde(default, rename = "CVSS", deserialize_with = "or_default")]
    cvss: std::collections::BTreeMap<String, Cvss>,
}

#[derive(Deserialize)]
struct Cvss {
    #[serde(default, rename = "V3Score")]
    v3_score: Option<f64>,
    #[serde(default, rename = "V40Score")]
    v40_score: Option<f64>,
}

fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests;
