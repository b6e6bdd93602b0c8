//! Looks at a destination: which evidence is there for a digest, and does it hold?

use arc_evidence::verify::{
    AttestationEvidence, BundleEvidence, Evidence, Policy, Report, ScanPolicy, SignatureEvidence,
};
use arc_evidence::{Severity, bundle, legacy, limits, predicate, verify};
use arc_oci::{Client, Descriptor, Digest, RawManifest};
use arc_scan::Gate;
use jiff::Timestamp;

use crate::environment::Request;
use crate::error::Error;
use crate::place::Place;
use crate::record::Plan;

/// Collects everything that claims to be evidence for `digest`, raw and unjudged.
///
/// # Errors
/// Registry errors only; what cannot be read as evidence is left to the verifier to reject.
pub async fn evidence(
    client: &Client,
    repository: &str,
    digest: &Digest,
) -> Result<Evidence, Error> {
    let mut found = Evidence::default();
    for referrer in client.referrers(repository, digest).await? {
        let raw = client.manifest(repository, &referrer.digest.to_string()).await?;
        // Others attach things too; only bundles are evidence of ours.
        let Ok(carried) = bundle::carried(&raw.bytes) else { continue };
        if let Some(blob) =
            read_small(client, repository, &carried.blob, limits::MAX_ENVELOPE).await?
        {
            found.bundles.push(BundleEvidence { manifest: raw.bytes.to_vec(), blob });
        }
    }
    for layer in legacy_layers(client, repository, &legacy::sig_tag(&digest.to_string())).await? {
        if let Some(payload) =
            read_small(client, repository, &layer.descriptor, limits::MAX_SIMPLE_SIGNING).await?
        {
            found.signatures.push(SignatureEvidence { payload, signature: layer.signature });
        }
    }
    for layer in legacy_layers(client, repository, &legacy::att_tag(&digest.to_string())).await? {
        if let Some(envelope) =
            read_small(client, repository, &layer.descriptor, limits::MAX_ENVELOPE).await?
        {
            found
                .attestations
                .push(AttestationEvidence { envelope, predicate_type: layer.predicate_type });
        }
    }
    Ok(found)
}

/// Judges a destination by the pipeline's own policy: signed, attested, and a scan that passes this gate.
pub(crate) async fn judge(
    client: &Client,
    plan: &Plan,
    key: arc_evidence::PublicKey,
    gate: &Gate,
) -> Result<Report, Error> {
    let found = evidence(client, &plan.destination_repository, &plan.root.digest).await?;
    let policy = Policy::new(vec![key])
        .require(predicate::PREDICATE_SLSA_PROVENANCE)
        .with_scan(ScanPolicy { gate: severities(gate), max_age: None });
    verify::verify(&plan.root.digest.to_string(), &found, &policy, Timestamp::now()).map_err(
        |source| Error::Evidence {
            action: "judge the evidence at the destination",
            source: source.into(),
        },
    )
}

/// Returns whether the destination's tag already holds the digest, with evidence that holds.
///
/// A destination that does not let us look is not delivered; publish will say why it does not.
pub(crate) async fn is_delivered(
    request: &Request,
    place: &Place,
    destination: &Client,
    plan: &Plan,
) -> Result<bool, Error> {
    let Some(key) = place.public_key()? else { return Ok(false) };
    let there = match destination.resolve(&plan.destination_repository, &plan.destination_tag).await
    {
        Ok(there) => there,
        Err(error) if error.is_unauthorized() => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    if there.is_none_or(|there| there.digest != plan.root.digest) {
        return Ok(false);
    }
    Ok(judge(destination, plan, key, &request.gate).await?.accepted())
}

/// The severities a gate refuses, in the evidence's words.
pub(crate) fn severities(gate: &Gate) -> std::collections::BTreeSet<Severity> {
    let words = arc_scan::Severity::ALL.into_iter().filter(|severity| gate.refuses(*severity));
    words.filter_map(|severity| severity.as_str().parse().ok()).collect()
}

/// Reads the manifest under a tag, if there is one.
pub(crate) async fn tagged(
    client: &Client,
    repository: &str,
    tag: &str,
) -> Result<Option<RawManifest>, Error> {
    match client.resolve(repository, tag).await? {
        None => Ok(None),
        Some(there) => Ok(Some(client.manifest(repository, &there.digest.to_string()).await?)),
    }
}

async fn legacy_layers(
    client: &Client,
    repository: &str,
    tag: &str,
) -> Result<Vec<legacy::Layer>, Error> {
    let manifest = tagged(client, repository, tag).await?;
    // An unreadable manifest is no evidence; the verifier then reports what is missing.
    Ok(manifest.and_then(|raw| legacy::layers(&raw.bytes).ok()).unwrap_or_default())
}

/// Reads a blob of evidence; what is larger than any evidence, or gone, is none.
async fn read_small(
    client: &Client,
    repository: &str,
    blob: &arc_evidence::Descriptor,
    limit: usize,
) -> Result<Option<Vec<u8>>, Error> {
    let limit = limit as u64;
    let Ok(digest) = blob.digest.parse::<Digest>() else { return Ok(None) };
    if blob.size > limit {
        return Ok(None);
    }
    let descriptor = Descriptor::new(blob.media_type.clone(), digest, blob.size);
    match client.read_blob(repository, &descriptor, limit).await {
        Ok(bytes) => Ok(Some(bytes.to_vec())),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}
