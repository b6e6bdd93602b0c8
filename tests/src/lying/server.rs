//! Accepts connections, with or without TLS, and takes each request through the layer.
//!
//! Hyper is used directly: only its service may answer with "close the connection".

use std::sync::Arc;

use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::lying::{Next, Recorded, Shared, auth, fault};

/// Serves until aborted; all connections end with it.
pub(crate) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let tls = shared.tls.as_ref().map(|tls| TlsAcceptor::from(tls.server_config()));
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        let (shared, tls) = (shared.clone(), tls.clone());
        connections.spawn(async move {
            match tls {
                None => converse(stream, shared).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        converse(stream, shared).await;
                    }
                }
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin, shared: Arc<Shared>) {
    let service =
        service_fn(|request: Request<Incoming>| serve(shared.clone(), request.map(Body::new)));
    // Closed on purpose, or by the client: neither is our problem.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn serve(shared: Arc<Shared>, request: Request<Body>) -> Result<Response, fault::Closed> {
    let recorded = record(&shared, &request);
    let next = shared.hook.lock().unwrap().as_ref().map_or(Next::Serve, |hook| hook(&recorded));
    if next == Next::Close {
        return Err(fault::Closed);
    }
    let response = answer(&shared, &recorded, request).await?;
    if let Some(entry) = shared.requests.lock().unwrap().get_mut(recorded.number - 1) {
        entry.status = Some(response.status().as_u16());
    }
    Ok(response)
}

async fn answer(
    shared: &Shared,
    recorded: &Recorded,
    request: Request<Body>,
) -> Result<Response, fault::Closed> {
    let behaviour = fault::due(&mut shared.faults.lock().unwrap(), recorded);
    let path_and_query = request.uri().path_and_query().map_or("/", |path| path.as_str());
    if let Some(early) = behaviour.as_ref().and_then(|behaviour| behaviour.before(path_and_query)) {
        return early;
    }
    if let Some(response) = auth::check(shared, &request) {
        return Ok(response);
    }
    let request = auth::limit_mount(shared, request);
    let request = match &behaviour {
        Some(behaviour) => behaviour.request(request),
        None => request,
    };
    let response = shared.router.clone().oneshot(request).await.into_response();
    match behaviour {
        Some(behaviour) if response.status().is_success() || behaviour.loses_answer() => {
            behaviour.after(response)
        }
        _ => Ok(response),
    }
}

fn record(shared: &Shared, request: &Request<Body>) -> Recorded {
    let mut requests = shared.requests.lock().unwrap();
    let authorization = request.headers().get(http::header::AUTHORIZATION);
    let recorded = Recorded {
        number: requests.len() + 1,
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        authorization: authorization
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
        status: None,
    };
    requests.push(recorded.clone());
    recorded
}
