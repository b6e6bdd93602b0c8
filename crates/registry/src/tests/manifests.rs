//! Manifests: exact bytes, right types, nothing missing.

use http::StatusCode;
use serde_json::json;

use crate::{
    Options,
    tests::conversation::{INDEX, MANIFEST, Wire, image, sha256, sha512},
};

#[tokio::test]
async fn manifest_is_served_by_tag_and_digest_exactly_as_it_came() {
    let wire = Wire::new();
    let manifest = wire.push_image("a", "v1").await;
    let digest = sha256(&manifest);
    for reference in ["v1", digest.as_str()] {
        for method in ["GET", "HEAD"] {
            let answer = wire.send(method, &format!("/v2/a/manifests/{reference}")).await;
            assert_eq!(answer.status, StatusCode::OK);
            assert_eq!(answer.header("content-type"), MANIFEST);
            assert_eq!(answer.header("content-length"), manifest.len().to_string());
            assert_eq!(answer.header("docker-content-digest"), digest);
            assert_eq!(answer.body, if method == "GET" { manifest.clone() } else { Vec::new() });
        }
    }
    let answer = wire.send("GET", &format!("/v2/b/manifests/{digest}")).await;
    assert_eq!(answer.refusal(), (404, "MANIFEST_UNKNOWN".into()));
    // A manifest is content, but not a blob of the repository.
    assert_eq!(
        wire.send("GET", &format!("/v2/a/blobs/{digest}")).await.refusal(),
        (404, "BLOB_UNKNOWN".into())
    );
}

#[tokio::test]
async fn white_space_of_a_manifest_is_kept() {
    let wire = Wire::new();
    let manifest = b"{ \"schemaVersion\" : 2,\n\n \"layers\": null }\n";
    let digest = sha512(manifest);
    let answer = wire
        .push_manifest(
            "a",
            &digest,
            "application/vnd.docker.distribution.manifest.v2+json",
            manifest,
        )
        .await;
    assert_eq!(
        (answer.status, answer.header("docker-content-digest")),
        (StatusCode::CREATED, digest.as_str())
    );
    assert_eq!(answer.header("location"), format!("/v2/a/manifests/{digest}"));
    assert_eq!(wire.send("GET", &format!("/v2/a/manifests/{digest}")).await.body, manifest);
}

#[tokio::test]
async fn tag_moves_to_the_newest_manifest() {
    let wire = Wire::new();
    let old = wire.push_image("a", "v1").await;
    let new = b"{\"schemaVersion\":2}";
    wire.push_manifest("a", "v1", MANIFEST, new).await;
    assert_eq!(wire.send("GET", "/v2/a/manifests/v1").await.body, new);
    assert_eq!(wire.send("GET", &format!("/v2/a/manifests/{}", sha256(&old))).await.body, old);
}

#[tokio::test]
async fn digest_in_the_address_must_be_that_of_the_bytes() {
    let wire = Wire::new();
    let answer =
        wire.push_manifest("a", &sha256(b"other"), MANIFEST, b"{\"schemaVersion\":2}").await;
    assert_eq!(answer.refusal(), (400, "DIGEST_INVALID".into()));
}

#[tokio::test]
async fn manifest_with_missing_parts_is_refused() {
    let wire = Wire::new();
    let there = wire.push_blob("a", b"{}").await;
    let elsewhere = wire.push_blob("b", b"layer").await;
    let child = json!({ "mediaType": MANIFEST, "digest": sha256(b"unknown"), "size": 7 });
    let index = serde_json::to_vec(
        &json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [child] }),
    )
    .expect("the index serialises");
    for (kind, manifest) in [
        (MANIFEST, image(&there, &elsewhere, None)),
        (MANIFEST, image(&elsewhere, &there, None)),
        (INDEX, index.clone()),
    ] {
        let answer = wire.push_manifest("a", "v1", kind, &manifest).await;
        assert_eq!(answer.refusal(), (400, "MANIFEST_BLOB_UNKNOWN".into()));
        assert_eq!(wire.send("HEAD", "/v2/a/manifests/v1").await.status, StatusCode::NOT_FOUND);
    }
    let tolerant = Wire::with_options(Options { check_references: false, ..Options::default() });
    assert_eq!(tolerant.push_manifest("a", "v1", INDEX, &index).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn index_is_taken_once_its_children_are_there() {
    let wire = Wire::new();
    let child =
        wire.push_image("a", &sha256(&image(&sha256(b"{}"), &sha256(b"layer"), None))).await;
    let children =
        json!([{ "mediaType": MANIFEST, "digest": sha256(&child), "size": child.len() }]);
    let index =
        json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": children }).to_string();
    assert_eq!(
        wire.push_manifest("a", "v1", INDEX, index.as_bytes()).await.status,
        StatusCode::CREATED
    );
    assert_eq!(wire.send("GET", "/v2/a/manifests/v1").await.header("content-type"), INDEX);
}

#[tokio::test]
async fn layer_that_lives_elsewhere_need_not_be_here() {
    let wire = Wire::new();
    let layer = json!({ "mediaType": "x", "digest": sha256(b"foreign"), "size": 7, "urls": ["https://example.com/x"] });
    let manifest = json!({ "schemaVersion": 2, "layers": [layer] }).to_string();
    assert_eq!(
        wire.push_manifest("a", "v1", MANIFEST, manifest.as_bytes()).await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn malformed_manifest_is_refused() {
    let wire = Wire::new();
    let typed = format!("{{\"schemaVersion\":2,\"mediaType\":\"{INDEX}\"}}");
    for (kind, manifest, expected) in [
        (MANIFEST, "", "MANIFEST_INVALID"),
        (MANIFEST, "not json", "MANIFEST_INVALID"),
        (MANIFEST, "[]", "MANIFEST_INVALID"),
        (MANIFEST, "{}", "MANIFEST_INVALID"),
        (MANIFEST, "{\"schemaVersion\":1}", "MANIFEST_INVALID"),
        (MANIFEST, typed.as_str(), "MANIFEST_INVALID"),
        (MANIFEST, "{\"schemaVersion\":2,\"config\":{\"digest\":\"../x\"}}", "DIGEST_INVALID"),
        (MANIFEST, "{\"schemaVersion\":2,\"subject\":{\"digest\":\"../x\"}}", "DIGEST_INVALID"),
    ] {
        let answer = wire.push_manifest("a", "v1", kind, manifest.as_bytes()).await;
        assert_eq!(answer.refusal(), (400, expected.into()), "{manifest}");
    }
    let deep = format!(
        "{}{}",
        "{\"schemaVersion\":2,\"x\":".to_owned() + &"[".repeat(100_000),
        "]".repeat(100_000)
    );
    let answer = wire.push_manifest("a", "v1", MANIFEST, deep.as_bytes()).await;
    assert_eq!(answer.refusal(), (400, "MANIFEST_INVALID".into()));
    assert_eq!(wire.send("HEAD", "/v2/a/manifests/v1").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn media_type_comes_from_the_request_or_the_manifest() {
    let wire = Wire::new();
    let typed = format!("{{\"schemaVersion\":2,\"mediaType\":\"{INDEX}\"}}");
    let answer = wire.send_with("PUT", "/v2/a/manifests/v1", &[], typed.as_bytes()).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(wire.send("HEAD", "/v2/a/manifests/v1").await.header("content-type"), INDEX);
    let answer = wire.send_with("PUT", "/v2/a/manifests/v2", &[], "{\"schemaVersion\":2}").await;
    assert_eq!(answer.refusal(), (400, "MANIFEST_INVALID".into()));
}

#[tokio::test]
async fn manifest_may_have_four_mebibytes_and_no_more() {
    let wire = Wire::new();
    let sized =
        |size: usize| format!("{{\"schemaVersion\":2{}}}", " ".repeat(size - 19)).into_bytes();
    for (size, status) in
        [(4 << 20, StatusCode::CREATED), ((4 << 20) + 1, StatusCode::PAYLOAD_TOO_LARGE)]
    {
        let manifest = sized(size);
        assert_eq!(manifest.len(), size);
        assert_eq!(wire.push_manifest("a", "v1", MANIFEST, &manifest).await.status, status);
    }
}

#[tokio::test]
async fn deleting_a_tag_keeps_the_manifest() {
    let wire = Wire::new();
    let digest = sha256(&wire.push_image("a", "v1").await);
    wire.push_image("a", "v2").await;
    assert_eq!(wire.send("DELETE", "/v2/a/manifests/v1").await.status, StatusCode::ACCEPTED);
    assert_eq!(
        wire.send("DELETE", "/v2/a/manifests/v1").await.refusal(),
        (404, "MANIFEST_UNKNOWN".into())
    );
    for (reference, status) in [("v1", 404), ("v2", 200), (digest.as_str(), 200)] {
        assert_eq!(
            wire.send("HEAD", &format!("/v2/a/manifests/{reference}")).await.status,
            status,
            "{reference}"
        );
    }
}

#[tokio::test]
async fn deleting_a_manifest_takes_its_tags_along() {
    let wire = Wire::new();
    let digest = sha256(&wire.push_image("a", "v1").await);
    wire.push_image("a", "v2").await;
    wire.push_manifest("a", "other", MANIFEST, b"{\"schemaVersion\":2}").await;
    let address = format!("/v2/a/manifests/{digest}");
    assert_eq!(wire.send("DELETE", &address).await.status, StatusCode::ACCEPTED);
    assert_eq!(wire.send("DELETE", &address).await.refusal(), (404, "MANIFEST_UNKNOWN".into()));
    assert_eq!(
        wire.send("GET", "/v2/a/tags/list").await.json(),
        json!({ "name": "a", "tags": ["other"] })
    );
}
