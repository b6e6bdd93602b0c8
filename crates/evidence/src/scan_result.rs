//! ARC's scan verdict as data: written into the vulnerability attestation, judged again by the verifier.
//!
//! It carries the counts and the gate beside the verdict, so that a stricter policy can be applied later
//! without scanning again.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// How bad a finding is, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// The advisory does not say.
    Unknown,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl Severity {
    /// All severities in rising order.
    pub const ALL: [Self; 5] = [Self::Unknown, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// Returns the word in capitals, as gates and reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is not a severity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is not a severity; known severities are UNKNOWN, LOW, MEDIUM, HIGH, CRITICAL")]
pub struct ParseSeverity {
    /// The word given.
    pub word: String,
}

impl FromStr for Severity {
    type Err = ParseSeverity;

    fn from_str(word: &str) -> Result<Self, ParseSeverity> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.as_str().eq_ignore_ascii_case(word))
            .ok_or_else(|| ParseSeverity { word: word.to_owned() })
    }
}

/// Number of findings by severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Critical findings.
    pub critical: u64,
    /// High findings.
    pub high: u64,
    /// Medium findings.
    pub medium: u64,
    /// Low findings.
    pub low: u64,
    /// Findings without severity.
    pub unknown: u64,
}

impl Counts {
    /// Returns the number of findings of one severity.
    pub fn of(&self, severity: Severity) -> u64 {
        match severity {
            Severity::Unknown => self.unknown,
            Severity::Low => self.low,
            Severity::Medium => self.medium,
            Severity::High => self.high,
            Severity::Critical => self.critical,
        }
    }

    /// Counts severities.
    pub fn from_severities(severities: impl IntoIterator<Item = Severity>) -> Self {
        let mut counts = Self::default();
        for severity in severities {
            *match severity {
                Severity::Unknown => &mut counts.unknown,
                Severity::Low => &mut counts.low,
                Severity::Medium => &mut counts.medium,
                Severity::High => &mut counts.high,
                Severity::Critical => &mut counts.critical,
            } += 1;
        }
        counts
    }
}

/// What the scan gate said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ScanVerdict {
    /// No finding of a severity in the gate.
    Passed,
    /// At least one.
    Refused,
}

/// One finding as it is attested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScanFinding {
    /// Identifier of the advisory, such as `CVE-2024-3094`.
    pub id: String,
    /// Name of the package.
    pub package: String,
    /// Version found.
    pub installed: String,
    /// First version without the flaw, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// Where to read about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// The `scanner.result` of ARC's vulnerability attestation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScanResult {
    /// What the gate said at the time.
    pub verdict: ScanVerdict,
    /// The severities the gate refuses.
    pub gate: BTreeSet<Severity>,
    /// Findings by severity, over all platforms, complete even where `findings` is cut.
    pub counts: Counts,
    /// Digest of the advisory database.
    pub database: String,
    /// The findings, worst first; may be cut to the worst ones.
    pub findings: Vec<ScanFinding>,
}

impl ScanResult {
    /// Returns what contradicts itself in the result; `None` for an honest one.
    ///
    /// The verdict must follow from gate and counts, and no severity may be listed more often than counted.
    pub fn contradiction(&self) -> Option<String> {
        let expected = if self.gate.iter().any(|severity| self.counts.of(*severity) > 0) {
            ScanVerdict::Refused
        } else {
            ScanVerdict::Passed
        };
        if self.gate.is_empty() {
            return Some("its gate names no severity".to_owned());
        }
        if self.verdict != expected {
            return Some(format!(
                "its verdict is {:?}, its counts and gate say {expected:?}",
                self.verdict
            ));
        }
        let listed = Counts::from_severities(self.findings.iter().map(|finding| finding.severity));
        let more = Severity::ALL
            .into_iter()
            .find(|severity| listed.of(*severity) > self.counts.of(*severity));
        more.map(|severity| {
            format!(
                "it lists {} {severity} findings and counts {}",
                listed.of(severity),
                self.counts.of(severity)
            )
        })
    }
}
