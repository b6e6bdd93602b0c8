//! What to copy and how, and what a copy did.

use super::{BlobMap, TagConflict};
use crate::{Digest, Platform};

/// Which referrers of an image travel with it, by artifact type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Referrers {
    /// All, and cosign's tags.
    #[default]
    All,
    /// None, and none of cosign's tags.
    None,
    /// Those of these artifact types; `*` stands for any characters. Cosign's tags count as `sig`, `att` and `sbom`.
    Types(Vec<String>),
}

impl Referrers {
    /// Reads `all`, `none`, or artifact types separated by commas.
    pub fn parse(text: &str) -> Self {
        match text.trim() {
            "all" => Self::All,
            "none" => Self::None,
            types => Self::Types(
                types
                    .split(',')
                    .map(|one| one.trim().to_owned())
                    .filter(|one| !one.is_empty())
                    .collect(),
            ),
        }
    }

    pub(super) fn wants_any(&self) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Types(types) => !types.is_empty(),
        }
    }

    /// Returns whether a referrer of this type travels; one without a type does only with all.
    pub(super) fn wants(&self, artifact_type: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Types(types) => artifact_type
                .is_some_and(|actual| types.iter().any(|pattern| is_like(pattern, actual))),
        }
    }
}

/// Compares with `*` for any characters: the pieces between the stars come in order, the outer ones at the ends.
fn is_like(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(start) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let end = pieces.pop().unwrap_or_default();
    for piece in pieces {
        match left.find(piece) {
            Some(at) => left = left.get(at + piece.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    left.ends_with(end)
}

/// What [`super::stream`] copies, and what it shares with other copies.
#[derive(Clone, Debug)]
pub struct CopyOptions {
    /// Tag to give the image at the destination, as the very last write; without one it is there by digest only.
    pub tag: Option<String>,
    /// Which signatures, attestations and other referrers travel, and cosign's tags.
    pub referrers: Referrers,
    /// Platforms of an index to copy, with the attestations of builders for them; empty means all.
    ///
    /// An empty variant or `os_version` here matches every one.
    pub platforms: Vec<Platform>,
    /// Whether an image whose tag (or digest) is at the destination already is compared in full.
    ///
    /// Otherwise that counts as done, which takes one request per side: the tag was the last write of its copy.
    /// Referrers that were added at the source since are then not noticed.
    pub recheck: bool,
    /// What copies of this process know about the destination; share one between copies that run in it.
    pub blobs: BlobMap,
}

impl Default for CopyOptions {
    /// Everything, by digest only, with knowledge of its own.
    fn default() -> Self {
        Self {
            tag: None,
            referrers: Referrers::All,
            platforms: Vec::new(),
            recheck: false,
            blobs: BlobMap::new(),
        }
    }
}

/// What a copy did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyReport {
    /// Digest of the image at the source.
    pub source: Digest,
    /// Digest of the image at the destination; another one only when platforms were selected.
    pub destination: Digest,
    /// Whether the destination had it already, so that nothing was compared further and nothing written.
    pub is_unchanged: bool,
    /// Blobs sent.
    pub blobs_sent: u64,
    /// Bytes of the blobs sent.
    pub bytes_sent: u64,
    /// Blobs that the destination took from another of its repositories.
    pub blobs_mounted: u64,
    /// Blobs that the destination held already.
    pub blobs_present: u64,
    /// Manifests written.
    pub manifests_written: u64,
    /// Manifests that the destination held already.
    pub manifests_present: u64,
    /// Referrers that the source has, all of which are at the destination now.
    pub referrers: u64,
    /// Cosign's tags that the source has and the destination has now.
    pub legacy_tags: Vec<String>,
    /// Cosign's tags that the destination has with other content and that were left alone.
    pub conflicts: Vec<TagConflict>,
    /// Layers that the source does not hold because they are licensed to be fetched elsewhere.
    pub foreign: Vec<Digest>,
    /// What was chosen, when platforms were selected from an index.
    pub selection: Option<Selection>,
}

/// What was chosen from an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Platforms copied.
    pub chosen: Vec<Platform>,
    /// Entries of the source's index that stayed behind.
    pub left_out: u64,
}

impl CopyReport {
    pub(super) fn new(source: Digest, destination: Digest) -> Self {
        Self {
            source,
            destination,
            is_unchanged: false,
            blobs_sent: 0,
            bytes_sent: 0,
            blobs_mounted: 0,
            blobs_present: 0,
            manifests_written: 0,
            manifests_present: 0,
            referrers: 0,
            legacy_tags: Vec::new(),
            conflicts: Vec::new(),
            foreign: Vec::new(),
            selection: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn referrers_are_chosen_by_artifact_type() {
        for (text, artifact_type, expected) in [
            ("all", None, true),
            ("none", Some("a/b"), false),
            ("a/b", Some("a/b"), true),
            ("a/b", Some("a/bc"), false),
            ("a/b, sig", Some("sig"), true),
            ("a/b", None, false),
            ("application/*", Some("application/vnd.in-toto+json"), true),
            ("*in-toto*json", Some("application/vnd.in-toto+json"), true),
            ("*in-toto", Some("application/vnd.in-toto+json"), false),
            ("aa*aa", Some("aaa"), false),
            ("", Some(""), false),
        ] {
            let found = Referrers::parse(text).wants(artifact_type);
            assert_eq!(found, expected, "{text:?} {artifact_type:?}");
        }
        assert!(!Referrers::parse(" , ").wants_any());
    }
}
