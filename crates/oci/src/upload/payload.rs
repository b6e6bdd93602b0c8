//! The body of an upload: read, hashed and counted while it is sent.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use tokio_util::io::ReaderStream;

use super::BlobSource;
use crate::{Descriptor, Digest, Error, Hasher, Progress};

/// How much of a file is read and sent at a time, in bytes; two of these are in memory per upload.
const CHUNK_SIZE: usize = 256 << 10;

/// What an upload sends; clones are the same upload, and each opening is an attempt of its own.
#[derive(Clone, Debug)]
pub(crate) struct Payload {
    descriptor: Descriptor,
    source: BlobSource,
    progress: Progress,
    /// Bytes given to the connection in the current attempt.
    sent: Arc<AtomicU64>,
    /// Why we stopped sending, when it was our own decision.
    failure: Arc<Mutex<Option<Error>>>,
}

type Chunks = futures::stream::BoxStream<'static, io::Result<Bytes>>;

/// A stream under way: one chunk is always held back.
struct Sending {
    payload: Payload,
    chunks: Chunks,
    hasher: Hasher,
    hashed: u64,
    held: Option<Bytes>,
}

impl Payload {
    pub(crate) fn new(descriptor: Descriptor, source: BlobSource, progress: Progress) -> Self {
        Self { descriptor, source, progress, sent: Arc::default(), failure: Arc::default() }
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
        let chunks: Chunks = match &self.source {
            BlobSource::Bytes(bytes) => stream::iter([Ok(bytes.clone())]).boxed(),
            BlobSource::File(path) => {
                let file = tokio::fs::File::open(path).await;
                let file =
                    file.map_err(|source| Error::ReadLayout { path: path.clone(), source })?;
                ReaderStream::with_capacity(file, CHUNK_SIZE).boxed()
            }
        };
        let hasher = self.digest().algorithm().hasher();
        let sending = Sending { payload: self.clone(), chunks, hasher, hashed: 0, held: None };
        if self.size() == 0 {
            // No byte can be held back: the check comes before the request.
            sending.verify_empty().await?;
            return Ok(reqwest::Body::from(Bytes::new()));
        }
        Ok(reqwest::Body::wrap_stream(sending.into_stream()))
    }
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
            let chunk = chunk.map_err(|source| self.read_error(source))?;
            if chunk.is_empty() {
                continue;
            }
            self.hasher.update(&chunk);
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
        let actual = self.hasher.clone().finish();
        if self.hashed == self.payload.size() && actual == *self.payload.digest() {
            return Ok(());
        }
        Err(self.wrong(&format!("{} bytes of {actual}", self.hashed)))
    }

    fn wrong(&self, actual: &str) -> Error {
        let what = match &self.payload.source {
            BlobSource::Bytes(_) => "the content to upload".to_owned(),
            BlobSource::File(path) => format!("{}", path.display()),
        };
        let expected = format!("{} bytes of {}", self.payload.size(), self.payload.digest());
        Error::VerifyContent { what, expected, actual: actual.to_owned() }
    }

    fn read_error(&self, source: io::Error) -> Error {
        let path = match &self.payload.source {
            BlobSource::File(path) => path.clone(),
            BlobSource::Bytes(_) => "memory".into(),
        };
        Error::ReadLayout { path, source }
    }
}
