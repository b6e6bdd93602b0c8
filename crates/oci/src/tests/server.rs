//! A registry with a script in front of it, which may answer instead, change answers, and keeps a log.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use arc_registry::{Options, Registry, Running, serve_router};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    middleware::{Next, from_fn_with_state},
    response::Response,
};

use crate::{Client, ClientOptions, Credentials, Remote};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    /// How many requests of this method and path came before.
    pub(super) before: usize,
}

impl Seen {
    pub(super) fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path.contains(path)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// What the script makes of a request.
pub(super) enum Act {
    /// Let the registry answer.
    Pass,
    /// Answer instead of it.
    Answer(Response),
    /// Never answer.
    Stall,
    /// Let it answer, and change the headers.
    Change(fn(&mut HeaderMap)),
}

type Script = Box<dyn Fn(&Seen) -> Act + Send + Sync>;

struct Front {
    script: Script,
    log: Mutex<Vec<Seen>>,
    counts: Mutex<BTreeMap<String, usize>>,
}

pub(super) struct Server {
    pub(super) url: String,
    front: Arc<Front>,
    _running: Running,
    _dir: tempfile::TempDir,
}

impl Server {
    /// Starts an honest registry.
    pub(super) async fn honest() -> Self {
        Self::start(Options::default(), |_| Act::Pass).await
    }

    /// Starts a registry without referrers API.
    pub(super) async fn old() -> Self {
        Self::start(Options { referrers_api: false, ..Options::default() }, |_| Act::Pass).await
    }

    /// Starts a registry behind a script.
    pub(super) async fn scripted(script: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Self {
        Self::start(Options::default(), script).await
    }

    pub(super) async fn start(
        options: Options,
        script: impl Fn(&Seen) -> Act + Send + Sync + 'static,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let registry = Registry::open(dir.path()).unwrap().with_options(options);
        let front = Arc::new(Front {
            script: Box::new(script),
            log: Mutex::default(),
            counts: Mutex::default(),
        });
        let router = registry.router().layer(from_fn_with_state(front.clone(), play));
        // Requests outside `/v2/` go to the script too.
        let router = axum::Router::new()
            .fallback_service(router)
            .layer(from_fn_with_state(front.clone(), play_outside));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let running = serve_router(listener, router).unwrap();
        Self { url: format!("http://{}", running.addr), front, _running: running, _dir: dir }
    }

    /// Returns a client that loses no time between attempts.
    pub(super) fn client(&self) -> Client {
        self.client_with(|_| ())
    }

    pub(super) fn client_as(&self, username: &str, password: &str) -> Client {
        self.client_with(|options| options.credentials = Some(Credentials::new(username, password)))
    }

    pub(super) fn client_with(&self, change: impl FnOnce(&mut ClientOptions)) -> Client {
        let mut options = ClientOptions::new(Remote::parse(&self.url).unwrap());
        options.retries = 3;
        options.retry_delay = Duration::ZERO;
        change(&mut options);
        Client::new(options).unwrap()
    }

    pub(super) fn log(&self) -> Vec<Seen> {
        self.front.log.lock().unwrap().clone()
    }

    pub(super) fn forget(&self) {
        self.front.log.lock().unwrap().clear();
    }

    /// Returns the log as `METHOD path`, without queries.
    pub(super) fn requests(&self) -> Vec<String> {
        self.log().iter().map(|seen| format!("{} {}", seen.method, seen.path)).collect()
    }

    pub(super) fn count(&self, method: &str) -> usize {
        self.log().iter().filter(|seen| seen.method == method).count()
    }
}

async fn play(State(front): State<Arc<Front>>, request: Request, next: Next) -> Response {
    let seen = note(&front, &request);
    match (front.script)(&seen) {
        Act::Pass => next.run(request).await,
        Act::Answer(answer) => answer,
        Act::Stall => std::future::pending().await,
        Act::Change(change) => {
            let mut answer = next.run(request).await;
            change(answer.headers_mut());
            answer
        }
    }
}

async fn play_outside(State(front): State<Arc<Front>>, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/v2/") {
        return next.run(request).await;
    }
    let seen = note(&front, &request);
    match (front.script)(&seen) {
        Act::Answer(answer) => answer,
        _ => next.run(request).await,
    }
}

fn note(front: &Front, request: &Request) -> Seen {
    let method = request.method().to_string();
    let path = request.uri().path().to_owned();
    let mut counts = front.counts.lock().unwrap();
    let count = counts.entry(format!("{method} {path}")).or_default();
    let before = *count;
    *count += 1;
    let query = request.uri().query().unwrap_or_default().to_owned();
    let seen = Seen { method, path, query, headers: request.headers().clone(), before };
    front.log.lock().unwrap().push(seen.clone());
    seen
}

/// Returns an answer of a status with headers and a body.
pub(super) fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Act {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    for (name, value) in headers {
        answer
            .headers_mut()
            .append(axum::http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
    }
    Act::Answer(answer)
}

/// Returns an answer that announces `length` bytes and breaks off after `body`.
pub(super) fn broken(
    status: u16,
    headers: &[(&str, &str)],
    body: &'static [u8],
    length: usize,
) -> Act {
    let chunks = [Ok(body), Err(std::io::Error::other("broken off"))];
    let length = length.to_string();
    let headers: Vec<_> =
        headers.iter().copied().chain([("content-length", length.as_str())]).collect();
    // The pause lets the first bytes leave before the connection breaks.
    let stream = futures::StreamExt::then(futures::stream::iter(chunks), |chunk| async {
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(u64::from(chunk.is_err()) * 20)).await;
        chunk
    });
    answer(status, &headers, Body::from_stream(stream))
}
