//! Attaches evidence to a manifest in a registry, in both of cosign's formats.
//!
//! Bundle referrers are what cosign 3 reads first, `.sig` and `.att` tags what cosign 2 reads. A signature and its
//! attestations are always written in the same formats, because cosign 3 stops looking at tags once it finds a bundle.

use std::collections::BTreeSet;

use arc_evidence::{
    Bundle, Descriptor as Subject, OciArtifact, SigningKey, Statement, bundle, dsse, legacy,
    predicate, simple_signing,
};
use arc_oci::{Client, Descriptor, Digest, RawManifest};
use serde_json::Value;

use crate::delivered::tagged;
use crate::error::Error;
use crate::record::AttestationRecord;

/// A manifest that evidence is attached to.
pub(crate) struct Target<'a> {
    pub(crate) client: &'a Client,
    /// Full path of the repository.
    pub(crate) repository: &'a str,
    /// The manifest.
    pub(crate) manifest: &'a Descriptor,
    /// `registry/repository`, as signatures name it.
    pub(crate) docker_reference: &'a str,
    /// The time that evidence carries, RFC 3339.
    pub(crate) created: &'a str,
}

/// One claim about a manifest.
pub(crate) struct Claim {
    pub(crate) predicate_type: &'static str,
    pub(crate) predicate: Value,
}

/// Evidence that was written.
pub(crate) struct Attached {
    /// Digest of the manifest that carries the signature, if one was asked for.
    pub(crate) signature: Option<String>,
    pub(crate) attestations: Vec<AttestationRecord>,
}

/// Writes the attestations, and, with `sign`, the signature; what is there already is not written again.
pub(crate) async fn attach(
    target: &Target<'_>,
    key: &SigningKey,
    claims: Vec<Claim>,
    sign: bool,
) -> Result<Attached, Error> {
    let known = target.client.referrers(target.repository, &target.manifest.digest).await?;
    let known: BTreeSet<Digest> = known.into_iter().map(|descriptor| descriptor.digest).collect();
    let mut attached = Attached { signature: None, attestations: Vec::new() };
    let mut envelopes = Vec::new();
    if sign {
        let statement = Statement::signature(&target.manifest.digest.to_string())
            .map_err(|source| invalid(source.into()))?;
        let envelope = dsse::sign(key, dsse::PAYLOAD_TYPE_IN_TOTO, statement.to_bytes());
        let digest =
            push_bundle(target, key, envelope, predicate::PREDICATE_SIGNATURE, &known).await?;
        attached.signature = Some(digest);
        push_legacy_signature(target, key).await?;
    }
    for claim in claims {
        let envelope = envelope(target, key, &claim)?;
        let digest =
            push_bundle(target, key, envelope.clone(), claim.predicate_type, &known).await?;
        attached
            .attestations
            .push(AttestationRecord { predicate_type: claim.predicate_type.to_owned(), digest });
        envelopes.push((envelope, claim.predicate_type));
    }
    push_legacy_attestations(target, &envelopes).await?;
    Ok(attached)
}

fn envelope(target: &Target<'_>, key: &SigningKey, claim: &Claim) -> Result<dsse::Envelope, Error> {
    let subject =
        arc_evidence::Subject::new(target.docker_reference, &target.manifest.digest.to_string())
            .map_err(|source| invalid(source.into()))?;
    let statement = Statement::new(subject, claim.predicate_type, claim.predicate.clone());
    Ok(dsse::sign(key, dsse::PAYLOAD_TYPE_IN_TOTO, statement.to_bytes()))
}

async fn push_bundle(
    target: &Target<'_>,
    key: &SigningKey,
    envelope: dsse::Envelope,
    predicate_type: &str,
    known: &BTreeSet<Digest>,
) -> Result<String, Error> {
    let subject = Subject {
        media_type: target.manifest.media_type.clone(),
        digest: target.manifest.digest.to_string(),
        size: target.manifest.size,
    };
    let bundle = Bundle::new(envelope, &key.public());
    let artifact = bundle::referrer(&bundle, &subject, predicate_type, target.created);
    let raw = raw_manifest(&artifact);
    if !known.contains(&raw.digest) {
        push_blobs(target, &artifact).await?;
        target.client.push_referrer(target.repository, &raw).await?;
    }
    Ok(artifact.digest)
}

async fn push_legacy_signature(target: &Target<'_>, key: &SigningKey) -> Result<(), Error> {
    let digest = target.manifest.digest.to_string();
    let tag = legacy::sig_tag(&digest);
    let existing = tagged(target.client, target.repository, &tag).await?;
    let payload = simple_signing::payload(target.docker_reference, &digest);
    let signature = key.sign(&payload);
    let artifact = legacy::append_signature(
        existing.as_ref().map(|raw| raw.bytes.as_ref()),
        &payload,
        &signature,
    )
    .map_err(|source| invalid(source.into()))?;
    push_tagged(target, &tag, existing.as_ref(), &artifact).await
}

/// Appends all attestations in one write, so that a reader sees all of them or none.
async fn push_legacy_attestations(
    target: &Target<'_>,
    envelopes: &[(dsse::Envelope, &str)],
) -> Result<(), Error> {
    let tag = legacy::att_tag(&target.manifest.digest.to_string());
    let existing = tagged(target.client, target.repository, &tag).await?;
    let mut manifest = existing.as_ref().map(|raw| raw.bytes.to_vec());
    let mut last = None;
    for (envelope, predicate_type) in envelopes {
        let artifact = legacy::append_attestation(manifest.as_deref(), envelope, predicate_type)
            .map_err(|source| invalid(source.into()))?;
        manifest = Some(artifact.manifest.clone());
        push_blobs(target, &artifact).await?;
        last = Some(artifact);
    }
    match last {
        Some(artifact) => push_tagged(target, &tag, existing.as_ref(), &artifact).await,
        None => Ok(()),
    }
}

async fn push_tagged(
    target: &Target<'_>,
    tag: &str,
    existing: Option<&RawManifest>,
    artifact: &OciArtifact,
) -> Result<(), Error> {
    if existing.is_some_and(|raw| raw.bytes == artifact.manifest) {
        return Ok(());
    }
    push_blobs(target, artifact).await?;
    target.client.push_manifest(target.repository, tag, &raw_manifest(artifact)).await?;
    Ok(())
}

async fn push_blobs(target: &Target<'_>, artifact: &OciArtifact) -> Result<(), Error> {
    for blob in &artifact.blobs {
        let descriptor = Descriptor::of("application/octet-stream", blob);
        if !target.client.blob_exists(target.repository, &descriptor.digest).await? {
            target.client.push_blob(target.repository, &descriptor, blob.clone()).await?;
        }
    }
    Ok(())
}

fn raw_manifest(artifact: &OciArtifact) -> RawManifest {
    RawManifest::new(artifact.media_type.clone(), artifact.manifest.clone())
}

fn invalid(source: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::Evidence { action: "make evidence", source }
}
