//! What the controller answers over HTTP: `/healthz`, `/readyz` and `/metrics`.
//!
//! Health and metrics have a port each, so that a network policy can let the kubelet to one and Prometheus to the other.
//! Neither tells anything about an object by name, and neither takes anything but GET.

mod health;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use self::health::{Health, Role};
use crate::metrics::{CONTENT_TYPE, Metrics};

/// Why a port cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken or not ours.
    #[error("failed to listen on {address} for {purpose}")]
    Listen {
        /// `health` or `metrics`.
        purpose: &'static str,
        /// Which address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The socket broke.
    #[error("failed to serve {purpose}")]
    Serve {
        /// `health` or `metrics`.
        purpose: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// A port that answers once [`run`](Self::run) is awaited; made before, so that a taken port is known at the start.
#[derive(Debug)]
pub struct Server {
    purpose: &'static str,
    listener: TcpListener,
    router: Router,
}

impl Server {
    /// The port for `/healthz` and `/readyz`.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub async fn health(address: SocketAddr, metrics: &Arc<Metrics>) -> Result<Self, Error> {
        let router = Router::new()
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .with_state(Arc::clone(metrics));
        Self::bind("health", address, router).await
    }

    /// The port for `/metrics`.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub async fn metrics(address: SocketAddr, metrics: &Arc<Metrics>) -> Result<Self, Error> {
        let router = Router::new().route("/metrics", get(scrape)).with_state(Arc::clone(metrics));
        Self::bind("metrics", address, router).await
    }

    async fn bind(
        purpose: &'static str,
        address: SocketAddr,
        router: Router,
    ) -> Result<Self, Error> {
        let listener = TcpListener::bind(address).await.map_err(|source| Error::Listen {
            purpose,
            address,
            source,
        })?;
        Ok(Self { purpose, listener, router })
    }

    /// The address that was taken, for port 0.
    ///
    /// # Errors
    /// When the system does not know it.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until `shutdown`.
    ///
    /// # Errors
    /// When the socket breaks.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Error> {
        let purpose = self.purpose;
        axum::serve(self.listener, self.router)
            .with_graceful_shutdown(shutdown.cancelled_owned())
            .await
            .map_err(|source| Error::Serve { purpose, source })
    }
}

/// 200 while every event loop moves, 503 with the names of those that do not.
async fn healthz(State(metrics): State<Arc<Metrics>>) -> Response {
    verdict(metrics.health().check_alive())
}

/// 200 while this replica does its part, 503 with what it waits for.
async fn readyz(State(metrics): State<Arc<Metrics>>) -> Response {
    verdict(metrics.health().check_ready())
}

fn verdict(verdict: Result<&'static str, String>) -> Response {
    match verdict {
        Ok(good) => (StatusCode::OK, format!("ok: {good}\n")).into_response(),
        Err(bad) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ok: {bad}\n")).into_response(),
    }
}

async fn scrape(State(metrics): State<Arc<Metrics>>) -> Response {
    match metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt as _;

    use super::*;

    async fn get_from(server: &Server, method: &str, path: &str) -> (u16, String) {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let response = server.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    fn anywhere() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 0))
    }

    #[tokio::test]
    async fn each_port_answers_its_own_paths_and_only_reading() {
        let metrics = Arc::new(Metrics::new());
        let health = Server::health(anywhere(), &metrics).await.unwrap();
        let figures = Server::metrics(anywhere(), &metrics).await.unwrap();
        assert_eq!(get_from(&health, "GET", "/healthz").await.0, 200);
        assert_eq!(get_from(&health, "GET", "/readyz").await.0, 503);
        assert_eq!(get_from(&health, "GET", "/metrics").await.0, 404);
        assert_eq!(get_from(&health, "POST", "/healthz").await.0, 405);
        assert_eq!(get_from(&figures, "GET", "/healthz").await.0, 404);
        let (status, text) = get_from(&figures, "GET", "/metrics").await;
        assert_eq!(status, 200);
        assert!(text.ends_with("# EOF\n"), "{text}");
    }

    #[tokio::test]
    async fn a_taken_port_is_said_at_the_start() {
        let metrics = Arc::new(Metrics::new());
        let first = Server::health(anywhere(), &metrics).await.unwrap();
        let address = first.address().unwrap();
        let error = Server::metrics(address, &metrics).await.unwrap_err();
        assert_eq!(error.to_string(), format!("failed to listen on {address} for metrics"));
    }

    #[tokio::test]
    async fn serving_ends_with_the_shutdown() {
        let metrics = Arc::new(Metrics::new());
        let server = Server::health(anywhere(), &metrics).await.unwrap();
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(server.run(shutdown.clone()));
        shutdown.cancel();
        running.await.unwrap().unwrap();
    }
}
