//! The referrers API, and the registry that does not have it.

use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    Options,
    tests::conversation::{INDEX, MANIFEST, Wire, sha256},
};

/// Pushes a referrer of `subject` and returns its digest.
async fn push_referrer(wire: &Wire, subject: &str, extra: &Value) -> String {
    let config = wire.push_blob("a", b"{}").await;
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": { "mediaType": "application/vnd.example.config", "digest": config, "size": 2 },
        "layers": [],
        "subject": { "mediaType": MANIFEST, "digest": subject, "size": 7 },
    });
    for (key, value) in extra.as_object().into_iter().flatten() {
        manifest[key] = value.clone();
    }
    let bytes = manifest.to_string();
    let digest = sha256(bytes.as_bytes());
    let answer = wire.push_manifest("a", &digest, MANIFEST, bytes.as_bytes()).await;
    assert_eq!((answer.status, answer.header("oci-subject")), (StatusCode::CREATED, subject));
    digest
}

#[tokio::test]
async fn referrers_are_listed_with_type_and_annotations() {
    let wire = Wire::new();
    let subject = sha256(b"a subject that may come later");
    let typed =
        json!({ "artifactType": "application/vnd.example.sbom", "annotations": { "k": "v" } });
    let typed = push_referrer(&wire, &subject, &typed).await;
    let untyped = push_referrer(&wire, &subject, &json!({})).await;

    let answer = wire.send("GET", &format!("/v2/a/referrers/{subject}")).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, INDEX));
    assert_eq!(answer.header("oci-filters-applied"), "");
    let list = answer.json();
    let of = |digest: &str| {
        let manifests = list["manifests"].as_array().expect("the list has manifests");
        manifests
            .iter()
            .find(|entry| entry["digest"] == digest)
            .expect("the referrer is listed")
            .clone()
    };
    assert_eq!(list["manifests"].as_array().map(Vec::len), Some(2));
    assert_eq!(list["mediaType"], INDEX);
    let size = wire.send("GET", &format!("/v2/a/manifests/{typed}")).await.body.len();
    assert_eq!(
        of(&typed),
        json!({ "mediaType": MANIFEST, "digest": typed, "size": size,
                "artifactType": "application/vnd.example.sbom", "annotations": { "k": "v" } })
    );
    assert_eq!(of(&untyped)["artifactType"], "application/vnd.example.config");
}

#[tokio::test]
async fn referrers_are_filtered_by_type() {
    let wire = Wire::new();
    let subject = sha256(b"subject");
    let wanted = push_referrer(
        &wire,
        &subject,
        &json!({ "artifactType": "application/vnd.example.x+json" }),
    )
    .await;
    push_referrer(&wire, &subject, &json!({})).await;
    let uri = format!("/v2/a/referrers/{subject}?artifactType=application%2Fvnd.example.x%2Bjson");
    let answer = wire.send("GET", &uri).await;
    assert_eq!(answer.header("oci-filters-applied"), "artifactType");
    let list = answer.json();
    assert_eq!(list["manifests"].as_array().map(Vec::len), Some(1));
    assert_eq!(list["manifests"][0]["digest"], wanted);
}

#[tokio::test]
async fn referrers_come_in_pages() {
    let wire = Wire::with_options(Options { page_size: 2, ..Options::default() });
    let subject = sha256(b"subject");
    let mut expected = Vec::new();
    for number in 0..5 {
        let extra =
            json!({ "artifactType": "t/x", "annotations": { "number": number.to_string() } });
        expected.push(push_referrer(&wire, &subject, &extra).await);
    }
    expected.sort();
    let mut found = Vec::new();
    let mut next = Some(format!("/v2/a/referrers/{subject}?artifactType=t%2Fx"));
    while let Some(uri) = next {
        let answer = wire.send("GET", &uri).await;
        let list = answer.json();
        let page = list["manifests"].as_array().expect("the list has manifests");
        assert!(page.len() <= 2);
        found.extend(
            page.iter().map(|entry| entry["digest"].as_str().expect("a digest is text").to_owned()),
        );
        let link = answer.header("link");
        next = link
            .strip_prefix('<')
            .and_then(|link| link.split_once('>'))
            .map(|(uri, _)| uri.to_owned());
    }
    assert_eq!(found, expected);
}

#[tokio::test]
async fn unknown_subject_has_no_referrers() {
    let wire = Wire::new();
    let answer = wire.send("GET", &format!("/v2/a/referrers/{}", sha256(b"x"))).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json(), json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [] }));
}

#[tokio::test]
async fn deleted_referrer_is_no_longer_listed() {
    let wire = Wire::new();
    let subject = sha256(b"subject");
    let referrer = push_referrer(&wire, &subject, &json!({})).await;
    wire.send("DELETE", &format!("/v2/a/manifests/{referrer}")).await;
    let list = wire.send("GET", &format!("/v2/a/referrers/{subject}")).await.json();
    assert_eq!(list["manifests"], json!([]));
}

#[tokio::test]
async fn registry_without_the_api_says_nothing_about_subjects() {
    let wire = Wire::with_options(Options { referrers_api: false, ..Options::default() });
    let subject = json!({ "mediaType": MANIFEST, "digest": sha256(b"subject"), "size": 7 });
    let manifest = json!({ "schemaVersion": 2, "subject": subject }).to_string();
    let answer = wire.push_manifest("a", "v1", MANIFEST, manifest.as_bytes()).await;
    assert_eq!((answer.status, answer.headers.get("oci-subject")), (StatusCode::CREATED, None));
    let answer = wire.send("GET", &format!("/v2/a/referrers/{}", sha256(b"subject"))).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}
