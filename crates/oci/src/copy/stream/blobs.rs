//! The cheapest correct way for each blob.
//!
//! - A blob that this process brought to the repository needs nothing, one that it brought to another is mounted.
//! - Small ones are simply sent, and the POST asks on the way whether they are there: `mount` from the repository itself
//!   is answered with 201 when they are, and with an open upload when not.
//! - For large ones that is done only where a registry was seen to answer it; elsewhere a HEAD comes first, because
//!   sending them twice costs more than a request. Nobody waits for that to be tried out: it pays for later images.

use std::sync::{Arc, atomic::Ordering};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;

use super::run::{Run, all};
use crate::{
    Descriptor, Error,
    auth::Scope,
    copy::{Place, blob_map::Claim},
    upload::{BlobSource, Content, Payload, Route, Sent},
};

/// Up to this size a blob is read into memory and sent without asking first, in bytes.
const SMALL: u64 = 64 << 10;
/// From how many large blobs on it pays to find out what the registry's mounts can tell.
const WORTH_A_PROBE: usize = 3;

/// How a blob came to the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Present,
    Mounted,
    Sent,
}

impl Run<'_> {
    pub(super) async fn copy_blobs(&self, blobs: &[&Descriptor]) -> Result<(), Error> {
        let large = blobs.iter().filter(|blob| blob.size > SMALL).count();
        let smallest = blobs.iter().filter(|blob| !blob.is_foreign()).min_by_key(|blob| blob.size);
        let probe = async {
            let Some(smallest) = smallest.filter(|blob| blob.size <= SMALL) else { return Ok(()) };
            let abilities = self.options.blobs.abilities(&self.registry);
            if large < WORTH_A_PROBE || abilities.is_probed.swap(true, Ordering::Relaxed) {
                return Ok(());
            }
            self.copy_blob(smallest).await?;
            self.try_own_mount(smallest).await;
            Ok(())
        };
        // The largest first: one that starts last keeps everybody waiting.
        let mut blobs = blobs.to_vec();
        blobs.sort_by_key(|blob| std::cmp::Reverse(blob.size));
        tokio::try_join!(probe, all(blobs.into_iter().map(|blob| self.copy_blob(blob))))?;
        Ok(())
    }

    /// Finds out whether the registry mounts a blob from the repository that has it; costs one request.
    async fn try_own_mount(&self, blob: &Descriptor) {
        if self.options.blobs.abilities(&self.registry).mounts_own.is_some() {
            return;
        }
        let Place { client, repository } = self.destination;
        let _permit = client.inner.writes.permit().await;
        match client.mount(repository, blob, repository).await {
            Ok(is_mounted) => self
                .options
                .blobs
                .learn(&self.registry, |abilities| abilities.mounts_own = Some(is_mounted)),
            Err(error) => tracing::debug!(%error, "mount not tried out"),
        }
    }

    async fn copy_blob(&self, blob: &Descriptor) -> Result<(), Error> {
        let cell = self.blob_cell(blob)?;
        cell.get_or_try_init(|| self.copy_new_blob(blob)).await.copied()
    }

    async fn copy_new_blob(&self, blob: &Descriptor) -> Result<(), Error> {
        if blob.is_foreign() && !self.is_at_source(blob).await? {
            self.count(|report| report.foreign.push(blob.digest.clone()));
            return Ok(());
        }
        self.progress.add_total(blob.size);
        let (map, repository) = (&self.options.blobs, self.destination.repository);
        let outcome = loop {
            match map.claim(&self.registry, repository, &blob.digest) {
                Claim::Present => {
                    self.progress.add_done(blob.size);
                    break Outcome::Present;
                }
                // An error means that the map forgot; it is asked again in any case.
                Claim::Wait(mut changed) => drop(changed.changed().await),
                Claim::Bring(errand) => {
                    let outcome = self.bring(blob, errand.mount_from.as_deref()).await?;
                    errand.done();
                    break outcome;
                }
            }
        };
        self.count(|report| match outcome {
            Outcome::Present => report.blobs_present += 1,
            Outcome::Mounted => report.blobs_mounted += 1,
            Outcome::Sent => {
                report.blobs_sent += 1;
                report.bytes_sent += blob.size;
            }
        });
        Ok(())
    }

    async fn is_at_source(&self, blob: &Descriptor) -> Result<bool, Error> {
        let Place { client, repository } = self.source;
        let _permit = client.inner.reads.permit().await;
        client.blob_exists(repository, &blob.digest).await
    }

    /// Brings a blob to the destination, from another repository there or from the source.
    async fn bring(&self, blob: &Descriptor, mount_from: Option<&str>) -> Result<Outcome, Error> {
        let Place { client, repository } = self.destination;
        let abilities = self.options.blobs.abilities(&self.registry);
        let is_small = blob.size <= SMALL;
        let mut route = Route {
            mount_from: mount_from.map(str::to_owned),
            refuses_single: Arc::clone(&abilities.refuses_single),
            ..Route::default()
        };
        if route.mount_from.is_none() {
            if is_small || abilities.mounts_own == Some(true) {
                let is_mute = abilities.mounts_own == Some(false);
                route.mount_from = (!is_mute).then(|| repository.to_owned());
                route.is_single = is_small && !abilities.refuses_single.load(Ordering::Relaxed);
            } else {
                let _permit = client.inner.reads.permit().await;
                if client.blob_exists_as(Scope::push(repository), &blob.digest).await? {
                    self.progress.add_done(blob.size);
                    return Ok(Outcome::Present);
                }
            }
        }
        let asked = route.clone();
        let (sent, taken) = self.send(blob, route).await?;
        let is_own = asked.mount_from.as_deref() == Some(repository);
        self.options.blobs.learn(&self.registry, |abilities| {
            if is_own && sent == Sent::Mounted {
                abilities.mounts_own = Some(true);
            }
            if is_own && taken.mount_from.is_none() {
                abilities.mounts_own = Some(false);
            }
        });
        Ok(match sent {
            Sent::Mounted if is_own => Outcome::Present,
            Sent::Mounted => Outcome::Mounted,
            Sent::Uploaded => Outcome::Sent,
        })
    }

    async fn send(&self, blob: &Descriptor, route: Route) -> Result<(Sent, Route), Error> {
        let Place { client, repository } = self.destination;
        let room = self.options.blobs.memory(blob.size);
        // Whoever may not have to send anything takes no memory before that is known; others open no upload that has to wait.
        let (room, _memory) =
            if route.mount_from.is_some() { (Some(room), None) } else { (None, room.take().await) };
        let content = self.content(blob, route.is_single).await?;
        let reads = &self.source.client.inner.reads;
        let is_remote = matches!(content, Content::Remote { .. });
        let _read = if is_remote { Some(reads.permit().await) } else { None };
        let _write = client.inner.writes.permit().await;
        let payload = Payload::new(blob.clone(), content, self.progress.clone()).within(room);
        client.bring_blob(repository, payload, route).await
    }

    /// Returns the content itself when it is in the descriptor or needed in memory, else where to read it.
    async fn content(&self, blob: &Descriptor, is_needed: bool) -> Result<Content, Error> {
        let Place { client, repository } = self.source;
        if let Some(bytes) = inline(blob) {
            return Ok(BlobSource::Bytes(bytes).into());
        }
        if is_needed {
            let _permit = client.inner.reads.permit().await;
            let bytes = client.read_blob(repository, blob, SMALL).await?;
            return Ok(BlobSource::Bytes(bytes).into());
        }
        Ok(Content::Remote {
            client: client.clone(),
            repository: repository.to_owned(),
            spread: self.options.blobs.spread(),
        })
    }

    /// Sends a blob although the destination said that it has it.
    pub(super) async fn send_blob_again(&self, blob: &Descriptor) -> Result<(), Error> {
        if blob.is_foreign() && !self.is_at_source(blob).await? {
            return Ok(());
        }
        self.options.blobs.forget(&self.registry, self.destination.repository, &blob.digest);
        self.progress.add_total(blob.size);
        self.send(blob, Route::default()).await?;
        self.count(|report| {
            report.blobs_sent += 1;
            report.bytes_sent += blob.size;
        });
        Ok(())
    }
}

/// Returns content that travels inside its descriptor, and content that everybody knows.
fn inline(blob: &Descriptor) -> Option<Bytes> {
    let known: [&'static [u8]; 2] = [b"", b"{}"];
    let known = known.into_iter().map(Bytes::from_static);
    let data = blob.data.as_deref().and_then(|data| STANDARD.decode(data).ok()).map(Bytes::from);
    known.chain(data).find(|bytes| bytes.len() as u64 == blob.size && blob.digest.matches(bytes))
}
