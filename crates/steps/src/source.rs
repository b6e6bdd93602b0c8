//! Checks what upstream signed, before anything but manifests and evidence is read from the source.

use arc_evidence::predicate::PREDICATE_SIGNATURE;
use arc_evidence::verify::{self, Item, Report};
use arc_evidence::{Policy, limits};
use arc_oci::Client;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::delivered;
use crate::environment::Request;
use crate::error::Error;
use crate::record::Plan;

/// The upstream evidence that a delivery relies on, for its provenance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceEvidence {
    /// The predicate type.
    pub predicate_type: String,
    /// Digest of the manifest that carries it; of the layer, where it is in a legacy tag.
    pub digest: String,
    /// Hint of the key that made it.
    pub key_hint: String,
}

/// Judges the source by the request's policy; returns what held, nothing where no policy is set.
///
/// # Errors
/// [`Error::Refused`] with everything that is missing.
pub(crate) async fn verify(
    request: &Request,
    source: &Client,
    plan: &Plan,
) -> Result<Vec<SourceEvidence>, Error> {
    let Some(policy) = &request.verify_source else { return Ok(Vec::new()) };
    let digest = &plan.root.digest;
    let found = delivered::evidence(source, &plan.source_repository, digest).await?;
    let report = verify::verify(&digest.to_string(), &found, policy, Timestamp::now());
    let report = report.map_err(|error| {
        let message = format!("the evidence of {digest} at the source cannot be judged: {error}");
        let hint = format!(
            "at most {} pieces of evidence are judged; remove what does not belong there",
            limits::MAX_EVIDENCE
        );
        Error::Refused { message, hint }
    })?;
    if !report.accepted() {
        return Err(refusal(request, plan, &report));
    }
    Ok(relied_on(policy, &report))
}

fn refusal(request: &Request, plan: &Plan, report: &Report) -> Error {
    const SHOWN: usize = 3;
    let mut repository = request.source.remote.reference(&plan.source_repository);
    repository.digest = Some(plan.root.digest.clone());
    let mut problems: Vec<_> = report.problems.iter().map(ToString::to_string).collect();
    let items = report.signatures.iter().chain(&report.attestations);
    let rejected = items.filter_map(|item| {
        let (why, what) = (item.rejection.as_ref()?, item.predicate_type.as_deref());
        Some(format!("{} ({}) does not count: {why}", what.unwrap_or("a signature"), item.digest))
    });
    problems.extend(rejected.take(SHOWN));
    let message =
        format!("{repository} is refused by its upstream evidence: {}", problems.join("; "));
    let hint = "order a version that upstream signed, or compare the type's verifySourceKeys and \
                verifySourcePredicateTypes with what upstream publishes";
    Error::Refused { message, hint: hint.to_owned() }
}

/// One signature, and one attestation of each required type.
fn relied_on(policy: &Policy, report: &Report) -> Vec<SourceEvidence> {
    let signature = report.signatures.iter().find(|item| item.held());
    let required = policy.require.iter().filter_map(|wanted| report.held(wanted).next());
    signature.into_iter().chain(required).map(describe).collect()
}

fn describe(item: &Item) -> SourceEvidence {
    SourceEvidence {
        predicate_type: item
            .predicate_type
            .clone()
            .unwrap_or_else(|| PREDICATE_SIGNATURE.to_owned()),
        digest: item.digest.clone(),
        key_hint: item.key.clone().unwrap_or_default(),
    }
}
