//! What a verification found: each piece of evidence with its fate, and what is missing.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::{
    scan_result::{Counts, ScanVerdict, Severity},
    statement::Statement,
    transparency::LogSummary,
};

/// Where a piece of evidence was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Origin {
    /// A Sigstore bundle attached as an OCI referrer.
    Bundle,
    /// A layer of the `.sig` or `.att` tag.
    LegacyTag,
}

/// Why a piece of evidence does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// It cannot be read.
    #[error("{why}")]
    Unreadable {
        /// What is wrong with it.
        why: String,
    },
    /// The blob is not the one that the manifest names.
    #[error("the bundle's digest is {found:?}, the referrer names {expected:?}")]
    WrongBlob {
        /// Digest of the bytes.
        found: String,
        /// Digest in the manifest.
        expected: String,
    },
    /// The referrer hangs at another manifest.
    #[error("the referrer is attached to {found:?}")]
    WrongReferrerSubject {
        /// Its subject.
        found: String,
    },
    /// Signed with a certificate; only keys are trusted.
    #[error("it is signed with a certificate, only keys are trusted here")]
    Certificate,
    /// None of the keys made the signature, or the content was changed.
    #[error("no signature of the {keys} keys given matches its content")]
    NotSignedByKeys {
        /// How many keys were tried.
        keys: usize,
    },
    /// A bundle that names a key outside the set, and is not signed by any in it: somebody else's.
    #[error("it is signed with another key, {hint:?}")]
    AnotherKey {
        /// The key it names.
        hint: String,
    },
    /// The signed payload is not an in-toto statement.
    #[error("its payload type is {found:?}; expected \"application/vnd.in-toto+json\"")]
    WrongPayloadType {
        /// The type found.
        found: String,
    },
    /// The signature is of another kind than cosign's image signatures.
    #[error("its signature type is {found:?}; expected \"cosign container image signature\"")]
    WrongSignatureType {
        /// The type found.
        found: String,
    },
    /// Validly signed, but for something else.
    #[error("it is about {found}, not about this digest")]
    WrongSubject {
        /// What it is about.
        found: String,
    },
    /// The manifest announces another predicate than the statement has.
    #[error("it is announced as {announced:?} and contains {found:?}")]
    PredicateTypeMismatch {
        /// The annotation.
        announced: String,
        /// The statement's predicate type.
        found: String,
    },
    /// The log policy does not accept it.
    #[error("it is not in the transparency log: {why}")]
    NotLogged {
        /// Why not.
        why: String,
    },
    /// A signature statement where cosign keeps attestations only.
    #[error("a signature statement in an `.att` tag is neither a signature nor an attestation")]
    MisplacedSignature,
}

/// One piece of evidence and its fate.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// Where it was found.
    pub origin: Origin,
    /// Digest of the referrer manifest, or of the layer's blob.
    pub digest: String,
    /// The predicate type; of a rejected piece only what it claims to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicate_type: Option<String>,
    /// Hint of the key that made it, where one of the set did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Why it does not count; `None` if it holds.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "display")]
    pub rejection: Option<Rejection>,
    /// What the transparency log says about it, where the policy names logs and one of them holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<LogSummary>,
    /// The statement, only if it holds; a `.sig` layer has none.
    #[serde(skip)]
    pub statement: Option<Statement>,
}

impl Item {
    /// Whether it counts.
    pub fn held(&self) -> bool {
        self.rejection.is_none()
    }

    /// Whether it says that a key outside the set made it; what cannot be read says nothing.
    pub(super) fn is_somebody_elses(&self) -> bool {
        matches!(self.rejection, Some(Rejection::AnotherKey { .. } | Rejection::Certificate))
    }
}

/// The judged scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScanSummary {
    /// Digest of the evidence it was read from.
    pub digest: String,
    /// When the scan ended.
    pub finished_on: jiff::Timestamp,
    /// ARC's verdict of the time; other scanners give none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<ScanVerdict>,
    /// Findings by severity.
    pub counts: Counts,
}

/// Why the digest as a whole is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No signature counts.
    #[error("no valid signature ({found} found)")]
    MissingSignature {
        /// Signatures found, all rejected.
        found: usize,
    },
    /// No attestation of a required predicate type counts.
    #[error("no valid attestation of the type {predicate_type:?}")]
    MissingAttestation {
        /// The type required.
        predicate_type: String,
    },
    /// No vulnerability attestation counts.
    #[error("no valid vulnerability attestation")]
    MissingScan,
    /// A trusted key signed a scan that cannot be judged, so it could say anything.
    #[error("the vulnerability attestation {digest:?} cannot be judged: {why}")]
    UnjudgedScan {
        /// The attestation.
        digest: String,
        /// What is wrong.
        why: String,
    },
    /// The scan's gate said no at the time.
    #[error("the scan was refused when it was made ({digest:?})")]
    ScanRefused {
        /// The attestation.
        digest: String,
    },
    /// The scan has findings that this policy does not accept.
    #[error("the scan found {count} of severity {severity} ({digest:?})")]
    TooSevere {
        /// The severity.
        severity: Severity,
        /// How many.
        count: u64,
        /// The attestation.
        digest: String,
    },
    /// Something holds only in its older form although the signer makes bundles.
    #[error("the {what} holds only in a legacy tag, beside {bundles} bundles: a downgrade")]
    Downgrade {
        /// `signature`, or the predicate type.
        what: String,
        /// Bundles that are the signer's or may be.
        bundles: usize,
    },
    /// No provenance that counts names the builder and the order asked for.
    #[error("no valid provenance names {wanted} ({found} provenances hold)")]
    WrongOrigin {
        /// What was asked for.
        wanted: String,
        /// Provenances that hold and name something else.
        found: usize,
    },
    /// Evidence is too old.
    #[error("the newest {what} is of {time} and is older than {max_age_seconds} s")]
    TooOld {
        /// The predicate type, or `signature`.
        what: String,
        /// When it was made.
        time: jiff::Timestamp,
        /// The oldest age accepted, in seconds.
        max_age_seconds: u64,
    },
    /// Evidence claims to be from the future.
    #[error("the newest {what} is of {time}, which is in the future; compare the clocks")]
    FromFuture {
        /// The predicate type, or `signature`.
        what: String,
        /// When it claims to be made.
        time: jiff::Timestamp,
    },
    /// Nothing says how old it is.
    #[error(
        "no valid {what} says when it was made, and no log does; leave out the maximum age or require an attestation with a time"
    )]
    NoTime {
        /// The predicate type, or `signature`.
        what: String,
    },
    /// The newest scan is too old.
    #[error("the newest scan ended {finished_on} and is older than {max_age_seconds} s")]
    ScanTooOld {
        /// When it ended.
        finished_on: jiff::Timestamp,
        /// The oldest age accepted, in seconds.
        max_age_seconds: u64,
    },
    /// The scan claims to be from the future.
    #[error("the newest scan ended {finished_on}, which is in the future; compare the clocks")]
    ScanFromFuture {
        /// When it claims to have ended.
        finished_on: jiff::Timestamp,
    },
}

/// The outcome of a verification.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The digest that was judged.
    pub subject: String,
    /// Every signature found, bundles first.
    pub signatures: Vec<Item>,
    /// Every attestation found, bundles first; also bundles that cannot be read.
    pub attestations: Vec<Item>,
    /// What could not even be fetched or taken apart; never counted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<String>,
    /// The scan that was judged, if the policy asked for one and one was readable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan: Option<ScanSummary>,
    /// Why the digest is not accepted; empty if it is.
    #[serde(serialize_with = "display_all")]
    pub problems: Vec<Problem>,
}

impl Report {
    /// Whether everything the policy required holds.
    pub fn accepted(&self) -> bool {
        self.problems.is_empty()
    }

    /// Returns the evidence with a predicate type that holds; signatures in bundles have one, too.
    pub fn held<'a>(&'a self, predicate_type: &'a str) -> impl Iterator<Item = &'a Item> {
        let items = self.signatures.iter().chain(&self.attestations);
        items.filter(move |item| {
            item.held() && item.predicate_type.as_deref() == Some(predicate_type)
        })
    }
}

#[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
fn display<T: fmt::Display, S: Serializer>(
    value: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

fn display_all<T: fmt::Display, S: Serializer>(
    values: &[T],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(ToString::to_string))
}
