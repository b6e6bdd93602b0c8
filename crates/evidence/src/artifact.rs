//! What evidence becomes in a registry: a manifest and the blobs it needs.

use serde::{Deserialize, Serialize};

use crate::digest;

/// Media type of an OCI image manifest.
pub const MEDIA_TYPE_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Points to a manifest or a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Media type.
    pub media_type: String,
    /// Digest, `sha256:<hex>`.
    pub digest: String,
    /// Size in bytes.
    pub size: u64,
}

impl Descriptor {
    /// Returns the descriptor of bytes.
    pub fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: digest::sha256(bytes),
            size: bytes.len() as u64,
        }
    }
}

/// A manifest to push, with the blobs that must be there before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OciArtifact {
    /// The manifest's bytes.
    pub manifest: Vec<u8>,
    /// The manifest's media type.
    pub media_type: String,
    /// The manifest's digest.
    pub digest: String,
    /// New blobs, the config first; empty when nothing changed.
    pub blobs: Vec<Vec<u8>>,
}

impl OciArtifact {
    pub(crate) fn new(manifest: Vec<u8>, media_type: &str, blobs: Vec<Vec<u8>>) -> Self {
        let digest = digest::sha256(&manifest);
        Self { manifest, media_type: media_type.to_owned(), digest, blobs }
    }
}
