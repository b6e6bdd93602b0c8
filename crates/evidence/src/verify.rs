//! Judges collected evidence against a policy. Stricter than cosign; fails closed.
//!
//! Entry: [`verify`]. A signature is a simple signing payload or a bundle with the signature predicate, never any
//! other attestation; every statement must be about the digest asked for; what cannot be read or was made by
//! somebody else is listed with its reason and never counted.

mod age;
mod check;
mod downgrade;
mod file;
mod origin;
mod parameters;
mod policy;
mod report;
mod scan;

use jiff::Timestamp;

pub use self::{
    file::{PolicyFile, PolicyParameter},
    parameters::{PREFIX, ParameterProblem, SCAN_SEVERITY, SOURCE_PREFIX},
    policy::{LogPolicy, OrderConstraint, Policy, ScanPolicy},
    report::{Item, Origin, Problem, Rejection, Report, ScanSummary},
};
use crate::{
    digest::{self, ParseDigest},
    limits,
};

/// Why nothing can be judged at all. Callers treat it as a refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The subject is not a digest.
    #[error(transparent)]
    ParseSubject(#[from] ParseDigest),
    /// Without keys everything would be untrusted.
    #[error("the policy has no public key; give at least one")]
    NoKeys,
    /// A policy that asks for nothing would accept everything.
    #[error("the policy requires neither a signature nor an attestation nor a scan")]
    NothingRequired,
    /// Somebody attached an absurd number of things, or absurdly large ones.
    #[error(
        "there is too much evidence: {found} {unit}, at most {limit} are judged; remove what does not belong there"
    )]
    TooMuchEvidence {
        /// What was found.
        found: usize,
        /// `pieces` or `bytes`.
        unit: &'static str,
        /// What is allowed.
        limit: usize,
    },
}

/// A bundle referrer as it was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleEvidence {
    /// The referrer manifest's bytes.
    pub manifest: Vec<u8>,
    /// The bytes of its one layer.
    pub blob: Vec<u8>,
}

/// A layer of a `.sig` image as it was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureEvidence {
    /// The layer's bytes.
    pub payload: Vec<u8>,
    /// Its signature annotation, base64; `None` where it is missing.
    pub signature: Option<String>,
}

/// A layer of an `.att` image as it was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttestationEvidence {
    /// The layer's bytes.
    pub envelope: Vec<u8>,
    /// Its predicate type annotation.
    pub predicate_type: Option<String>,
}

/// Everything found for one digest, raw: from a registry or a layout, in any order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Bundle referrers.
    pub bundles: Vec<BundleEvidence>,
    /// Layers of `sha256-<hex>.sig`.
    pub signatures: Vec<SignatureEvidence>,
    /// Layers of `sha256-<hex>.att`.
    pub attestations: Vec<AttestationEvidence>,
    /// What was found and could not even be fetched or taken apart, one sentence each: reported, never counted.
    pub unreadable: Vec<String>,
}

impl Evidence {
    fn bytes(&self) -> usize {
        let bundles = self.bundles.iter().map(|bundle| bundle.manifest.len() + bundle.blob.len());
        let signatures = self.signatures.iter().map(|signature| signature.payload.len());
        let attestations = self.attestations.iter().map(|attestation| attestation.envelope.len());
        bundles.chain(signatures).chain(attestations).sum()
    }

    fn count(&self) -> usize {
        self.bundles.len() + self.signatures.len() + self.attestations.len()
    }
}

/// Judges the evidence for a digest at a point in time.
///
/// # Errors
/// When there is nothing to judge by: no keys, nothing required, no valid digest, or too much evidence.
/// Everything else, an image without any evidence included, is a [`Report`] that is not accepted.
pub fn verify(
    subject_digest: &str,
    evidence: &Evidence,
    policy: &Policy,
    now: Timestamp,
) -> Result<Report, Error> {
    digest::split(subject_digest)?;
    if policy.keys.is_empty() {
        return Err(Error::NoKeys);
    }
    if !policy.require_signature
        && policy.require.is_empty()
        && policy.scan.is_none()
        && policy.builder.is_none()
        && policy.order.is_none()
    {
        return Err(Error::NothingRequired);
    }
    let sizes = [
        (evidence.count(), "pieces", limits::MAX_EVIDENCE),
        (evidence.bytes(), "bytes", limits::MAX_EVIDENCE_BYTES),
    ];
    if let Some((found, unit, limit)) = sizes.into_iter().find(|(found, _, limit)| found > limit) {
        return Err(Error::TooMuchEvidence { found, unit, limit });
    }
    let (signatures, attestations) = check::check(subject_digest, evidence, policy);
    let mut report = Report {
        subject: subject_digest.to_owned(),
        signatures,
        attestations,
        unreadable: evidence.unreadable.clone(),
        scan: None,
        problems: Vec::new(),
    };
    if policy.require_signature && !report.signatures.iter().any(Item::held) {
        report.problems.push(Problem::MissingSignature { found: report.signatures.len() });
    }
    for predicate_type in &policy.require {
        if report.held(predicate_type).next().is_none() {
            report
                .problems
                .push(Problem::MissingAttestation { predicate_type: predicate_type.clone() });
        }
    }
    report.problems.extend(downgrade::judge(&report, policy));
    report.problems.extend(origin::judge(&report, policy));
    report.problems.extend(age::judge(&report, policy, now));
    if let Some(scan_policy) = &policy.scan {
        let (summary, problems) = scan::judge(&report, scan_policy, now);
        report.scan = summary;
        report.problems.extend(problems);
    }
    Ok(report)
}
