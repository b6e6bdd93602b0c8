//! Counts the requests of a client by verb, resource and answer.
//!
//! The resource is read from the path, as the API server does; names of objects never become labels.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Method, Request, Response, Uri};
use prometheus_client::metrics::{counter::Counter, family::Family};
use tower::{Layer, Service};

use super::ApiRequest;

/// A layer that counts requests.
#[derive(Clone, Debug)]
pub struct CountRequests {
    requests: Family<ApiRequest, Counter>,
}

impl CountRequests {
    pub(super) fn new(requests: Family<ApiRequest, Counter>) -> Self {
        Self { requests }
    }
}

impl<S> Layer<S> for CountRequests {
    type Service = Counting<S>;

    fn layer(&self, inner: S) -> Counting<S> {
        Counting { inner, requests: self.requests.clone() }
    }
}

/// A service that counts requests.
#[derive(Clone, Debug)]
pub struct Counting<S> {
    inner: S,
    requests: Family<ApiRequest, Counter>,
}

impl<S, A, B> Service<Request<A>> for Counting<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let (verb, resource) = what(request.method(), request.uri());
        let requests = self.requests.clone();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            let code = match &answer {
                Ok(response) => response.status().as_str().to_owned(),
                Err(_) => "none".to_owned(),
            };
            requests.get_or_create(&ApiRequest { verb, resource, code }).inc();
            answer
        })
    }
}

/// Verb and resource of a request, in Kubernetes' words: `("patch", "orders/status")`.
fn what(method: &Method, uri: &Uri) -> (&'static str, String) {
    let mut parts = uri.path().split('/').filter(|part| !part.is_empty()).peekable();
    // `/api/v1/…` or `/apis/group/version/…`.
    let skipped = match parts.next() {
        Some("api") => 1,
        Some("apis") => 2,
        _ => return (verb(method, false, false), "other".to_owned()),
    };
    let mut parts: Vec<&str> = parts.skip(skipped).collect();
    // `/namespaces/x` alone is the object; with more behind it, it is a place.
    if parts.first() == Some(&"namespaces") && parts.len() > 2 {
        parts.drain(..2);
    }
    let Some(resource) = parts.first() else {
        return (verb(method, false, false), "discovery".to_owned());
    };
    let resource = match parts.get(2) {
        Some(subresource) => format!("{resource}/{subresource}"),
        None => (*resource).to_owned(),
    };
    let watches = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .any(|pair| matches!(pair, "watch=true" | "watch=1"));
    (verb(method, parts.len() > 1, watches), resource)
}

fn verb(method: &Method, is_named: bool, watches: bool) -> &'static str {
    match (method.as_str(), is_named, watches) {
        ("GET", _, true) => "watch",
        ("GET", true, false) => "get",
        ("GET", false, false) => "list",
        ("POST", ..) => "create",
        ("PUT", ..) => "update",
        ("PATCH", ..) => "patch",
        ("DELETE", true, _) => "delete",
        ("DELETE", false, _) => "deletecollection",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_named_as_kubernetes_names_them() {
        let orders = "/apis/arc.opendefense.cloud/v1alpha1";
        let cases = [
            ("GET", format!("{orders}/orders?limit=500"), ("list", "orders")),
            ("GET", format!("{orders}/orders?watch=true&x=1"), ("watch", "orders")),
            ("PATCH", format!("{orders}/namespaces/a/orders/b/status"), ("patch", "orders/status")),
            (
                "POST",
                format!("{orders}/namespaces/a/artifactworkflows"),
                ("create", "artifactworkflows"),
            ),
            ("GET", "/api/v1/namespaces/a".to_owned(), ("get", "namespaces")),
            ("GET", "/api/v1/namespaces".to_owned(), ("list", "namespaces")),
            ("GET", "/api/v1/namespaces/a/pods/b/log".to_owned(), ("get", "pods/log")),
            ("DELETE", "/api/v1/namespaces/a/secrets/b".to_owned(), ("delete", "secrets")),
            ("GET", "/api/v1".to_owned(), ("list", "discovery")),
            ("GET", "/version".to_owned(), ("list", "other")),
        ];
        for (method, path, (verb, resource)) in cases {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(
                what(&method, &path.parse().unwrap()),
                (verb, resource.to_owned()),
                "{path}"
            );
        }
    }
}
