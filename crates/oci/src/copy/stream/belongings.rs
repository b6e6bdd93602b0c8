//! What belongs to a manifest without being named by it: referrers, and cosign's tags.

use std::{collections::BTreeSet, sync::Arc};

use tokio::sync::OnceCell;

use super::run::{Run, Step, all};
use crate::{
    Descriptor, Digest, Error, Manifest,
    auth::Scope,
    copy::{Place, TagConflict, blob_map::Tags, discover, push::covers},
};

#[derive(Debug, Default)]
pub(super) struct Belongings {
    referrers: Vec<Descriptor>,
    legacy: Vec<(String, Descriptor)>,
}

impl Belongings {
    pub(super) fn is_empty(&self) -> bool {
        self.referrers.is_empty() && self.legacy.is_empty()
    }
}

impl Run<'_> {
    /// Asks the source what belongs to a manifest.
    ///
    /// For the image itself every name is asked for where the list of tags may hide signatures; elsewhere, and for its
    /// children, the list decides.
    pub(super) async fn find_belongings(
        &self,
        subject: &Digest,
        step: Step,
    ) -> Result<Belongings, Error> {
        let chosen = &self.options.referrers;
        if !chosen.wants_any() {
            return Ok(Belongings::default());
        }
        let Place { client, repository } = self.source;
        let scope = Scope::pull(repository);
        let mut referrers = {
            let _others_wait = client.referrers_contact(repository).await;
            let _permit = client.inner.reads.permit().await;
            client.listed_referrers(&scope, subject).await?
        };
        let is_root = step.depth == 0 && step.referrers == 0;
        let hides = is_root && client.has_referrers_api(repository) != Some(false);
        let cell = if hides { None } else { Some(self.tags().await?) };
        let tags = cell.as_ref().and_then(|cell| cell.get()?.as_ref());
        // A list without the very tag that is copied is not the whole truth.
        let tags = tags.filter(|tags| {
            !is_root || self.source_tag.as_ref().is_none_or(|tag| tags.contains(tag))
        });
        let legacy = async {
            let mut found = Vec::new();
            if step.referrers > 0 {
                return Ok(found);
            }
            let suffixes = discover::LEGACY_SUFFIXES.into_iter();
            let names = suffixes
                .filter(|suffix| chosen.wants(Some(suffix)))
                .map(|suffix| subject.legacy_tag(suffix));
            let wanted = |name: &String| tags.is_none_or(|tags| tags.contains(name));
            let asked = names.filter(wanted).map(|name| async {
                Ok::<_, Error>((super::resolve(self.source, scope.clone(), &name).await?, name))
            });
            for (descriptor, name) in futures::future::try_join_all(asked).await? {
                found.extend(descriptor.map(|descriptor| (name, descriptor)));
            }
            Ok(found)
        };
        let has_fallback = tags.map(|tags| tags.contains(&subject.referrers_tag()));
        let fallback = async {
            // Some registries answer the API without keeping a list, and lists older than the API are in the tag.
            if has_fallback.unwrap_or(referrers.is_empty()) {
                let _permit = client.inner.reads.permit().await;
                client.fallback_referrers(scope.clone(), subject).await
            } else {
                Ok(Vec::new())
            }
        };
        let (fallback, legacy) = tokio::try_join!(fallback, legacy)?;
        for descriptor in fallback {
            referrers.entry(descriptor.digest.clone()).or_insert(descriptor);
        }
        Ok(Belongings { referrers: referrers.into_values().collect(), legacy })
    }

    /// Returns the source's tags, read once for all copies from the repository.
    async fn tags(&self) -> Result<Arc<OnceCell<Tags>>, Error> {
        let read = || async {
            let Place { client, repository } = self.source;
            let _permit = client.inner.reads.permit().await;
            match client.tags_of_one_page(repository).await {
                Ok(tags) => Ok(tags.map(|tags| tags.into_iter().collect())),
                Err(error) if error.is_retryable() => Err(error),
                Err(error) => {
                    tracing::debug!(%error, "tags cannot be listed, asking for each");
                    Ok(None)
                }
            }
        };
        self.tags.get_or_try_init(read).await?;
        Ok(Arc::clone(&self.tags))
    }

    /// Copies what belongs to a manifest that is at the destination now.
    pub(super) async fn write_belongings(
        &self,
        subject: &Digest,
        found: Belongings,
        step: Step,
    ) -> Result<(), Error> {
        if found.is_empty() {
            return Ok(());
        }
        if step.referrers >= discover::MAX_REFERRER_DEPTH {
            return Err(Error::LimitContent {
                what: "the depth of referrers".to_owned(),
                limit: discover::MAX_REFERRER_DEPTH as u64,
            });
        }
        let listed = if self.is_update && !found.referrers.is_empty() {
            let scope = Scope::push(self.destination.repository);
            let listed = list(self.destination, scope, subject, None).await?;
            listed.into_iter().map(|entry| entry.digest).collect()
        } else {
            BTreeSet::new()
        };
        let step = Step { depth: 0, referrers: step.referrers + 1 };
        let copies =
            found.referrers.iter().map(|one| self.copy_referrer(subject, one, &listed, step));
        all(copies).await?;
        all(found.legacy.iter().map(|(tag, one)| self.copy_legacy(tag, one, step))).await
    }

    async fn copy_referrer(
        &self,
        subject: &Digest,
        referrer: &Descriptor,
        listed: &BTreeSet<Digest>,
        step: Step,
    ) -> Result<(), Error> {
        let cell = self.manifest_cell(&referrer.digest)?;
        let is_listed = listed.contains(&referrer.digest);
        let copy = || self.copy_new_referrer(subject, referrer, is_listed, step);
        cell.get_or_try_init(copy).await.copied()
    }

    async fn copy_new_referrer(
        &self,
        subject: &Digest,
        referrer: &Descriptor,
        is_listed: bool,
        step: Step,
    ) -> Result<(), Error> {
        let digest = &referrer.digest;
        let raw = match self.read(referrer).await {
            Ok(raw) => raw,
            // Lists that clients keep outlive what they list.
            Err(error) if error.is_not_found() || matches!(error, Error::Manifest(_)) => {
                tracing::warn!(%subject, referrer = %digest, %error, "listed referrer cannot be read, left out");
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let manifest = Manifest::parse(&raw)?;
        if manifest.subject.as_ref().is_none_or(|found| found.digest != *subject) {
            tracing::warn!(%subject, referrer = %digest, "listed referrer refers to something else, left out");
            return Ok(());
        }
        // The manifest decides: lists of registries do not always have the type.
        let artifact_type = raw.referrer_descriptor()?.artifact_type;
        if !self.options.referrers.wants(artifact_type.as_deref()) {
            return Ok(());
        }
        self.count(|report| report.referrers += 1);
        let content = self.copy_content(&manifest, step, is_listed);
        let ((), found) = tokio::try_join!(content, self.find_belongings(digest, step))?;
        if is_listed {
            self.count(|report| report.manifests_present += 1);
        } else {
            self.put(&raw, &manifest, &digest.to_string()).await?;
        }
        Box::pin(self.write_belongings(digest, found, step)).await
    }

    /// Copies one of cosign's tags; one that the destination has with other content is left alone.
    async fn copy_legacy(&self, tag: &str, source: &Descriptor, step: Step) -> Result<(), Error> {
        let scope = Scope::push(self.destination.repository);
        let there = super::resolve(self.destination, scope, tag).await?;
        if there.as_ref().is_some_and(|there| there.digest == source.digest) {
            self.count(|report| {
                report.manifests_present += 1;
                report.legacy_tags.push(tag.to_owned());
            });
            return Ok(());
        }
        let raw = self.read(source).await?;
        let manifest = Manifest::parse(&raw)?;
        let Some(destination) = there else {
            self.copy_content(&manifest, step, false).await?;
            self.put(&raw, &manifest, tag).await?;
            self.count(|report| report.legacy_tags.push(tag.to_owned()));
            return Ok(());
        };
        if !self.is_at_destination(&source.digest).await? {
            self.copy_content(&manifest, step, false).await?;
            self.put(&raw, &manifest, &source.digest.to_string()).await?;
        }
        let layers: Vec<_> = manifest.layers.iter().map(|layer| layer.digest.clone()).collect();
        let Place { client, repository } = self.destination;
        if covers(client, repository, &destination, &layers).await? {
            self.count(|report| report.legacy_tags.push(tag.to_owned()));
        } else {
            let conflict = TagConflict { tag: tag.to_owned(), source: source.clone(), destination };
            self.count(|report| report.conflicts.push(conflict));
        }
        Ok(())
    }
}

async fn list(
    place: Place<'_>,
    scope: Scope,
    subject: &Digest,
    has_fallback: Option<bool>,
) -> Result<Vec<Descriptor>, Error> {
    let _permit = place.client.inner.reads.permit().await;
    place.client.referrers_as(scope, subject, has_fallback).await
}
