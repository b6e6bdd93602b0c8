//! The parts of an OSV record (schema 1.7) that matching needs, read with tolerance for everything else.
//!
//! Databases write `null` for empty lists and add fields with every release; neither makes a record malformed.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::Severity;

/// One advisory as published.
#[derive(Debug, Deserialize)]
pub(crate) struct Advisory {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) modified: Option<String>,
    #[serde(default)]
    pub(crate) withdrawn: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) aliases: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) upstream: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) summary: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) details: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: Vec<Score>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) affected: Vec<Affected>,
    #[serde(default, deserialize_with = "or_default")]
    references: Vec<Reference>,
    #[serde(default)]
    database_specific: Value,
}

/// One package an advisory speaks about.
#[derive(Debug, Deserialize)]
pub(crate) struct Affected {
    #[serde(default)]
    pub(crate) package: Option<AffectedPackage>,
    #[serde(default, deserialize_with = "or_default")]
    severity: Vec<Score>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) ranges: Vec<Range>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) versions: Vec<String>,
    #[serde(default)]
    ecosystem_specific: Value,
    #[serde(default)]
    database_specific: Value,
}

/// The package's ecosystem and name.
#[derive(Debug, Deserialize)]
pub(crate) struct AffectedPackage {
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) ecosystem: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) name: String,
}

/// A range of versions.
#[derive(Debug, Deserialize)]
pub(crate) struct Range {
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    pub(crate) kind: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) events: Vec<Event>,
}

/// An event of a range; exactly one field is set.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Event {
    pub(crate) introduced: Option<String>,
    pub(crate) fixed: Option<String>,
    pub(crate) last_affected: Option<String>,
    pub(crate) limit: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Score {
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    kind: String,
    #[serde(default, deserialize_with = "or_default")]
    score: String,
}

#[derive(Debug, Deserialize)]
struct Reference {
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    kind: String,
    #[serde(default, deserialize_with = "or_default")]
    url: String,
}

fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Longest summary taken from the details of an advisory that has no summary, in characters.
const MAX_SUMMARY: usize = 160;

impl Advisory {
    /// Returns the summary, or the first line of the details.
    pub(crate) fn headline(&self) -> String {
        let text = if self.summary.trim().is_empty() { &self.details } else { &self.summary };
        let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        match line.char_indices().nth(MAX_SUMMARY) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line.to_owned(),
        }
    }

    /// Returns the page to read: the advisory's own if it names one, else its first reference; empty if none.
    pub(crate) fn url(&self) -> String {
        let of_kind =
            |kind: &str| self.references.iter().find(|r| r.kind.eq_ignore_ascii_case(kind));
        let reference =
            of_kind("ADVISORY").or_else(|| of_kind("WEB")).or_else(|| self.references.first());
        reference.map(|reference| reference.url.clone()).unwrap_or_default()
    }

    /// Returns the severity for one affected package, and the highest CVSS base score stated.
    ///
    /// Words win over vectors, and what is said of the package wins over what is said of the whole advisory.
    pub(crate) fn severity(&self, affected: &Affected) -> (Severity, Option<f64>) {
        let scores = || affected.severity.iter().chain(&self.severity);
        let word = [&affected.ecosystem_specific, &affected.database_specific]
            .into_iter()
            .find_map(stated_word)
            .or_else(|| scores().find_map(Score::word))
            .or_else(|| stated_word(&self.database_specific));
        let rated =
            [&affected.severity, &self.severity].into_iter().find_map(|scores| highest(scores));
        match (word, rated) {
            (Some(word), rated) => (word, rated.map(|(_, score)| score)),
            (None, Some((severity, score))) => (severity, Some(score)),
            (None, None) => (Severity::Unknown, None),
        }
    }
}

impl Score {
    /// Returns the severity if this is a word, as Ubuntu's priorities are.
    fn word(&self) -> Option<Severity> {
        Severity::from_word(&self.score)
    }

    fn is_version_2(&self) -> bool {
        self.kind.eq_ignore_ascii_case("CVSS_V2")
    }
}

/// Returns the highest rating; version 2 of CVSS counts only where there is no newer one.
fn highest(scores: &[Score]) -> Option<(Severity, f64)> {
    let of = |is_version_2: bool| {
        let scores = scores.iter().filter(move |score| score.is_version_2() == is_version_2);
        scores
            .filter_map(|score| Severity::from_cvss(&score.score))
            .max_by(|a, b| a.1.total_cmp(&b.1))
    };
    of(false).or_else(|| of(true))
}

/// Returns the severity word in a free-form object.
fn stated_word(specific: &Value) -> Option<Severity> {
    ["severity", "urgency", "priority"]
        .into_iter()
        .find_map(|field| specific.get(field).and_then(Value::as_str).and_then(Severity::from_word))
}

#[cfg(test)]
mod tests;
