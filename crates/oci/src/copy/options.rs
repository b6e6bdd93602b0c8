//! What to copy and how, and what a copy did.

use super::{BlobMap, TagConflict};
use crate::{Digest, Platform};

/// What [`super::stream`] copies, and what it shares with other copies.
#[derive(Clone, Debug)]
pub struct CopyOptions {
    /// Tag to give the image at the destination, as the very last write; without one it is there by digest only.
    pub tag: Option<String>,
    /// Whether signatures, attestations and other referrers travel, and cosign's tags.
    pub referrers: bool,
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
            referrers: true,
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
