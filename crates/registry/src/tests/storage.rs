//! What is on disk after a restart, after a broken connection, and behind a real socket.

use axum::body::{Body, Bytes};
use futures::stream;
use http::{Request, StatusCode};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tower::ServiceExt as _;

use crate::{
    Registry,
    tests::conversation::{Wire, sha256},
};

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let mut wire = Wire::new();
    let manifest = wire.push_image("a", "v1").await;
    let location = wire.open_upload("a").await;
    wire.send_with("PATCH", &location, &[], "01234").await;
    std::fs::write(wire.folder.path().join("scratch/leftover"), "half")
        .expect("the folder is writable");

    wire.registry = Registry::open(wire.folder.path()).expect("the registry opens again");

    assert_eq!(wire.send("GET", "/v2/a/manifests/v1").await.body, manifest);
    assert_eq!(wire.send("GET", &location).await.header("range"), "0-4");
    let put = format!("{location}?digest={}", sha256(b"0123456789"));
    assert_eq!(wire.send_with("PUT", &put, &[], "56789").await.status, StatusCode::CREATED);
    assert!(!wire.folder.path().join("scratch/leftover").exists());
}

#[tokio::test]
async fn broken_upload_keeps_what_came_and_can_go_on() {
    let wire = Wire::new();
    let location = wire.open_upload("a").await;
    let pieces = stream::iter([
        Ok(Bytes::from_static(b"01234")),
        Err(std::io::Error::other("connection lost")),
    ]);
    let request = Request::builder().method("PATCH").uri(&location).body(Body::from_stream(pieces));
    let response = wire.registry.router().oneshot(request.expect("the request is valid")).await;
    assert_eq!(response.expect("the router answers").status(), StatusCode::BAD_REQUEST);
    assert_eq!(wire.send("GET", &location).await.header("range"), "0-4");
    wire.send_with("PATCH", &location, &[("content-range", "5-9")], "56789").await;
    let answer = wire.send("PUT", &format!("{location}?digest={}", sha256(b"0123456789"))).await;
    assert_eq!(answer.status, StatusCode::CREATED);
}

#[tokio::test]
async fn link_without_content_is_an_unknown_blob() {
    let wire = Wire::new();
    let digest = wire.push_blob("a", b"x").await;
    std::fs::remove_dir_all(wire.folder.path().join("blobs")).expect("the folder is writable");
    let answer = wire.send("GET", &format!("/v2/a/blobs/{digest}")).await;
    assert_eq!(answer.refusal(), (404, "BLOB_UNKNOWN".into()));
}

#[test]
fn folder_that_cannot_be_made_is_an_error() {
    let file = tempfile::NamedTempFile::new().expect("the temporary folder is writable");
    let error = Registry::open(file.path()).expect_err("a file is not a folder");
    assert_eq!(error.to_string(), format!("failed to prepare registry folder {:?}", file.path()));
}

#[tokio::test]
async fn served_registry_answers_until_it_is_shut_down() {
    let wire = Wire::new();
    let any_port = "127.0.0.1:0".parse().expect("the address is valid");
    let running = crate::serve(any_port, &wire.registry).await.expect("a port is free");
    let addr = running.addr;
    let mut stream = TcpStream::connect(addr).await.expect("the registry listens");
    stream
        .write_all(b"GET /v2/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await
        .expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it answers");
    assert_eq!(answer.lines().next(), Some("HTTP/1.1 200 OK"));
    running.shutdown().await;
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn taken_address_is_an_error() {
    let wire = Wire::new();
    let any_port = "127.0.0.1:0".parse().expect("the address is valid");
    let running = crate::serve(any_port, &wire.registry).await.expect("a port is free");
    let error = crate::serve(running.addr, &wire.registry).await.expect_err("the port is taken");
    assert_eq!(error.to_string(), format!("failed to listen on {:?}", running.addr));
}
