//! Sigstore bundles v0.3 signed with a key, and the OCI referrer that carries one.
//!
//! Written exactly as cosign 3 reads them: one signature, no key id, no unknown field. Reading is as strict.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    artifact::{Descriptor, MEDIA_TYPE_MANIFEST, OciArtifact},
    dsse::{self, Envelope},
    encoding,
    keys::PublicKey,
    limits,
    transparency::{self, LogEntry},
};

/// Media type of the bundle, also the `artifactType` of its referrer.
pub const MEDIA_TYPE_BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// How the same version was spelled before; read only.
const MEDIA_TYPE_BUNDLE_OLD: &str = "application/vnd.dev.sigstore.bundle+json;version=0.3";
/// What every bundle layer's media type starts with.
const MEDIA_TYPE_BUNDLE_PREFIX: &str = "application/vnd.dev.sigstore.bundle";
const MEDIA_TYPE_EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// Referrer annotation: what the bundle contains.
pub const ANNOTATION_CONTENT: &str = "dev.sigstore.bundle.content";
/// Referrer annotation: the predicate type of the statement inside.
pub const ANNOTATION_PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";
/// Referrer annotation: when the evidence was made.
pub const ANNOTATION_CREATED: &str = "org.opencontainers.image.created";

/// Why a bundle or its referrer cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bundle is not what v0.3 allows.
    #[error("invalid bundle: {why}")]
    ParseBundle {
        /// What is wrong.
        why: String,
    },
    /// The manifest is not one that carries a bundle.
    #[error("invalid bundle referrer: {why}")]
    ParseReferrer {
        /// What is wrong.
        why: String,
    },
}

/// What the signature of a bundle is to be checked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Material {
    /// A key that the verifier has; the hint helps to choose it.
    PublicKey {
        /// Base64 of SHA-256 over the DER form, usually.
        hint: String,
    },
    /// A certificate inside the bundle (keyless signing); ARC does not count these.
    Certificate,
}

/// A bundle with a DSSE envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The signed envelope.
    pub envelope: Envelope,
    /// What checks it.
    pub material: Material,
    /// Entries of transparency logs about the signature; at most [`limits::MAX_LOG_ENTRIES`].
    pub log_entries: Vec<LogEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    media_type: String,
    verification_material: WireMaterial,
    dsse_envelope: dsse::Wire,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireMaterial {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_key: Option<WireKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tlog_entries: Vec<transparency::Wire>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timestamp_verification_data: Option<Value>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireKey {
    #[serde(default)]
    hint: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Referrer<'a> {
    schema_version: u32,
    media_type: &'a str,
    artifact_type: &'a str,
    config: Descriptor,
    layers: [Descriptor; 1],
    subject: &'a Descriptor,
    annotations: Annotations<'a>,
}

#[derive(Serialize)]
struct Annotations<'a> {
    #[serde(rename = "dev.sigstore.bundle.content")]
    content: &'a str,
    #[serde(rename = "dev.sigstore.bundle.predicateType")]
    predicate_type: &'a str,
    #[serde(rename = "org.opencontainers.image.created")]
    created: &'a str,
}

impl Bundle {
    /// Returns a bundle around an envelope signed with the private half of `key`.
    pub fn new(envelope: Envelope, key: &PublicKey) -> Self {
        let material = Material::PublicKey { hint: key.hint() };
        Self { envelope, material, log_entries: Vec::new() }
    }

    /// Adds the entry of a transparency log about the envelope's signature.
    #[must_use]
    pub fn with_log_entry(mut self, entry: LogEntry) -> Self {
        self.log_entries.push(entry);
        self
    }

    /// Returns the JSON form; 64-bit numbers of log entries are strings, as protobuf wants them.
    pub fn to_json(&self) -> Vec<u8> {
        let public_key = match &self.material {
            Material::PublicKey { hint } => Some(WireKey { hint: hint.clone() }),
            Material::Certificate => None,
        };
        encoding::to_bytes(&Wire {
            media_type: MEDIA_TYPE_BUNDLE.to_owned(),
            verification_material: WireMaterial {
                public_key,
                tlog_entries: self.log_entries.iter().map(transparency::Wire::from).collect(),
                ..WireMaterial::default()
            },
            dsse_envelope: self.envelope.to_wire(),
        })
    }

    /// Reads a bundle v0.3 with a DSSE envelope; anything else is an error.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let invalid = |why: String| Error::ParseBundle { why };
        if bytes.len() > limits::MAX_ENVELOPE {
            return Err(invalid(format!(
                "it has {} bytes, at most {} are read",
                bytes.len(),
                limits::MAX_ENVELOPE
            )));
        }
        let wire: Wire =
            serde_json::from_slice(bytes).map_err(|error| invalid(error.to_string()))?;
        if ![MEDIA_TYPE_BUNDLE, MEDIA_TYPE_BUNDLE_OLD].contains(&wire.media_type.as_str()) {
            return Err(invalid(format!(
                "its media type is {:?}; expected {MEDIA_TYPE_BUNDLE:?}",
                wire.media_type
            )));
        }
        let material = wire.verification_material;
        if material.tlog_entries.len() > limits::MAX_LOG_ENTRIES {
            return Err(invalid(format!("it has {} log entries", material.tlog_entries.len())));
        }
        let log_entries = material
            .tlog_entries
            .into_iter()
            .map(|entry| LogEntry::try_from(entry).map_err(|error| invalid(error.to_string())))
            .collect::<Result<_, _>>()?;
        let envelope =
            Envelope::try_from(wire.dsse_envelope).map_err(|error| invalid(error.to_string()))?;
        if envelope.signatures.len() != 1 {
            return Err(invalid(format!(
                "it has {} signatures; expected one",
                envelope.signatures.len()
            )));
        }
        let material = match (material.public_key, material.certificate) {
            (Some(key), None) => Material::PublicKey { hint: key.hint },
            (None, Some(_)) => Material::Certificate,
            _ => {
                return Err(invalid(
                    "it needs either a public key hint or a certificate".to_owned(),
                ));
            }
        };
        Ok(Self { envelope, material, log_entries })
    }
}

/// Returns the referrer that attaches a bundle to a manifest.
///
/// `created` (RFC 3339) comes from the order, never from the clock: a step that runs again makes the same bytes.
pub fn referrer(
    bundle: &Bundle,
    subject: &Descriptor,
    predicate_type: &str,
    created: &str,
) -> OciArtifact {
    let config = b"{}".to_vec();
    let blob = bundle.to_json();
    let manifest = encoding::to_bytes(&Referrer {
        schema_version: 2,
        media_type: MEDIA_TYPE_MANIFEST,
        artifact_type: MEDIA_TYPE_BUNDLE,
        config: Descriptor::of(MEDIA_TYPE_EMPTY, &config),
        layers: [Descriptor::of(MEDIA_TYPE_BUNDLE, &blob)],
        subject,
        annotations: Annotations { content: "dsse-envelope", predicate_type, created },
    });
    OciArtifact::new(manifest, MEDIA_TYPE_MANIFEST, vec![config, blob])
}

/// What a referrer manifest says about the bundle it carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// The bundle's blob.
    pub blob: Descriptor,
    /// Digest of the manifest it refers to.
    pub subject: String,
    /// The predicate type it announces.
    pub predicate_type: Option<String>,
}

#[derive(Deserialize)]
struct ReadReferrer {
    layers: Vec<Descriptor>,
    subject: Option<Descriptor>,
    #[serde(default)]
    annotations: Option<serde_json::Map<String, Value>>,
}

/// Reads a referrer manifest: exactly one layer, and that a bundle.
///
/// Decides by the layer's media type, because some writers left a wrong `artifactType` in the fallback tag.
pub fn carried(manifest: &[u8]) -> Result<Carried, Error> {
    let invalid = |why: String| Error::ParseReferrer { why };
    if manifest.len() > limits::MAX_MANIFEST {
        return Err(invalid(format!(
            "it has {} bytes, at most {} are read",
            manifest.len(),
            limits::MAX_MANIFEST
        )));
    }
    let read: ReadReferrer =
        serde_json::from_slice(manifest).map_err(|error| invalid(error.to_string()))?;
    let [blob] = read.layers.as_slice() else {
        return Err(invalid(format!("it has {} layers; expected one", read.layers.len())));
    };
    if !blob.media_type.starts_with(MEDIA_TYPE_BUNDLE_PREFIX) {
        return Err(invalid(format!(
            "its layer is a {:?}; expected {MEDIA_TYPE_BUNDLE:?}",
            blob.media_type
        )));
    }
    let Some(subject) = read.subject else {
        return Err(invalid("it has no subject".to_owned()));
    };
    let predicate_type = read.annotations.and_then(|annotations| {
        annotations.get(ANNOTATION_PREDICATE_TYPE).and_then(Value::as_str).map(str::to_owned)
    });
    Ok(Carried { blob: blob.clone(), subject: subject.digest, predicate_type })
}
