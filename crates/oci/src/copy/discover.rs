//! Finds everything that belongs to an image: children, blobs, referrers of referrers, cosign's tags.
//!
//! [`discover`] reads manifests only and keeps none of them in memory; what it finds is a [`Graph`].

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::{Referrers, source::Source};
use crate::{Descriptor, Digest, Error, Manifest, client::verify, descriptor::media_type};

/// How deep indexes nest; real ones nest once.
pub(super) const MAX_DEPTH: usize = 8;
/// How many steps of "refers to something that refers to" are followed; real ones are two.
pub(super) const MAX_REFERRER_DEPTH: usize = 8;
/// How many manifests belong to one image at most, referrers included; the largest real ones have some hundreds.
pub(super) const MAX_MANIFESTS: usize = 16_384;
/// How many blobs belong to one image at most.
pub(super) const MAX_BLOBS: usize = 65_536;
/// Suffixes of cosign's tags.
pub(super) const LEGACY_SUFFIXES: [&str; 3] = ["sig", "att", "sbom"];

/// One manifest, without its bytes.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) descriptor: Descriptor,
    pub(super) subject: Option<Digest>,
    pub(super) children: Vec<Digest>,
    pub(super) blobs: Vec<Digest>,
}

/// Everything that belongs to an image.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) manifests: BTreeMap<Digest, Node>,
    /// Children before parents, subjects before what refers to them.
    pub(super) order: Vec<Digest>,
    pub(super) blobs: BTreeMap<Digest, Descriptor>,
    /// Manifests that were found because they refer to another.
    pub(super) referrers: BTreeSet<Digest>,
    /// Cosign's tags and what they stand for.
    pub(super) legacy: Vec<(String, Descriptor)>,
}

/// Finds everything that belongs to the source's root, reading so many manifests at a time.
pub(super) async fn discover(
    source: &Source<'_>,
    referrers: &Referrers,
    concurrency: usize,
) -> Result<Graph, Error> {
    let mut graph = Graph::default();
    walk(&mut graph, source, &source.root().descriptor(), concurrency).await?;
    if !referrers.wants_any() {
        return Ok(graph);
    }
    let image = graph.order.clone();
    find_referrers(&mut graph, source, referrers, concurrency).await?;
    find_legacy_tags(&mut graph, source, (referrers, &image), concurrency).await?;
    Ok(graph)
}

async fn find_referrers(
    graph: &mut Graph,
    source: &Source<'_>,
    wanted: &Referrers,
    concurrency: usize,
) -> Result<(), Error> {
    let mut subjects = graph.order.clone();
    for _ in 0..MAX_REFERRER_DEPTH {
        let lists: Vec<_> =
            stream::iter(&subjects)
                .map(|subject| async move {
                    Ok::<_, Error>((subject, source.referrers(subject).await?))
                })
                .buffered(concurrency)
                .try_collect()
                .await?;
        let before = graph.order.len();
        for (subject, referrer) in
            lists.iter().flat_map(|(subject, list)| list.iter().map(move |one| (subject, one)))
        {
            if is_wanted(graph, source, subject, referrer, wanted).await? {
                walk(graph, source, referrer, concurrency).await?;
                graph.referrers.insert(referrer.digest.clone());
            }
        }
        subjects = graph.order.get(before..).unwrap_or_default().to_vec();
        if subjects.is_empty() {
            return Ok(());
        }
    }
    Err(Error::LimitContent {
        what: "the depth of referrers".to_owned(),
        limit: MAX_REFERRER_DEPTH as u64,
    })
}

/// Returns whether a listed referrer is one, is not there yet, and is of a type that travels.
async fn is_wanted(
    graph: &Graph,
    source: &Source<'_>,
    subject: &Digest,
    referrer: &Descriptor,
    wanted: &Referrers,
) -> Result<bool, Error> {
    let digest = &referrer.digest;
    if graph.manifests.contains_key(digest) {
        return Ok(false);
    }
    let raw = match source.manifest(referrer).await {
        Ok(raw) => raw,
        // Lists that clients keep outlive what they list.
        Err(error)
            if error.is_not_found()
                || matches!(error, Error::FindContent { .. } | Error::Manifest(_)) =>
        {
            tracing::warn!(%subject, referrer = %digest, %error, "listed referrer cannot be read, left out");
            return Ok(false);
        }
        Err(error) => return Err(error),
    };
    if Manifest::parse(&raw)?.subject.is_none_or(|found| found.digest != *subject) {
        tracing::warn!(%subject, referrer = %digest, "listed referrer refers to something else, left out");
        return Ok(false);
    }
    // The manifest decides: lists of registries do not always have the type.
    Ok(wanted.wants(raw.referrer_descriptor()?.artifact_type.as_deref()))
}

async fn find_legacy_tags(
    graph: &mut Graph,
    source: &Source<'_>,
    (wanted, image): (&Referrers, &[Digest]),
    concurrency: usize,
) -> Result<(), Error> {
    let tags = image.iter().flat_map(|digest| {
        let suffixes = LEGACY_SUFFIXES.into_iter().filter(|suffix| wanted.wants(Some(suffix)));
        suffixes.map(move |suffix| (digest, digest.legacy_tag(suffix)))
    });
    let found: Vec<_> = stream::iter(tags)
        .map(|(subject, tag)| async move {
            Ok::<_, Error>((source.legacy_tag(subject, &tag).await?, tag))
        })
        .buffered(concurrency)
        .try_collect()
        .await?;
    for (descriptor, tag) in found {
        if let Some(descriptor) = descriptor {
            walk(graph, source, &descriptor, concurrency).await?;
            graph.legacy.push((tag, descriptor));
        }
    }
    Ok(())
}

/// Adds a manifest with all its children and blobs.
async fn walk(
    graph: &mut Graph,
    source: &Source<'_>,
    root: &Descriptor,
    concurrency: usize,
) -> Result<(), Error> {
    let mut level = vec![root.clone()];
    for _ in 0..MAX_DEPTH {
        level.retain(|descriptor| !graph.manifests.contains_key(&descriptor.digest));
        if level.is_empty() {
            add_in_order(graph, &root.digest);
            return Ok(());
        }
        // The bytes are dropped in here, so that only as many manifests are in memory as are read at a time.
        let found: Vec<_> = stream::iter(std::mem::take(&mut level))
            .map(|descriptor| async move { read_node(source, &descriptor).await })
            .buffered(concurrency)
            .try_collect()
            .await?;
        for (node, children, blobs) in found {
            graph.manifests.insert(node.descriptor.digest.clone(), node);
            level.extend(children);
            for blob in blobs {
                graph.add_blob(blob)?;
            }
        }
        limit("the number of manifests", graph.manifests.len() + level.len(), MAX_MANIFESTS)?;
        level.sort_by(|one, other| one.digest.cmp(&other.digest));
        level.dedup_by(|one, other| one.digest == other.digest);
    }
    Err(Error::LimitContent {
        what: format!("the depth of index {}", root.digest),
        limit: MAX_DEPTH as u64,
    })
}

async fn read_node(
    source: &Source<'_>,
    descriptor: &Descriptor,
) -> Result<(Node, Vec<Descriptor>, Vec<Descriptor>), Error> {
    let raw = source.manifest(descriptor).await?;
    verify("the manifest", &descriptor.digest, &raw.digest)?;
    let manifest = Manifest::parse(&raw)?;
    let own: Vec<_> = manifest.blobs().cloned().collect();
    let (children, others): (Vec<_>, Vec<_>) = manifest.children.into_iter().partition(is_manifest);
    let blobs: Vec<_> = own.into_iter().chain(others).collect();
    let node = Node {
        descriptor: raw.descriptor(),
        subject: manifest.subject.map(|subject| subject.digest),
        children: children.iter().map(|child| child.digest.clone()).collect(),
        blobs: blobs.iter().map(|blob| blob.digest.clone()).collect(),
    };
    Ok((node, children, blobs))
}

/// Children first; the depth is bounded by [`walk`], and digests cannot form a circle.
fn add_in_order(graph: &mut Graph, digest: &Digest) {
    let mut stack = vec![(digest.clone(), false)];
    let mut ordered: BTreeSet<Digest> = graph.order.iter().cloned().collect();
    while let Some((digest, has_children_done)) = stack.pop() {
        if ordered.contains(&digest) {
            continue;
        }
        if has_children_done {
            ordered.insert(digest.clone());
            graph.order.push(digest);
            continue;
        }
        let children =
            graph.manifests.get(&digest).map(|node| node.children.clone()).unwrap_or_default();
        stack.push((digest, true));
        stack.extend(children.into_iter().rev().map(|child| (child, false)));
    }
}

/// Schema 1 is refused when it is read; other unknown types are content like any other.
pub(super) fn is_manifest(child: &Descriptor) -> bool {
    media_type::is_manifest(&child.media_type) || media_type::is_schema1(&child.media_type)
}

pub(super) fn limit(what: &str, count: usize, limit: usize) -> Result<(), Error> {
    if count <= limit {
        Ok(())
    } else {
        Err(Error::LimitContent { what: what.to_owned(), limit: limit as u64 })
    }
}

impl Graph {
    fn add_blob(&mut self, blob: Descriptor) -> Result<(), Error> {
        if let Some(known) = self.blobs.get_mut(&blob.digest) {
            if known.size != blob.size {
                return Err(Error::VerifyContent {
                    what: format!("one of two descriptors of blob {}", blob.digest),
                    expected: format!("{} bytes", known.size),
                    actual: format!("{} bytes", blob.size),
                });
            }
            // A layer that somebody lists as an ordinary one is to be had here.
            if known.is_foreign() && !blob.is_foreign() {
                *known = blob;
            }
            return Ok(());
        }
        self.blobs.insert(blob.digest.clone(), blob);
        limit("the number of blobs", self.blobs.len(), MAX_BLOBS)
    }

    pub(super) fn blobs_of<'a>(&'a self, node: &'a Node) -> impl Iterator<Item = &'a Descriptor> {
        node.blobs.iter().filter_map(|digest| self.blobs.get(digest))
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.order.iter().filter_map(|digest| self.manifests.get(digest))
    }
}
