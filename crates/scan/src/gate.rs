//! What a scan lets through: the last step, from findings to verdict.
//!
//! The public entry is [`Gate::judge`]; what happens to a refused image is left to the caller.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Finding, Severity};

/// The severities that keep an image out.
///
/// Naming a severity refuses everything above it as well: nobody who writes `HIGH` wants critical findings delivered.
/// `UNKNOWN` stands for itself only: it refuses findings whose severity no advisory states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    lowest: Option<Severity>,
    unknown: bool,
}

/// A gate that could not be understood; an image must not be judged by it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseGateError {
    /// No severity is named, which would let everything through.
    #[error(
        "scan severity {given:?} names no severity; expected one or more of UNKNOWN, LOW, MEDIUM, HIGH, CRITICAL"
    )]
    Empty {
        /// What was given.
        given: String,
    },
    /// A word is not a severity.
    #[error(
        "scan severity {given:?}: {word:?} is not a severity; expected UNKNOWN, LOW, MEDIUM, HIGH or CRITICAL"
    )]
    UnknownWord {
        /// What was given.
        given: String,
        /// The word in it that is not a severity.
        word: String,
    },
}

impl Gate {
    /// Parses a list such as `HIGH,CRITICAL`: separated by commas or blanks, in any case.
    pub fn parse(text: &str) -> Result<Self, ParseGateError> {
        let given = || text.chars().take(MAX_SHOWN).collect::<String>();
        let mut gate = Self { lowest: None, unknown: false };
        for word in text.split([',', ' ', '\t', '\n']).filter(|word| !word.is_empty()) {
            let named = Severity::ALL.into_iter().find(|s| s.as_str().eq_ignore_ascii_case(word));
            match named {
                Some(Severity::Unknown) => gate.unknown = true,
                Some(severity) => {
                    gate.lowest = Some(gate.lowest.unwrap_or(severity).min(severity));
                }
                None => {
                    let word = word.chars().take(MAX_SHOWN).collect();
                    return Err(ParseGateError::UnknownWord { given: given(), word });
                }
            }
        }
        if gate.lowest.is_none() && !gate.unknown {
            return Err(ParseGateError::Empty { given: given() });
        }
        Ok(gate)
    }

    /// Returns whether a finding of this severity keeps the image out.
    pub fn refuses(&self, severity: Severity) -> bool {
        match severity {
            Severity::Unknown => self.unknown,
            severity => self.lowest.is_some_and(|lowest| severity >= lowest),
        }
    }

    /// Judges findings: counts all of them and picks out those that keep the image out, worst first.
    pub fn judge(&self, findings: &[Finding]) -> Verdict {
        let mut refused: Vec<Finding> =
            findings.iter().filter(|finding| self.refuses(finding.severity)).cloned().collect();
        refused.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.key().cmp(&b.key())));
        Verdict { counts: Counts::of(findings), refused }
    }
}

/// How much of a wrong gate an error message repeats.
const MAX_SHOWN: usize = 80;

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Severity::ALL.into_iter().filter(|severity| self.refuses(*severity));
        f.write_str(&named.map(Severity::as_str).collect::<Vec<_>>().join(","))
    }
}

/// How many findings there are of each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Findings of severity critical.
    pub critical: usize,
    /// Findings of severity high.
    pub high: usize,
    /// Findings of severity medium.
    pub medium: usize,
    /// Findings of severity low.
    pub low: usize,
    /// Findings whose severity is not known.
    pub unknown: usize,
}

impl Counts {
    /// Counts findings.
    pub fn of(findings: &[Finding]) -> Self {
        let mut counts = Self::default();
        for finding in findings {
            *match finding.severity {
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

/// What a gate says about an image's findings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// All findings, by severity.
    pub counts: Counts,
    /// The findings that keep the image out, worst first; empty means the image may pass.
    pub refused: Vec<Finding>,
}

impl Verdict {
    /// Returns whether the image must not be delivered.
    pub fn is_refused(&self) -> bool {
        !self.refused.is_empty()
    }
}

#[cfg(test)]
mod tests;
