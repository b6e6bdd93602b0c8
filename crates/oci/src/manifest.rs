//! Manifests: raw bytes that travel as they are, and a typed view to read them.
//!
//! [`RawManifest`] is what moves; [`Manifest`] is only ever read.
//! The media type comes from the bytes, which the digest covers, and not from a header.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;

use crate::{
    Descriptor, Digest,
    descriptor::{media_type, null_is_default},
};

/// How many descriptors one manifest may hold: real ones have below two hundred, and each costs requests and memory.
const MAX_DESCRIPTORS: usize = 16_384;

/// Why bytes are not a manifest that this crate carries.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The bytes are not the JSON of a manifest.
    #[error("manifest {digest} cannot be read")]
    ParseManifest {
        /// Which manifest.
        digest: Digest,
        /// Where the JSON is wrong.
        source: serde_json::Error,
    },
    /// The manifest is Docker's schema 1, which has no digests of its own content.
    #[error(
        "manifest {digest} is of Docker schema 1, which is withdrawn; push the image again with a current tool"
    )]
    RefuseSchema1 {
        /// Which manifest.
        digest: Digest,
    },
    /// Nothing tells what kind of manifest it is, or it claims to be two kinds at once.
    #[error("manifest {digest} is neither an image manifest nor an index: {problem}")]
    ClassifyManifest {
        /// Which manifest.
        digest: Digest,
        /// What is contradictory or absent.
        problem: String,
    },
    /// The manifest holds more descriptors than any real one.
    #[error("manifest {digest} has {count} entries, more than the limit of {MAX_DESCRIPTORS}")]
    LimitDescriptors {
        /// Which manifest.
        digest: Digest,
        /// How many entries.
        count: usize,
    },
}

/// The exact bytes of a manifest with their digest; never serialised again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawManifest {
    /// Media type, sent as `Content-Type`.
    pub media_type: String,
    /// Digest of `bytes`.
    pub digest: Digest,
    /// The bytes as some author wrote them.
    pub bytes: Bytes,
}

impl RawManifest {
    /// Wraps bytes written by this program; the digest is SHA-256.
    pub fn new(media_type: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self { media_type: media_type.into(), digest: Digest::sha256(&bytes), bytes }
    }

    /// Wraps bytes whose digest is already verified; the media type is read from them.
    ///
    /// # Errors
    /// When the bytes do not tell what they are.
    pub fn from_verified(digest: Digest, bytes: Bytes) -> Result<Self, ManifestError> {
        let fields = Fields::parse(&digest, &bytes)?;
        let media_type = fields.media_type(&digest)?;
        Ok(Self { media_type, digest, bytes })
    }

    /// Returns a descriptor of these bytes, without artifact type or annotations.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::new(&self.media_type, self.digest.clone(), self.bytes.len() as u64)
    }

    /// Returns the descriptor as a list of referrers must show it.
    ///
    /// The artifact type falls back to the media type of the config, and the annotations are those of the manifest.
    ///
    /// # Errors
    /// When the manifest cannot be read.
    pub fn referrer_descriptor(&self) -> Result<Descriptor, ManifestError> {
        let manifest = Manifest::parse(self)?;
        let mut descriptor = self.descriptor();
        descriptor.artifact_type = manifest
            .artifact_type
            .or_else(|| manifest.config.map(|config| config.media_type))
            .filter(|value| !value.is_empty());
        descriptor.annotations = manifest.annotations;
        Ok(descriptor)
    }
}

/// What a manifest lists: other manifests, or the content of one image or artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An OCI index or a Docker manifest list.
    Index,
    /// An image or artifact manifest.
    Image,
}

/// A typed view of a manifest, over all formats that this crate carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Media type of the manifest.
    pub media_type: String,
    /// What it lists.
    pub kind: Kind,
    /// Entries of an index; empty on images.
    pub children: Vec<Descriptor>,
    /// Config of an image.
    pub config: Option<Descriptor>,
    /// Layers of an image, blobs of an artifact.
    pub layers: Vec<Descriptor>,
    /// What this manifest refers to, such as the image that it is a signature of.
    pub subject: Option<Descriptor>,
    /// Type of the artifact.
    pub artifact_type: Option<String>,
    /// Annotations of the manifest.
    pub annotations: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// When it is Docker schema 1, not a manifest, contradictory, or longer than any real one.
    pub fn parse(raw: &RawManifest) -> Result<Self, ManifestError> {
        let fields = Fields::parse(&raw.digest, &raw.bytes)?;
        let media_type = fields.media_type(&raw.digest)?;
        let kind = if media_type::is_index(&media_type) { Kind::Index } else { Kind::Image };
        let layers = if fields.layers.is_empty() { fields.blobs } else { fields.layers };
        let count = fields.manifests.len() + layers.len();
        if count > MAX_DESCRIPTORS {
            return Err(ManifestError::LimitDescriptors { digest: raw.digest.clone(), count });
        }
        Ok(Self {
            media_type,
            kind,
            children: fields.manifests,
            config: fields.config,
            layers,
            subject: fields.subject,
            artifact_type: fields.artifact_type.filter(|value| !value.is_empty()),
            annotations: fields.annotations,
        })
    }

    /// Returns config and layers, in that order.
    pub fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        self.config.iter().chain(&self.layers)
    }
}

/// All fields of all formats; which are set tells the format when `mediaType` is absent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    #[serde(default)]
    schema_version: Option<u64>,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    artifact_type: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    manifests: Vec<Descriptor>,
    #[serde(default)]
    config: Option<Descriptor>,
    #[serde(default, deserialize_with = "null_is_default")]
    layers: Vec<Descriptor>,
    #[serde(default, deserialize_with = "null_is_default")]
    blobs: Vec<Descriptor>,
    #[serde(default)]
    subject: Option<Descriptor>,
    #[serde(default, deserialize_with = "null_is_default")]
    annotations: BTreeMap<String, String>,
}

/// What decides the format, read before the rest so that a schema 1 manifest is named as such.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    #[serde(default)]
    schema_version: Option<u64>,
    #[serde(default)]
    media_type: Option<String>,
}

impl Fields {
    fn parse(digest: &Digest, bytes: &[u8]) -> Result<Self, ManifestError> {
        let unreadable = |source| ManifestError::ParseManifest { digest: digest.clone(), source };
        let head: Head = serde_json::from_slice(bytes).map_err(unreadable)?;
        if head.schema_version == Some(1)
            || head.media_type.is_some_and(|value| media_type::is_schema1(&value))
        {
            return Err(ManifestError::RefuseSchema1 { digest: digest.clone() });
        }
        serde_json::from_slice(bytes).map_err(unreadable)
    }

    /// Says what the bytes are; a document that could be read as image and as index is refused,
    /// because two readers would see two different images behind one digest.
    fn media_type(&self, digest: &Digest) -> Result<String, ManifestError> {
        let refuse =
            |problem: String| ManifestError::ClassifyManifest { digest: digest.clone(), problem };
        let has_content =
            self.config.is_some() || !self.layers.is_empty() || !self.blobs.is_empty();
        if has_content && !self.manifests.is_empty() {
            return Err(refuse("it lists both manifests and layers".to_owned()));
        }
        match self.media_type.as_deref().filter(|value| !value.is_empty()) {
            Some(value) if media_type::is_index(value) && has_content => {
                Err(refuse(format!("its media type is {value:?} but it lists layers")))
            }
            Some(value) if !media_type::is_index(value) && !self.manifests.is_empty() => {
                Err(refuse(format!("its media type is {value:?} but it lists manifests")))
            }
            Some(value) if media_type::is_manifest(value) => Ok(value.to_owned()),
            Some(value) => Err(refuse(format!("its media type is {value:?}"))),
            None if self.config.is_some() => Ok(media_type::OCI_MANIFEST.to_owned()),
            None if !has_content && self.schema_version == Some(2) => {
                Ok(media_type::OCI_INDEX.to_owned())
            }
            None => Err(refuse("it has neither a media type nor a config".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    fn parse(json: &str) -> Result<Manifest, ManifestError> {
        Manifest::parse(&RawManifest::new("ignored", json.to_owned()))
    }

    fn blob(size: u64) -> String {
        format!(r#"{{"mediaType":"m","digest":"{EMPTY}","size":{size}}}"#)
    }

    #[test]
    fn the_media_type_comes_from_the_bytes() {
        let one = blob(2);
        let cases = [
            (
                format!(r#"{{"schemaVersion":2,"config":{one},"layers":[{one}]}}"#),
                media_type::OCI_MANIFEST,
                Kind::Image,
            ),
            (
                format!(r#"{{"schemaVersion":2,"config":{one},"layers":null}}"#),
                media_type::OCI_MANIFEST,
                Kind::Image,
            ),
            (
                r#"{"schemaVersion":2,"manifests":[]}"#.to_owned(),
                media_type::OCI_INDEX,
                Kind::Index,
            ),
            (
                r#"{"schemaVersion":2,"manifests":null}"#.to_owned(),
                media_type::OCI_INDEX,
                Kind::Index,
            ),
            (
                format!(
                    r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{one}]}}"#,
                    media_type::DOCKER_LIST
                ),
                media_type::DOCKER_LIST,
                Kind::Index,
            ),
            (
                format!(r#"{{"mediaType":"{}","blobs":[{one}]}}"#, media_type::OCI_ARTIFACT),
                media_type::OCI_ARTIFACT,
                Kind::Image,
            ),
        ];
        for (json, media_type, kind) in cases {
            let found = parse(&json).unwrap();
            assert_eq!((found.media_type.as_str(), found.kind), (media_type, kind), "{json}");
        }
    }

    #[test]
    fn what_is_no_manifest_or_two_at_once_is_refused() {
        let one = blob(2);
        let cases = [
            ("\"text\"".to_owned(), "cannot be read"),
            (r#"{"schemaVersion":1,"fsLayers":[{"blobSum":"x"}],"config":7}"#.to_owned(), "Docker schema 1"),
            (
                r#"{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v1+prettyjws"}"#.to_owned(),
                "Docker schema 1",
            ),
            (format!(r#"{{"schemaVersion":2,"config":{one},"manifests":[{one}]}}"#), "both manifests and layers"),
            (
                format!(r#"{{"mediaType":"{}","layers":[{one}]}}"#, media_type::OCI_INDEX),
                "but it lists layers",
            ),
            (
                format!(r#"{{"mediaType":"{}","manifests":[{one}]}}"#, media_type::OCI_MANIFEST),
                "but it lists manifests",
            ),
            (r#"{"mediaType":"text/plain"}"#.to_owned(), "its media type is \"text/plain\""),
            ("{}".to_owned(), "neither a media type nor a config"),
            (r#"{"schemaVersion":2,"config":{"digest":"sha256:../x","size":1}}"#.to_owned(), "cannot be read"),
            (format!(r#"{{"schemaVersion":2,"config":{{"digest":"{EMPTY}","size":-1}}}}"#), "cannot be read"),
            (
                format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, vec![one.as_str(); 16_385].join(",")),
                "more than the limit of 16384",
            ),
        ];
        for (json, problem) in cases {
            let error = parse(&json).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn referrers_are_described_as_the_specification_says() {
        let one = blob(2);
        let describe = |json: String| {
            let raw = RawManifest::new(media_type::OCI_MANIFEST, json);
            let found = raw.referrer_descriptor().unwrap();
            (found.artifact_type, found.annotations.into_iter().collect::<Vec<_>>())
        };
        let annotations = r#""annotations":{"a":"b"}"#;
        assert_eq!(
            describe(format!(
                r#"{{"schemaVersion":2,"artifactType":"t","config":{one},{annotations}}}"#
            )),
            (Some("t".to_owned()), vec![("a".to_owned(), "b".to_owned())])
        );
        assert_eq!(
            describe(format!(r#"{{"schemaVersion":2,"config":{one}}}"#)),
            (Some("m".to_owned()), Vec::new())
        );
    }
}
