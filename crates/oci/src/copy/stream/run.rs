//! One copy under way: manifests in order, blobs beside them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::{StreamExt as _, TryStreamExt as _, future::BoxFuture, stream};
use tokio::sync::OnceCell;

use crate::{
    Descriptor, Digest, Error, Manifest, Progress, RawManifest,
    auth::Scope,
    client::verify,
    copy::{CopyOptions, CopyReport, Place, blob_map::Tags, discover, source::check_size},
    descriptor::media_type,
};

/// How many children, referrers or blobs of one manifest are looked at side by side; the limiters decide what is sent.
pub(super) const SIDE_BY_SIDE: usize = 32;

pub(super) struct Run<'a> {
    pub(super) source: Place<'a>,
    pub(super) destination: Place<'a>,
    pub(super) options: &'a CopyOptions,
    pub(super) progress: &'a Progress,
    /// Whether the destination has another image under the name, so that asking for parts of this one may save work.
    pub(super) is_update: bool,
    /// Name of the destination in the map of blobs.
    pub(super) registry: String,
    /// Tags of the source.
    pub(super) tags: Arc<OnceCell<Tags>>,
    /// The tag that is copied, which an honest list of tags has.
    pub(super) source_tag: Option<String>,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) report: CopyReport,
    manifests: BTreeMap<Digest, Arc<OnceCell<()>>>,
    blobs: BTreeMap<Digest, (u64, Arc<OnceCell<()>>)>,
}

/// Where in the image a manifest is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Step {
    /// How many indexes are above it.
    pub(super) depth: usize,
    /// How many steps of "refers to" lead to it.
    pub(super) referrers: usize,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        [source, destination]: [Place<'a>; 2],
        options: &'a CopyOptions,
        progress: &'a Progress,
        is_update: bool,
        report: CopyReport,
    ) -> Self {
        let state = State { report, manifests: BTreeMap::new(), blobs: BTreeMap::new() };
        Self {
            source,
            destination,
            options,
            progress,
            is_update,
            registry: destination.client.remote().base_url(),
            tags: if options.recheck {
                Arc::default()
            } else {
                options.blobs.tags_of(&source.client.remote().base_url(), source.repository)
            },
            source_tag: None,
            state: Mutex::new(state),
        }
    }

    pub(super) fn into_report(self) -> CopyReport {
        let mut report = self.state.into_inner().unwrap_or_else(PoisonError::into_inner).report;
        report.legacy_tags.sort();
        report.foreign.sort();
        report.conflicts.sort_by(|one, other| one.tag.cmp(&other.tag));
        report
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut CopyReport)) {
        change(&mut self.state().report);
    }

    /// Copies the image; its tag is the last write.
    pub(super) async fn copy_root(&self, raw: &RawManifest, is_there: bool) -> Result<(), Error> {
        let manifest = Manifest::parse(raw)?;
        let step = Step::default();
        let content = self.copy_content(&manifest, step, is_there);
        let ((), found) = tokio::try_join!(content, self.find_belongings(&raw.digest, step))?;
        let tag = self.options.tag.as_deref();
        if is_there {
            self.count(|report| report.manifests_present += 1);
        } else if tag.is_none() || !found.is_empty() || manifest.subject.is_some() {
            self.put(raw, &manifest, &raw.digest.to_string()).await?;
        }
        self.write_belongings(&raw.digest, found, step).await?;
        match tag.filter(|_| !is_there) {
            Some(tag) => self.put(raw, &manifest, tag).await,
            None => Ok(()),
        }
    }

    /// Copies a manifest, once, with everything below it and everything that refers to it.
    pub(super) fn copy<'s>(
        &'s self,
        descriptor: &'s Descriptor,
        step: Step,
    ) -> BoxFuture<'s, Result<(), Error>> {
        Box::pin(async move {
            if step.depth >= discover::MAX_DEPTH {
                let what = format!("the depth of index {}", descriptor.digest);
                return Err(Error::LimitContent { what, limit: discover::MAX_DEPTH as u64 });
            }
            let cell = self.manifest_cell(&descriptor.digest)?;
            cell.get_or_try_init(|| self.copy_new(descriptor, step)).await.copied()
        })
    }

    async fn copy_new(&self, descriptor: &Descriptor, step: Step) -> Result<(), Error> {
        let digest = &descriptor.digest;
        let is_there = self.is_update && self.is_at_destination(digest).await?;
        if is_there {
            self.count(|report| report.manifests_present += 1);
            if !media_type::is_index(&descriptor.media_type) {
                let found = self.find_belongings(digest, step).await?;
                return self.write_belongings(digest, found, step).await;
            }
        }
        let raw = self.read(descriptor).await?;
        let manifest = Manifest::parse(&raw)?;
        let content = self.copy_content(&manifest, step, is_there);
        let ((), found) = tokio::try_join!(content, self.find_belongings(digest, step))?;
        if !is_there {
            self.put(&raw, &manifest, &digest.to_string()).await?;
        }
        self.write_belongings(digest, found, step).await
    }

    /// Returns the cell that makes sure of "once".
    pub(super) fn manifest_cell(&self, digest: &Digest) -> Result<Arc<OnceCell<()>>, Error> {
        let mut state = self.state();
        let cell = Arc::clone(state.manifests.entry(digest.clone()).or_default());
        discover::limit("the number of manifests", state.manifests.len(), discover::MAX_MANIFESTS)?;
        Ok(cell)
    }

    /// As [`Self::manifest_cell`]; refuses two sizes of one blob.
    pub(super) fn blob_cell(&self, blob: &Descriptor) -> Result<Arc<OnceCell<()>>, Error> {
        let mut state = self.state();
        let (size, cell) =
            state.blobs.entry(blob.digest.clone()).or_insert_with(|| (blob.size, Arc::default()));
        if *size != blob.size {
            return Err(Error::VerifyContent {
                what: format!("one of two descriptors of blob {}", blob.digest),
                expected: format!("{size} bytes"),
                actual: format!("{} bytes", blob.size),
            });
        }
        let cell = Arc::clone(cell);
        discover::limit("the number of blobs", state.blobs.len(), discover::MAX_BLOBS)?;
        Ok(cell)
    }

    pub(super) async fn read(&self, descriptor: &Descriptor) -> Result<RawManifest, Error> {
        let Place { client, repository } = self.source;
        let _permit = client.inner.reads.permit().await;
        let raw = client.manifest(repository, &descriptor.digest.to_string()).await?;
        verify("the manifest", &descriptor.digest, &raw.digest)?;
        check_size(raw, descriptor)
    }

    pub(super) async fn is_at_destination(&self, digest: &Digest) -> Result<bool, Error> {
        let scope = Scope::push(self.destination.repository);
        Ok(super::resolve(self.destination, scope, &digest.to_string()).await?.is_some())
    }

    /// Copies children and blobs; a destination that has the manifest has its blobs, but not always its children.
    pub(super) async fn copy_content(
        &self,
        manifest: &Manifest,
        step: Step,
        is_there: bool,
    ) -> Result<(), Error> {
        let (children, others): (Vec<_>, Vec<_>) =
            manifest.children.iter().partition(|child| discover::is_manifest(child));
        let below = Step { depth: step.depth + 1, ..step };
        // Each is made when its turn comes: an index may have thousands.
        let copies = children.into_iter().map(|child| async move { self.copy(child, below).await });
        let blobs: Vec<_> = manifest.blobs().chain(others).filter(|_| !is_there).collect();
        tokio::try_join!(all(copies), self.copy_blobs(&blobs))?;
        Ok(())
    }

    /// Writes a manifest; when the destination turns out to lack what it said it had, that is sent again, once.
    pub(super) async fn put(
        &self,
        raw: &RawManifest,
        manifest: &Manifest,
        name: &str,
    ) -> Result<(), Error> {
        match self.put_once(raw, manifest, name).await {
            Err(error) if is_part_unknown(&error) => {
                tracing::warn!(%error, "the destination lost a part, sending again");
                self.send_parts(manifest).await?;
                self.put_once(raw, manifest, name).await
            }
            other => other,
        }
    }

    async fn put_once(
        &self,
        raw: &RawManifest,
        manifest: &Manifest,
        name: &str,
    ) -> Result<(), Error> {
        let Place { client, repository } = self.destination;
        let _permit = client.inner.writes.permit().await;
        if manifest.subject.is_some() && name == raw.digest.to_string() {
            client.push_referrer(repository, raw).await?;
        } else {
            client.push_manifest(repository, name, raw).await?;
        }
        self.count(|report| report.manifests_written += 1);
        Ok(())
    }

    /// Sends everything below a manifest, whatever the destination says about it.
    fn send_parts<'s>(&'s self, manifest: &'s Manifest) -> BoxFuture<'s, Result<(), Error>> {
        Box::pin(async move {
            for child in &manifest.children {
                if discover::is_manifest(child) {
                    let raw = self.read(child).await?;
                    let manifest = Manifest::parse(&raw)?;
                    self.send_parts(&manifest).await?;
                    self.put_once(&raw, &manifest, &raw.digest.to_string()).await?;
                } else {
                    self.send_blob_again(child).await?;
                }
            }
            for blob in manifest.blobs() {
                self.send_blob_again(blob).await?;
            }
            Ok(())
        })
    }
}

/// Runs copies side by side; the first error ends all.
pub(super) async fn all<F>(copies: impl Iterator<Item = F>) -> Result<(), Error>
where
    F: Future<Output = Result<(), Error>>,
{
    let copies: Vec<F> = copies.collect();
    stream::iter(copies).buffer_unordered(SIDE_BY_SIDE).try_collect().await
}

fn is_part_unknown(error: &Error) -> bool {
    matches!(error.code(), Some("MANIFEST_BLOB_UNKNOWN" | "BLOB_UNKNOWN"))
}
