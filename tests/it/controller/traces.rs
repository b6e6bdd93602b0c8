//! Traces: what a collector receives, and what an arc says that cannot send any.

use super::*;

#[cfg(not(feature = "otlp"))]
#[tokio::test]
async fn asked_for_traces_it_does_not_have_it_says_how_to_build_them() {
    let site = Site::new(ApiServer::with_arc(Options::default())).await;
    let (process, ..) = site.start(&["--otlp-endpoint", "http://127.0.0.1:4318"]);
    let finished = process.wait().await.expect_code(2);
    assert!(finished.stderr.contains("cargo build --release -p arc --features otlp"));
}

/// An attribute of text as protobuf writes it: `KeyValue { key = 1, value = 2: AnyValue { string_value = 1 } }`.
#[cfg(feature = "otlp")]
fn attribute(key: &str, value: &str) -> Vec<u8> {
    let field =
        |tag: u8, bytes: &[u8]| [&[tag, u8::try_from(bytes.len()).unwrap()], bytes].concat();
    [field(0x0a, key.as_bytes()), field(0x12, &field(0x0a, value.as_bytes()))].concat()
}

#[cfg(feature = "otlp")]
#[tokio::test]
async fn otlp_collector_receives_a_span_of_an_orders_pass() {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel::<axum::body::Bytes>();
    let take = axum::routing::post(async move |body: axum::body::Bytes| tell.send(body).unwrap());
    let collector = axum::Router::new().route("/v1/traces", take);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, collector).await.unwrap() });

    let site = Site::new(ApiServer::with_arc(Options::default())).await;
    let (process, health, metrics) = site.start(&["--otlp-endpoint", &address]);
    until_leading(health).await;
    let order = json!({
        "apiVersion": "arc.opendefense.cloud/v1alpha1", "kind": "Order",
        "metadata": { "name": "traced" }, "spec": {
            "defaults": { "srcRef": { "name": "nowhere" }, "dstRef": { "name": "nowhere" } },
            "artifacts": [{ "name": "a", "type": "oci" }],
        },
    });
    let path = "/apis/arc.opendefense.cloud/v1alpha1/namespaces/default/orders";
    assert_eq!(site.server.call("POST", path, &order)["kind"], "Order");
    until("the order is looked at", async || {
        let text = get(metrics, "/metrics").await?.1;
        text.contains("arc_orders{phase=\"Pending\"} 1").then_some(())
    })
    .await;
    terminate(&process);
    process.wait().await.expect_code(0);

    let mut received = Vec::new();
    while let Ok(body) = told.try_recv() {
        received.extend_from_slice(&body);
    }
    for (key, value) in [
        ("service.name", "arc-controller"),
        ("service.version", env!("CARGO_PKG_VERSION")),
        ("kind", "Order"),
        ("namespace", "default"),
        ("name", "traced"),
        ("outcome", "Done"),
    ] {
        let wanted = attribute(key, value);
        assert!(received.windows(wanted.len()).any(|part| part == wanted), "{key}={value}");
    }
}
