//! What can go wrong, and when: a schedule of faults.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    response::{IntoResponse as _, Response},
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};

use crate::lying::Recorded;

/// A digest of nothing we ever serve.
const WRONG_DIGEST: &str =
    "sha256:00000000000000000000000000000000000000000000000000000000deadbeef";
/// A manifest that is well-formed and not the one asked for.
const OTHER_MANIFEST: &[u8] = b"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[]}";

/// Something that goes wrong with certain requests.
#[derive(Debug, Clone)]
pub struct Fault {
    method: &'static str,
    part: String,
    first: usize,
    times: usize,
    seen: usize,
    behaviour: Behaviour,
}

/// What happens instead of the honest answer.
#[derive(Debug, Clone)]
pub enum Behaviour {
    /// The request has no effect and this status is the answer.
    Status(u16),
    /// 429 with this number of seconds in `Retry-After`; the request has no effect.
    TooManyRequests(u32),
    /// The connection closes without an answer; the request has no effect.
    Close,
    /// The request takes effect, but the connection closes without an answer.
    LoseAnswer,
    /// The connection closes after this many bytes of the request's body.
    CloseAfter(usize),
    /// A manifest is answered with other bytes under the right headers.
    OtherManifest,
    /// One bit of the body is wrong.
    FlipBit,
    /// `Content-Length` is right, but the body ends after its first half.
    Truncate,
    /// The body goes on after its end, without `Content-Length`.
    Longer,
    /// `Docker-Content-Digest` names other content.
    WrongDigestHeader,
    /// This header is missing.
    WithoutHeader(&'static str),
    /// This header has this value.
    Header(&'static str, String),
    /// Every piece of the body (up to 256 KiB) waits that long.
    Slow(Duration),
    /// 307 to the same path at this base URL, such as `http://127.0.0.1:4711`.
    Redirect(String),
}

impl Fault {
    /// Affects every request with that method (`*` is any) whose path contains `part` (empty is any).
    pub fn on(method: &'static str, part: impl Into<String>, behaviour: Behaviour) -> Self {
        Self { method, part: part.into(), first: 1, times: usize::MAX, seen: 0, behaviour }
    }

    /// Begins with the `first` such request; 1 is the first.
    #[must_use]
    pub fn from_nth(self, first: usize) -> Self {
        Self { first, ..self }
    }

    /// Ends after that many requests.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// Affects the `nth` such request only.
    #[must_use]
    pub fn nth(self, nth: usize) -> Self {
        self.from_nth(nth).times(1)
    }

    fn is_due(&mut self, request: &Recorded) -> bool {
        if (self.method != "*" && self.method != request.method)
            || !request.path.contains(&self.part)
        {
            return false;
        }
        self.seen += 1;
        self.seen >= self.first && self.seen - self.first < self.times
    }
}

/// Counts the request for every fault and returns what the first one that is due does.
pub(crate) fn due(faults: &mut [Fault], request: &Recorded) -> Option<Behaviour> {
    let due: Vec<_> = faults
        .iter_mut()
        .filter_map(|fault| fault.is_due(request).then(|| fault.behaviour.clone()))
        .collect();
    due.into_iter().next()
}

/// The connection is closed instead of answered.
#[derive(Debug, thiserror::Error)]
#[error("closed on purpose")]
pub(crate) struct Closed;

impl Behaviour {
    /// Decides what can be decided without asking the registry.
    pub(crate) fn before(&self, path_and_query: &str) -> Option<Result<Response, Closed>> {
        let error = |status: StatusCode| {
            let body = format!(
                "{{\"errors\":[{{\"code\":\"UNKNOWN\",\"message\":\"{status} on purpose\"}}]}}"
            );
            (status, [(header::CONTENT_TYPE, "application/json")], body)
        };
        match self {
            Self::Status(status) => {
                Some(Ok(error(StatusCode::from_u16(*status).unwrap()).into_response()))
            }
            Self::TooManyRequests(seconds) => {
                let retry = [(header::RETRY_AFTER, seconds.to_string())];
                Some(Ok((retry, error(StatusCode::TOO_MANY_REQUESTS)).into_response()))
            }
            Self::Close => Some(Err(Closed)),
            Self::Redirect(base) => {
                let location = [(header::LOCATION, format!("{base}{path_and_query}"))];
                Some(Ok((StatusCode::TEMPORARY_REDIRECT, location).into_response()))
            }
            _ => None,
        }
    }

    /// Tells whether the client gets no answer whatever the registry says.
    pub(crate) fn loses_answer(&self) -> bool {
        matches!(self, Self::LoseAnswer | Self::CloseAfter(_))
    }

    /// Changes the request on its way to the registry.
    pub(crate) fn request(&self, request: Request<Body>) -> Request<Body> {
        match self {
            Self::CloseAfter(limit) => request.map(|body| cut(body, *limit, CutEnd::Broken)),
            _ => request,
        }
    }

    /// Changes the registry's answer on its way to the client.
    pub(crate) fn after(&self, response: Response) -> Result<Response, Closed> {
        let (mut parts, body) = response.into_parts();
        let body = match self {
            Self::LoseAnswer | Self::CloseAfter(_) => return Err(Closed),
            Self::OtherManifest => replace(&mut parts.headers, OTHER_MANIFEST),
            Self::FlipBit => map_chunks(body, flip_bit),
            Self::Truncate => truncate(&parts.headers, body),
            Self::Longer => {
                parts.headers.remove(header::CONTENT_LENGTH);
                let more = stream::once(async { Ok(Bytes::from_static(b"more")) });
                Body::from_stream(body.into_data_stream().chain(more))
            }
            Self::Slow(pause) => slow(body, *pause),
            Self::WrongDigestHeader => {
                set(&mut parts.headers, "docker-content-digest", WRONG_DIGEST);
                body
            }
            Self::WithoutHeader(name) => {
                parts.headers.remove(*name);
                body
            }
            Self::Header(name, value) => {
                set(&mut parts.headers, name, value);
                body
            }
            Self::Status(_) | Self::TooManyRequests(_) | Self::Close | Self::Redirect(_) => body,
        };
        Ok(Response::from_parts(parts, body))
    }
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
}

fn replace(headers: &mut HeaderMap, bytes: &'static [u8]) -> Body {
    headers.insert(header::CONTENT_LENGTH, bytes.len().into());
    Body::from(bytes)
}

fn map_chunks(body: Body, change: impl Fn(usize, &Bytes) -> Bytes + Send + 'static) -> Body {
    Body::from_stream(
        body.into_data_stream()
            .enumerate()
            .map(move |(index, chunk)| chunk.map(|chunk| change(index, &chunk))),
    )
}

/// Flips a bit in the middle of the first piece, so that neither magic numbers nor the end are hit.
fn flip_bit(index: usize, chunk: &Bytes) -> Bytes {
    let mut bytes = chunk.to_vec();
    let middle = bytes.len() / 2;
    if let (0, Some(byte)) = (index, bytes.get_mut(middle)) {
        *byte ^= 1;
    }
    bytes.into()
}

fn truncate(headers: &HeaderMap, body: Body) -> Body {
    let length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    cut(body, length.unwrap_or_default() / 2, CutEnd::Silent)
}

/// How a body that was cut ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CutEnd {
    Silent,
    Broken,
}

/// Ends a body after `limit` bytes.
fn cut(body: Body, limit: usize, end: CutEnd) -> Body {
    let pieces = stream::unfold(Some((body.into_data_stream(), limit)), move |state| async move {
        let (mut body, left) = state?;
        match body.next().await {
            Some(Ok(chunk)) if left > 0 => {
                let chunk = chunk.slice(..chunk.len().min(left));
                let left = left - chunk.len();
                Some((Ok(chunk), Some((body, left))))
            }
            _ if end == CutEnd::Broken => Some((Err(Closed), None)),
            _ => None,
        }
    });
    Body::from_stream(pieces)
}

fn slow(body: Body, pause: Duration) -> Body {
    Body::from_stream(body.into_data_stream().and_then(move |chunk| async move {
        tokio::time::sleep(pause).await;
        Ok(chunk)
    }))
}
