//! Logging in: Basic, and the token flow of the distribution specification.
//!
//! What a registry wants is learnt from its first 401. Tokens are kept per scope until shortly before they expire,
//! and one task fetches a token while the others wait for it.

mod challenge;
mod first;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;
use zeroize::Zeroizing;

pub use self::challenge::Challenge;
use crate::{Client, Context, Error, retry};

/// Life of a token whose answer does not say, as the specification has it.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(60);
/// Longest life that is believed, so that no clock arithmetic overflows.
const MAX_LIFETIME: u64 = 24 * 3600;
/// Largest answer of a token service, in bytes; real ones have a few kilobytes.
const MAX_TOKEN_ANSWER: usize = 1 << 20;

/// What a request wants to do, and so what its token must allow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Scope {
    pub(crate) repository: String,
    pub(crate) push: bool,
    /// A repository to mount from, which the token must allow to read.
    pub(crate) mount_from: Option<String>,
}

impl Scope {
    pub(crate) fn pull(repository: &str) -> Self {
        Self { repository: repository.to_owned(), push: false, mount_from: None }
    }

    pub(crate) fn push(repository: &str) -> Self {
        Self { push: true, ..Self::pull(repository) }
    }

    /// The list of a registry's repositories, which belongs to none of them.
    pub(crate) fn catalog() -> Self {
        Self::pull("")
    }

    fn texts(&self) -> Vec<String> {
        if self.repository.is_empty() {
            return vec!["registry:catalog:*".to_owned()];
        }
        let actions = if self.push { "pull,push" } else { "pull" };
        let own = format!("repository:{}:{actions}", self.repository);
        let mount = self.mount_from.iter().map(|from| format!("repository:{from}:pull"));
        std::iter::once(own).chain(mount).collect()
    }
}

/// What a client knows about logging in to its registry.
#[derive(Default)]
pub(crate) struct Auth {
    challenge: Mutex<Option<Challenge>>,
    tokens: Mutex<BTreeMap<Scope, Slot>>,
    /// Whether a first request has shown how to log in; whoever comes before its answer waits for it.
    is_contacted: AtomicBool,
    first: tokio::sync::Mutex<()>,
}

type Slot = Arc<tokio::sync::Mutex<Option<Token>>>;

#[derive(Clone)]
struct Token {
    header: HeaderValue,
    expires: Instant,
}

#[derive(Deserialize)]
struct TokenAnswer {
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    access_token: Option<String>,
    #[serde(default)]
    expires_in: Option<u64>,
}

impl Auth {
    fn challenge(&self) -> Option<Challenge> {
        self.challenge.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn slot(&self, scope: &Scope) -> Slot {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(tokens.entry(scope.clone()).or_default())
    }
}

impl Client {
    /// Returns the header to send with a request, as far as the registry's wishes are known.
    pub(crate) async fn authorization(
        &self,
        scope: &Scope,
        context: &Context,
    ) -> Result<Option<HeaderValue>, Error> {
        match self.inner.auth.challenge() {
            None => Ok(None),
            Some(Challenge::Basic) => Ok(self.basic_header()),
            Some(Challenge::Bearer { realm, service, .. }) => {
                let wish = Challenge::Bearer { realm, service, scope: None };
                self.token(scope, None, &wish, context).await
            }
        }
    }

    /// Learns from a 401 and returns another header to try, or nothing when there is none.
    pub(crate) async fn reauthorize(
        &self,
        scope: &Scope,
        rejected: Option<&HeaderValue>,
        answer: &HeaderMap,
        context: &Context,
    ) -> Result<Option<HeaderValue>, Error> {
        let Some(challenge) = challenge::parse(answer) else { return Ok(None) };
        *self.inner.auth.challenge.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(challenge.clone());
        match challenge {
            Challenge::Basic => Ok(self.basic_header().filter(|header| Some(header) != rejected)),
            Challenge::Bearer { .. } => self.token(scope, rejected, &challenge, context).await,
        }
    }

    fn basic_header(&self) -> Option<HeaderValue> {
        let credentials = self.inner.options.credentials.as_ref()?;
        if credentials.identity_token().is_some() {
            return None;
        }
        let basic = credentials.basic();
        let mut header = HeaderValue::from_str(&basic).ok()?;
        header.set_sensitive(true);
        Some(header)
    }

    async fn token(
        &self,
        scope: &Scope,
        rejected: Option<&HeaderValue>,
        challenge: &Challenge,
        context: &Context,
    ) -> Result<Option<HeaderValue>, Error> {
        let is_good = |token: &Token| {
            Some(&token.header) != rejected
                && (rejected.is_some() || token.expires > Instant::now())
        };
        if !scope.push && scope.mount_from.is_none() {
            // Whoever may push may also read: one token less for every destination.
            let wider = self.inner.auth.slot(&Scope::push(&scope.repository));
            if let Ok(slot) = wider.try_lock()
                && let Some(token) = slot.as_ref().filter(|token| is_good(token))
            {
                return Ok(Some(token.header.clone()));
            }
        }
        let slot = self.inner.auth.slot(scope);
        let mut slot = slot.lock().await;
        if let Some(token) = slot.as_ref().filter(|token| is_good(token)) {
            return Ok(Some(token.header.clone()));
        }
        let token = self.request_token(scope, challenge, context).await?;
        let header = token.header.clone();
        *slot = Some(token);
        Ok(Some(header))
    }

    async fn request_token(
        &self,
        scope: &Scope,
        challenge: &Challenge,
        context: &Context,
    ) -> Result<Token, Error> {
        let Challenge::Bearer { realm, service, scope: wanted } = challenge else {
            return Err(failed(context, "", "the registry does not use tokens", 0));
        };
        let mut url = Url::parse(realm).map_err(|error| {
            failed(context, realm, &format!("the realm is not a URL: {error}"), 0)
        })?;
        self.check_url(&url).map_err(|problem| failed(context, &shown(&url), &problem, 0))?;
        let mut scopes = scope.texts();
        // What the registry itself asks for, in case it calls the repository by another name.
        scopes.extend(wanted.iter().flat_map(|text| text.split(' ')).map(str::to_owned));
        let mut seen = Vec::new();
        for text in scopes {
            if !seen.contains(&text) {
                url.query_pairs_mut().append_pair("scope", &text);
                seen.push(text);
            }
        }
        if let Some(service) = service {
            url.query_pairs_mut().append_pair("service", service);
        }
        let options = &self.inner.options;
        let mut attempt = 0;
        loop {
            let error = match self.ask_for_token(&url, context).await {
                Ok(token) => return Ok(token),
                Err(error) if error.is_retryable() && attempt < options.retries => error,
                Err(error) => return Err(error),
            };
            let Some(delay) = retry::delay(options.retry_delay, attempt, None) else {
                return Err(error);
            };
            tokio::time::sleep(delay).await;
            attempt += 1;
        }
    }

    /// With a refresh token it is OAuth's grant, which the distribution specification calls `POST`; else a question with a login.
    pub(crate) fn token_request(&self, url: &Url) -> reqwest::RequestBuilder {
        let credentials = self.inner.options.credentials.as_ref();
        if let Some(token) = credentials.and_then(crate::Credentials::identity_token) {
            let asked = |name: &str| {
                let found = url.query_pairs().filter(|(key, _)| key == name);
                found.map(|(_, value)| value.into_owned()).collect::<Vec<_>>().join(" ")
            };
            let body = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("grant_type", "refresh_token")
                .append_pair("client_id", "arc")
                .append_pair("service", &asked("service"))
                .append_pair("scope", &asked("scope"))
                .append_pair("refresh_token", token)
                .finish();
            let mut bare = url.clone();
            bare.set_query(None);
            return self
                .inner
                .http
                .post(bare)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(body);
        }
        let request = self.inner.http.get(url.clone());
        match self.basic_header() {
            Some(basic) => request.header(AUTHORIZATION, basic),
            None => request,
        }
    }

    async fn ask_for_token(&self, url: &Url, context: &Context) -> Result<Token, Error> {
        let asked = Instant::now();
        self.inner.requests.fetch_add(1, Ordering::Relaxed);
        let request = self.token_request(url);
        let idle = self.inner.options.idle_timeout;
        let too_slow = |_| Error::AwaitAnswer { context: Box::new(context.clone()), idle };
        let broken = |error: reqwest::Error| Error::SendRequest {
            context: Box::new(context.clone()),
            source: error.without_url(),
        };
        let mut answer =
            tokio::time::timeout(idle, request.send()).await.map_err(too_slow)?.map_err(broken)?;
        let status = answer.status().as_u16();
        if !answer.status().is_success() {
            let problem = format!("the token service answered status {status}");
            return Err(failed(context, &shown(url), &problem, status));
        }
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) =
            tokio::time::timeout(idle, answer.chunk()).await.map_err(too_slow)?.map_err(broken)?
        {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_TOKEN_ANSWER {
                return Err(failed(context, &shown(url), "the token service answered too much", 0));
            }
        }
        let unusable =
            || failed(context, &shown(url), "the token service answered without a token", 0);
        // The parser's message would quote the token.
        let answer: TokenAnswer = serde_json::from_slice(&body).map_err(|_hidden| unusable())?;
        let text = answer
            .token
            .or(answer.access_token)
            .filter(|text| !text.is_empty())
            .ok_or_else(unusable)?;
        let mut header =
            HeaderValue::from_str(&format!("Bearer {text}")).map_err(|_hidden| unusable())?;
        header.set_sensitive(true);
        let lifetime = answer
            .expires_in
            .map_or(DEFAULT_LIFETIME, |seconds| Duration::from_secs(seconds.min(MAX_LIFETIME)));
        // A tenth is left for requests under way.
        Ok(Token { header, expires: asked + lifetime * 9 / 10 })
    }
}

fn failed(context: &Context, realm: &str, problem: &str, status: u16) -> Error {
    let (context, realm) = (Box::new(context.clone()), realm.to_owned());
    Error::Authenticate { context, realm, problem: problem.to_owned(), status }
}

/// A realm without its query, which is long and says nothing.
fn shown(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}
