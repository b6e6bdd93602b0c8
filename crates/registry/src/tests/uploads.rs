//! The ways a blob gets in, and the ways it does not.

use http::StatusCode;

use crate::{
    Options,
    tests::conversation::{Wire, sha256, sha512},
};

const BLOB: &[u8] = b"0123456789";

#[tokio::test]
async fn monolithic_upload_takes_post_and_put() {
    let wire = Wire::new();
    for digest in [sha256(BLOB), sha512(BLOB)] {
        let location = wire.open_upload("a/b").await;
        let answer = wire.send_with("PUT", &format!("{location}?digest={digest}"), &[], BLOB).await;
        assert_eq!(answer.status, StatusCode::CREATED);
        assert_eq!(answer.header("location"), format!("/v2/a/b/blobs/{digest}"));
        assert_eq!(answer.header("docker-content-digest"), digest);
        assert_eq!(wire.send("GET", &format!("/v2/a/b/blobs/{digest}")).await.body, BLOB);
        assert_eq!(
            wire.send("GET", &location).await.refusal(),
            (404, "BLOB_UPLOAD_UNKNOWN".into())
        );
    }
}

#[tokio::test]
async fn single_shot_upload_takes_one_post() {
    let wire = Wire::new();
    // Colons are often escaped in queries.
    let query = sha256(BLOB).replace(':', "%3A");
    let answer =
        wire.send_with("POST", &format!("/v2/a/blobs/uploads/?digest={query}"), &[], BLOB).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(wire.send("GET", answer.header("location")).await.body, BLOB);
}

#[tokio::test]
async fn empty_blob_is_a_blob() {
    let wire = Wire::new();
    let digest = wire.push_blob("a", b"").await;
    let answer = wire.send("GET", &format!("/v2/a/blobs/{digest}")).await;
    assert_eq!(
        (answer.status, answer.header("content-length"), answer.body.len()),
        (StatusCode::OK, "0", 0)
    );
}

#[tokio::test]
async fn chunks_continue_where_the_upload_stands() {
    let wire = Wire::new();
    let location = wire.open_upload("a").await;
    for (range, chunk, progress) in
        [("0-3", "0123", "0-3"), ("4-4", "4", "0-4"), ("5-8", "5678", "0-8")]
    {
        let answer = wire.send_with("PATCH", &location, &[("content-range", range)], chunk).await;
        assert_eq!((answer.status, answer.header("range")), (StatusCode::ACCEPTED, progress));
        assert_eq!(answer.header("location"), location);
        let status = wire.send("GET", &location).await;
        assert_eq!((status.status, status.header("range")), (StatusCode::NO_CONTENT, progress));
    }
    let put = format!("{location}?digest={}", sha256(BLOB));
    let answer = wire.send_with("PUT", &put, &[("content-range", "9-9")], "9").await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(wire.send("GET", answer.header("location")).await.body, BLOB);
}

#[tokio::test]
async fn chunks_without_range_are_appended() {
    let wire = Wire::new();
    let location = wire.open_upload("a").await;
    for chunk in ["01234", "56789"] {
        assert_eq!(
            wire.send_with("PATCH", &location, &[], chunk).await.status,
            StatusCode::ACCEPTED
        );
    }
    let answer = wire.send("PUT", &format!("{location}?digest={}", sha512(BLOB))).await;
    assert_eq!(answer.status, StatusCode::CREATED);
}

#[tokio::test]
async fn chunk_in_the_wrong_place_is_refused_with_the_right_one() {
    let wire = Wire::new();
    let location = wire.open_upload("a").await;
    wire.send_with("PATCH", &location, &[("content-range", "0-4")], "01234").await;
    for range in ["0-4", "4-8", "6-10", "9-9"] {
        let answer = wire.send_with("PATCH", &location, &[("content-range", range)], "56789").await;
        assert_eq!(answer.refusal(), (416, "BLOB_UPLOAD_INVALID".into()), "{range}");
        assert_eq!((answer.header("range"), answer.header("location")), ("0-4", location.as_str()));
    }
    for range in ["5", "9-5", "five-nine", "5-"] {
        let answer = wire.send_with("PATCH", &location, &[("content-range", range)], "56789").await;
        assert_eq!(answer.refusal(), (400, "BLOB_UPLOAD_INVALID".into()), "{range}");
    }
    let put = format!("{location}?digest={}", sha256(BLOB));
    let answer = wire.send_with("PUT", &put, &[("content-range", "6-9")], "6789").await;
    assert_eq!(answer.refusal(), (416, "BLOB_UPLOAD_INVALID".into()));
}

#[tokio::test]
async fn chunk_longer_or_shorter_than_announced_does_not_count() {
    let wire = Wire::new();
    let location = wire.open_upload("a").await;
    for (range, chunk) in [("0-9", "0123"), ("0-1", "0123")] {
        let answer = wire.send_with("PATCH", &location, &[("content-range", range)], chunk).await;
        assert_eq!(answer.refusal(), (400, "SIZE_INVALID".into()), "{range}");
        assert_eq!(wire.send("GET", &location).await.header("range"), "0-0");
    }
    let answer =
        wire.send_with("PUT", &format!("{location}?digest={}", sha256(BLOB)), &[], BLOB).await;
    assert_eq!(answer.status, StatusCode::CREATED);
}

#[tokio::test]
async fn wrong_digest_ends_the_upload_and_leaves_nothing() {
    let wire = Wire::new();
    let digest = sha256(b"something else");
    let location = wire.open_upload("a").await;
    let answer = wire.send_with("PUT", &format!("{location}?digest={digest}"), &[], BLOB).await;
    assert_eq!(answer.refusal(), (400, "DIGEST_INVALID".into()));
    for digest in [digest, sha256(BLOB)] {
        assert_eq!(
            wire.send("HEAD", &format!("/v2/a/blobs/{digest}")).await.status,
            StatusCode::NOT_FOUND
        );
    }
    assert_eq!(wire.send("GET", &location).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn missing_or_malformed_digest_is_refused() {
    let wire = Wire::new();
    let location = wire.open_upload("a").await;
    for query in
        ["", "?digest=", "?digest=sha256:abc", "?digest=md5:d41d8cd98f00b204e9800998ecf8427e"]
    {
        let answer = wire.send_with("PUT", &format!("{location}{query}"), &[], BLOB).await;
        assert_eq!(answer.refusal(), (400, "DIGEST_INVALID".into()), "{query}");
    }
}

#[tokio::test]
async fn cancelled_upload_is_gone() {
    let wire = Wire::new();
    let location = wire.open_upload("a").await;
    assert_eq!(wire.send("DELETE", &location).await.status, StatusCode::NO_CONTENT);
    for method in ["DELETE", "GET", "PATCH"] {
        assert_eq!(
            wire.send(method, &location).await.refusal(),
            (404, "BLOB_UPLOAD_UNKNOWN".into()),
            "{method}"
        );
    }
}

#[tokio::test]
async fn upload_belongs_to_its_repository() {
    let wire = Wire::new();
    let location = wire.open_upload("a").await;
    let elsewhere = location.replace("/v2/a/", "/v2/b/");
    assert_eq!(wire.send("GET", &elsewhere).await.refusal(), (404, "BLOB_UPLOAD_UNKNOWN".into()));
}

#[tokio::test]
async fn two_writers_cannot_mix_their_bytes() {
    let wire = Wire::new();
    let location = wire.open_upload("a").await;
    let id = location.rsplit('/').next().expect("the location ends with the id");
    let id = crate::name::UploadId::parse(id).expect("the id is ours");
    let lease = wire.registry.active_uploads().lease(&id).expect("nobody writes yet");
    assert_eq!(wire.send("PATCH", &location).await.refusal(), (409, "BLOB_UPLOAD_INVALID".into()));
    drop(lease);
    assert_eq!(wire.send("PATCH", &location).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn mount_shows_a_blob_in_another_repository() {
    let wire = Wire::new();
    let digest = wire.push_blob("a", BLOB).await;
    let blob = format!("/v2/b/blobs/{digest}");
    assert_eq!(wire.send("HEAD", &blob).await.status, StatusCode::NOT_FOUND);
    let answer = wire.send("POST", &format!("/v2/b/blobs/uploads/?mount={digest}&from=a")).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::CREATED, blob.as_str()));
    assert_eq!(wire.send("GET", &blob).await.body, BLOB);
}

#[tokio::test]
async fn mount_that_is_not_possible_becomes_an_upload() {
    let without_mount = Options { mount: false, ..Options::default() };
    let unknown = sha256(b"unknown");
    let known = sha256(BLOB);
    for (options, query) in [
        (Options::default(), format!("mount={unknown}&from=a")),
        (Options::default(), format!("mount={known}&from=c")),
        (Options::default(), format!("mount={known}")),
        (without_mount, format!("mount={known}&from=a")),
    ] {
        let wire = Wire::with_options(options);
        wire.push_blob("a", BLOB).await;
        let answer = wire.send("POST", &format!("/v2/b/blobs/uploads/?{query}")).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{query}");
        let put = format!("{}?digest={known}", answer.header("location"));
        assert_eq!(
            wire.send_with("PUT", &put, &[], BLOB).await.status,
            StatusCode::CREATED,
            "{query}"
        );
    }
}
