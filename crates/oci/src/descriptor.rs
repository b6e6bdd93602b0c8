//! Content descriptors and the media types this crate tells apart.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::Digest;

/// Media types by name.
pub mod media_type {
    /// OCI image index.
    pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// OCI image manifest, also of artifacts.
    pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// OCI artifact manifest, withdrawn before 1.1 but still stored in registries.
    pub const OCI_ARTIFACT: &str = "application/vnd.oci.artifact.manifest.v1+json";
    /// Docker manifest list.
    pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    /// Docker manifest, version 2 schema 2.
    pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
    /// OCI image configuration.
    pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    /// The empty JSON object, `{}`.
    pub const OCI_EMPTY: &str = "application/vnd.oci.empty.v1+json";

    /// Returns whether the media type is one of an index or a list.
    pub fn is_index(value: &str) -> bool {
        matches!(value, OCI_INDEX | DOCKER_LIST)
    }

    /// Returns whether the media type is one of a manifest, an index or a list that this crate carries.
    pub fn is_manifest(value: &str) -> bool {
        is_index(value) || matches!(value, OCI_MANIFEST | OCI_ARTIFACT | DOCKER_MANIFEST)
    }

    /// Returns whether the media type is one of Docker's schema 1, signed or not.
    pub fn is_schema1(value: &str) -> bool {
        value.starts_with("application/vnd.docker.distribution.manifest.v1+")
    }

    /// Returns whether layers of this type are licensed to be fetched from elsewhere only.
    pub fn is_foreign(value: &str) -> bool {
        value.starts_with("application/vnd.oci.image.layer.nondistributable.")
            || value.starts_with("application/vnd.docker.image.rootfs.foreign.")
    }
}

/// The platform that a manifest of an index is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Platform {
    /// Processor architecture in Go's words, such as `amd64`; `unknown` for attestations.
    #[serde(deserialize_with = "null_is_default")]
    pub architecture: String,
    /// Operating system in Go's words, such as `linux`.
    #[serde(deserialize_with = "null_is_default")]
    pub os: String,
    /// Variant of the processor, such as `v7`; empty when there is none.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "String::is_empty")]
    pub variant: String,
    /// Version of the operating system, mostly of Windows; empty when there is none.
    #[serde(
        rename = "os.version",
        deserialize_with = "null_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub os_version: String,
}

impl std::fmt::Display for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if self.variant.is_empty() { Ok(()) } else { write!(f, "/{}", self.variant) }
    }
}

/// Says what some content is, how large it is and what its digest is (OCI image specification, "content descriptors").
///
/// Reading is tolerant: `null` counts as absent and unknown fields are ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Media type of the content; empty when the writer left it out.
    #[serde(default, deserialize_with = "null_is_default")]
    pub media_type: String,
    /// Digest of the content.
    pub digest: Digest,
    /// Size of the content in bytes.
    pub size: u64,
    /// Type of the artifact, on descriptors of manifests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Free annotations.
    #[serde(
        default,
        deserialize_with = "null_is_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub annotations: BTreeMap<String, String>,
    /// Where else the content may be had; this crate never follows them.
    #[serde(default, deserialize_with = "null_is_default", skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// The content itself in base64, for small content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// The platform, on descriptors in an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
}

impl Descriptor {
    /// Returns a descriptor with media type, digest and size only.
    pub fn new(media_type: impl Into<String>, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.into(),
            digest,
            size,
            artifact_type: None,
            annotations: BTreeMap::new(),
            urls: Vec::new(),
            data: None,
            platform: None,
        }
    }

    /// Returns the descriptor of `bytes`, with a SHA-256 digest.
    pub fn of(media_type: impl Into<String>, bytes: &[u8]) -> Self {
        Self::new(media_type, Digest::sha256(bytes), bytes.len() as u64)
    }

    /// Returns whether the content is meant to be fetched from elsewhere, so that a registry need not hold it.
    pub fn is_foreign(&self) -> bool {
        !self.urls.is_empty() || media_type::is_foreign(&self.media_type)
    }
}

/// Reads `null` as the default value, because Go writers produce it for empty lists and maps.
pub(crate) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
