//! One request of a probe: guarded, short, without redirects, and without a word of the answer but its status.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use arc_oci::Challenge;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Response, StatusCode, Url};

use super::Reason;
use super::guard::{Guard, NotAllowed};
use super::wish::Wish;
use crate::error::Error;

/// How long a connection may take to come up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Largest answer of a token service that is read, in bytes; real ones have a few kilobytes.
const MAX_TOKEN_ANSWER: usize = 64 * 1024;

/// Sends the requests of one probe.
pub(super) struct Prober {
    http: reqwest::Client,
    guard: Guard,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) challenge: Option<Challenge>,
}

/// Why nothing came back.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) reason: Reason,
    pub(super) message: String,
}

impl Prober {
    /// Prepares; nothing is sent yet.
    pub(super) fn new(wish: &Wish) -> Result<Self, Error> {
        let endpoint = &wish.endpoint;
        let wrong = |message: String| {
            Error::input("SRC_CA_BUNDLE", message, "give the endpoint a caBundle in PEM, or none")
        };
        let tls =
            arc_oci::client_config(endpoint.ca_bundle.as_deref(), endpoint.insecure_skip_verify)
                .map_err(wrong)?;
        let guard = Guard::new(wish.rules.clone());
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(Arc::new(guard.clone()))
            // A proxy would resolve names itself, out of the guard's sight.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .user_agent(concat!("arc-probe/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| wrong(error.to_string()))?;
        Ok(Self { http, guard })
    }

    /// Asks, with an `Authorization` where one is given.
    pub(super) async fn get(
        &self,
        url: &Url,
        authorization: Option<&HeaderValue>,
    ) -> Result<Answer, Failure> {
        let response = self.send(url, authorization).await?;
        let challenge = Challenge::of(response.headers());
        Ok(Answer { status: response.status(), challenge })
    }

    /// Asks a token service: its status, and its answer where that is a success.
    pub(super) async fn token(
        &self,
        url: &Url,
        authorization: Option<&HeaderValue>,
    ) -> Result<(StatusCode, Vec<u8>), Failure> {
        let mut response = self.send(url, authorization).await?;
        let mut body = Vec::new();
        while response.status().is_success()
            && let Some(chunk) = response.chunk().await.map_err(|error| understand(url, &error))?
        {
            if body.len() + chunk.len() > MAX_TOKEN_ANSWER {
                let message = format!("the token service {} answers without end", origin(url));
                return Err(Failure { reason: Reason::Unreachable, message });
            }
            body.extend_from_slice(&chunk);
        }
        Ok((response.status(), body))
    }

    async fn send(
        &self,
        url: &Url,
        authorization: Option<&HeaderValue>,
    ) -> Result<Response, Failure> {
        self.guard.check(url).map_err(|refused| not_allowed(&refused))?;
        let mut request = self.http.get(url.clone());
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value.clone());
        }
        request.send().await.map_err(|error| understand(url, &error))
    }
}

fn not_allowed(refused: &NotAllowed) -> Failure {
    Failure { reason: Reason::AddressNotAllowed, message: refused.to_string() }
}

/// Scheme, host and port.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Says in our words what the libraries say in theirs.
fn understand(url: &Url, error: &reqwest::Error) -> Failure {
    let mut cause = error.source();
    let mut last = error.to_string();
    while let Some(current) = cause {
        if let Some(refused) = current.downcast_ref::<NotAllowed>() {
            return not_allowed(refused);
        }
        last = current.to_string();
        // `io::Error` hides the error it wraps from `source()`.
        cause = match current.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => current.source(),
        };
    }
    let origin = origin(url);
    if arc_oci::is_certificate_problem(error) {
        let message = format!("the certificate of {origin} is not trusted: {last}");
        return Failure { reason: Reason::CertificateNotTrusted, message };
    }
    let message = if error.is_timeout() {
        format!("{origin} does not answer within {} s", TIMEOUT.as_secs())
    } else {
        format!("{origin} does not answer: {last}")
    };
    Failure { reason: Reason::Unreachable, message }
}
