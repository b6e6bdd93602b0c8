//! The body of an upload: read, hashed and counted while it is sent.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::io::ReaderStream;

use super::BlobSource;
use crate::{BlobReader, Client, Descriptor, Digest, Error, Hasher, Progress, fetch::Spread};

/// How much of a file is read and sent at a time, in bytes; two of these are in memory per upload.
const CHUNK_SIZE: usize = 256 << 10;

/// Where the bytes of an upload come from, seen from inside.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Given(BlobSource),
    /// Another registry, which is read while the upload runs.
    Remote {
        client: Client,
        repository: String,
        spread: Spread,
    },
}

impl From<BlobSource> for Content {
    fn from(source: BlobSource) -> Self {
        Self::Given(source)
    }
}

/// Memory that an upload needs while it sends.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    memory: Arc<Semaphore>,
    kib: u32,
}

impl Room {
    pub(crate) fn new(memory: Arc<Semaphore>, kib: u32) -> Self {
        Self { memory, kib }
    }

    /// Waits for it; it is given back when dropped.
    pub(crate) async fn take(&self) -> Option<OwnedSemaphorePermit> {
        // Nobody closes it.
        Arc::clone(&self.memory).acquire_many_owned(self.kib).await.ok()
    }
}

/// What an upload sends; clones are the same upload, and each opening is an attempt of its own.
#[derive(Clone, Debug)]
pub(crate) struct Payload {
    descriptor: Descriptor,
    source: Content,
    progress: Progress,
    /// Memory to take before the first byte is sent.
    room: Option<Room>,
    /// Bytes given to the connection in the current attempt.
    sent: Arc<AtomicU64>,
    /// Why we stopped sending, when it was our own decision.
    failure: Arc<Mutex<Option<Error>>>,
}

type Chunks = futures::stream::BoxStream<'static, Result<Bytes, Error>>;

/// A stream under way: one chunk is always held back.
struct Sending {
    payload: Payload,
    chunks: Chunks,
    /// Absent when the chunks come verified: their stream ends with an error, or in order.
    hasher: Option<Hasher>,
    hashed: u64,
    held: Option<Bytes>,
    _memory: Option<OwnedSemaphorePermit>,
}

impl Payload {
    pub(crate) fn new(
        descriptor: Descriptor,
        source: impl Into<Content>,
        progress: Progress,
    ) -> Self {
        let source = source.into();
        let (sent, failure) = Default::default();
        Self { descriptor, source, progress, room: None, sent, failure }
    }

    /// Lets it wait for memory before it sends.
    pub(crate) fn within(mut self, room: Option<Room>) -> Self {
        self.room = room;
        self
    }

    pub(crate) fn digest(&self) -> &Digest {
        &self.descriptor.digest
    }

    pub(crate) fn size(&self) -> u64 {
        self.descriptor.size
    }

    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Counts all of it as done, because the registry has it.
    pub(crate) fn count_all(&self) {
        self.take_back();
        self.progress.add_done(self.size());
    }

    /// Takes the bytes of a failed attempt back from the progress.
    pub(crate) fn take_back(&self) {
        self.progress.take_back(self.sent.swap(0, Ordering::Relaxed));
    }

    pub(crate) fn take_failure(&self) -> Option<Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Opens the source for one attempt.
    pub(crate) async fn open(&self) -> Result<reqwest::Body, Error> {
        self.take_back();
        let memory = match &self.room {
            Some(room) => room.take().await,
            None => None,
        };
        let mut hasher = Some(self.digest().algorithm().hasher());
        let chunks: Chunks = match &self.source {
            Content::Given(BlobSource::Bytes(bytes)) => stream::iter([Ok(bytes.clone())]).boxed(),
            Content::Given(BlobSource::File(path)) => {
                let file = tokio::fs::File::open(path).await;
                let path = path.clone();
                let failed = move |source| Error::ReadLayout { path: path.clone(), source };
                let file = file.map_err(&failed)?;
                ReaderStream::with_capacity(file, CHUNK_SIZE).map_err(failed).boxed()
            }
            Content::Remote { client, repository, spread } => {
                hasher = None;
                chunks_of(client.open_blob(repository, &self.descriptor).spread(spread.clone()))
            }
        };
        let payload = self.clone();
        let sending = Sending { payload, chunks, hasher, hashed: 0, held: None, _memory: memory };
        if self.size() == 0 {
            // No byte can be held back: the check comes before the request.
            sending.verify_empty().await?;
            return Ok(reqwest::Body::from(Bytes::new()));
        }
        Ok(reqwest::Body::wrap_stream(sending.into_stream()))
    }
}

/// Sending an upload may read another registry; this is where the compiler stops to look through that circle.
fn chunks_of(reader: BlobReader) -> Chunks {
    stream::try_unfold(reader, |mut reader| async move {
        Ok(reader.chunk().await?.map(|bytes| (bytes, reader)))
    })
    .boxed()
}

impl Sending {
    fn into_stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send {
        stream::try_unfold(self, |mut this| async move {
            match this.next().await {
                Ok(None) => Ok(None),
                Ok(Some(bytes)) => {
                    this.payload.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                    this.payload.progress.add_done(bytes.len() as u64);
                    Ok(Some((bytes, this)))
                }
                Err(error) => {
                    let problem = io::Error::other(error.to_string());
                    *this.payload.failure.lock().unwrap_or_else(PoisonError::into_inner) =
                        Some(error);
                    Err(problem)
                }
            }
        })
    }

    /// Returns the chunk that was held back, once the next one is there or the whole is verified.
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        while let Some(chunk) = self.chunks.next().await {
            let chunk = chunk?;
            if chunk.is_empty() {
                continue;
            }
            if let Some(hasher) = &mut self.hasher {
                hasher.update(&chunk);
            }
            self.hashed += chunk.len() as u64;
            if self.hashed > self.payload.size() {
                return Err(self.wrong(&format!("at least {} bytes", self.hashed)));
            }
            if let Some(ready) = self.held.replace(chunk) {
                return Ok(Some(ready));
            }
        }
        let Some(last) = self.held.take() else { return Ok(None) };
        self.verify()?;
        Ok(Some(last))
    }

    async fn verify_empty(mut self) -> Result<(), Error> {
        while self.next().await?.is_some() {}
        self.verify()
    }

    fn verify(&self) -> Result<(), Error> {
        let digest = self.payload.digest();
        let actual = self.hasher.clone().map_or_else(|| digest.clone(), Hasher::finish);
        if self.hashed == self.payload.size() && actual == *digest {
            return Ok(());
        }
        Err(self.wrong(&format!("{} bytes of {actual}", self.hashed)))
    }

    fn wrong(&self, actual: &str) -> Error {
        let what = match &self.payload.source {
            Content::Given(BlobSource::File(path)) => format!("{}", path.display()),
            _ => "the content to upload".to_owned(),
        };
        let expected = format!("{} bytes of {}", self.payload.size(), self.payload.digest());
        Error::VerifyContent { what, expected, actual: actual.to_owned() }
    }
}
