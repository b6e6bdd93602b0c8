//! What refers to a manifest: signatures, attestations, SBOMs.
//!
//! Registries list them by an API of their own, or, where they have none, clients keep the list themselves
//! under a fallback tag `sha256-<hex>` (OCI distribution 1.1, "referrers tag schema").

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
};

use reqwest::header::ETAG;
use serde_json::{Value, json};
use tokio::sync::OwnedMutexGuard;

use crate::{
    Client, Descriptor, Digest, Error, Kind, Manifest, RawManifest, auth::Scope,
    descriptor::media_type, request::text_header,
};

/// How many referrers of one manifest are read, so that a hostile list ends.
const MAX_REFERRERS: usize = 4096;
/// How often a fallback tag is merged again after somebody else changed it meanwhile.
const MAX_MERGES: usize = 5;

impl Client {
    /// Returns what refers to `subject`: from the referrers API, and from the fallback tag where that gives nothing.
    ///
    /// The descriptors are as the registry wrote them: their artifact type may be wrong, the manifest decides.
    pub async fn referrers(
        &self,
        repository: &str,
        subject: &Digest,
    ) -> Result<Vec<Descriptor>, Error> {
        self.referrers_as(Scope::pull(repository), subject, None).await
    }

    /// As [`Self::referrers`]; `has_fallback` says whether the fallback tag exists, when the caller knows it.
    pub(crate) async fn referrers_as(
        &self,
        scope: Scope,
        subject: &Digest,
        has_fallback: Option<bool>,
    ) -> Result<Vec<Descriptor>, Error> {
        let mut found = self.listed_referrers(&scope, subject).await?;
        // Some registries answer the API without keeping a list, and lists older than the API are in the tag.
        if has_fallback == Some(true) || (has_fallback.is_none() && found.is_empty()) {
            for descriptor in self.fallback_referrers(scope, subject).await? {
                found.entry(descriptor.digest.clone()).or_insert(descriptor);
            }
        }
        Ok(found.into_values().collect())
    }

    /// Asks the API; a registry without one gives an empty list.
    pub(crate) async fn listed_referrers(
        &self,
        scope: &Scope,
        subject: &Digest,
    ) -> Result<BTreeMap<Digest, Descriptor>, Error> {
        if self.has_referrers_api(&scope.repository) == Some(false) {
            return Ok(BTreeMap::new());
        }
        let mut found = BTreeMap::new();
        let mut is_index = true;
        let asked = self.read_referrer_pages(scope.clone(), subject, |page, request| {
            // Pages for people, and APIs of something else, come with status 200 too.
            let Some(entries) = parse_entries(page) else {
                is_index = false;
                return Ok(());
            };
            found.extend(entries.into_iter().map(|entry| (entry.digest.clone(), entry)));
            if found.len() > MAX_REFERRERS {
                return Err(request
                    .read_answer_error(format!("the list has more than {MAX_REFERRERS} entries")));
            }
            Ok(())
        });
        let asked = asked.await;
        match asked {
            Ok(()) => {
                self.remember_referrers_api(&scope.repository, is_index);
                Ok(found)
            }
            // Registries without the API answer all of these, and the manifest itself could be read.
            Err(error)
                if matches!(error.status(), Some(400 | 401 | 403 | 404 | 405 | 406 | 501)) =>
            {
                tracing::debug!(%error, "no referrers API, using the fallback tag");
                self.remember_referrers_api(&scope.repository, false);
                Ok(BTreeMap::new())
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn fallback_referrers(
        &self,
        scope: Scope,
        subject: &Digest,
    ) -> Result<Vec<Descriptor>, Error> {
        match self.manifest_as(scope, &subject.referrers_tag()).await {
            // One registry resolves this tag to the subject itself.
            Ok(raw) if raw.digest == *subject => Ok(Vec::new()),
            Ok(raw) => {
                let manifest = Manifest::parse(&raw)?;
                Ok(if manifest.kind == Kind::Index { manifest.children } else { Vec::new() })
            }
            Err(error) if error.is_not_found() || matches!(error, Error::Manifest(_)) => {
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }

    /// Writes a manifest that has a subject, and lists it under the fallback tag when the registry does not do so itself.
    ///
    /// A list that is there is extended, never replaced.
    pub async fn push_referrer(
        &self,
        repository: &str,
        manifest: &RawManifest,
    ) -> Result<(), Error> {
        let is_listed =
            self.push_manifest(repository, &manifest.digest.to_string(), manifest).await?;
        let Some(subject) = Manifest::parse(manifest)?.subject.filter(|_| !is_listed) else {
            return Ok(());
        };
        let entry = manifest.referrer_descriptor()?;
        let _one_writer = self.inner.referrers_lock.lock().await;
        for _ in 0..MAX_MERGES {
            match self.merge_fallback(repository, &subject.digest, &entry).await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error) if error.status() == Some(412) => {}
                Err(error) => return Err(error),
            }
        }
        Err(self.merge_error(repository, &subject.digest))
    }

    /// Reads the list, adds the entry and writes it; returns whether the entry was there on reading.
    async fn merge_fallback(
        &self,
        repository: &str,
        subject: &Digest,
        entry: &Descriptor,
    ) -> Result<bool, Error> {
        let tag = subject.referrers_tag();
        let (mut index, entity_tag) =
            match self.manifest_with_headers(Scope::push(repository), &tag).await {
                Ok((raw, _)) if raw.digest == *subject => (empty_index(), None),
                Ok((raw, headers)) => {
                    // Kept as a JSON value, so that fields we do not know survive.
                    let index: Value = serde_json::from_slice(&raw.bytes).unwrap_or_default();
                    if !media_type::is_index(&raw.media_type)
                        || !index.get("manifests").is_some_and(Value::is_array)
                    {
                        return Err(self.merge_error(repository, subject));
                    }
                    (index, text_header(&headers, &ETAG).map(str::to_owned))
                }
                Err(error) if error.is_not_found() => (empty_index(), None),
                Err(Error::Manifest(_)) => return Err(self.merge_error(repository, subject)),
                Err(error) => return Err(error),
            };
        let digest = entry.digest.to_string();
        let Some(entries) = index.get_mut("manifests").and_then(Value::as_array_mut) else {
            return Err(self.merge_error(repository, subject));
        };
        if entries.iter().any(|found| found.get("digest").and_then(Value::as_str) == Some(&digest))
        {
            return Ok(true);
        }
        entries.push(json!(entry));
        let raw = RawManifest::new(media_type::OCI_INDEX, index.to_string());
        self.put_manifest(repository, &tag, &raw, entity_tag.as_deref()).await?;
        // Whoever wrote at the same time may have lost our entry: the next round reads it again.
        Ok(false)
    }

    fn merge_error(&self, repository: &str, subject: &Digest) -> Error {
        let registry = self.remote().host.clone();
        Error::MergeReferrers {
            registry,
            repository: repository.to_owned(),
            tag: subject.referrers_tag(),
        }
    }

    /// Waits until it is known whether a repository's registry has a referrers API; whoever gets the guard asks first.
    pub(crate) async fn referrers_contact(&self, repository: &str) -> Option<OwnedMutexGuard<()>> {
        if self.has_referrers_api(repository).is_some() {
            return None;
        }
        let lock = {
            let mut locks =
                self.inner.referrers_contacts.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(locks.entry(repository.to_owned()).or_default())
        };
        let guard = lock.lock_owned().await;
        self.has_referrers_api(repository).is_none().then_some(guard)
    }

    pub(crate) fn has_referrers_api(&self, repository: &str) -> Option<bool> {
        self.inner
            .has_referrers_api
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(repository)
            .copied()
    }

    fn remember_referrers_api(&self, repository: &str, has_api: bool) {
        let mut known = self.inner.has_referrers_api.lock().unwrap_or_else(PoisonError::into_inner);
        // Yes is certain; a no may be about one manifest.
        let entry = known.entry(repository.to_owned()).or_insert(has_api);
        *entry |= has_api;
    }
}

fn empty_index() -> Value {
    json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": []})
}

/// Reads the entries of an answer of the referrers API; one entry that cannot be read does not spoil the others.
fn parse_entries(page: &[u8]) -> Option<Vec<Descriptor>> {
    let page: Value = serde_json::from_slice(page).ok()?;
    let entries = match page.get("manifests")? {
        Value::Array(entries) => entries.clone(),
        Value::Null => Vec::new(),
        _ => return None,
    };
    Some(entries.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect())
}
