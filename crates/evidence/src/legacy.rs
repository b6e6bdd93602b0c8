//! The tag scheme of cosign up to 2: `sha256-<hex>.sig` and `.att` images, one layer per signature or attestation.
//!
//! Layers that are already there stay as they are: upstream's signatures travel with ours.
//! The config is made anew from the layers, because no verifier reads it.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    artifact::{Descriptor, MEDIA_TYPE_MANIFEST, OciArtifact},
    dsse::Envelope,
    encoding, limits,
};

/// Media type of a simple signing payload.
pub const MEDIA_TYPE_SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// Media type of a DSSE envelope.
pub const MEDIA_TYPE_DSSE: &str = "application/vnd.dsse.envelope.v1+json";
/// Layer annotation with the base64 signature; empty for attestations.
pub const ANNOTATION_SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// Layer annotation with the predicate type of an attestation.
pub const ANNOTATION_PREDICATE_TYPE: &str = "predicateType";

const MEDIA_TYPE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const MEDIA_TYPE_DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const MEDIA_TYPE_DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";

/// Go's zero time, which cosign writes so that the config does not depend on the clock.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

/// Why a `.sig` or `.att` manifest cannot be read or extended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not the manifest of an image.
    #[error("invalid manifest of a `.sig` or `.att` tag: {why}")]
    ParseManifest {
        /// What is wrong.
        why: String,
    },
    /// One more layer would make it unreadable for cosign.
    #[error(
        "failed to append to a `.sig` or `.att` image: it already has {layers} layers, verifiers read at most {limit}"
    )]
    TooManyLayers {
        /// Layers found.
        layers: usize,
        /// Layers allowed.
        limit: usize,
    },
}

/// A layer of a `.sig` or `.att` image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Where its blob is.
    pub descriptor: Descriptor,
    /// The signature annotation, as found.
    pub signature: Option<String>,
    /// The predicate type annotation, as found.
    pub predicate_type: Option<String>,
}

#[derive(Deserialize)]
struct WireLayer {
    #[serde(flatten)]
    descriptor: Descriptor,
    #[serde(default)]
    annotations: Option<Map<String, Value>>,
}

/// Returns the tag of an image's signatures, `sha256-<hex>.sig`.
pub fn sig_tag(digest: &str) -> String {
    format!("{}.sig", digest.replace(':', "-"))
}

/// Returns the tag of an image's attestations, `sha256-<hex>.att`.
pub fn att_tag(digest: &str) -> String {
    format!("{}.att", digest.replace(':', "-"))
}

/// Adds a signature to a `.sig` image, or starts one.
///
/// `payload` is what [`crate::simple_signing::payload`] returned, `signature_der` its signature.
/// The same layer twice leaves the manifest's bytes unchanged.
pub fn append_signature(
    existing: Option<&[u8]>,
    payload: &[u8],
    signature_der: &[u8],
) -> Result<OciArtifact, Error> {
    let annotations = json!({ ANNOTATION_SIGNATURE: encoding::base64(signature_der) });
    append(existing, MEDIA_TYPE_SIMPLE_SIGNING, payload.to_vec(), annotations)
}

/// Adds an attestation to an `.att` image, or starts one.
///
/// The same layer twice leaves the manifest's bytes unchanged.
pub fn append_attestation(
    existing: Option<&[u8]>,
    envelope: &Envelope,
    predicate_type: &str,
) -> Result<OciArtifact, Error> {
    let annotations =
        json!({ ANNOTATION_SIGNATURE: "", ANNOTATION_PREDICATE_TYPE: predicate_type });
    append(existing, MEDIA_TYPE_DSSE, envelope.to_json(), annotations)
}

/// Returns the layers of a `.sig` or `.att` manifest; other media types are listed too, for the report.
pub fn layers(manifest: &[u8]) -> Result<Vec<Layer>, Error> {
    let (_, layers) = parse(manifest)?;
    layers.iter().map(layer).collect()
}

fn append(
    existing: Option<&[u8]>,
    media_type: &str,
    blob: Vec<u8>,
    annotations: Value,
) -> Result<OciArtifact, Error> {
    let (mut manifest, mut layers) = match existing {
        Some(bytes) => parse(bytes)?,
        None => (json!({"schemaVersion": 2, "mediaType": MEDIA_TYPE_MANIFEST}), Vec::new()),
    };
    let manifest_type = manifest["mediaType"].as_str().unwrap_or(MEDIA_TYPE_MANIFEST).to_owned();
    let mut new_layer = encoding::to_value(&Descriptor::of(media_type, &blob));
    new_layer["annotations"] = annotations;
    if let (Some(bytes), true) = (existing, contains(&layers, &new_layer)?) {
        return Ok(OciArtifact::new(bytes.to_vec(), &manifest_type, Vec::new()));
    }
    if layers.len() >= limits::MAX_LAYERS {
        return Err(Error::TooManyLayers { layers: layers.len(), limit: limits::MAX_LAYERS });
    }
    layers.push(new_layer);
    let config = config(&layers);
    let docker = manifest_type == MEDIA_TYPE_DOCKER_MANIFEST;
    let config_type = if docker { MEDIA_TYPE_DOCKER_CONFIG } else { MEDIA_TYPE_CONFIG };
    manifest["config"] = encoding::to_value(&Descriptor::of(config_type, &config));
    manifest["layers"] = Value::Array(layers);
    Ok(OciArtifact::new(encoding::sorted_bytes(&manifest), &manifest_type, vec![config, blob]))
}

/// Whether the layer is there already: same blob, same signature, same predicate type.
fn contains(layers: &[Value], new_layer: &Value) -> Result<bool, Error> {
    let wanted = layer(new_layer)?;
    let mut found = false;
    for existing in layers {
        found |= layer(existing)? == wanted;
    }
    Ok(found)
}

fn parse(manifest: &[u8]) -> Result<(Value, Vec<Value>), Error> {
    let invalid = |why: String| Error::ParseManifest { why };
    if manifest.len() > limits::MAX_MANIFEST {
        return Err(invalid(format!(
            "it has {} bytes, at most {} are read",
            manifest.len(),
            limits::MAX_MANIFEST
        )));
    }
    let parsed: Value =
        serde_json::from_slice(manifest).map_err(|error| invalid(error.to_string()))?;
    let media_type = parsed.get("mediaType").map_or(Some(MEDIA_TYPE_MANIFEST), Value::as_str);
    if !matches!(media_type, Some(MEDIA_TYPE_MANIFEST | MEDIA_TYPE_DOCKER_MANIFEST)) {
        return Err(invalid(format!(
            "its media type is {media_type:?}; expected {MEDIA_TYPE_MANIFEST:?}"
        )));
    }
    let Some(Value::Array(layers)) = parsed.get("layers") else {
        return Err(invalid("it has no list of layers".to_owned()));
    };
    if layers.len() > limits::MAX_LAYERS {
        return Err(invalid(format!(
            "it has {} layers, at most {} are read",
            layers.len(),
            limits::MAX_LAYERS
        )));
    }
    let layers = layers.clone();
    Ok((parsed, layers))
}

fn layer(value: &Value) -> Result<Layer, Error> {
    let wire = WireLayer::deserialize(value)
        .map_err(|error| Error::ParseManifest { why: error.to_string() })?;
    let annotations = wire.annotations.unwrap_or_default();
    let annotation = |name: &str| annotations.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(Layer {
        descriptor: wire.descriptor,
        signature: annotation(ANNOTATION_SIGNATURE),
        predicate_type: annotation(ANNOTATION_PREDICATE_TYPE),
    })
}

/// An image config as cosign makes it; the layers are not compressed, so each diff id is the layer's digest.
fn config(layers: &[Value]) -> Vec<u8> {
    let history: Vec<_> = layers.iter().map(|_| json!({"created": NO_TIME})).collect();
    let diff_ids: Vec<_> = layers.iter().map(|layer| layer["digest"].clone()).collect();
    encoding::sorted_bytes(&json!({
        "architecture": "",
        "config": {},
        "created": NO_TIME,
        "history": history,
        "os": "",
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    }))
}
