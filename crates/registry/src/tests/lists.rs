//! Tags and repositories, page by page.

use http::StatusCode;
use serde_json::json;

use crate::{
    Options,
    tests::conversation::{MANIFEST, Wire},
};

async fn with_tags(options: Options, tags: &[&str]) -> Wire {
    let wire = Wire::with_options(options);
    for tag in tags {
        wire.push_manifest("a/b", tag, MANIFEST, b"{\"schemaVersion\":2}").await;
    }
    wire
}

#[tokio::test]
async fn tags_are_sorted_and_cut_into_pages() {
    let wire = with_tags(Options::default(), &["v2", "v10", "v1", "B", "a"]).await;
    for (query, tags, link) in [
        ("", json!(["B", "a", "v1", "v10", "v2"]), ""),
        ("?n=2", json!(["B", "a"]), "</v2/a/b/tags/list?n=2&last=a>; rel=\"next\""),
        ("?n=2&last=a", json!(["v1", "v10"]), "</v2/a/b/tags/list?n=2&last=v10>; rel=\"next\""),
        ("?n=2&last=v10", json!(["v2"]), ""),
        ("?n=5", json!(["B", "a", "v1", "v10", "v2"]), ""),
        ("?n=0", json!([]), ""),
        ("?last=unknown", json!(["v1", "v10", "v2"]), ""),
    ] {
        let answer = wire.send("GET", &format!("/v2/a/b/tags/list{query}")).await;
        assert_eq!(answer.json(), json!({ "name": "a/b", "tags": tags }), "{query}");
        assert_eq!(answer.header("link"), link, "{query}");
    }
    let answer = wire.send("GET", "/v2/a/b/tags/list?n=-1").await;
    assert_eq!(answer.refusal(), (400, "SIZE_INVALID".into()));
}

#[tokio::test]
async fn page_is_never_longer_than_the_registry_wants() {
    let wire = with_tags(Options { page_size: 1, ..Options::default() }, &["x", "y"]).await;
    let answer = wire.send("GET", "/v2/a/b/tags/list?n=100").await;
    assert_eq!(answer.json()["tags"], json!(["x"]));
    assert_eq!(answer.header("link"), "</v2/a/b/tags/list?n=1&last=x>; rel=\"next\"");
}

#[tokio::test]
async fn unknown_repository_has_no_tag_list() {
    let wire = with_tags(Options::default(), &["x"]).await;
    wire.push_blob("only-blobs", b"x").await;
    for name in ["a", "b", "only-blobs"] {
        let answer = wire.send("GET", &format!("/v2/{name}/tags/list")).await;
        assert_eq!(answer.refusal(), (404, "NAME_UNKNOWN".into()), "{name}");
    }
}

#[tokio::test]
async fn catalog_lists_repositories_at_every_depth() {
    let wire = Wire::new();
    for name in ["b", "a/b/c", "a", "a/b-c"] {
        wire.push_manifest(name, "v1", MANIFEST, b"{\"schemaVersion\":2}").await;
    }
    assert_eq!(
        wire.send("GET", "/v2/_catalog").await.json(),
        json!({ "repositories": ["a", "a/b-c", "a/b/c", "b"] })
    );
    let answer = wire.send("GET", "/v2/_catalog?n=3").await;
    assert_eq!(answer.header("link"), "</v2/_catalog?n=3&last=a%2Fb%2Fc>; rel=\"next\"");
    assert_eq!(
        wire.send("GET", "/v2/_catalog?n=3&last=a%2Fb%2Fc").await.json(),
        json!({ "repositories": ["b"] })
    );
}

#[tokio::test]
async fn version_check_answers() {
    let wire = Wire::new();
    for uri in ["/v2/", "/v2"] {
        let answer = wire.send("GET", uri).await;
        assert_eq!((answer.status, answer.body.as_slice()), (StatusCode::OK, b"{}".as_slice()));
        assert_eq!(answer.header("docker-distribution-api-version"), "registry/2.0");
    }
}

#[tokio::test]
async fn wrong_method_and_unknown_address_are_said_so() {
    let wire = Wire::new();
    for (method, uri, status) in [
        ("POST", "/v2/a/manifests/v1", 405),
        ("DELETE", "/v2/a/tags/list", 405),
        ("PUT", "/v2/_catalog", 405),
        ("GET", "/v2/a/unknown/v1", 404),
        ("GET", "/v2/x", 404),
    ] {
        assert_eq!(
            wire.send(method, uri).await.refusal(),
            (status, "UNSUPPORTED".into()),
            "{method} {uri}"
        );
    }
}

#[tokio::test]
async fn each_optional_part_can_be_switched_off() {
    let wire = Wire::with_options(Options {
        delete: false,
        ranges: false,
        single_post: false,
        catalog: false,
        ..Options::default()
    });
    let digest = wire.push_blob("a", b"0123456789").await;
    let blob = format!("/v2/a/blobs/{digest}");
    assert_eq!(wire.send("DELETE", &blob).await.refusal(), (405, "UNSUPPORTED".into()));
    let whole = wire.send_with("GET", &blob, &[("range", "bytes=3-5")], "").await;
    assert_eq!((whole.status.as_u16(), whole.header("accept-ranges")), (200, "none"));
    assert_eq!(whole.body, b"0123456789");
    let other = crate::tests::conversation::sha256(b"other");
    let uri = format!("/v2/a/blobs/uploads/?digest={other}");
    let opened = wire.send_with("POST", &uri, &[], "other").await;
    assert_eq!(opened.status.as_u16(), 202);
    assert_eq!(wire.send("HEAD", &format!("/v2/a/blobs/{other}")).await.status.as_u16(), 404);
    // An upload may be given up all the same.
    assert_eq!(wire.send("DELETE", opened.header("location")).await.status.as_u16(), 204);
    assert_eq!(wire.send("GET", "/v2/_catalog").await.refusal(), (404, "UNSUPPORTED".into()));
}

#[tokio::test]
async fn an_account_is_asked_for_everywhere() {
    let Wire { registry, folder } = Wire::new();
    let wire = Wire { registry: registry.with_account("user", "secret"), folder };
    // user:secret, user:wrong
    let (right, wrong) = ("Basic dXNlcjpzZWNyZXQ=", "Basic dXNlcjp3cm9uZw==");
    for uri in ["/v2/", "/v2/_catalog", "/v2/a/tags/list", "/v2/nonsense"] {
        for headers in [&[][..], &[("authorization", wrong)], &[("authorization", "")]] {
            let answer = wire.send_with("GET", uri, headers, "").await;
            assert_eq!(answer.refusal(), (401, "UNAUTHORIZED".into()), "{uri}");
            assert_eq!(answer.header("www-authenticate"), "Basic realm=\"arc\"");
        }
        let answer = wire.send_with("GET", uri, &[("authorization", right)], "").await;
        assert_ne!(answer.status.as_u16(), 401, "{uri}");
    }
    let push =
        wire.send_with("POST", "/v2/a/blobs/uploads/", &[("authorization", wrong)], "").await;
    assert_eq!(push.status.as_u16(), 401);
    assert!(!format!("{:?}", wire.registry).contains("secret"));
}
