//! One request to a registry: logged in, redirected, repeated, and its refusal read.
//!
//! [`Client::send`] is the only way out of this crate, except for token services.

mod answer;
pub(crate) mod place;

use std::{
    sync::atomic::Ordering,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use reqwest::{
    Method, Response, StatusCode,
    header::{
        AUTHORIZATION, CONTENT_LENGTH, DATE, HeaderMap, HeaderName, HeaderValue, LOCATION,
        RETRY_AFTER,
    },
};
use tokio::time::Instant;
use url::Url;

use crate::{
    Client, Context, Error, auth::Scope, reference::validate_repository, retry, upload::Payload,
};

/// How many redirects are followed; registries use one, to their storage.
const MAX_REDIRECTS: usize = 5;
/// A registry may need longer to store an upload than to accept its bytes: so many idle times.
const COMMIT_PATIENCE: u32 = 5;

/// What is sent; can be sent again.
#[derive(Debug)]
pub(crate) enum Body {
    Empty,
    Bytes(Bytes),
    Upload(Box<Payload>),
}

/// A request that can be repeated.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    pub(crate) scope: Scope,
    pub(crate) context: Context,
    /// Whether it is repeated here; uploads start again from their first request instead.
    pub(crate) repeats: bool,
}

impl Request {
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    pub(crate) fn read_answer_error(&self, problem: impl Into<String>) -> Error {
        Error::ReadAnswer { context: Box::new(self.context.clone()), problem: problem.into() }
    }
}

impl Client {
    /// Returns a request for `/v2/<repository>/<path>`.
    pub(crate) fn request(
        &self,
        method: Method,
        scope: Scope,
        path: &str,
        action: String,
    ) -> Result<Request, Error> {
        validate_repository(&scope.repository)?;
        let context = Context {
            registry: self.inner.options.remote.host.clone(),
            repository: scope.repository.clone(),
            action,
        };
        let url = self.inner.base.join(&format!("/v2/{}/{path}", scope.repository));
        let url = url.map_err(|error| Error::ReadAnswer {
            context: Box::new(context.clone()),
            problem: format!("the URL is invalid: {error}"),
        })?;
        let (headers, body) = (HeaderMap::new(), Body::Empty);
        Ok(Request { method, url, headers, body, scope, context, repeats: true })
    }

    /// Sends a request until it succeeds or repeating makes no sense; every other status than 2xx is an error.
    pub(crate) async fn send(&self, request: &Request) -> Result<Response, Error> {
        let mut attempt = 0;
        loop {
            let error = match self.send_once(request).await {
                Ok(answer) => return Ok(answer),
                Err(error) if request.repeats => error,
                Err(error) => return Err(error),
            };
            self.wait_after(error, attempt).await?;
            attempt += 1;
        }
    }

    /// Waits before repetition `attempt`, or gives the error back when there shall be none.
    pub(crate) async fn wait_after(&self, error: Error, attempt: u32) -> Result<(), Error> {
        let options = &self.inner.options;
        if attempt >= options.retries || !error.is_retryable() {
            return Err(error);
        }
        let retry_after = match &error {
            Error::RejectRequest { rejection, .. } => rejection.retry_after,
            _ => None,
        };
        let Some(delay) = retry::delay(options.retry_delay, attempt, retry_after) else {
            return Err(error);
        };
        tracing::debug!(%error, attempt, ?delay, "request failed, repeating");
        tokio::time::sleep(delay).await;
        Ok(())
    }

    async fn send_once(&self, request: &Request) -> Result<Response, Error> {
        let _others_wait = self.first_contact().await;
        let authorization = self.authorization(&request.scope, &request.context).await?;
        let mut answer = self.follow(request, authorization.as_ref()).await?;
        // A 401 of a storage host has nothing to do with our login.
        if answer.status() == StatusCode::UNAUTHORIZED && self.is_own(answer.url()) {
            let rejected = authorization.as_ref();
            let again = self
                .reauthorize(&request.scope, rejected, answer.headers(), &request.context)
                .await?;
            if again.is_some() {
                answer = self.follow(request, again.as_ref()).await?;
            }
        }
        if answer.status().is_success() {
            return Ok(answer);
        }
        let rejection = Box::new(self.read_rejection(answer).await);
        Err(Error::RejectRequest { context: Box::new(request.context.clone()), rejection })
    }

    /// Sends, and follows redirects of reads; credentials go to the registry's own host only.
    async fn follow(
        &self,
        request: &Request,
        authorization: Option<&HeaderValue>,
    ) -> Result<Response, Error> {
        let mut url = request.url.clone();
        let mut is_own = true;
        for _ in 0..=MAX_REDIRECTS {
            self.check_url(&url).map_err(|problem| request.read_answer_error(problem))?;
            // Once away from the registry, nothing that a foreign host says brings the credentials back.
            is_own &= self.is_own(&url);
            let answer = self.exchange(request, &url, authorization.filter(|_| is_own)).await?;
            let status = answer.status().as_u16();
            let is_followed = match request.body {
                Body::Empty if request.method == Method::GET || request.method == Method::HEAD => {
                    matches!(status, 301 | 302 | 303 | 307 | 308)
                }
                Body::Empty => matches!(status, 307 | 308),
                _ => false,
            };
            if !is_followed {
                return Ok(answer);
            }
            url = location(&answer).ok_or_else(|| {
                request.read_answer_error("it redirects without a usable Location")
            })?;
        }
        Err(request.read_answer_error(format!("it redirects more than {MAX_REDIRECTS} times")))
    }

    async fn exchange(
        &self,
        request: &Request,
        url: &Url,
        authorization: Option<&HeaderValue>,
    ) -> Result<Response, Error> {
        let mut builder = self
            .inner
            .http
            .request(request.method.clone(), url.clone())
            .headers(request.headers.clone());
        if let Some(header) = authorization {
            builder = builder.header(AUTHORIZATION, header);
        }
        let mut idle = self.inner.options.idle_timeout;
        builder = match &request.body {
            Body::Empty if request.method == Method::POST => builder.header(CONTENT_LENGTH, 0),
            Body::Empty => builder,
            Body::Bytes(bytes) => builder.body(bytes.clone()),
            Body::Upload(payload) => {
                idle *= COMMIT_PATIENCE;
                builder.header(CONTENT_LENGTH, payload.size()).body(payload.open().await?)
            }
        };
        let sent = || if let Body::Upload(payload) = &request.body { payload.sent() } else { 0 };
        self.inner.requests.fetch_add(1, Ordering::Relaxed);
        let started = Instant::now();
        let mut exchange = std::pin::pin!(builder.send());
        let mut before = sent();
        loop {
            match tokio::time::timeout(idle, &mut exchange).await {
                Ok(Ok(answer)) => {
                    self.note(request, &answer, started.elapsed());
                    return Ok(answer);
                }
                Ok(Err(error)) => return Err(send_error(request, error)),
                // An upload is alive as long as its bytes move.
                Err(_) if sent() != before => before = sent(),
                Err(_) => {
                    return Err(Error::AwaitAnswer {
                        context: Box::new(request.context.clone()),
                        idle,
                    });
                }
            }
        }
    }
}

impl Client {
    /// Lets the limiters know how the registry copes.
    fn note(&self, request: &Request, answer: &Response, latency: Duration) {
        let is_read = matches!(request.method, Method::GET | Method::HEAD);
        let limiter = if is_read { &self.inner.reads } else { &self.inner.writes };
        let status = answer.status().as_u16();
        if matches!(status, 429 | 503) {
            let retry_after = text_header(answer.headers(), &RETRY_AFTER);
            let now = time_there(answer.headers());
            let wait = retry_after.and_then(|text| retry::parse_retry_after(text, now));
            limiter.refused(wait.filter(|wait| *wait <= retry::MAX_RETRY_AFTER));
        } else {
            // Requests that carry content take as long as it is large.
            let is_empty = matches!(request.body, Body::Empty);
            limiter.answered(is_empty.then_some(latency));
        }
    }
}

/// The registry's own time: what it says about dates is meant by its clock, which may be far from ours.
pub(crate) fn time_there(headers: &HeaderMap) -> SystemTime {
    let date = text_header(headers, &DATE).and_then(|text| httpdate::parse_http_date(text).ok());
    date.unwrap_or_else(SystemTime::now)
}

/// Returns `Location`, which may be relative to the URL that answered.
pub(crate) fn location(answer: &Response) -> Option<Url> {
    answer.url().join(text_header(answer.headers(), &LOCATION)?).ok()
}

pub(crate) fn text_header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn send_error(request: &Request, error: reqwest::Error) -> Error {
    // Our own refusal to send wrong content arrives here as a broken request.
    if let Body::Upload(payload) = &request.body
        && let Some(error) = payload.take_failure()
    {
        return error;
    }
    Error::SendRequest { context: Box::new(request.context.clone()), source: error.without_url() }
}
