//! Moves images with everything that belongs to them.
//!
//! [`pull`] fills a layout, [`push`] empties it into a registry, [`plan_push`] and [`plan_copy`] only look.
//! Order of writes: blobs, manifests children first and by digest, referrers, cosign's tags.
//! The image's own tag is never written here: it is the publisher's last act.

use crate::{Client, Descriptor, Digest, Error, Layout, Progress};

/// What a pull did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullReport {
    /// Blobs fetched.
    pub blobs: u64,
    /// Bytes of the blobs fetched.
    pub bytes: u64,
    /// Blobs that the layout held already.
    pub blobs_skipped: u64,
    /// Manifests in the layout now, with all children, referrers and cosign tags.
    pub manifests: u64,
    /// Manifests among them that refer to another.
    pub referrers: u64,
    /// Cosign tags (`sha256-….sig`, `.att`, `.sbom`) that came along.
    pub legacy_tags: Vec<String>,
    /// Layers that the source does not hold because they are licensed to be fetched elsewhere.
    pub foreign: Vec<Digest>,
}

/// A cosign tag of the source that the destination has with other content; it was left as it is there.
///
/// The source's manifest and blobs are in the destination by digest, so that they can be merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagConflict {
    /// The tag.
    pub tag: String,
    /// What the source has under it.
    pub source: Descriptor,
    /// What the destination has under it.
    pub destination: Descriptor,
}

/// What a push did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PushReport {
    /// Blobs sent.
    pub blobs_pushed: u64,
    /// Bytes of the blobs sent.
    pub bytes_pushed: u64,
    /// Blobs that the destination held already.
    pub blobs_skipped: u64,
    /// Manifests written.
    pub manifests_pushed: u64,
    /// Manifests that the destination held already.
    pub manifests_skipped: u64,
    /// Referrers written.
    pub referrers_pushed: u64,
    /// Cosign tags written.
    pub legacy_tags: Vec<String>,
    /// Cosign tags that need merging.
    pub conflicts: Vec<TagConflict>,
    /// Layers that nobody holds because they are licensed to be fetched elsewhere.
    pub foreign: Vec<Digest>,
}

/// What a push or copy would move.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransferPlan {
    /// Bytes of all blobs.
    pub bytes_total: u64,
    /// Bytes of the blobs that the destination lacks.
    pub bytes_missing: u64,
    /// All blobs.
    pub blobs_total: u64,
    /// Blobs that the destination lacks.
    pub blobs_missing: u64,
    /// Manifests that the destination lacks.
    pub manifests_missing: u64,
}

/// Fetches an image with all platforms, referrers and cosign tags into a layout.
///
/// Nothing is named in the layout except cosign's tags; the caller names the root with [`Layout::set_ref`].
pub async fn pull(
    client: &Client,
    repository: &str,
    root: &Descriptor,
    layout: &Layout,
    progress: &Progress,
) -> Result<PullReport, Error> {
    let _ = (client, repository, root, layout, progress);
    unimplemented!()
}

/// Writes an image of a layout with everything that belongs to it into a repository, by digest.
pub async fn push(
    layout: &Layout,
    root: &Digest,
    client: &Client,
    repository: &str,
    progress: &Progress,
) -> Result<PushReport, Error> {
    let _ = (layout, root, client, repository, progress);
    unimplemented!()
}

/// Says what [`push`] would move; reads only.
pub async fn plan_push(
    layout: &Layout,
    root: &Digest,
    client: &Client,
    repository: &str,
) -> Result<TransferPlan, Error> {
    let _ = (layout, root, client, repository);
    unimplemented!()
}

/// A repository of a registry.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The registry.
    pub client: &'a Client,
    /// Full path of the repository.
    pub repository: &'a str,
}

/// Says what a pull and a push would move from one repository to another; reads only and stores nothing.
pub async fn plan_copy(
    source: Place<'_>,
    root: &Descriptor,
    destination: Place<'_>,
) -> Result<TransferPlan, Error> {
    let _ = (source, root, destination);
    unimplemented!()
}
