//! Reading blobs: verified while they stream, continued where a connection broke.

mod spread;
mod store;

use std::time::Duration;

use self::spread::Parts;
pub(crate) use self::spread::Spread;
use crate::{
    Client, Descriptor, Error, Hasher,
    auth::Scope,
    request::{Request, text_header},
};
use bytes::{Bytes, BytesMut};
use reqwest::{
    Method, Response, StatusCode,
    header::{CONTENT_RANGE, RANGE},
};
use tokio::time::Instant;

/// How often one blob is continued in all, so that a registry that sends a byte per connection comes to an end.
const MAX_RESUMES: u32 = 50;

/// A blob being read from a registry.
#[derive(Debug)]
pub struct BlobReader {
    client: Client,
    repository: String,
    descriptor: Descriptor,
    hasher: Hasher,
    received: u64,
    answer: Option<Response>,
    /// Bytes of the current answer that are known already, from a registry that does not know ranges.
    skip: u64,
    /// Whether ranges are asked for.
    uses_ranges: bool,
    /// Breaks since the last byte, and in all.
    failures: u32,
    resumes: u32,
    is_finished: bool,
    /// Time spent on waiting for bytes.
    waited: Duration,
    /// When to read over several connections; nothing once that is decided.
    spread: Option<Spread>,
    /// The rest, when it comes over several connections.
    parts: Option<Parts>,
}

impl BlobReader {
    /// Returns the next bytes, or nothing after the last byte has been verified.
    ///
    /// Bytes already returned are only worth something once nothing has come: the digest is known at the end.
    ///
    /// # Errors
    /// [`Error::VerifyContent`] when size or digest are wrong; others when repeating did not help.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if self.is_finished {
                return Ok(None);
            }
            if let Some(bytes) = self.next_part().await {
                return self.accept(bytes).map(Some);
            }
            if self.received == self.descriptor.size && self.answer.is_none() {
                return self.finish();
            }
            match self.advance().await {
                Ok(Some(bytes)) if bytes.is_empty() => {}
                Ok(Some(bytes)) => return Ok(Some(bytes)),
                Ok(None) if self.received == self.descriptor.size => return self.finish(),
                Ok(None) => self.pause(self.ended_early()).await?,
                // All is there: how the connection ends no longer matters.
                Err(error) if error.is_retryable() && self.received == self.descriptor.size => {
                    return self.finish();
                }
                Err(error) => self.pause(error).await?,
            }
        }
    }

    async fn advance(&mut self) -> Result<Option<Bytes>, Error> {
        let request = self.request()?;
        let mut answer = match self.answer.take() {
            Some(answer) => answer,
            None => self.open(&request).await?,
        };
        let asked = Instant::now();
        let Some(mut bytes) = self.client.read_chunk(&mut answer, &request.context).await? else {
            return Ok(None);
        };
        self.waited += asked.elapsed();
        self.answer = Some(answer);
        let skipped = self.skip.min(bytes.len() as u64);
        self.skip -= skipped;
        let _ = bytes.split_to(usize::try_from(skipped).unwrap_or(bytes.len()));
        let bytes = self.accept(bytes)?;
        self.consider_spread();
        Ok(Some(bytes))
    }

    /// Returns the next part of a blob that is read over several connections; when one fails, one connection goes on alone.
    async fn next_part(&mut self) -> Option<Bytes> {
        match self.parts.as_mut()?.next().await {
            Some(Ok(bytes)) => return Some(bytes),
            Some(Err(error)) => tracing::debug!(%error, "part failed, reading on one connection"),
            None => {}
        }
        self.parts = None;
        None
    }

    /// Hashes and counts what came.
    fn accept(&mut self, bytes: Bytes) -> Result<Bytes, Error> {
        if self.received + bytes.len() as u64 > self.descriptor.size {
            let actual = format!("more than {} bytes", self.descriptor.size);
            return Err(self.wrong(format!("{} bytes", self.descriptor.size), actual));
        }
        self.hasher.update(&bytes);
        self.received += bytes.len() as u64;
        if !bytes.is_empty() {
            self.failures = 0;
        }
        Ok(bytes)
    }

    fn request(&self) -> Result<Request, Error> {
        let digest = &self.descriptor.digest;
        let scope = Scope::pull(&self.repository);
        self.client.request(
            Method::GET,
            scope,
            &format!("blobs/{digest}"),
            format!("read blob {digest}"),
        )
    }

    async fn open(&mut self, request: &Request) -> Result<Response, Error> {
        let wants_range = self.uses_ranges && self.received > 0;
        let mut answer = if wants_range {
            let ranged = self.request()?.header(RANGE, &format!("bytes={}-", self.received));
            match self.client.send(&ranged).await {
                Err(error) if error.status() == Some(416) => {
                    self.uses_ranges = false;
                    self.client.send(request).await?
                }
                other => other?,
            }
        } else {
            self.client.send(request).await?
        };
        self.skip = self.received;
        if answer.status() == StatusCode::PARTIAL_CONTENT {
            let start = text_header(answer.headers(), &CONTENT_RANGE).and_then(|range| {
                range.trim().strip_prefix("bytes ")?.split('-').next()?.trim().parse::<u64>().ok()
            });
            if start != Some(self.received) || !wants_range {
                // Not the part that was asked for: never mix it in, read from the start instead.
                self.uses_ranges = false;
                answer = self.client.send(request).await?;
                if answer.status() == StatusCode::PARTIAL_CONTENT {
                    return Err(
                        request.read_answer_error("it answers a part that was not asked for")
                    );
                }
            } else {
                self.skip = 0;
            }
        }
        let expected = self.descriptor.size - self.received + self.skip;
        match answer.content_length() {
            Some(length) if length != expected => {
                Err(self.wrong(format!("{expected} bytes"), format!("{length} bytes announced")))
            }
            _ => Ok(answer),
        }
    }

    fn finish(&mut self) -> Result<Option<Bytes>, Error> {
        self.is_finished = true;
        let actual = self.hasher.clone().finish();
        if actual == self.descriptor.digest {
            return Ok(None);
        }
        Err(self.wrong(self.descriptor.digest.to_string(), actual.to_string()))
    }

    /// Waits before the blob is continued, or gives up.
    async fn pause(&mut self, error: Error) -> Result<(), Error> {
        self.answer = None;
        if self.resumes >= MAX_RESUMES {
            return Err(error);
        }
        self.client.wait_after(error, self.failures).await?;
        self.failures += 1;
        self.resumes += 1;
        Ok(())
    }

    fn ended_early(&self) -> Error {
        let context = match self.request() {
            Ok(request) => Box::new(request.context),
            Err(error) => return error,
        };
        Error::ReadBody { context, received: self.received, expected: self.descriptor.size }
    }

    fn wrong(&self, expected: String, actual: String) -> Error {
        let host = &self.client.remote().host;
        let what = format!("blob {} of \"{host}/{}\"", self.descriptor.digest, self.repository);
        Error::VerifyContent { what, expected, actual }
    }
}

impl Client {
    /// Opens a blob for reading.
    pub fn open_blob(&self, repository: &str, descriptor: &Descriptor) -> BlobReader {
        self.continue_blob(repository, descriptor, descriptor.digest.algorithm().hasher(), 0)
    }

    fn continue_blob(
        &self,
        repository: &str,
        descriptor: &Descriptor,
        hasher: Hasher,
        received: u64,
    ) -> BlobReader {
        BlobReader {
            client: self.clone(),
            repository: repository.to_owned(),
            descriptor: descriptor.clone(),
            hasher,
            received,
            answer: None,
            skip: 0,
            uses_ranges: true,
            failures: 0,
            resumes: 0,
            is_finished: false,
            waited: Duration::ZERO,
            spread: None,
            parts: None,
        }
    }

    /// Reads a small blob of at most `limit` bytes into memory.
    pub async fn read_blob(
        &self,
        repository: &str,
        descriptor: &Descriptor,
        limit: u64,
    ) -> Result<Bytes, Error> {
        if descriptor.size > limit {
            return Err(Error::LimitContent {
                what: format!("the size of blob {}", descriptor.digest),
                limit,
            });
        }
        let mut reader = self.open_blob(repository, descriptor);
        let mut all = BytesMut::new();
        while let Some(bytes) = reader.chunk().await? {
            all.extend_from_slice(&bytes);
        }
        Ok(all.freeze())
    }
}
