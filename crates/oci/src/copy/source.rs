//! Where an image is read from: a registry or a layout.

use std::collections::{BTreeMap, BTreeSet};

use super::Place;
use crate::{Descriptor, Digest, Error, Layout, RawManifest, auth::Scope};

/// Where an image is read from.
pub(super) enum Source<'a> {
    /// A registry; manifests are stored in the layout when there is one.
    Remote {
        place: Place<'a>,
        /// What is copied, which a selection of platforms may have made anew; its tags are asked for whatever the list says,
        /// for registries that hide signatures from it.
        root: &'a RawManifest,
        store: Option<&'a Layout>,
        /// All tags, when one page has them.
        tags: Option<BTreeSet<String>>,
    },
    /// A layout, with its referrers by subject and its named manifests.
    Layout {
        layout: &'a Layout,
        root: &'a RawManifest,
        referrers: BTreeMap<Digest, Vec<Descriptor>>,
        refs: BTreeMap<String, Descriptor>,
    },
}

impl<'a> Source<'a> {
    pub(super) async fn remote(
        place: Place<'a>,
        root: &'a RawManifest,
        store: Option<&'a Layout>,
    ) -> Result<Self, Error> {
        // One list saves three requests per manifest, unless the repository has very many tags or no list for us.
        let tags = match place.client.tags_of_one_page(place.repository).await {
            Ok(tags) => tags.map(|tags| tags.into_iter().collect()),
            Err(error) if error.is_retryable() => return Err(error),
            Err(error) => {
                tracing::debug!(%error, "tags cannot be listed, asking for each");
                None
            }
        };
        Ok(Self::Remote { place, root, store, tags })
    }

    pub(super) fn layout(layout: &'a Layout, root: &'a RawManifest) -> Result<Self, Error> {
        Ok(Self::Layout { layout, root, referrers: layout.all_referrers()?, refs: layout.refs()? })
    }

    pub(super) fn root(&self) -> &'a RawManifest {
        match self {
            Self::Layout { root, .. } | Self::Remote { root, .. } => root,
        }
    }

    pub(super) async fn manifest(&self, descriptor: &Descriptor) -> Result<RawManifest, Error> {
        if descriptor.digest == self.root().digest {
            if let Self::Remote { store: Some(store), root, .. } = self {
                store.put_manifest(root)?;
            }
            return check_size(self.root().clone(), descriptor);
        }
        let raw = match self {
            Self::Layout { layout, .. } => layout.manifest(&descriptor.digest)?,
            Self::Remote { place, store, .. } => {
                if let Some(raw) = store.and_then(|store| store.manifest(&descriptor.digest).ok()) {
                    return check_size(raw, descriptor);
                }
                let raw =
                    place.client.manifest(place.repository, &descriptor.digest.to_string()).await?;
                if let Some(store) = store {
                    store.put_manifest(&raw)?;
                }
                raw
            }
        };
        check_size(raw, descriptor)
    }

    pub(super) async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        match self {
            Self::Layout { referrers, .. } => {
                Ok(referrers.get(subject).cloned().unwrap_or_default())
            }
            Self::Remote { place, root, tags, .. } => {
                let tags = tags.as_ref().filter(|_| *subject != root.digest);
                let has_fallback = tags.map(|tags| tags.contains(&subject.referrers_tag()));
                place
                    .client
                    .referrers_as(Scope::pull(place.repository), subject, has_fallback)
                    .await
            }
        }
    }

    /// Returns what one of cosign's tags of `subject` stands for.
    pub(super) async fn legacy_tag(
        &self,
        subject: &Digest,
        tag: &str,
    ) -> Result<Option<Descriptor>, Error> {
        match self {
            Self::Layout { refs, .. } => Ok(refs.get(tag).cloned()),
            Self::Remote { tags: Some(tags), root, .. }
                if *subject != root.digest && !tags.contains(tag) =>
            {
                Ok(None)
            }
            Self::Remote { place, .. } => place.client.resolve(place.repository, tag).await,
        }
    }
}

/// A root whose size is not known says 0; everything else is held to its size.
pub(super) fn check_size(raw: RawManifest, descriptor: &Descriptor) -> Result<RawManifest, Error> {
    let actual = raw.bytes.len() as u64;
    if descriptor.size != 0 && descriptor.size != actual {
        return Err(Error::VerifyContent {
            what: format!("manifest {}", descriptor.digest),
            expected: format!("{} bytes", descriptor.size),
            actual: format!("{actual} bytes"),
        });
    }
    Ok(raw)
}
