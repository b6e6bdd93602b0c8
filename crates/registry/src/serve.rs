//! Serves a registry on a TCP address until told to stop.

use std::{io, net::SocketAddr, time::Duration};

use axum::{Router, serve::ListenerExt as _};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::{Error, Registry};

/// How long requests under way may take to finish at shutdown.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

/// A server that is running; dropping it stops taking connections.
#[derive(Debug)]
pub struct Running {
    /// The address it answers on, with the real port where port 0 was asked for.
    pub addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<io::Result<()>>,
}

impl Running {
    /// Stops taking connections and waits, for some seconds at most, until requests under way are answered.
    pub async fn shutdown(mut self) {
        if let Some(stop) = self.stop.take() {
            // The server may have stopped by itself; then there is nobody to tell.
            let _ = stop.send(());
        }
        if tokio::time::timeout(SHUTDOWN_GRACE, &mut self.server).await.is_err() {
            self.server.abort();
        }
    }
}

/// Serves `registry` on `address`; port 0 picks a free one.
///
/// There is no authentication: choose a loopback address unless something in front of it adds both TLS and accounts.
pub async fn serve(address: SocketAddr, registry: &Registry) -> Result<Running, Error> {
    let listen = |source| Error::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    serve_listener(listener, registry).map_err(listen)
}

/// Serves `registry` on a listener that the caller has bound.
pub fn serve_listener(listener: TcpListener, registry: &Registry) -> io::Result<Running> {
    serve_router(listener, registry.router())
}

/// Serves any routes in the same way, for example the registry's behind a layer.
pub fn serve_router(listener: TcpListener, router: Router) -> io::Result<Running> {
    let addr = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    // Small answers must not wait for the client's acknowledgement of the one before.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let server = axum::serve(listener, router).with_graceful_shutdown(async {
        // A dropped sender means the same as a message: stop.
        let _ = stopped.await;
    });
    Ok(Running { addr, stop: Some(stop), server: tokio::spawn(async { server.await }) })
}
