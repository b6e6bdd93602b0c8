//! What is where: so that one process moves a blob to a registry once, however many images and repositories want it.
//!
//! The first to want a blob leads and sends it; others for the same repository wait for that and have nothing to do,
//! others for another repository wait and then mount it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use tokio::{
    sync::{OnceCell, Semaphore, watch},
    time::Instant,
};

use crate::{Digest, fetch::Spread, upload::Room};

/// How long a registry is believed to keep what it took; its garbage collection may remove what no manifest names yet.
const KNOWN_FOR: Duration = Duration::from_secs(600);
/// How many blobs are remembered, about 300 bytes each; the idle ones are forgotten beyond that.
const MAX_BLOBS: usize = 50_000;

/// What this process knows about the blobs of its destinations; clones are the same map.
///
/// Copies that get the same map share their blobs. It belongs to one set of credentials per registry: what one may read
/// with, all may mount from.
#[derive(Clone, Debug, Default)]
pub struct BlobMap {
    inner: Arc<Mutex<Inner>>,
    memory: Memory,
}

/// Room for the buffers of blobs under way, in KiB.
#[derive(Clone, Debug)]
struct Memory(Arc<Semaphore>);

impl Default for Memory {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MEMORY as usize)))
    }
}

/// Memory for the buffers of all blobs under way, in KiB: with everything else the process stays below 64 MiB.
const MEMORY: u32 = 16 << 10;
/// What a large blob under way takes: the read buffer of one connection, the write buffer of another, a chunk held back.
const MEMORY_PER_BLOB: u32 = 2 << 10;

/// The tags of a source, when one page has them all.
pub(super) type Tags = Option<BTreeSet<String>>;

/// A list of tags, once somebody has read it.
pub(super) type TagList = Arc<OnceCell<Tags>>;

/// How long a list of tags serves copies that start later; long enough for many that start together.
const TAGS_KNOWN_FOR: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
struct Inner {
    tags: BTreeMap<(String, String), (Instant, TagList)>,
    blobs: BTreeMap<(String, Digest), Entry>,
    registries: BTreeMap<String, Abilities>,
}

/// What a registry was seen to do.
#[derive(Clone, Debug, Default)]
pub(super) struct Abilities {
    /// Whether a mount from the repository itself says if a blob is there, which makes one request of two.
    pub(super) mounts_own: Option<bool>,
    /// Whether it was seen that a POST does not take a whole blob.
    pub(super) refuses_single: Arc<AtomicBool>,
    /// Whether somebody has set out to find that out.
    pub(super) is_probed: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Entry {
    /// Repositories that hold the blob, and since when that is known.
    known: BTreeMap<String, Instant>,
    /// Repositories that it is on its way to.
    busy: BTreeSet<String>,
    /// Tells those who wait that something changed.
    changed: watch::Sender<()>,
}

/// What to do about one blob for one repository.
pub(super) enum Claim {
    /// Nothing: the repository has it.
    Present,
    /// Wait until somebody else has sent it, or has failed to, and ask again.
    Wait(watch::Receiver<()>),
    /// Bring it there.
    Bring(Errand),
}

/// The right, and duty, to bring a blob to a repository; given back when dropped.
pub(super) struct Errand {
    map: BlobMap,
    registry: String,
    repository: String,
    digest: Digest,
    /// Another repository of the registry that holds the blob.
    pub(super) mount_from: Option<String>,
}

impl BlobMap {
    /// Returns an empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns an empty map whose copies hold at most so many bytes of blobs under way, and at least one blob.
    pub fn with_memory(bytes: u64) -> Self {
        let kib = u32::try_from(bytes >> 10).unwrap_or(u32::MAX).max(MEMORY_PER_BLOB + 16);
        let room =
            usize::try_from(kib).unwrap_or(Semaphore::MAX_PERMITS).min(Semaphore::MAX_PERMITS);
        Self { memory: Memory(Arc::new(Semaphore::new(room))), ..Self::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn claim(&self, registry: &str, repository: &str, digest: &Digest) -> Claim {
        let mut inner = self.lock();
        if inner.blobs.len() >= MAX_BLOBS {
            inner.blobs.retain(|_, entry| !entry.busy.is_empty());
        }
        let key = (registry.to_owned(), digest.clone());
        let entry = inner.blobs.entry(key).or_insert_with(|| Entry {
            known: BTreeMap::new(),
            busy: BTreeSet::new(),
            changed: watch::Sender::new(()),
        });
        entry.known.retain(|_, since| since.elapsed() < KNOWN_FOR);
        if entry.known.contains_key(repository) {
            return Claim::Present;
        }
        let mount_from = entry.known.keys().next().cloned();
        // Whoever could mount does not wait for other mounts.
        if entry.busy.contains(repository) || (mount_from.is_none() && !entry.busy.is_empty()) {
            return Claim::Wait(entry.changed.subscribe());
        }
        entry.busy.insert(repository.to_owned());
        Claim::Bring(Errand {
            map: self.clone(),
            registry: registry.to_owned(),
            repository: repository.to_owned(),
            digest: digest.clone(),
            mount_from,
        })
    }

    /// Returns where the list of a source's tags is, or belongs.
    pub(super) fn tags_of(&self, registry: &str, repository: &str) -> TagList {
        let mut inner = self.lock();
        inner.tags.retain(|_, (since, _)| since.elapsed() < TAGS_KNOWN_FOR);
        let key = (registry.to_owned(), repository.to_owned());
        let (_, cell) = inner.tags.entry(key).or_insert_with(|| (Instant::now(), Arc::default()));
        Arc::clone(cell)
    }

    /// Forgets that a repository holds a blob, because it turned out not to.
    pub(super) fn forget(&self, registry: &str, repository: &str, digest: &Digest) {
        let key = (registry.to_owned(), digest.clone());
        if let Some(entry) = self.lock().blobs.get_mut(&key) {
            entry.known.remove(repository);
        }
    }

    /// Returns what it takes to move a blob of this size.
    pub(super) fn memory(&self, size: u64) -> Room {
        let kib = u32::try_from(size >> 10).unwrap_or(u32::MAX).min(MEMORY_PER_BLOB) + 16;
        Room::new(Arc::clone(&self.memory.0), kib)
    }

    /// Returns when a blob may take more memory to be read over several connections.
    pub(super) fn spread(&self) -> Spread {
        Spread::new(Arc::clone(&self.memory.0))
    }

    pub(super) fn abilities(&self, registry: &str) -> Abilities {
        self.lock().registries.entry(registry.to_owned()).or_default().clone()
    }

    pub(super) fn learn(&self, registry: &str, change: impl FnOnce(&mut Abilities)) {
        change(self.lock().registries.entry(registry.to_owned()).or_default());
    }
}

impl Errand {
    /// Remembers that the blob has arrived.
    pub(super) fn done(self) {
        self.end(true);
    }

    fn end(&self, is_there: bool) {
        let key = (self.registry.clone(), self.digest.clone());
        if let Some(entry) = self.map.lock().blobs.get_mut(&key) {
            entry.busy.remove(&self.repository);
            if is_there {
                entry.known.insert(self.repository.clone(), Instant::now());
            }
            entry.changed.send_replace(());
        }
    }
}

impl Drop for Errand {
    fn drop(&mut self) {
        // After `done` there is nothing left to take back.
        self.end(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bring(claim: Claim) -> Errand {
        match claim {
            Claim::Bring(errand) => errand,
            Claim::Present => panic!("present"),
            Claim::Wait(_) => panic!("wait"),
        }
    }

    #[tokio::test]
    async fn one_leads_others_wait_and_then_mount_or_find_it_there() {
        let (map, digest) = (BlobMap::new(), Digest::sha256(b""));
        let leader = bring(map.claim("r", "a", &digest));
        assert_eq!(leader.mount_from, None);
        let Claim::Wait(mut same) = map.claim("r", "a", &digest) else { panic!("same") };
        let Claim::Wait(mut other) = map.claim("r", "b", &digest) else { panic!("other") };
        // Another registry has its own leader.
        drop(bring(map.claim("elsewhere", "a", &digest)));
        leader.done();
        same.changed().await.unwrap();
        other.changed().await.unwrap();
        assert!(matches!(map.claim("r", "a", &digest), Claim::Present));
        let follower = bring(map.claim("r", "b", &digest));
        assert_eq!(follower.mount_from.as_deref(), Some("a"));
        // A mount does not hold up another one.
        assert_eq!(bring(map.claim("r", "c", &digest)).mount_from.as_deref(), Some("a"));
    }

    #[tokio::test]
    async fn a_leader_that_fails_makes_room_for_the_next() {
        let (map, digest) = (BlobMap::new(), Digest::sha256(b""));
        let leader = bring(map.claim("r", "a", &digest));
        let Claim::Wait(mut next) = map.claim("r", "b", &digest) else { panic!("no wait") };
        drop(leader);
        next.changed().await.unwrap();
        assert_eq!(bring(map.claim("r", "b", &digest)).mount_from, None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_known_long_ago_or_turned_out_wrong_is_not_believed() {
        let (map, digest) = (BlobMap::new(), Digest::sha256(b""));
        bring(map.claim("r", "a", &digest)).done();
        map.forget("r", "a", &digest);
        bring(map.claim("r", "a", &digest)).done();
        assert!(matches!(map.claim("r", "a", &digest), Claim::Present));
        tokio::time::advance(KNOWN_FOR).await;
        drop(bring(map.claim("r", "a", &digest)));
    }
}
