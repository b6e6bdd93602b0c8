//! Reads the rest of a large blob over several connections, where one alone turned out to be slow.
//!
//! Parts are asked for side by side and given out in order, so that digest and upload stay one stream.

use std::{fmt, ops::Range, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{StreamExt as _, stream, stream::BoxStream};
use reqwest::{
    Method, StatusCode,
    header::{ACCEPT_RANGES, CONTENT_RANGE, RANGE},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::BlobReader;
use crate::{Client, Digest, Error, auth::Scope, request::text_header};

/// How many parts are read side by side.
const CONNECTIONS: u64 = 4;

/// When a blob is read over several connections.
#[derive(Clone, Debug)]
pub(crate) struct Spread {
    /// After how many bytes the decision is made.
    pub(crate) after: u64,
    /// Fewer bytes than this are left to the one connection.
    pub(crate) rest: u64,
    /// Length of a part in bytes; four are in memory.
    pub(crate) part: u64,
    /// One connection counts as slow below this, in bytes per second.
    pub(crate) slow: u64,
    /// Room for the parts, in KiB; when there is none, other blobs use the line already.
    pub(crate) memory: Arc<Semaphore>,
}

impl Spread {
    /// A connection below 32 MiB/s is slower than the line of most machines, and 16 MiB pay for the requests.
    pub(crate) fn new(memory: Arc<Semaphore>) -> Self {
        Self { after: 4 << 20, rest: 16 << 20, part: 1 << 20, slow: 32 << 20, memory }
    }
}

/// Parts under way.
pub(super) struct Parts {
    stream: BoxStream<'static, Result<Bytes, Error>>,
    _memory: OwnedSemaphorePermit,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parts")
    }
}

impl Parts {
    pub(super) async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        self.stream.next().await
    }
}

impl BlobReader {
    /// Lets the rest come over several connections when that is worth it.
    pub(crate) fn spread(mut self, spread: Spread) -> Self {
        self.spread = Some(spread);
        self
    }

    /// Decides once; `waited` is the time spent on the source, so that a slow destination is not blamed on it.
    pub(super) fn consider_spread(&mut self) {
        let received = self.received;
        let Some(spread) = self.spread.take_if(|spread| received >= spread.after) else { return };
        let takes_ranges = self.answer.as_ref().is_some_and(|answer| {
            answer.status() == StatusCode::PARTIAL_CONTENT
                || text_header(answer.headers(), &ACCEPT_RANGES) == Some("bytes")
        });
        let is_slow = is_slow(received, self.waited, spread.slow);
        if !takes_ranges || !is_slow || self.descriptor.size - received < spread.rest {
            return;
        }
        let room = u32::try_from((CONNECTIONS * spread.part) >> 10).unwrap_or(u32::MAX);
        let Ok(memory) = Arc::clone(&spread.memory).try_acquire_many_owned(room) else { return };
        tracing::debug!(digest = %self.descriptor.digest, received, "one connection is slow, reading over several");
        self.answer = None;
        let stream = parts(
            &self.client,
            &self.repository,
            &self.descriptor.digest,
            received..self.descriptor.size,
            spread.part,
        );
        self.parts = Some(Parts { stream, _memory: memory });
    }
}

fn is_slow(bytes: u64, waited: Duration, slow: u64) -> bool {
    u128::from(bytes) * 1_000_000 < u128::from(slow) * waited.as_micros()
}

fn parts(
    client: &Client,
    repository: &str,
    digest: &Digest,
    whole: Range<u64>,
    part: u64,
) -> BoxStream<'static, Result<Bytes, Error>> {
    let (client, repository, digest) = (client.clone(), repository.to_owned(), digest.clone());
    let starts = (0..).map(move |n| whole.start + n * part).take_while(move |at| *at < whole.end);
    stream::iter(starts)
        .map(move |start| {
            let (client, repository, digest) = (client.clone(), repository.clone(), digest.clone());
            let range = start..(start + part).min(whole.end);
            async move { client.read_range(&repository, &digest, range).await }
        })
        .buffered(usize::try_from(CONNECTIONS).unwrap_or(1))
        .boxed()
}

impl Client {
    /// Reads exactly these bytes of a blob; they are not verified.
    async fn read_range(
        &self,
        repository: &str,
        digest: &Digest,
        range: Range<u64>,
    ) -> Result<Bytes, Error> {
        let action = format!("read bytes {} to {} of blob {digest}", range.start, range.end);
        let header = format!("bytes={}-{}", range.start, range.end - 1);
        let request = self
            .request(Method::GET, Scope::pull(repository), &format!("blobs/{digest}"), action)?
            .header(RANGE, &header);
        let answer = self.send(&request).await?;
        let found = text_header(answer.headers(), &CONTENT_RANGE);
        let expected = format!("bytes {}-{}/", range.start, range.end - 1);
        if answer.status() != StatusCode::PARTIAL_CONTENT
            || !found.is_some_and(|found| found.starts_with(&expected))
        {
            return Err(request.read_answer_error("it answers a part that was not asked for"));
        }
        let length = range.end - range.start;
        let bytes = self.read_body(answer, length, &request.context).await?;
        if bytes.len() as u64 != length {
            let context = Box::new(request.context);
            return Err(Error::ReadBody {
                context,
                received: bytes.len() as u64,
                expected: length,
            });
        }
        Ok(bytes)
    }
}
