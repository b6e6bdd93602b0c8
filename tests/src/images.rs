//! Small images in the real formats, made in memory; only big random layers are made while they are sent.
//!
//! Contents are deterministic: the same calls give the same digests.

mod files;
mod push;
mod random;

use std::{collections::BTreeMap, fmt::Write as _};

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub use crate::images::files::{Layer, alpine, debian};
use crate::images::random::RandomTar;

/// Media type of image manifests.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media type of image indexes.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// What to accept when asking for any manifest.
pub const MANIFEST_TYPES: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// A content descriptor as it stands in manifests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// The media type of the content.
    pub media_type: String,
    /// `sha256:<hex>`.
    pub digest: String,
    /// Size in bytes.
    pub size: u64,
    /// `{os, architecture, variant}` of an index's child.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<Value>,
}

/// An image, index or artifact with everything that belongs to it, children and referrers included.
#[derive(Debug, Clone)]
pub struct Content {
    root: Descriptor,
    /// In the order they must be pushed: children and subjects before what refers to them.
    manifests: Vec<(Descriptor, Bytes)>,
    blobs: BTreeMap<String, Blob>,
}

/// The bytes of a blob, or how to make them.
#[derive(Debug, Clone)]
pub(crate) enum Blob {
    Bytes(Bytes),
    Random { recipe: RandomTar, size: u64 },
}

impl Content {
    /// Makes an image for a platform such as `linux/amd64` or `linux/arm/v7`.
    pub fn image(platform: &str, layers: impl IntoIterator<Item = Layer>) -> Self {
        let mut blobs = BTreeMap::new();
        let mut descriptors = Vec::new();
        let mut diff_ids = Vec::new();
        for layer in layers {
            let made = layer.make();
            descriptors.push(made.descriptor.clone());
            diff_ids.push(made.diff_id);
            blobs.insert(made.descriptor.digest, made.blob);
        }
        let platform = parse_platform(platform);
        let mut config = json!({
            "created": "2025-01-01T00:00:00Z",
            "config": { "Entrypoint": ["/bin/true"] },
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        for (key, value) in platform.as_object().into_iter().flatten() {
            config[key] = value.clone();
        }
        let config = add_blob(&mut blobs, CONFIG, config.to_string());
        let manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": descriptors });
        Self::with_root(MANIFEST, &manifest, Some(platform), Vec::new(), blobs)
    }

    /// Makes an index over images, for example one for every platform.
    pub fn index(children: impl IntoIterator<Item = Self>) -> Self {
        let mut manifests = Vec::new();
        let mut blobs = BTreeMap::new();
        let mut descriptors = Vec::new();
        for child in children {
            descriptors.push(child.root);
            manifests.extend(child.manifests);
            blobs.extend(child.blobs);
        }
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": descriptors });
        Self::with_root(INDEX, &index, None, manifests, blobs)
    }

    /// Makes an index for `linux/amd64` and `linux/arm64`, each with these layers and a file of its own.
    pub fn multi_arch(layers: &[Layer]) -> Self {
        Self::index(["amd64", "arm64"].map(|architecture| {
            let own = Layer::files(&[("etc/architecture", architecture)]);
            Self::image(&format!("linux/{architecture}"), layers.iter().cloned().chain([own]))
        }))
    }

    /// Adds an artifact whose subject is the root, and returns its digest too.
    #[must_use]
    pub fn with_referrer(mut self, artifact_type: &str, payload: &str) -> (Self, String) {
        let config = add_blob(&mut self.blobs, EMPTY, "{}".to_owned());
        let layer = add_blob(&mut self.blobs, "application/json", payload.to_owned());
        let subject = Descriptor { platform: None, ..self.root.clone() };
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": artifact_type,
            "config": config, "layers": [layer], "subject": subject,
            "annotations": { "org.opencontainers.image.created": "2025-01-01T00:00:00Z" },
        });
        let (descriptor, bytes) = manifest_bytes(MANIFEST, &manifest, None);
        let digest = descriptor.digest.clone();
        self.manifests.push((descriptor, bytes));
        (self, digest)
    }

    /// Returns the descriptor of the root.
    pub fn root(&self) -> &Descriptor {
        &self.root
    }

    /// Returns the digest of the root.
    pub fn digest(&self) -> &str {
        &self.root.digest
    }

    /// Returns the exact bytes of the root manifest.
    pub fn root_bytes(&self) -> Bytes {
        let root =
            self.manifests.iter().find(|(descriptor, _)| descriptor.digest == self.root.digest);
        root.expect("the root is one of the manifests").1.clone()
    }

    /// Returns the digests of all manifests, the root and referrers included.
    pub fn manifest_digests(&self) -> Vec<String> {
        self.manifests.iter().map(|(descriptor, _)| descriptor.digest.clone()).collect()
    }

    /// Returns the digests of all blobs.
    pub fn blob_digests(&self) -> Vec<String> {
        self.blobs.keys().cloned().collect()
    }

    fn with_root(
        media_type: &str,
        manifest: &Value,
        platform: Option<Value>,
        mut manifests: Vec<(Descriptor, Bytes)>,
        blobs: BTreeMap<String, Blob>,
    ) -> Self {
        let (root, bytes) = manifest_bytes(media_type, manifest, platform);
        manifests.push((root.clone(), bytes));
        Self { root, manifests, blobs }
    }
}

/// Returns `sha256:<hex>` of some bytes.
pub fn sha256(bytes: &[u8]) -> String {
    to_digest(Sha256::new_with_prefix(bytes))
}

pub(crate) fn to_digest(hasher: Sha256) -> String {
    hasher.finalize().iter().fold("sha256:".to_owned(), |mut digest, byte| {
        // Writing to a string cannot fail.
        let _ = write!(digest, "{byte:02x}");
        digest
    })
}

fn manifest_bytes(
    media_type: &str,
    manifest: &Value,
    platform: Option<Value>,
) -> (Descriptor, Bytes) {
    // Indented, unlike anything a program would write again: bytes that are not kept show.
    let bytes = Bytes::from(serde_json::to_vec_pretty(manifest).unwrap());
    (Descriptor { platform, ..describe(media_type, &bytes) }, bytes)
}

fn add_blob(blobs: &mut BTreeMap<String, Blob>, media_type: &str, text: String) -> Descriptor {
    let descriptor = describe(media_type, text.as_bytes());
    blobs.insert(descriptor.digest.clone(), Blob::Bytes(text.into()));
    descriptor
}

pub(crate) fn describe(media_type: &str, bytes: &[u8]) -> Descriptor {
    Descriptor {
        media_type: media_type.to_owned(),
        digest: sha256(bytes),
        size: bytes.len() as u64,
        platform: None,
    }
}

fn parse_platform(text: &str) -> Value {
    let mut parts = text.split('/');
    let mut platform = json!({ "os": parts.next(), "architecture": parts.next() });
    if let Some(variant) = parts.next() {
        platform["variant"] = variant.into();
    }
    platform
}
