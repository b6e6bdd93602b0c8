//! Moves images with everything that belongs to them.
//!
//! [`pull`] fills a layout, [`push`] empties it into a registry, [`stream`](stream()) goes from registry to registry
//! without a stop; [`to_layout`], [`from_layout`] and [`between_layouts`] do the same as [`stream`](stream()) where one end is
//! a folder; [`plan_push`] and [`plan_copy`] only look.
//! Order of writes: blobs, manifests children first and by digest, referrers, cosign's tags.
//! The image's own tag comes last: [`push`] leaves it to the publisher, [`stream`](stream()) writes it when asked to.

mod blob_map;
mod discover;
mod missing;
mod options;
mod pull;
mod push;
mod relay;
mod select;
mod source;
mod stream;

pub use self::{
    blob_map::BlobMap,
    options::{CopyOptions, CopyReport, Referrers, Selection},
    pull::{pull, to_layout},
    push::{from_layout, push},
    relay::between_layouts,
    stream::stream,
};
use self::{discover::discover, missing::Missing, select::select, source::Source};
use crate::{Client, Descriptor, Digest, Error, Layout, auth::Scope};

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

/// A repository of a registry.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The registry.
    pub client: &'a Client,
    /// Full path of the repository.
    pub repository: &'a str,
}

/// Says what [`push`] would move; reads only.
pub async fn plan_push(
    layout: &Layout,
    root: &Digest,
    client: &Client,
    repository: &str,
) -> Result<TransferPlan, Error> {
    let root = layout.manifest(root)?;
    plan(&Source::layout(layout, &root)?, Place { client, repository }, &Referrers::All).await
}

/// Says what a copy with these options would move from one repository to another; reads only and stores nothing.
///
/// `root` is a tag or a digest of the source. Blobs that the destination could mount from another of its repositories count as
/// missing.
pub async fn plan_copy(
    source: Place<'_>,
    root: &str,
    destination: Place<'_>,
    options: &CopyOptions,
) -> Result<TransferPlan, Error> {
    let original = source.client.manifest(source.repository, root).await?;
    let (raw, _) = select(original, &options.platforms)?;
    plan(&Source::remote(source, &raw, None).await?, destination, &options.referrers).await
}

async fn plan(
    source: &Source<'_>,
    destination: Place<'_>,
    referrers: &Referrers,
) -> Result<TransferPlan, Error> {
    let graph = discover(source, referrers, destination.client.concurrency()).await?;
    let missing = Missing::find(&graph, destination, Scope::pull(destination.repository)).await?;
    let held = || graph.blobs.values().filter(|blob| !blob.is_foreign());
    let lacking = || missing.blobs.iter().filter(|blob| !blob.is_foreign());
    Ok(TransferPlan {
        bytes_total: held().map(|blob| blob.size).sum(),
        bytes_missing: lacking().map(|blob| blob.size).sum(),
        blobs_total: held().count() as u64,
        blobs_missing: lacking().count() as u64,
        manifests_missing: missing.manifests.len() as u64,
    })
}
