//! No name that could leave the folder, or meet our own files in it, is ever accepted.

use crate::{
    name::{Digest, Name, Reference, UploadId},
    route::Target,
    tests::conversation::Wire,
};

#[test]
fn repository_names_follow_the_grammar_of_the_specification() {
    let long = "a".repeat(255);
    let too_long = "a".repeat(256);
    for (name, is_valid) in [
        ("alpine", true),
        ("library/alpine", true),
        ("a/b/c/d/e", true),
        ("a.b/c_d/e__f/g---h/0", true),
        (long.as_str(), true),
        (too_long.as_str(), false),
        ("", false),
        ("/", false),
        ("a/", false),
        ("/a", false),
        ("a//b", false),
        (".", false),
        ("..", false),
        ("a/../b", false),
        ("a/./b", false),
        ("a..b", false),
        ("a___b", false),
        ("a._b", false),
        ("_blobs", false),
        ("a/_manifests", false),
        (".hidden", false),
        ("-a", false),
        ("a-", false),
        ("Alpine", false),
        ("a b", false),
        ("a\\b", false),
        ("a\0b", false),
        ("é", false),
    ] {
        assert_eq!(Name::parse(name).is_ok(), is_valid, "{name:?}");
    }
}

#[test]
fn tags_and_digests_follow_the_grammar_of_the_specification() {
    let sha256 = format!("sha256:{}", "a".repeat(64));
    let sha512 = format!("sha512:{}", "0".repeat(128));
    let short = format!("sha256:{}", "a".repeat(63));
    let upper = format!("sha256:{}", "A".repeat(64));
    let wrong_length = format!("sha512:{}", "a".repeat(64));
    let long_tag = "a".repeat(128);
    let too_long_tag = "a".repeat(129);
    for (reference, is_valid) in [
        ("latest", true),
        ("v1.2.3-rc.1_x", true),
        ("_x", true),
        (long_tag.as_str(), true),
        (sha256.as_str(), true),
        (sha512.as_str(), true),
        (too_long_tag.as_str(), false),
        (short.as_str(), false),
        (upper.as_str(), false),
        (wrong_length.as_str(), false),
        ("", false),
        (".", false),
        ("..", false),
        (".hidden", false),
        ("-x", false),
        ("a/b", false),
        ("a+b", false),
        ("md5:d41d8cd98f00b204e9800998ecf8427e", false),
        ("sha256:../../../../etc/passwd", false),
    ] {
        assert_eq!(Reference::parse(reference).is_ok(), is_valid, "{reference:?}");
    }
}

#[test]
fn upload_ids_are_only_our_own() {
    assert!(UploadId::parse(&"0f".repeat(16)).is_ok());
    for id in
        ["", "..", "0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F", "0f0f", "../../../../../../../../etc/passwd"]
    {
        assert!(UploadId::parse(id).is_err(), "{id:?}");
    }
}

#[test]
fn addresses_are_read_from_their_end() {
    let name = |text| Name::parse(text).expect("the name is valid");
    let hex = format!("sha256:{}", "a".repeat(64));
    let digest = || Digest::parse(&hex).expect("the digest is valid");
    let id = "0f".repeat(16);
    let reference = |text| Reference::parse(text).expect("the reference is valid");
    for (path, expected) in [
        ("_catalog".to_owned(), Target::Catalog),
        ("a/tags/list".to_owned(), Target::Tags(name("a"))),
        ("a/tags/list/tags/list".to_owned(), Target::Tags(name("a/tags/list"))),
        ("a/b/manifests/list".to_owned(), Target::Manifest(name("a/b"), reference("list"))),
        ("a/blobs/uploads/".to_owned(), Target::Uploads(name("a"))),
        ("a/blobs/uploads".to_owned(), Target::Uploads(name("a"))),
        ("blobs/uploads/blobs/uploads/".to_owned(), Target::Uploads(name("blobs/uploads"))),
        (
            format!("a/blobs/uploads/{id}"),
            Target::Upload(name("a"), UploadId::parse(&id).expect("the id is valid")),
        ),
        (format!("manifests/blobs/{hex}"), Target::Blob(name("manifests"), digest())),
        (format!("a/referrers/{hex}"), Target::Referrers(name("a"), digest())),
    ] {
        assert_eq!(Target::parse(&path).expect("the address is known"), expected, "{path:?}");
    }
}

#[tokio::test]
async fn no_address_leads_out_of_the_folder() {
    let wire = Wire::new();
    let secret = wire.folder.path().join("../arc-registry-outside");
    let digest = format!("sha256:{}", "a".repeat(64));
    for address in [
        "/v2/../manifests/latest".to_owned(),
        "/v2/%2e%2e/manifests/latest".to_owned(),
        "/v2/a%2f..%2f..%2f..%2fb/manifests/latest".to_owned(),
        "/v2/a/../../../b/manifests/latest".to_owned(),
        "/v2/a/manifests/..".to_owned(),
        "/v2/a/manifests/%2e%2e%2f%2e%2e%2farc-registry-outside".to_owned(),
        "/v2/a/blobs/uploads/..%2f..%2f..%2f..%2farc-registry-outside".to_owned(),
        "/v2/a/blobs/sha256:..%2f..%2f..%2farc-registry-outside".to_owned(),
        "/v2/_blobs/manifests/latest".to_owned(),
        "/v2/a%00b/manifests/latest".to_owned(),
        format!("/v2/%2e%2e/blobs/{digest}"),
        format!("/v2/a/../b/referrers/{digest}"),
    ] {
        for method in ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"] {
            let answer =
                wire.send_with(method, &address, &[("content-type", "x")], "outside").await;
            assert!(answer.status.is_client_error(), "{method} {address}: {}", answer.status);
        }
    }
    assert!(!secret.exists());
    let repositories =
        wire.folder.path().join("repositories").read_dir().expect("the folder exists");
    assert_eq!(repositories.count(), 0);
}
