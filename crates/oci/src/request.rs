//! One request to a registry: logged in, redirected, repeated, and its refusal read.
//!
//! [`Client::send`] is the only way out of this crate, except for token services.

use std::time::SystemTime;

use bytes::Bytes;
use reqwest::{
    Method, Response, StatusCode,
    header::{
        AUTHORIZATION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
    },
};
use serde::Deserialize;
use url::{Host, Url};

use crate::{
    Client, Context, Error, Rejection, Scheme, auth::Scope, reference::validate_repository, retry,
    upload::Payload,
};

/// How many redirects are followed; registries use one, to their storage.
const MAX_REDIRECTS: usize = 5;
/// How much of an error's body is read, in bytes.
const MAX_ERROR_BODY: usize = 16 << 10;
/// How much of a registry's own words goes into a message, in characters.
const MAX_ERROR_TEXT: usize = 300;
/// A registry may need longer to store an upload than to accept its bytes: so many idle times.
const COMMIT_PATIENCE: u32 = 5;

/// What is sent; can be sent again.
#[derive(Debug)]
pub(crate) enum Body {
    Empty,
    Bytes(Bytes),
    Upload(Payload),
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
        let mut send = std::pin::pin!(builder.send());
        let mut before = sent();
        loop {
            match tokio::time::timeout(idle, &mut send).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => return Err(self.send_error(request, error)),
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

    #[expect(clippy::unused_self, reason = "reads as the counterpart of exchange")]
    fn send_error(&self, request: &Request, error: reqwest::Error) -> Error {
        // Our own refusal to send wrong content arrives here as a broken request.
        if let Body::Upload(payload) = &request.body
            && let Some(error) = payload.take_failure()
        {
            return error;
        }
        Error::SendRequest {
            context: Box::new(request.context.clone()),
            source: error.without_url(),
        }
    }

    /// Returns the next bytes of an answer.
    pub(crate) async fn read_chunk(
        &self,
        answer: &mut Response,
        context: &Context,
    ) -> Result<Option<Bytes>, Error> {
        let idle = self.inner.options.idle_timeout;
        match tokio::time::timeout(idle, answer.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(error)) => Err(Error::SendRequest {
                context: Box::new(context.clone()),
                source: error.without_url(),
            }),
            Err(_) => Err(Error::AwaitAnswer { context: Box::new(context.clone()), idle }),
        }
    }

    /// Reads a whole answer of at most `limit` bytes.
    pub(crate) async fn read_body(
        &self,
        mut answer: Response,
        limit: u64,
        context: &Context,
    ) -> Result<Bytes, Error> {
        let mut body = Vec::new();
        while let Some(chunk) = self.read_chunk(&mut answer, context).await? {
            if (body.len() + chunk.len()) as u64 > limit {
                let problem = format!("the answer is larger than {limit} bytes");
                return Err(Error::ReadAnswer { context: Box::new(context.clone()), problem });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.into())
    }

    /// Sends and reads the whole answer; a body that breaks off is asked for again.
    pub(crate) async fn send_and_read(
        &self,
        request: &Request,
        limit: u64,
    ) -> Result<(HeaderMap, Url, Bytes), Error> {
        let mut attempt = 0;
        loop {
            let answer = self.send(request).await?;
            let (headers, url) = (answer.headers().clone(), answer.url().clone());
            match self.read_body(answer, limit, &request.context).await {
                Ok(body) => return Ok((headers, url, body)),
                Err(error) => self.wait_after(error, attempt).await?,
            }
            attempt += 1;
        }
    }

    async fn read_rejection(&self, mut answer: Response) -> Rejection {
        let retry_after = text_header(answer.headers(), &RETRY_AFTER);
        let retry_after =
            retry_after.and_then(|value| retry::parse_retry_after(value, SystemTime::now()));
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        let idle = self.inner.options.idle_timeout;
        while let Ok(Ok(Some(chunk))) = tokio::time::timeout(idle, answer.chunk()).await {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_ERROR_BODY {
                break;
            }
        }
        body.truncate(MAX_ERROR_BODY);
        let (code, message) = read_error_body(&body);
        Rejection { status, code, message, retry_after }
    }

    /// Says why a URL that a registry sent us to is not used.
    pub(crate) fn check_url(&self, url: &Url) -> Result<(), String> {
        let shown = url.origin().ascii_serialization();
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("it sends us to a URL of scheme {:?}", url.scheme()));
        }
        if url.scheme() == "http" && self.inner.options.remote.scheme == Scheme::Https {
            return Err(format!(
                "it sends us to {shown:?} over plain HTTP, although the endpoint is https"
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(format!("it sends us to {shown:?} with user information in the URL"));
        }
        if is_local(url) && !is_local(&self.inner.base) {
            return Err(format!(
                "it sends us to {shown:?}, an address of this machine or its link"
            ));
        }
        Ok(())
    }

    /// Returns whether a URL is of the registry that the credentials are for.
    pub(crate) fn is_own(&self, url: &Url) -> bool {
        url.origin() == self.inner.base.origin()
    }
}

/// Loopback, link-local and unspecified addresses, where no registry may send a client that came from elsewhere.
fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => {
            address.is_loopback() || address.is_link_local() || address.is_unspecified()
        }
        Some(Host::Ipv6(address)) => {
            let mapped = address.to_ipv4_mapped();
            address.is_loopback()
                || address.is_unicast_link_local()
                || address.is_unspecified()
                || mapped
                    .is_some_and(|v4| v4.is_loopback() || v4.is_link_local() || v4.is_unspecified())
        }
        None => false,
    }
}

/// Returns `Location`, which may be relative to the URL that answered.
pub(crate) fn location(answer: &Response) -> Option<Url> {
    answer.url().join(text_header(answer.headers(), &LOCATION)?).ok()
}

pub(crate) fn text_header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Returns code and message of the distribution specification's error body, or the text of another one.
fn read_error_body(body: &[u8]) -> (String, String) {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<One>,
    }
    #[derive(Deserialize)]
    struct One {
        #[serde(default)]
        code: serde_json::Value,
        #[serde(default)]
        message: serde_json::Value,
    }
    let text = |value: &serde_json::Value| shorten(value.as_str().unwrap_or_default());
    if let Ok(Errors { errors }) = serde_json::from_slice(body) {
        return errors.first().map(|one| (text(&one.code), text(&one.message))).unwrap_or_default();
    }
    let raw = String::from_utf8_lossy(body);
    // Pages for people say nothing here.
    let is_markup = raw.trim_start().starts_with('<');
    (String::new(), if is_markup { String::new() } else { shorten(&raw) })
}

/// Makes a registry's own words safe for a status field and a terminal.
fn shorten(text: &str) -> String {
    let plain: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_ERROR_TEXT).collect();
    plain.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_bodies_are_read_and_made_harmless() {
        let cases: [(&[u8], (&str, &str)); 6] = [
            (
                br#"{"errors":[{"code":"DENIED","message":"no \u001b[31mway"}]}"#,
                ("DENIED", "no  [31mway"),
            ),
            (br#"{"errors":[]}"#, ("", "")),
            (br#"{"errors":[{"code":404,"message":null}]}"#, ("", "")),
            (b"<html>502</html>", ("", "")),
            (b"upstream\ngone", ("", "upstream gone")),
            (b"", ("", "")),
        ];
        for (body, (code, message)) in cases {
            assert_eq!(
                read_error_body(body),
                (code.to_owned(), message.to_owned()),
                "{}",
                body.escape_ascii()
            );
        }
    }
}
