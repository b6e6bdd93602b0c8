//! Finds what a destination lacks; reads only.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::{Place, discover::Graph};
use crate::{Descriptor, Digest, Error, auth::Scope};

/// What a destination lacks of a graph.
#[derive(Debug, Default)]
pub(super) struct Missing {
    pub(super) manifests: BTreeSet<Digest>,
    pub(super) blobs: Vec<Descriptor>,
    /// Blobs that were looked for and found.
    pub(super) blobs_present: u64,
}

impl Missing {
    /// Asks for every manifest, and for the blobs of those that are missing.
    ///
    /// A registry takes an image manifest only when it has its blobs, so the blobs of those present need no request.
    /// Of an index it may not have the children, so these are asked for in any case.
    pub(super) async fn find(
        graph: &Graph,
        destination: Place<'_>,
        scope: Scope,
    ) -> Result<Self, Error> {
        let Place { client, repository: _ } = destination;
        let scope = &scope;
        let manifests: BTreeSet<Digest> = stream::iter(&graph.order)
            .map(|digest| async move {
                let found = client.resolve_as(scope.clone(), &digest.to_string()).await?;
                Ok::<_, Error>(found.is_none().then(|| digest.clone()))
            })
            .buffered(client.concurrency())
            .try_filter_map(|found| async { Ok(found) })
            .try_collect()
            .await?;
        let needed: BTreeMap<&Digest, &Descriptor> = graph
            .nodes()
            .filter(|node| manifests.contains(&node.descriptor.digest))
            .flat_map(|node| graph.blobs_of(node))
            .map(|blob| (&blob.digest, blob))
            .collect();
        let wanted = needed.len() as u64;
        let blobs: Vec<Descriptor> = stream::iter(needed.into_values())
            .map(|blob| async move {
                let is_there = client.blob_exists_as(scope.clone(), &blob.digest).await?;
                Ok::<_, Error>((!is_there).then(|| blob.clone()))
            })
            .buffered(client.concurrency())
            .try_filter_map(|found| async { Ok(found) })
            .try_collect()
            .await?;
        let blobs_present = wanted - blobs.len() as u64;
        Ok(Self { manifests, blobs, blobs_present })
    }
}
