//! The handle that tests hold.

use std::sync::{Arc, OnceLock};

use axum::body::Body;
use http::{HeaderValue, Request, Response};
use jiff::Timestamp;
use kube::Client;
use serde_json::{Value, json};

use crate::{
    access::Rule,
    clock::Clock,
    cluster::{Cluster, Content, Defined},
    fault::Fault,
    options::Options,
    record::{self, Counts, Recorded},
    server::{self, ConnectionClosed, Shared},
    watch::Interrupt,
};

/// A Kubernetes API server in memory; clones are the same server.
#[derive(Debug, Clone)]
pub struct ApiServer {
    pub(crate) shared: Arc<Shared>,
}

impl Default for ApiServer {
    fn default() -> Self {
        Self::new(Options::default())
    }
}

impl ApiServer {
    /// A server with the built-in kinds and the usual namespaces. Needs a tokio runtime for its clock.
    pub fn new(options: Options) -> Self {
        let clock = Clock::starting_at(options.starts_at.unwrap_or_else(Timestamp::now));
        let cluster = Cluster::new(clock, options.garbage_collection);
        Self { shared: Arc::new(Shared::new(cluster)) }
    }

    /// A server with ARC's kinds and Argo's. Their definitions are worked out once for all servers of a process.
    pub fn with_arc(options: Options) -> Self {
        static DEFINED: OnceLock<Vec<Defined>> = OnceLock::new();
        let kinds = DEFINED.get_or_init(|| Self::defining_arc().shared.with(|own| own.defined()));
        let server = Self::new(options);
        server.shared.with(|cluster| cluster.adopt(kinds));
        server
    }

    fn defining_arc() -> Self {
        let server = Self::default();
        for definition in arc_api::crds() {
            if let Ok(definition) = serde_json::to_value(definition) {
                server.define(&definition);
            }
        }
        for definition in crate::argo::definitions() {
            server.define(&definition);
        }
        server
    }

    /// Creates a `CustomResourceDefinition`; a refusal is answered as the server would.
    pub fn define(&self, definition: &Value) -> Value {
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        self.call("POST", path, definition)
    }

    /// Adds a namespace.
    pub fn add_namespace(&self, name: &str) {
        self.shared.with(|cluster| cluster.add_namespace(name));
    }

    /// A client in process that may do everything.
    pub fn client(&self) -> Client {
        self.client_as("")
    }

    /// A client in process for a user, who may do what was [granted](Self::grant).
    pub fn client_as(&self, user: &str) -> Client {
        let shared = Arc::clone(&self.shared);
        let user = HeaderValue::from_str(user).ok().filter(|user| !user.is_empty());
        let service = tower::service_fn(move |request: Request<kube::client::Body>| {
            let mut request = request.map(Body::new);
            if let Some(user) = &user {
                request.headers_mut().insert("impersonate-user", user.clone());
            }
            server::handle(Arc::clone(&shared), request)
        });
        Client::new(service, "default")
    }

    /// Answers one request.
    pub async fn handle(&self, request: Request<Body>) -> Result<Response<Body>, ConnectionClosed> {
        server::handle(Arc::clone(&self.shared), request).await
    }

    /// Lets a user do something.
    pub fn grant(&self, user: &str, rules: Vec<Rule>) {
        self.shared.with(|cluster| cluster.access.grant(user, rules));
    }

    /// From now on some requests go wrong.
    pub fn inject(&self, fault: Fault) {
        self.shared.faults(|faults| faults.add(fault));
    }

    /// From now on nothing goes wrong.
    pub fn clear_faults(&self) {
        self.shared.faults(crate::fault::Faults::clear);
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.requests(|requests| requests.clone())
    }

    /// Requests by verb and resource.
    pub fn counts(&self) -> Counts {
        self.shared.requests(|requests| record::counts(requests))
    }

    /// How many requests changed something or tried to.
    pub fn writes(&self) -> usize {
        self.shared
            .requests(|requests| requests.iter().filter(|request| request.verb.is_write()).count())
    }

    /// Starts counting again.
    pub fn forget_requests(&self) {
        self.shared.requests(Vec::clear);
    }

    /// Forgets all history: watches and continued lists from older versions are answered with 410.
    pub fn compact(&self) {
        self.shared.with(|cluster| cluster.store.compact());
    }

    /// Ends all running watches, as a restart of the server does.
    pub fn end_watches(&self) {
        self.shared.interrupts.send_replace(Interrupt::End);
    }

    /// Ends all running watches with 410.
    pub fn expire_watches(&self) {
        self.shared.interrupts.send_replace(Interrupt::Expire);
    }

    /// Collects garbage that waits for it, see [`GarbageCollection`](crate::GarbageCollection).
    pub fn collect_garbage(&self) {
        self.shared.with(Cluster::collect_garbage);
    }

    /// Waits until a request hangs, see [`Effect::Hang`](crate::Effect::Hang); at once when one already does.
    pub async fn until_one_hangs(&self) {
        let mut hanging = self.shared.hanging.subscribe();
        // The sender lives as long as the server, so this cannot fail.
        let _ = hanging.wait_for(|count| *count > 0).await;
    }

    /// Whether a request hangs. Forgets it, so that the next one can be waited for.
    pub fn forget_hanging(&self) -> bool {
        self.shared.hanging.send_replace(0) > 0
    }

    /// What a container of a pod wrote, for `pods/log`.
    pub fn set_log(&self, namespace: &str, pod: &str, container: &str, text: &str) {
        self.shared.with(|cluster| cluster.logs.set((namespace, pod, container), text));
    }

    /// The server's clock now.
    pub fn now(&self) -> Timestamp {
        self.shared.with(|cluster| cluster.clock.timestamp())
    }

    /// The newest resourceVersion.
    pub fn version(&self) -> u64 {
        self.shared.with(|cluster| cluster.store.version())
    }

    /// Every object of a resource such as `orders.arc.opendefense.cloud` or `secrets`, without a request.
    pub fn objects(&self, resource: &str) -> Vec<Value> {
        self.shared.with(|cluster| {
            let table = cluster.store.tables.get(resource);
            let objects = table.into_iter().flat_map(|table| table.objects.values());
            objects.map(|object| object.value.clone()).collect()
        })
    }

    /// One object, without a request; the namespace of cluster-wide kinds is empty.
    pub fn object(&self, resource: &str, namespace: &str, name: &str) -> Option<Value> {
        let key = (namespace.to_owned(), name.to_owned());
        self.shared
            .with(|cluster| cluster.store.get(resource, &key).map(|object| object.value.clone()))
    }

    /// Does one request without recording it and without faults, and gives the body of the answer.
    pub fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let Ok(head) = Request::builder().method(method).uri(path).body(()) else {
            return json!({ "kind": "Status", "status": "Failure", "message": "not a request" });
        };
        let mut request = crate::request::Request::new(head.method(), head.uri(), head.headers());
        request.content_type = match method {
            "PATCH" => "application/merge-patch+json".to_owned(),
            _ => "application/json".to_owned(),
        };
        if !body.is_null() {
            request.body = body.to_string().into();
        }
        let reply = self.shared.with(|cluster| cluster.answer(&request));
        match reply.map(|reply| reply.content) {
            Ok(Content::Json(bytes)) => serde_json::from_slice(&bytes).unwrap_or_default(),
            Ok(Content::Text(_) | Content::Watch(_)) => Value::Null,
            Err(failure) => failure.to_value(),
        }
    }
}
