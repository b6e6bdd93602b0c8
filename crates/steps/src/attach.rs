//! Attaches evidence to a manifest in a registry, in both of cosign's formats.
//!
//! Bundle referrers are what cosign 3 reads first, `.sig` and `.att` tags what cosign 2 reads. A signature and its
//! attestations are always written in the same formats, because cosign 3 stops looking at tags once it finds a bundle.
//! First everything is sealed (signed, and put into the log where there is one), then written: what cannot be sealed
//! leaves no trace at the destination.

use std::collections::BTreeSet;

use arc_evidence::verify::BundleEvidence;
use arc_evidence::{
    Bundle, Descriptor as Subject, OciArtifact, SigningKey, Statement, bundle, dsse, legacy,
    predicate, simple_signing,
};
use arc_oci::{Client, Descriptor, Digest, RawManifest};
use serde_json::Value;

use crate::delivered::{bundles as bundles_of, tagged};
use crate::error::Error;
use crate::record::AttestationRecord;
use crate::transparency::Log;

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
    /// What refers to the manifest already.
    known: BTreeSet<Digest>,
    /// The bundles among it, read only where a log is used.
    bundles: Vec<(OciArtifact, Bundle)>,
}

/// Who signs, and which log is told about it.
#[derive(Clone, Copy)]
pub(crate) struct Signer<'a> {
    pub(crate) key: &'a SigningKey,
    pub(crate) log: Option<&'a Log>,
}

/// One claim about a manifest.
pub(crate) struct Claim {
    pub(crate) predicate_type: &'static str,
    pub(crate) predicate: Value,
}

/// A claim, signed and ready to be written.
pub(crate) struct Sealed {
    pub(crate) predicate_type: &'static str,
    pub(crate) envelope: dsse::Envelope,
    artifact: OciArtifact,
}

impl Sealed {
    /// The digest of the manifest that carries it.
    pub(crate) fn digest(&self) -> &str {
        &self.artifact.digest
    }

    /// How `result.json` names it.
    pub(crate) fn record(&self) -> AttestationRecord {
        AttestationRecord {
            predicate_type: self.predicate_type.to_owned(),
            digest: self.artifact.digest.clone(),
        }
    }
}

/// Where all evidence of one delivery goes.
#[derive(Clone, Copy)]
pub(crate) struct Destination<'a> {
    pub(crate) client: &'a Client,
    pub(crate) repository: &'a str,
    pub(crate) docker_reference: &'a str,
    pub(crate) created: &'a str,
}

impl<'a> Target<'a> {
    /// Looks at what is attached to a manifest already.
    pub(crate) async fn look(
        destination: Destination<'a>,
        manifest: &'a Descriptor,
        signer: Signer<'_>,
    ) -> Result<Self, Error> {
        let Destination { client, repository, docker_reference, created } = destination;
        let known = client.referrers(repository, &manifest.digest).await?;
        let known: BTreeSet<_> = known.into_iter().map(|descriptor| descriptor.digest).collect();
        let mut bundles = Vec::new();
        if signer.log.is_some() && !known.is_empty() {
            let (found, _) = bundles_of(client, repository, &manifest.digest).await?;
            bundles.extend(found.into_iter().filter_map(readable));
        }
        Ok(Self { client, repository, manifest, docker_reference, created, known, bundles })
    }

    /// Signs the manifest itself.
    pub(crate) async fn seal_signature(&self, signer: Signer<'_>) -> Result<Sealed, Error> {
        let statement = Statement::signature(&self.manifest.digest.to_string())
            .map_err(|source| invalid(source.into()))?;
        self.seal_statement(signer, predicate::PREDICATE_SIGNATURE, &statement).await
    }

    /// Signs a claim about the manifest.
    pub(crate) async fn seal(&self, signer: Signer<'_>, claim: Claim) -> Result<Sealed, Error> {
        let digest = self.manifest.digest.to_string();
        let subject = arc_evidence::Subject::new(self.docker_reference, &digest)
            .map_err(|source| invalid(source.into()))?;
        let statement = Statement::new(subject, claim.predicate_type, claim.predicate);
        self.seal_statement(signer, claim.predicate_type, &statement).await
    }

    /// Signs a statement and logs it. What is at the destination, logged already, is taken as it is: the log would
    /// prove it against another tree, and the bytes would differ each time.
    async fn seal_statement(
        &self,
        Signer { key, log }: Signer<'_>,
        predicate_type: &'static str,
        statement: &Statement,
    ) -> Result<Sealed, Error> {
        let envelope = dsse::sign(key, dsse::PAYLOAD_TYPE_IN_TOTO, statement.to_bytes());
        let mut bundle = Bundle::new(envelope.clone(), &key.public());
        if let Some(log) = log {
            let logged = self
                .bundles
                .iter()
                .find(|(_, there)| there.envelope == envelope && log.holds(there, &key.public()));
            if let Some((artifact, _)) = logged {
                return Ok(Sealed { predicate_type, envelope, artifact: artifact.clone() });
            }
            bundle = bundle.with_log_entry(log.enter(&envelope, &key.public()).await?);
        }
        let subject = Subject {
            media_type: self.manifest.media_type.clone(),
            digest: self.manifest.digest.to_string(),
            size: self.manifest.size,
        };
        let artifact = bundle::referrer(&bundle, &subject, predicate_type, self.created);
        Ok(Sealed { predicate_type, envelope, artifact })
    }

    /// Writes the bundle, unless it is there.
    pub(crate) async fn push(&self, sealed: &Sealed) -> Result<(), Error> {
        let raw = raw_manifest(&sealed.artifact);
        if !self.known.contains(&raw.digest) {
            self.push_blobs(&sealed.artifact).await?;
            self.client.push_referrer(self.repository, &raw).await?;
        }
        Ok(())
    }

    /// Writes the signature as a layer of the `.sig` tag, beside those of others.
    pub(crate) async fn push_legacy_signature(&self, key: &SigningKey) -> Result<(), Error> {
        let digest = self.manifest.digest.to_string();
        let tag = legacy::sig_tag(&digest);
        let existing = tagged(self.client, self.repository, &tag).await?;
        let payload = simple_signing::payload(self.docker_reference, &digest);
        let signature = key.sign(&payload);
        let artifact = legacy::append_signature(
            existing.as_ref().map(|raw| raw.bytes.as_ref()),
            &payload,
            &signature,
        )
        .map_err(|source| invalid(source.into()))?;
        self.push_tagged(&tag, existing.as_ref(), &artifact).await
    }

    /// Appends all attestations in one write, so that a reader sees all of them or none.
    pub(crate) async fn push_legacy_attestations(
        &self,
        attestations: &[&Sealed],
    ) -> Result<(), Error> {
        let tag = legacy::att_tag(&self.manifest.digest.to_string());
        let existing = tagged(self.client, self.repository, &tag).await?;
        let mut manifest = existing.as_ref().map(|raw| raw.bytes.to_vec());
        let mut last = None;
        for sealed in attestations {
            let artifact = legacy::append_attestation(
                manifest.as_deref(),
                &sealed.envelope,
                sealed.predicate_type,
            )
            .map_err(|source| invalid(source.into()))?;
            manifest = Some(artifact.manifest.clone());
            self.push_blobs(&artifact).await?;
            last = Some(artifact);
        }
        match last {
            Some(artifact) => self.push_tagged(&tag, existing.as_ref(), &artifact).await,
            None => Ok(()),
        }
    }

    async fn push_tagged(
        &self,
        tag: &str,
        existing: Option<&RawManifest>,
        artifact: &OciArtifact,
    ) -> Result<(), Error> {
        if existing.is_some_and(|raw| raw.bytes == artifact.manifest) {
            return Ok(());
        }
        self.push_blobs(artifact).await?;
        self.client.push_manifest(self.repository, tag, &raw_manifest(artifact)).await?;
        Ok(())
    }

    async fn push_blobs(&self, artifact: &OciArtifact) -> Result<(), Error> {
        for blob in &artifact.blobs {
            let descriptor = Descriptor::of("application/octet-stream", blob);
            if !self.client.blob_exists(self.repository, &descriptor.digest).await? {
                self.client.push_blob(self.repository, &descriptor, blob.clone()).await?;
            }
        }
        Ok(())
    }
}

/// A bundle at the destination with the manifest that carries it; its blobs are there.
fn readable(found: BundleEvidence) -> Option<(OciArtifact, Bundle)> {
    let bundle = Bundle::parse(&found.blob).ok()?;
    let media_type = arc_evidence::artifact::MEDIA_TYPE_MANIFEST.to_owned();
    let digest = Digest::sha256(&found.manifest).to_string();
    let artifact = OciArtifact { manifest: found.manifest, media_type, digest, blobs: Vec::new() };
    Some((artifact, bundle))
}

fn raw_manifest(artifact: &OciArtifact) -> RawManifest {
    RawManifest::new(artifact.media_type.clone(), artifact.manifest.clone())
}

fn invalid(source: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::Evidence { action: "make evidence", source }
}
