//! A registry that does as it is told: honest by default, and wrong in exactly the way a test asks for.
//!
//! It is the embedded registry behind a layer that records every request, checks logins, and applies [`Fault`]s.
//! Order of a request: recorded, hook, fault before the answer, login, registry, fault on the answer.

mod auth;
mod fault;
mod server;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
};

use arc_registry::{Options, Registry, Running};
use axum::Router;
use tempfile::TempDir;
use tokio::net::TcpListener;

pub use crate::lying::{
    auth::Auth,
    fault::{Behaviour, Fault},
};
use crate::{certs::Certificates, client::Client, lying::auth::Tokens};

/// How a registry starts out.
#[derive(Debug, Default)]
pub struct Setup {
    /// Which optional parts of the specification it has.
    pub options: Options,
    /// What it does wrong, and when.
    pub faults: Vec<Fault>,
    /// How clients must log in.
    pub auth: Auth,
    /// Serves TLS with this certificate instead of plain HTTP.
    pub tls: Option<Certificates>,
}

/// A registry on loopback with its own temporary folder; dropping it closes all connections.
#[derive(Debug)]
pub struct LyingRegistry {
    /// Where it answers.
    pub addr: SocketAddr,
    shared: Arc<Shared>,
    server: tokio::task::JoinHandle<()>,
    backdoor: Client,
    _back: Running,
}

/// One request as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// 1 for the first request since the start or since [`LyingRegistry::forget_requests`].
    pub number: usize,
    /// Such as `PUT`.
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The query without the question mark; empty when there is none.
    pub query: String,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The status answered; `None` while under way and when the connection was closed instead.
    pub status: Option<u16>,
}

impl fmt::Display for Recorded {
    /// Writes `PUT /v2/a/manifests/v1 201`, with `-` for a closed connection.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
        write!(formatter, "{} {} {status}", self.method, self.path)
    }
}

impl Recorded {
    /// Tells whether this is a request with that method whose path contains `part`.
    pub fn is(&self, method: &str, part: &str) -> bool {
        self.method == method && self.path.contains(part)
    }
}

/// What a hook decides about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It is served as usual.
    Serve,
    /// The connection is closed and the request has no effect.
    Close,
}

type Hook = Box<dyn Fn(&Recorded) -> Next + Send + Sync>;

struct Shared {
    folder: Arc<TempDir>,
    registry: Registry,
    router: Router,
    auth: Auth,
    tls: Option<Certificates>,
    tokens: Tokens,
    base: String,
    faults: Mutex<Vec<Fault>>,
    requests: Mutex<Vec<Recorded>>,
    hook: Mutex<Option<Hook>>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shared").field("base", &self.base).finish_non_exhaustive()
    }
}

impl LyingRegistry {
    /// Starts an honest registry without logins, over plain HTTP.
    pub async fn honest() -> Self {
        Self::start(Setup::default()).await
    }

    /// Starts a registry on a free loopback port.
    pub async fn start(setup: Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::open(folder.path()).unwrap();
        Self::start_with(Arc::new(folder), registry, setup).await
    }

    /// Starts a second server on the same content, honest and without logins: a host that blobs are redirected to.
    pub async fn storage_host(&self) -> Self {
        Self::start_with(self.shared.folder.clone(), self.shared.registry.clone(), Setup::default())
            .await
    }

    async fn start_with(folder: Arc<TempDir>, registry: Registry, setup: Setup) -> Self {
        let Setup { options, faults, auth, tls } = setup;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let back = arc_registry::serve(([127, 0, 0, 1], 0).into(), &registry).await.unwrap();
        let backdoor = Client::new(format!("http://{}", back.addr));
        let router = registry.clone().with_options(options).router();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let shared = Arc::new(Shared {
            folder,
            registry,
            router,
            auth,
            tls,
            tokens: Tokens::default(),
            base: format!("{scheme}://{addr}"),
            faults: Mutex::new(faults),
            requests: Mutex::default(),
            hook: Mutex::default(),
        });
        let server = tokio::spawn(server::accept(listener, shared.clone()));
        Self { addr, shared, server, backdoor, _back: back }
    }

    /// Returns `127.0.0.1:<port>`: how references begin.
    pub fn host(&self) -> String {
        self.addr.to_string()
    }

    /// Returns `http://127.0.0.1:<port>`, or `https` with TLS.
    pub fn url(&self) -> &str {
        &self.shared.base
    }

    /// Returns the authority clients must trust, with TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.shared.tls.as_ref().map(|tls| tls.ca_pem.as_str())
    }

    /// Returns the folder that holds the content.
    pub fn folder(&self) -> &Path {
        self.shared.folder.path()
    }

    /// Returns a client of this registry as others see it, with the harness's account if logins are Basic.
    pub fn client(&self) -> Client {
        let client = Client::with_ca(self.url(), self.ca_pem());
        if self.shared.auth == Auth::Basic { client.with_account() } else { client }
    }

    /// Returns a client that bypasses faults, logins, options, hooks and records: for preparing and for judging.
    pub fn backdoor(&self) -> &Client {
        &self.backdoor
    }

    /// Replaces all faults; counting starts anew.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        *self.shared.faults.lock().unwrap() = faults;
    }

    /// Calls `hook` with every request before anything else happens to it. It may block shortly, to kill a process.
    pub fn on_request(&self, hook: impl Fn(&Recorded) -> Next + Send + Sync + 'static) {
        *self.shared.hook.lock().unwrap() = Some(Box::new(hook));
    }

    /// Returns all requests in the order they came.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// Forgets all requests and takes away the hook.
    pub fn forget_requests(&self) {
        self.shared.requests.lock().unwrap().clear();
        *self.shared.hook.lock().unwrap() = None;
    }

    /// Returns all requests that change something, as lines such as `PUT /v2/a/manifests/v1 201`.
    pub fn writes(&self) -> Vec<String> {
        let is_write = |request: &&Recorded| !matches!(request.method.as_str(), "GET" | "HEAD");
        self.requests().iter().filter(is_write).map(Recorded::to_string).collect()
    }
}

impl Drop for LyingRegistry {
    fn drop(&mut self) {
        self.server.abort();
    }
}
