//! The transparency log at the wire: sends what was signed, and takes only an answer that holds.
//!
//! A log that is configured is required: one that cannot be reached, or whose answer does not lead to a tree signed
//! with the pinned key, fails the step before any evidence is written. The endpoints' CA bundles are for registries;
//! the log's certificate is judged by the system's roots alone.

use std::time::Duration;

use arc_evidence::transparency::{
    self, LogEntry, LogKey, Signed, V1_PATH, V2_PATH, v1_request, v2_request,
};
use arc_evidence::{Bundle, PublicKey, dsse, limits};
use reqwest::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use reqwest::{Method, Response, StatusCode, Url};

use crate::environment::{LogFacts, LogVersion};
use crate::error::Error;

/// How long an answer may take: a v2 log answers when the entry is in the tree, which takes up to 20 seconds.
const TIMEOUT: Duration = Duration::from_secs(25);
/// How long a connection may take to come up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How often an entry is sent to a log that answers with a failure of its own.
const ATTEMPTS: u32 = 4;
/// Wait before the second attempt; doubles each time.
const RETRY_DELAY: Duration = Duration::from_millis(500);
/// How much of a refusal is repeated to the reader, in characters.
const SHOWN: usize = 300;

/// Why an entry is not in the log.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the log cannot be reached")]
    Reach(#[source] reqwest::Error),
    #[error("the log answers {status}: {text:?}")]
    Refused { status: StatusCode, text: String },
    #[error("the log answers more than {limit} bytes")]
    TooLong { limit: usize },
    #[error("the log says that it has the entry, but not where")]
    NoLocation,
    #[error(transparent)]
    Invalid(#[from] transparency::Error),
}

impl Failure {
    /// Whether the same request may succeed later. A timeout is not repeated: the whole step is, by its workflow.
    fn may_pass(&self) -> bool {
        match self {
            Self::Reach(error) => !error.is_timeout(),
            Self::Refused { status, .. } => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            _ => false,
        }
    }
}

/// A log that every signature of a delivery goes to.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    http: reqwest::Client,
    facts: LogFacts,
}

impl Log {
    /// Prepares to talk to a log; nothing is sent yet.
    pub(crate) fn connect(facts: &LogFacts) -> Result<Self, Error> {
        let failed = |source| Error::Log { url: facts.url.to_string(), source };
        let tls = arc_oci::client_config(None, false).map_err(|problem| failed(problem.into()))?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            // A log that moves elsewhere is another log.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .user_agent(concat!("arc/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| failed(error.into()))?;
        Ok(Self { http, facts: facts.clone() })
    }

    /// The keys that the log's trees are signed with.
    pub(crate) fn keys(&self) -> &[LogKey] {
        &self.facts.keys
    }

    /// Puts the signature of an envelope into the log, and returns an entry that was verified.
    pub(crate) async fn enter(
        &self,
        envelope: &dsse::Envelope,
        key: &PublicKey,
    ) -> Result<LogEntry, Error> {
        let failed = |failure: Failure| Error::Log {
            url: self.facts.url.to_string(),
            source: failure.into(),
        };
        let signed = Signed::envelope(envelope, key).ok_or_else(|| {
            failed(Failure::Invalid(transparency::Error::OtherContent { what: "signature" }))
        })?;
        let (path, request) = match self.facts.version {
            LogVersion::V1 => (V1_PATH, v1_request(envelope, key)),
            LogVersion::V2 => (V2_PATH, v2_request(&signed)),
        };
        let answer = self.send_patiently(path, &request).await.map_err(failed)?;
        let entry = match self.facts.version {
            LogVersion::V1 => LogEntry::from_v1_answer(&answer),
            LogVersion::V2 => LogEntry::from_v2_answer(&answer),
        };
        let entry = entry.map_err(|error| failed(error.into()))?;
        entry.verify(self.keys(), &signed).map_err(|error| failed(error.into()))?;
        Ok(entry)
    }

    /// Whether a bundle has an entry of this log that holds.
    pub(crate) fn holds(&self, bundle: &Bundle, key: &PublicKey) -> bool {
        Signed::envelope(&bundle.envelope, key).is_some_and(|signed| {
            bundle.log_entries.iter().any(|entry| entry.verify(self.keys(), &signed).is_ok())
        })
    }

    async fn send_patiently(&self, path: &str, request: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut attempt = 1;
        loop {
            match self.post(path, request).await {
                Err(failure) if failure.may_pass() && attempt < ATTEMPTS => {
                    tracing::debug!(%failure, attempt, "the log did not take an entry");
                    tokio::time::sleep(RETRY_DELAY * 2_u32.pow(attempt - 1)).await;
                    attempt += 1;
                }
                answer => return answer,
            }
        }
    }

    async fn post(&self, path: &str, request: &[u8]) -> Result<Vec<u8>, Failure> {
        let answer = self.send(Method::POST, self.at(path), Some(request.to_vec())).await?;
        if answer.status() != StatusCode::CONFLICT {
            return read(answer).await;
        }
        // A v1 log has the entry already and says where, as a path or as a URL of its own.
        let place = answer.headers().get(LOCATION).and_then(|place| place.to_str().ok());
        let place = place.and_then(|place| self.facts.url.join(place).ok());
        let place = place.filter(|place| place.origin() == self.facts.url.origin());
        let place = place.ok_or(Failure::NoLocation)?;
        read(self.send(Method::GET, place, None).await?).await
    }

    async fn send(
        &self,
        method: Method,
        url: Url,
        body: Option<Vec<u8>>,
    ) -> Result<Response, Failure> {
        let mut request = self.http.request(method, url).header(ACCEPT, "application/json");
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        request.send().await.map_err(Failure::Reach)
    }

    /// A path below the log's URL, which may have a path of its own.
    fn at(&self, path: &str) -> Url {
        let mut url = self.facts.url.clone();
        let below = format!("{}{path}", url.path().trim_end_matches('/'));
        url.set_path(&below);
        url
    }
}

/// Reads a whole answer, never more than an answer has.
async fn read(mut answer: Response) -> Result<Vec<u8>, Failure> {
    let limit = limits::MAX_LOG_ANSWER;
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(Failure::Reach)? {
        if bytes.len() + chunk.len() > limit {
            return Err(Failure::TooLong { limit });
        }
        bytes.extend_from_slice(&chunk);
    }
    let status = answer.status();
    if status.is_success() {
        return Ok(bytes);
    }
    let text = String::from_utf8_lossy(&bytes).trim().chars().take(SHOWN).collect();
    Err(Failure::Refused { status, text })
}
