//! The server: one request in, faults, one answer out.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::body::Body;
use futures::stream;
use http::{Request as HttpRequest, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use tokio::sync::watch;

use crate::{
    cluster::{Cluster, Content, Reply},
    failure::Failure,
    fault::{Effect, Faults},
    record::Recorded,
    request::Request,
    watch::{Interrupt, Limit, Plan},
};

/// Bytes of a request's body, as in the real server.
const BODY_MAX: usize = 3 * 1024 * 1024;

/// What all handlers of a server share.
#[derive(Debug)]
pub(crate) struct Shared {
    cluster: Mutex<Cluster>,
    faults: Mutex<Faults>,
    requests: Mutex<Vec<Recorded>>,
    pub(crate) interrupts: watch::Sender<Interrupt>,
    /// How many requests hang.
    pub(crate) hanging: watch::Sender<usize>,
}

/// The connection was closed instead of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server closed the connection")]
pub struct ConnectionClosed;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(cluster: Cluster) -> Self {
        Self {
            cluster: Mutex::new(cluster),
            faults: Mutex::default(),
            requests: Mutex::default(),
            interrupts: watch::Sender::default(),
            hanging: watch::Sender::default(),
        }
    }

    /// Works on the state; nothing else happens meanwhile.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Cluster) -> T) -> T {
        work(&mut lock(&self.cluster))
    }

    pub(crate) fn faults<T>(&self, work: impl FnOnce(&mut Faults) -> T) -> T {
        work(&mut lock(&self.faults))
    }

    pub(crate) fn requests<T>(&self, work: impl FnOnce(&mut Vec<Recorded>) -> T) -> T {
        work(&mut lock(&self.requests))
    }

    fn record(&self, request: &Request) -> Recorded {
        self.requests(|requests| {
            let recorded = Recorded::new(requests.len() + 1, request);
            requests.push(recorded.clone());
            recorded
        })
    }

    async fn hang(&self) {
        self.hanging.send_modify(|count| *count += 1);
        std::future::pending::<()>().await;
    }

    fn note_status(&self, number: usize, status: u16) {
        self.requests(|requests| {
            if let Some(recorded) = requests.get_mut(number - 1) {
                recorded.status = Some(status);
            }
        });
    }
}

/// What the faults of one request come to.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "faults that can be combined")]
struct Trouble {
    delay: Duration,
    close: bool,
    close_after: bool,
    hang: bool,
    hang_after: bool,
    expire: bool,
    before: Option<Failure>,
    after: Option<Failure>,
    limit: Option<Limit>,
}

impl Trouble {
    fn of(effects: Vec<Effect>) -> Self {
        let failure = |code, reason| Failure::new(code, reason, "a fault that the test asked for");
        let mut trouble = Self::default();
        for effect in effects {
            match effect {
                Effect::Answer { code, reason } => trouble.before = Some(failure(code, reason)),
                Effect::Conflict => trouble.before = Some(failure(409, "Conflict")),
                Effect::Close => trouble.close = true,
                Effect::CloseAfter => trouble.close_after = true,
                Effect::AnswerAfter { code, reason } => trouble.after = Some(failure(code, reason)),
                Effect::Hang => trouble.hang = true,
                Effect::HangAfter => trouble.hang_after = true,
                Effect::Delay(delay) => trouble.delay += delay,
                Effect::EndWatch { after, abruptly } => {
                    trouble.limit = Some(Limit { events: after, abruptly });
                }
                Effect::Expire => trouble.expire = true,
            }
        }
        trouble
    }
}

/// Answers one request.
pub(crate) async fn handle(
    shared: Arc<Shared>,
    request: HttpRequest<Body>,
) -> Result<Response<Body>, ConnectionClosed> {
    let (head, body) = request.into_parts();
    let mut request = Request::new(&head.method, &head.uri, &head.headers);
    let recorded = shared.record(&request);
    let trouble = Trouble::of(shared.faults(|faults| faults.strike(&recorded)));
    if !trouble.delay.is_zero() {
        tokio::time::sleep(trouble.delay).await;
    }
    if trouble.hang {
        shared.hang().await;
    }
    if trouble.close {
        return Err(ConnectionClosed);
    }
    request.body = match Limited::new(body, BODY_MAX).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return Err(ConnectionClosed),
    };
    let outcome = match trouble.before {
        Some(failure) => Err(failure),
        None => shared.with(|cluster| cluster.answer(&request)),
    };
    let outcome = outcome.map(|mut reply| {
        if let Content::Watch(plan) = &mut reply.content {
            plan.limit = trouble.limit;
            if trouble.expire {
                plan.expire("too old resource version: a fault that the test asked for".to_owned());
            }
        }
        reply
    });
    if trouble.hang_after {
        shared.hang().await;
    }
    if trouble.close_after {
        return Err(ConnectionClosed);
    }
    let watches = matches!(&outcome, Ok(Reply { content: Content::Watch(_), .. }));
    let expired = (trouble.expire && !watches).then(|| Failure::new(410, "Expired", "too old"));
    let reply = match (trouble.after.or(expired), outcome) {
        (Some(failure), _) | (None, Err(failure)) => {
            Reply::json(failure.code(), &failure.to_value())
        }
        (None, Ok(reply)) => reply,
    };
    shared.note_status(recorded.number, reply.code);
    Ok(written(&shared, reply))
}

fn written(shared: &Arc<Shared>, reply: Reply) -> Response<Body> {
    let mut media_type = "application/json";
    let body = match reply.content {
        Content::Json(bytes) => Body::from(bytes),
        Content::Text(bytes) => {
            media_type = "text/plain";
            Body::from(bytes)
        }
        Content::Watch(plan) => streamed(Arc::clone(shared), *plan),
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(reply.code).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, http::HeaderValue::from_static(media_type));
    for warning in reply.warnings {
        let quoted = warning.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = http::HeaderValue::from_str(&format!("299 - \"{quoted}\"")) {
            headers.append(header::WARNING, value);
        }
    }
    response
}

fn streamed(shared: Arc<Shared>, plan: Plan) -> Body {
    let interrupts = shared.interrupts.subscribe();
    let state = (shared, plan, interrupts);
    let lines = stream::unfold(state, |(shared, mut plan, mut interrupts)| async move {
        let next: Option<io::Result<_>> = plan.next(&shared, &mut interrupts).await;
        next.map(|next| (next, (shared, plan, interrupts)))
    });
    Body::from_stream(lines)
}
