//! Downloads: whole, in part, and only where the blob was put.

use http::StatusCode;

use crate::tests::conversation::{Wire, sha256};

const BLOB: &[u8] = b"0123456789";

#[tokio::test]
async fn blob_is_visible_only_in_its_repository() {
    let wire = Wire::new();
    let digest = wire.push_blob("a", BLOB).await;
    let head = wire.send("HEAD", &format!("/v2/a/blobs/{digest}")).await;
    assert_eq!((head.status, head.header("content-length")), (StatusCode::OK, "10"));
    assert_eq!(head.header("docker-content-digest"), digest);
    assert!(head.body.is_empty());
    for method in ["GET", "DELETE"] {
        let answer = wire.send(method, &format!("/v2/b/blobs/{digest}")).await;
        assert_eq!(answer.refusal(), (404, "BLOB_UNKNOWN".into()));
    }
}

#[tokio::test]
async fn deleted_blob_stays_in_other_repositories() {
    let wire = Wire::new();
    let digest = wire.push_blob("a", BLOB).await;
    wire.push_blob("b", BLOB).await;
    let blob = format!("/v2/a/blobs/{digest}");
    assert_eq!(wire.send("DELETE", &blob).await.status, StatusCode::ACCEPTED);
    assert_eq!(wire.send("DELETE", &blob).await.refusal(), (404, "BLOB_UNKNOWN".into()));
    assert_eq!(wire.send("GET", &blob).await.refusal(), (404, "BLOB_UNKNOWN".into()));
    assert_eq!(wire.send("GET", &format!("/v2/b/blobs/{digest}")).await.body, BLOB);
}

#[tokio::test]
async fn range_returns_that_part() {
    let wire = Wire::new();
    let digest = wire.push_blob("a", BLOB).await;
    for (range, expected, content_range) in [
        ("bytes=0-0", "0", "bytes 0-0/10"),
        ("bytes=3-5", "345", "bytes 3-5/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=7-100", "789", "bytes 7-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
        ("bytes=-100", "0123456789", "bytes 0-9/10"),
    ] {
        let answer =
            wire.send_with("GET", &format!("/v2/a/blobs/{digest}"), &[("range", range)], "").await;
        assert_eq!(answer.status, StatusCode::PARTIAL_CONTENT, "{range}");
        assert_eq!(answer.header("content-range"), content_range, "{range}");
        assert_eq!(answer.header("content-length"), expected.len().to_string(), "{range}");
        assert_eq!(answer.body, expected.as_bytes(), "{range}");
    }
}

#[tokio::test]
async fn range_outside_the_blob_is_refused() {
    let wire = Wire::new();
    let digest = wire.push_blob("a", BLOB).await;
    for range in ["bytes=10-", "bytes=10-11", "bytes=-0", "bytes=18446744073709551615-"] {
        let answer =
            wire.send_with("GET", &format!("/v2/a/blobs/{digest}"), &[("range", range)], "").await;
        assert_eq!(answer.refusal(), (416, "SIZE_INVALID".into()), "{range}");
        assert_eq!(answer.header("content-range"), "bytes */10", "{range}");
    }
    let empty = wire.push_blob("a", b"").await;
    let answer =
        wire.send_with("GET", &format!("/v2/a/blobs/{empty}"), &[("range", "bytes=0-")], "").await;
    assert_eq!(answer.status, StatusCode::RANGE_NOT_SATISFIABLE);
}

#[tokio::test]
async fn range_that_is_not_understood_returns_the_whole() {
    let wire = Wire::new();
    let digest = wire.push_blob("a", BLOB).await;
    for range in [
        "",
        "lines=1-2",
        "bytes=",
        "bytes=-",
        "bytes=5-3",
        "bytes=0-1,3-4",
        "bytes=+1-2",
        "bytes=99999999999999999999-",
    ] {
        let answer =
            wire.send_with("GET", &format!("/v2/a/blobs/{digest}"), &[("range", range)], "").await;
        assert_eq!((answer.status, answer.body.as_slice()), (StatusCode::OK, BLOB), "{range}");
    }
}

#[tokio::test]
async fn big_blob_passes_through_in_pieces() {
    let wire = Wire::new();
    let blob: Vec<u8> = (0..3_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let digest = wire.push_blob("a", &blob).await;
    let answer = wire.send("GET", &format!("/v2/a/blobs/{digest}")).await;
    assert_eq!(sha256(&answer.body), digest);
}
