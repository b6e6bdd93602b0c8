//! A small custom resource for tests of the server itself.

use arc_kube_fake::{ApiServer, Options};
use axum::body::Body;
use http_body_util::BodyExt;
use kube::{
    Client,
    api::{Api, DynamicObject},
    core::{ApiResource, GroupVersionKind},
};
use serde_json::{Value, json};

/// Where the widgets of the default namespace are.
pub(crate) const WIDGETS: &str = "/apis/example.arc/v1/namespaces/default/widgets";

/// A server that knows the recorded definition.
pub(crate) fn server() -> ApiServer {
    server_with(Options::default())
}

/// The same with options.
pub(crate) fn server_with(options: Options) -> ApiServer {
    let server = ApiServer::new(options);
    let recorded: Value = serde_json::from_str(include_str!("../recordings/00-crd.json")).unwrap();
    let defined = server.define(&recorded[0]["request"]["body"]);
    assert_eq!(defined["kind"], "CustomResourceDefinition", "{defined}");
    server
}

/// A widget.
pub(crate) fn widget(name: &str, size: i64) -> Value {
    json!({
        "apiVersion": "example.arc/v1",
        "kind": "Widget",
        "metadata": { "name": name },
        "spec": { "size": size },
    })
}

/// Creates a widget and gives it back.
pub(crate) fn create(server: &ApiServer, widget: &Value) -> Value {
    server.call("POST", WIDGETS, widget)
}

/// All widgets through a client.
pub(crate) fn widgets(client: Client) -> Api<DynamicObject> {
    Api::namespaced_with(client, "default", &resource())
}

/// The widget's resource.
pub(crate) fn resource() -> ApiResource {
    ApiResource::from_gvk_with_plural(
        &GroupVersionKind::gvk("example.arc", "v1", "Widget"),
        "widgets",
    )
}

/// Does one request over the wire format and gives status and body.
pub(crate) async fn ask(
    server: &ApiServer,
    (method, path): (&str, &str),
    content_type: &str,
    body: &Value,
) -> (u16, Value) {
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", content_type)
        .body(body)
        .unwrap();
    let response = server.handle(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

/// Applies a widget and gives status and body.
pub(crate) async fn apply(server: &ApiServer, path: &str, body: &Value) -> (u16, Value) {
    ask(server, ("PATCH", path), "application/apply-patch+yaml", body).await
}
