//! The proxy in front of every registry: it counts requests and bytes, and makes each request slower if asked to.
//!
//! Every tool goes through it, so its own cost is in every number alike.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::serve::ListenerExt as _;
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use http::header::{CONNECTION, TRANSFER_ENCODING};
use serde::Serialize;

/// What went through since the last look.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Counts {
    /// Requests by method and what they were about, such as `PUT uploads`.
    pub(crate) requests: BTreeMap<String, u64>,
    /// Bytes of request bodies.
    pub(crate) bytes_received: u64,
    /// Bytes of answer bodies.
    pub(crate) bytes_sent: u64,
}

impl Counts {
    /// Returns the number of all requests.
    pub(crate) fn total(&self) -> u64 {
        self.requests.values().sum()
    }
}

#[derive(Debug)]
struct Shared {
    upstream: String,
    http: reqwest::Client,
    delay: Mutex<Duration>,
    counts: Mutex<Counts>,
}

/// A proxy that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// Starts a proxy for `upstream`, such as `127.0.0.1:5000`.
    pub(crate) async fn start(upstream: &str) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .build()
            .unwrap();
        let shared = Arc::new(Shared {
            upstream: format!("http://{upstream}"),
            http,
            delay: Mutex::default(),
            counts: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        // Without this, small answers wait for acknowledgements.
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
        let router = Router::new().fallback(forward).with_state(shared.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared, server }
    }

    /// Returns `127.0.0.1:<port>`.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// Adds so much to every request from now on.
    pub(crate) fn set_delay(&self, delay: Duration) {
        *self.shared.delay.lock().unwrap() = delay;
    }

    /// Returns what was counted, and counts from nought again.
    pub(crate) fn take_counts(&self) -> Counts {
        std::mem::take(&mut *self.shared.counts.lock().unwrap())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn forward(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let subject = format!("{} {}", head.method, subject(head.uri.path()));
    *shared.counts.lock().unwrap().requests.entry(subject).or_default() += 1;
    let delay = *shared.delay.lock().unwrap();
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let url = format!("{}{}", shared.upstream, head.uri);
    let mut headers = head.headers;
    // Host stays as the client sent it, so that the registry's own links lead back here.
    let has_body = headers.contains_key(http::header::CONTENT_LENGTH)
        || headers.contains_key(TRANSFER_ENCODING);
    for name in [CONNECTION, TRANSFER_ENCODING] {
        headers.remove(name);
    }
    let mut onward = shared.http.request(head.method, url).headers(headers);
    if has_body {
        let counted = count(body.into_data_stream(), shared.clone(), |counts, length| {
            counts.bytes_received += length;
        });
        onward = onward.body(reqwest::Body::wrap_stream(counted));
    }
    let Ok(answer) = onward.send().await else {
        // The client sees a broken registry, which fails the measurement.
        return Response::builder().status(502).body(Body::empty()).unwrap();
    };
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if name != CONNECTION && name != TRANSFER_ENCODING {
            response = response.header(name, value);
        }
    }
    let counted = count(answer.bytes_stream(), shared, |counts, length| {
        counts.bytes_sent += length;
    });
    response.body(Body::from_stream(counted)).unwrap()
}

fn count<E>(
    pieces: impl Stream<Item = Result<Bytes, E>>,
    shared: Arc<Shared>,
    add: impl Fn(&mut Counts, u64),
) -> impl Stream<Item = Result<Bytes, E>> {
    pieces.inspect(move |piece| {
        if let Ok(piece) = piece {
            add(&mut shared.counts.lock().unwrap(), piece.len() as u64);
        }
    })
}

/// What a request is about.
fn subject(path: &str) -> &'static str {
    let parts = [
        ("/manifests/", "manifests"),
        ("/blobs/uploads/", "uploads"),
        ("/blobs/", "blobs"),
        ("/tags/list", "tags"),
        ("/referrers/", "referrers"),
        ("/_catalog", "catalog"),
    ];
    parts.iter().find(|(part, _)| path.contains(part)).map_or("ping", |(_, name)| name)
}
