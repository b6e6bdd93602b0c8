//! How bad a vulnerability is, and the many ways advisories say it.
//!
//! A distribution's own word wins over a CVSS vector, because it knows how the package was built.
//! What none of them says is [`Severity::Unknown`], which a gate can name like any other.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The severity of a finding, in ascending order.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// The advisory says nothing that could be understood.
    #[default]
    Unknown,
    /// CVSS below 4.0, or the distribution's "low", "negligible" or "unimportant".
    Low,
    /// CVSS 4.0 to 6.9.
    Medium,
    /// CVSS 7.0 to 8.9, or the distribution's "high" or "important".
    High,
    /// CVSS 9.0 and above.
    Critical,
}

impl Severity {
    /// All severities, lowest first.
    pub const ALL: [Self; 5] = [Self::Unknown, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// Returns the word reports use, such as `CRITICAL`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }

    /// Returns the severity an advisory's word stands for, or nothing if the word decides nothing
    /// (such as Debian's "not yet assigned" or Ubuntu's "untriaged").
    pub fn from_word(word: &str) -> Option<Self> {
        // Debian marks urgencies that its tracker only guessed with trailing asterisks.
        let word = word.trim().trim_end_matches('*').to_ascii_lowercase();
        match word.as_str() {
            "critical" => Some(Self::Critical),
            "high" | "important" => Some(Self::High),
            "medium" | "moderate" => Some(Self::Medium),
            "low" | "negligible" | "unimportant" | "minor" => Some(Self::Low),
            _ => None,
        }
    }

    /// Returns the severity and base score of a CVSS v2, v3 or v4 vector, or nothing if it is not one.
    pub fn from_cvss(vector: &str) -> Option<(Self, f64)> {
        let vector = vector.trim();
        let score = cvss::Cvss::from_str(vector).ok()?.score();
        is_complete(vector).then(|| (Self::from_score(score), score))
    }

    /// Returns the severity of a CVSS base score (0.0 to 10.0); a score of zero counts as low.
    pub fn from_score(score: f64) -> Self {
        match score {
            s if s >= 9.0 => Self::Critical,
            s if s >= 7.0 => Self::High,
            s if s >= 4.0 => Self::Medium,
            s if s >= 0.0 => Self::Low,
            _ => Self::Unknown,
        }
    }
}

/// Base metrics that a vector must have, by the version it starts with; version 2 has no such start.
const BASE_METRICS: [(&str, &[&str]); 3] = [
    ("CVSS:4.", &["AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA"]),
    ("CVSS:3.", &["AV", "AC", "PR", "UI", "S", "C", "I", "A"]),
    ("", &["AV", "AC", "Au", "C", "I", "A"]),
];

/// Returns whether a vector states all base metrics; one cut short would be scored as harmless.
fn is_complete(vector: &str) -> bool {
    let required = BASE_METRICS.iter().find(|(start, _)| vector.starts_with(start));
    let states = |metric: &&str| {
        vector.split('/').any(|part| part.split_once(':').is_some_and(|(name, _)| name == *metric))
    };
    required.is_some_and(|(_, metrics)| metrics.iter().all(states))
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests;
