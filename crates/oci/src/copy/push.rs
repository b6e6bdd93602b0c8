//! Empties a layout into a registry: blobs, then manifests children first, then cosign's tags.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::{
    CopyOptions, CopyReport, Place, PushReport, Referrers, TagConflict,
    discover::{Graph, Node, discover},
    missing::Missing,
    select::select,
    source::Source,
};
use crate::{
    Client, Descriptor, Digest, Error, Layout, Manifest, Progress, PushOptions, RawManifest,
    auth::Scope,
};

/// Writes an image of a layout with everything that belongs to it into a repository, by digest.
///
/// The image's own tag is not written. A cosign tag that the destination has with other content is reported in
/// [`PushReport::conflicts`] and left as it is.
///
/// # Errors
/// [`Error::FindContent`] before anything is written, when the layout lacks a blob that the destination needs.
pub async fn push(
    layout: &Layout,
    root: &Digest,
    client: &Client,
    repository: &str,
    progress: &Progress,
) -> Result<PushReport, Error> {
    let root = layout.manifest(root)?;
    push_root(layout, &root, Place { client, repository }, &Referrers::All, progress).await
}

/// Copies an image of a layout into a repository; [`CopyOptions::tag`] is the last write.
pub async fn from_layout(
    layout: &Layout,
    root: &Digest,
    destination: Place<'_>,
    options: &CopyOptions,
    progress: &Progress,
) -> Result<CopyReport, Error> {
    let (raw, selection) = select(layout.manifest(root)?, &options.platforms)?;
    let Place { client, repository } = destination;
    let mut report = CopyReport::new(root.clone(), raw.digest.clone());
    report.selection = selection;
    if let Some(tag) = options.tag.as_deref().filter(|_| !options.recheck) {
        let there = client.resolve_as(Scope::push(repository), tag).await?;
        if there.is_some_and(|there| there.digest == raw.digest) {
            return Ok(CopyReport { is_unchanged: true, manifests_present: 1, ..report });
        }
    }
    let pushed = push_root(layout, &raw, destination, &options.referrers, progress).await?;
    let mut manifests_written = pushed.manifests_pushed;
    if let Some(tag) = &options.tag {
        client.push_manifest(repository, tag, &raw).await?;
        manifests_written += 1;
    }
    Ok(CopyReport {
        blobs_sent: pushed.blobs_pushed,
        bytes_sent: pushed.bytes_pushed,
        blobs_present: pushed.blobs_skipped,
        manifests_written,
        manifests_present: pushed.manifests_skipped,
        referrers: pushed.referrers_pushed,
        legacy_tags: pushed.legacy_tags,
        conflicts: pushed.conflicts,
        foreign: pushed.foreign,
        ..report
    })
}

async fn push_root(
    layout: &Layout,
    root: &RawManifest,
    destination: Place<'_>,
    referrers: &Referrers,
    progress: &Progress,
) -> Result<PushReport, Error> {
    let Place { client, repository } = destination;
    let graph = discover(&Source::layout(layout, root)?, referrers, client.concurrency()).await?;
    let missing = Missing::find(&graph, destination, Scope::push(repository)).await?;
    let mut push = Push {
        layout,
        root,
        graph,
        destination,
        progress,
        report: PushReport::default(),
        lists: BTreeMap::new(),
    };
    push.write_blobs(&missing).await?;
    push.write_manifests(&missing.manifests).await?;
    push.write_legacy_tags(&missing.manifests).await?;
    let report = push.report;
    tracing::info!(
        repository,
        digest = %root.digest,
        blobs = report.blobs_pushed,
        bytes = report.bytes_pushed,
        manifests = report.manifests_pushed,
        "image pushed"
    );
    Ok(report)
}

struct Push<'a> {
    layout: &'a Layout,
    /// What is pushed; after a selection of platforms the layout does not hold it.
    root: &'a RawManifest,
    graph: Graph,
    destination: Place<'a>,
    progress: &'a Progress,
    report: PushReport,
    /// What the destination lists as referrers, by subject; asked at most once for each.
    lists: BTreeMap<Digest, BTreeSet<Digest>>,
}

impl Push<'_> {
    async fn write_blobs(&mut self, missing: &Missing) -> Result<(), Error> {
        self.report.blobs_skipped = missing.blobs_present;
        let is_held = |blob: &&Descriptor| self.layout.has_blob(&blob.digest, blob.size);
        let (held, absent): (Vec<_>, Vec<_>) = missing.blobs.iter().partition(is_held);
        for blob in absent {
            if !blob.is_foreign() {
                let path = self.layout.dir().to_owned();
                return Err(Error::FindContent { path, digest: blob.digest.clone() });
            }
            self.report.foreign.push(blob.digest.clone());
        }
        self.progress.add_total(held.iter().map(|blob| blob.size).sum());
        let this = &*self;
        let sent: Vec<u64> = stream::iter(held)
            .map(|blob| this.write_blob(blob))
            .buffer_unordered(self.destination.client.concurrency())
            .try_collect()
            .await?;
        self.report.blobs_pushed += sent.len() as u64;
        self.report.bytes_pushed += sent.iter().sum::<u64>();
        Ok(())
    }

    async fn write_blob(&self, blob: &Descriptor) -> Result<u64, Error> {
        let Place { client, repository } = self.destination;
        let options = PushOptions { mount_from: None, progress: self.progress.clone() };
        client.push_blob_with(repository, blob, self.layout.blob_path(&blob.digest), &options).await
    }

    async fn write_manifests(&mut self, missing: &BTreeSet<Digest>) -> Result<(), Error> {
        let legacy: BTreeSet<_> =
            self.graph.legacy.iter().map(|(_, descriptor)| descriptor.digest.clone()).collect();
        let nodes: Vec<Node> = self.graph.nodes().cloned().collect();
        for node in nodes {
            let digest = &node.descriptor.digest;
            // Those are written by their tag, which makes one request of two.
            if legacy.contains(digest) {
                continue;
            }
            let is_there = !missing.contains(digest);
            if is_there && self.is_listed(&node).await? {
                self.report.manifests_skipped += 1;
                continue;
            }
            self.write_manifest(&node, &digest.to_string()).await?;
            self.report.referrers_pushed += u64::from(self.graph.referrers.contains(digest));
        }
        Ok(())
    }

    /// Returns whether the destination lists a referrer that it holds; a manifest without a subject needs no list.
    async fn is_listed(&mut self, node: &Node) -> Result<bool, Error> {
        let Some(subject) = &node.subject else { return Ok(true) };
        if !self.lists.contains_key(subject) {
            let Place { client, repository } = self.destination;
            let list = client.referrers_as(Scope::push(repository), subject, None).await?;
            self.lists
                .insert(subject.clone(), list.into_iter().map(|entry| entry.digest).collect());
        }
        Ok(self.lists.get(subject).is_some_and(|list| list.contains(&node.descriptor.digest)))
    }

    async fn write_manifest(&mut self, node: &Node, tag_or_digest: &str) -> Result<(), Error> {
        match self.put(node, tag_or_digest).await {
            Err(error) if is_blob_unknown(&error) => {
                // It said that it has a blob and then had not: send all of this manifest's blobs, once.
                tracing::warn!(%error, "the destination lost a blob, sending again");
                let blobs: BTreeMap<_, _> = self
                    .graph
                    .blobs_of(node)
                    .map(|blob| (blob.digest.clone(), blob.clone()))
                    .collect();
                for blob in
                    blobs.values().filter(|blob| self.layout.has_blob(&blob.digest, blob.size))
                {
                    self.progress.add_total(blob.size);
                    self.report.bytes_pushed += self.write_blob(blob).await?;
                    self.report.blobs_pushed += 1;
                }
                self.put(node, tag_or_digest).await?;
            }
            other => other?,
        }
        self.report.manifests_pushed += 1;
        Ok(())
    }

    async fn put(&self, node: &Node, tag_or_digest: &str) -> Result<(), Error> {
        let Place { client, repository } = self.destination;
        let raw = if node.descriptor.digest == self.root.digest {
            self.root.clone()
        } else {
            self.layout.manifest(&node.descriptor.digest)?
        };
        if node.subject.is_some() {
            client.push_referrer(repository, &raw).await?;
        }
        if node.subject.is_none() || tag_or_digest != raw.digest.to_string() {
            client.push_manifest(repository, tag_or_digest, &raw).await?;
        }
        Ok(())
    }

    async fn write_legacy_tags(&mut self, missing: &BTreeSet<Digest>) -> Result<(), Error> {
        let Place { client, repository } = self.destination;
        for (tag, source) in self.graph.legacy.clone() {
            let Some(node) = self.graph.manifests.get(&source.digest).cloned() else { continue };
            match client.resolve_as(Scope::push(repository), &tag).await? {
                None => {
                    self.write_manifest(&node, &tag).await?;
                    self.report.legacy_tags.push(tag);
                }
                Some(found) if found.digest == source.digest => self.report.manifests_skipped += 1,
                Some(destination) => {
                    if missing.contains(&source.digest) {
                        self.write_manifest(&node, &source.digest.to_string()).await?;
                    }
                    // The first blob is the config, which every merge writes anew.
                    let layers = node.blobs.get(1..).unwrap_or_default();
                    if !covers(client, repository, &destination, layers).await? {
                        self.report.conflicts.push(TagConflict { tag, source, destination });
                    }
                }
            }
        }
        Ok(())
    }
}

/// Returns whether what the destination has under a tag contains all these layers of the source's manifest.
pub(super) async fn covers(
    client: &Client,
    repository: &str,
    found: &Descriptor,
    layers: &[Digest],
) -> Result<bool, Error> {
    let raw = client.manifest_as(Scope::push(repository), &found.digest.to_string()).await?;
    let Ok(manifest) = Manifest::parse(&raw) else { return Ok(false) };
    let theirs: BTreeSet<_> = manifest.layers.iter().map(|layer| &layer.digest).collect();
    Ok(layers.iter().all(|layer| theirs.contains(layer)))
}

fn is_blob_unknown(error: &Error) -> bool {
    matches!(error.code(), Some("MANIFEST_BLOB_UNKNOWN" | "BLOB_UNKNOWN"))
}
