//! Fills a layout from a registry.

use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::{
    CopyOptions, CopyReport, Place, PullReport, Referrers,
    discover::{Graph, discover},
    select::select,
    source::{Source, check_size},
};
use crate::{Client, Descriptor, Digest, Error, Layout, Progress, RawManifest};

/// Fetches an image with all platforms, referrers and cosign tags into a layout.
///
/// What the layout holds already is not fetched again. Nothing is named in the layout except cosign's tags;
/// the caller names the root with [`Layout::set_ref`].
pub async fn pull(
    client: &Client,
    repository: &str,
    root: &Descriptor,
    layout: &Layout,
    progress: &Progress,
) -> Result<PullReport, Error> {
    let raw = match layout.manifest(&root.digest) {
        Ok(raw) => raw,
        Err(_) => client.manifest(repository, &root.digest.to_string()).await?,
    };
    let raw = check_size(raw, root)?;
    pull_root(Place { client, repository }, &raw, layout, &Referrers::All, progress).await
}

/// Copies an image from a registry into a layout: [`CopyOptions::tag`] becomes its name there, as the last write.
///
/// `root` is a tag or a digest of the source. What the layout holds already is not fetched again.
pub async fn to_layout(
    source: Place<'_>,
    root: &str,
    layout: &Layout,
    options: &CopyOptions,
    progress: &Progress,
) -> Result<CopyReport, Error> {
    let original = source.client.manifest(source.repository, root).await?;
    let source_digest = original.digest.clone();
    let (raw, selection) = select(original, &options.platforms)?;
    let is_there = layout.manifest(&raw.digest).is_ok();
    let pulled = pull_root(source, &raw, layout, &options.referrers, progress).await?;
    layout.name(&raw, options.tag.as_deref())?;
    let report = CopyReport::new(source_digest, raw.digest);
    Ok(CopyReport {
        blobs_sent: pulled.blobs,
        bytes_sent: pulled.bytes,
        blobs_present: pulled.blobs_skipped,
        is_unchanged: is_there && pulled.blobs == 0,
        manifests_written: pulled.manifests,
        referrers: pulled.referrers,
        legacy_tags: pulled.legacy_tags,
        foreign: pulled.foreign,
        selection,
        ..report
    })
}

async fn pull_root(
    place: Place<'_>,
    root: &RawManifest,
    layout: &Layout,
    referrers: &Referrers,
    progress: &Progress,
) -> Result<PullReport, Error> {
    let Place { client, repository } = place;
    let source = Source::remote(place, root, Some(layout)).await?;
    let graph = discover(&source, referrers, client.concurrency()).await?;
    let foreign = absent_foreign(&graph, client, repository).await?;
    let blobs: Vec<_> =
        graph.blobs.values().filter(|blob| !foreign.contains(&blob.digest)).collect();
    progress.add_total(blobs.iter().map(|blob| blob.size).sum());
    let mut report = PullReport {
        manifests: graph.manifests.len() as u64,
        referrers: graph.referrers.len() as u64,
        legacy_tags: graph.legacy.iter().map(|(tag, _)| tag.clone()).collect(),
        foreign,
        ..PullReport::default()
    };
    let mut fetches = stream::iter(blobs)
        .map(|blob| async move {
            let is_there = layout.has_blob(&blob.digest, blob.size);
            Ok::<_, Error>((is_there, client.fetch_blob(repository, blob, layout, progress).await?))
        })
        .buffer_unordered(client.concurrency());
    while let Some((is_there, bytes)) = fetches.try_next().await? {
        report.blobs += u64::from(!is_there);
        report.blobs_skipped += u64::from(is_there);
        report.bytes += bytes;
    }
    list(&graph, layout)?;
    tracing::info!(repository, digest = %root.digest, blobs = report.blobs, bytes = report.bytes, "image pulled");
    Ok(report)
}

/// Lists what nothing in the layout points to, after all of its content is there.
fn list(graph: &Graph, layout: &Layout) -> Result<(), Error> {
    for digest in &graph.referrers {
        if let Some(node) = graph.manifests.get(digest) {
            layout.add_unnamed(&node.descriptor)?;
        }
    }
    for (tag, descriptor) in &graph.legacy {
        layout.set_ref(tag, descriptor)?;
    }
    Ok(())
}

/// Foreign layers that a registry holds all the same are treated like others; this finds those that it does not.
async fn absent_foreign(
    graph: &Graph,
    client: &Client,
    repository: &str,
) -> Result<Vec<Digest>, Error> {
    let mut absent = Vec::new();
    for blob in graph.blobs.values().filter(|blob| blob.is_foreign()) {
        if !client.blob_exists(repository, &blob.digest).await? {
            absent.push(blob.digest.clone());
        }
    }
    Ok(absent)
}
