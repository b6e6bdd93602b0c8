//! The same server on a socket, for clients in other processes.

use std::{io, net::SocketAddr, sync::Arc};

use axum::body::Body;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{api_server::ApiServer, server};

/// A server on a socket; dropping it stops accepting.
#[derive(Debug)]
pub struct Running {
    /// Where it answers, with plain HTTP.
    pub addr: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl ApiServer {
    /// Serves on a free port of the loopback interface.
    ///
    /// # Errors
    ///
    /// When no port can be had.
    pub async fn serve(&self) -> io::Result<Running> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let shared = Arc::clone(&self.shared);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    let service =
                        service_fn(move |request: http::Request<hyper::body::Incoming>| {
                            server::handle(Arc::clone(&shared), request.map(Body::new))
                        });
                    // An error of the handler closes the connection, which is what it means.
                    let _ =
                        http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Ok(Running { addr, accepting })
    }
}
