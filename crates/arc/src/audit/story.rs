//! Tells what the evidence of one digest says, line by line, each with the evidence it was read from.
//!
//! Pure. Only statements whose signature held are read at all: what a rejected one claims appears nowhere, it is
//! listed with the reason of its rejection. A question that no valid evidence answers is answered with that.

use std::collections::BTreeMap;

use arc_evidence::verify::{Item, Origin, Problem, Report};
use arc_evidence::{Statement, predicate};
use serde::Serialize;

use super::facts::{self, Fact, Topic};

/// The story of a digest, as it is printed and exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Story {
    /// What was asked for.
    pub(crate) reference: String,
    /// The digest of its manifest.
    pub(crate) digest: String,
    /// What kind of manifest it is.
    pub(crate) media_type: String,
    /// When the audit was made, RFC 3339.
    pub(crate) audited_on: String,
    /// Whether a valid signature by one of the keys exists for the digest itself.
    pub(crate) signed: bool,
    /// The questions of an audit, in order.
    pub(crate) chapters: Vec<Chapter>,
    /// Every piece of evidence with its fate.
    pub(crate) evidence: Vec<Piece>,
    /// What is wrong with the evidence as a whole, such as signs of a downgrade.
    pub(crate) problems: Vec<String>,
    /// What claims to be evidence and could not be read.
    pub(crate) unreadable: Vec<String>,
}

/// One question and its answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Chapter {
    /// The question.
    pub(crate) title: &'static str,
    /// The answers; empty where no valid evidence gives one.
    pub(crate) lines: Vec<Line>,
    /// What is said where there is no answer.
    #[serde(skip)]
    pub(crate) silence: &'static str,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Line {
    /// The platform it is about; absent for the digest itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) platform: Option<String>,
    /// What is said, in one word.
    pub(crate) what: String,
    /// What it says.
    pub(crate) text: String,
    /// Digests of the evidence that says so: the same statement is often there as bundle and as tag layer.
    pub(crate) evidence: Vec<String>,
    /// Whether the signature of that evidence held. Always true: nothing else is told.
    pub(crate) held: bool,
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Piece {
    /// The platform whose manifest it is attached to; absent for the digest itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) platform: Option<String>,
    /// Digest of the referrer manifest, or of the tag's layer.
    pub(crate) digest: String,
    /// `bundle`, or `tag` for a layer of a `.sig` or `.att` tag.
    pub(crate) origin: &'static str,
    /// `signature` or `attestation`.
    pub(crate) kind: &'static str,
    /// The predicate type; of rejected evidence only what it claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) predicate_type: Option<String>,
    /// Hint of the key that signed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    /// Whether it counts.
    pub(crate) held: bool,
    /// Why it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rejection: Option<String>,
}

/// What verification found for one manifest.
pub(crate) struct Judged<'a> {
    /// The platform; absent for the digest itself.
    pub(crate) platform: Option<&'a str>,
    pub(crate) report: &'a Report,
}

/// The questions, in the order of the story, the facts that answer them, and what no answer means.
const CHAPTERS: [(&str, Topic, &str); 9] = [
    ("where it came from", Topic::Source, "UNKNOWN: no valid provenance"),
    ("who ordered it", Topic::Order, "UNKNOWN: no valid provenance names an order"),
    ("which workflow and steps", Topic::Workflow, "UNKNOWN: no valid provenance"),
    ("what the scan found", Topic::Scan, "UNKNOWN: no valid vulnerability attestation"),
    ("what is inside", Topic::Content, "UNKNOWN: no valid bill of materials"),
    ("which policy passed it", Topic::Policy, "UNKNOWN: no valid verification summary"),
    ("who signed it", Topic::Signature, "NOBODY: no valid signature by any of the keys"),
    ("which log holds it", Topic::Log, "NONE: no valid entry of any of the logs"),
    ("what else is attested", Topic::Other, "nothing"),
];
/// What is said of logs where no key of any was given.
const LOG_NOT_ASKED: &str = "not looked at: give the log's key with --log-key";

/// What was audited and when.
pub(crate) struct Header {
    pub(crate) reference: String,
    pub(crate) digest: String,
    pub(crate) media_type: String,
    pub(crate) audited_on: String,
    /// Whether entries of logs could be checked.
    pub(crate) has_log_keys: bool,
}

/// Tells the story of everything that was judged; the digest itself comes first.
pub(crate) fn tell(header: Header, judged: &[Judged<'_>]) -> Story {
    let mut by_topic: BTreeMap<Topic, Vec<Line>> = BTreeMap::new();
    for level in judged {
        for (fact, evidence) in level_facts(level) {
            by_topic.entry(fact.topic).or_default().push(Line {
                platform: level.platform.map(clean),
                what: clean(&fact.what),
                text: clean(&fact.text),
                evidence,
                held: true,
            });
        }
    }
    let chapter = |(title, topic, silence)| Chapter {
        title,
        lines: by_topic.remove(&topic).unwrap_or_default(),
        silence: if topic == Topic::Log && !header.has_log_keys { LOG_NOT_ASKED } else { silence },
    };
    let chapters = CHAPTERS.map(chapter).into_iter().collect();
    let root = judged.iter().find(|level| level.platform.is_none());
    Story {
        reference: clean(&header.reference),
        digest: header.digest,
        media_type: clean(&header.media_type),
        audited_on: header.audited_on,
        signed: root.is_some_and(|level| level.report.signatures.iter().any(Item::held)),
        chapters,
        evidence: judged.iter().flat_map(pieces).collect(),
        problems: judged.iter().flat_map(problems).collect(),
        unreadable: judged
            .iter()
            .flat_map(|level| level.report.unreadable.iter().map(|text| clean(text)))
            .collect(),
    }
}

/// The facts of one manifest, each with the digests of all evidence that carries the same statement.
fn level_facts(level: &Judged<'_>) -> Vec<(Fact, Vec<String>)> {
    let mut found = Vec::new();
    for (statement, digests) in statements(level.report) {
        let facts = facts::of_statement(statement, &level.report.subject);
        found.extend(facts.into_iter().map(|fact| (fact, digests.clone())));
    }
    for (key, items) in signers(level.report) {
        let formats: Vec<_> = items.iter().map(|item| origin(item)).collect();
        let digests = items.iter().map(|item| item.digest.clone()).collect();
        let text = format!("key {key} ({})", formats.join(" and "));
        found.push((Fact::new(Topic::Signature, "signed", text), digests));
    }
    found.extend(logged(level.report));
    found
}

/// Valid statements with the digests of the evidence they are in, oldest first.
fn statements(report: &Report) -> Vec<(&Statement, Vec<String>)> {
    let mut grouped: Vec<(&Statement, Vec<String>)> = Vec::new();
    for item in report.attestations.iter().filter(|item| item.held()) {
        let Some(statement) = &item.statement else { continue };
        match grouped.iter_mut().find(|(known, _)| *known == statement) {
            Some((_, digests)) => digests.push(item.digest.clone()),
            None => grouped.push((statement, vec![item.digest.clone()])),
        }
    }
    grouped.sort_by_cached_key(|(statement, digests)| {
        (facts::time(statement), statement.predicate_type.clone(), digests.clone())
    });
    grouped
}

/// Valid signatures of the image itself, by key.
fn signers(report: &Report) -> BTreeMap<&str, Vec<&Item>> {
    let mut signers: BTreeMap<&str, Vec<&Item>> = BTreeMap::new();
    for item in report.signatures.iter().filter(|item| item.held()) {
        signers.entry(item.key.as_deref().unwrap_or_default()).or_default().push(item);
    }
    signers
}

/// What the logs say about each piece of evidence that holds.
fn logged(report: &Report) -> impl Iterator<Item = (Fact, Vec<String>)> {
    let items = report.signatures.iter().chain(&report.attestations).filter(|item| item.held());
    items.filter_map(|item| {
        let log = item.log.as_ref()?;
        let what = item.predicate_type.as_deref().map_or("evidence", short_type);
        let time = log.integrated_time.map(|time| format!(", taken {time}")).unwrap_or_default();
        let text = format!(
            "{what} is entry {} of {} (key {}), proved in a tree of {}{time}",
            log.log_index, log.origin, log.log_id, log.tree_size
        );
        Some((Fact::new(Topic::Log, "logged", text), vec![item.digest.clone()]))
    })
}

fn pieces<'a>(level: &'a Judged<'_>) -> impl Iterator<Item = Piece> + 'a {
    let signatures = level.report.signatures.iter().map(|item| ("signature", item));
    let attestations = level.report.attestations.iter().map(|item| ("attestation", item));
    signatures.chain(attestations).map(|(kind, item)| Piece {
        platform: level.platform.map(clean),
        digest: item.digest.clone(),
        origin: origin(item),
        kind,
        predicate_type: item.predicate_type.as_deref().map(clean).or_else(|| {
            // A `.sig` layer has no predicate type; its payload type is fixed.
            (kind == "signature").then(|| "cosign simple signing".to_owned())
        }),
        key: item.key.clone(),
        held: item.held(),
        rejection: item.rejection.as_ref().map(|why| clean(&why.to_string())),
    })
}

/// What is wrong beyond single pieces; that nobody signed a platform's manifest is usual, and told for the image.
fn problems<'a>(level: &'a Judged<'_>) -> impl Iterator<Item = String> + 'a {
    let is_told = |problem: &&Problem| !matches!(problem, Problem::MissingSignature { .. });
    level.report.problems.iter().filter(is_told).map(|problem| {
        let platform = level.platform.map(|name| format!("{name}: ")).unwrap_or_default();
        clean(&format!("{platform}{problem}"))
    })
}

fn origin(item: &Item) -> &'static str {
    match item.origin {
        Origin::Bundle => "bundle",
        Origin::LegacyTag => "tag",
    }
}

/// Makes characters visible that a terminal or a reader could be deceived with: controls and changes of direction.
pub(crate) fn clean(text: &str) -> String {
    let deceives = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let mut cleaned = String::with_capacity(text.len());
    for letter in text.chars() {
        if deceives(letter) {
            cleaned.extend(letter.escape_unicode());
        } else {
            cleaned.push(letter);
        }
    }
    cleaned
}

/// The name that people and cosign use for a predicate type.
pub(crate) fn short_type(predicate_type: &str) -> &str {
    match predicate_type {
        predicate::PREDICATE_SIGNATURE => "signature",
        predicate::PREDICATE_VULN => "vuln",
        predicate::PREDICATE_CYCLONEDX => "cyclonedx",
        predicate::PREDICATE_SPDX => "spdxjson",
        predicate::PREDICATE_SLSA_PROVENANCE => "slsaprovenance1",
        predicate::PREDICATE_VSA => "vsa",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_move_the_cursor_or_turn_the_line_around() {
        for (text, expected) in [
            ("plain ä ✓", "plain ä ✓"),
            ("\u{1b}[2Jgone", "\\u{1b}[2Jgone"),
            ("a\r\nheld", "a\\u{d}\\u{a}held"),
            ("\u{202e}fdp.exe", "\\u{202e}fdp.exe"),
            ("zero\u{200b}width", "zero\\u{200b}width"),
        ] {
            assert_eq!(clean(text), expected);
        }
    }
}
