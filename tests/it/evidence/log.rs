//! A transparency log that is configured is required: everything signed is in it before the tag is set.

use arc_tests::lying::LyingRegistry;
use arc_tests::rekor::{Lie, Rekor, Version};

use super::{bundles, everything, platforms, scene, steps};
use crate::site::{Site, clean};

fn number(version: Version) -> &'static str {
    match version {
        Version::V1 => "1",
        Version::V2 => "2",
    }
}

fn configure(site: &Site, log: &Rekor, version: Version) {
    let (url, key) = (log.url(), log.public_key());
    site.write_type(&[
        ("rekorURL", url.as_str()),
        ("rekorVersion", number(version)),
        ("rekorPublicKey", key.as_str()),
    ]);
}

/// Every bundle of ours at the destination, of the root and the platforms.
async fn all(destination: &LyingRegistry) -> Vec<super::Bundle> {
    let mut found = bundles(destination, "app", clean().digest()).await;
    for platform in platforms() {
        found.extend(bundles(destination, "app", &platform).await);
    }
    found
}

#[tokio::test]
async fn everything_signed_is_in_the_log_and_a_second_run_sends_nothing() {
    for version in [Version::V2, Version::V1] {
        let (_source, destination, site) = scene().await;
        let log = Rekor::start(version).await;
        configure(&site, &log, version);
        Site::rows(site.run(&[]).await, 0);
        let there = all(&destination).await;
        assert_eq!(there.len(), 8);
        assert!(there.iter().all(|bundle| bundle.log_entries == 1), "{there:#?}");
        assert_eq!((log.entries(), log.requests()), (8, 8));
        site.verify(&format!("http://{}/app:1.0", destination.host())).await.expect_code(0);
        destination.forget_requests();
        let rows = Site::rows(site.run(&[]).await, 0);
        assert_eq!(rows[0]["outcome"], "AlreadyDelivered");
        assert_eq!(destination.writes(), Vec::<String>::new());
        assert_eq!(log.requests(), 8);
    }
}

#[tokio::test]
async fn a_delivery_from_before_the_log_is_completed() {
    let (_source, destination, site) = scene().await;
    Site::rows(site.run(&[]).await, 0);
    let log = Rekor::start(Version::V2).await;
    configure(&site, &log, Version::V2);
    let rows = Site::rows(site.run(&[]).await, 0);
    assert_eq!(rows[0]["outcome"], "Delivered");
    let there = all(&destination).await;
    assert_eq!(there.iter().filter(|bundle| bundle.log_entries == 1).count(), 8);
}

#[tokio::test]
async fn a_second_publish_takes_the_logged_evidence_as_it_is() {
    for version in [Version::V2, Version::V1] {
        let (source, destination, site) = scene().await;
        let log = Rekor::start(version).await;
        let (_root, mut environment) = site.pod(source.url(), destination.url(), "app", "1.0");
        environment.extend([
            ("REKOR_URL", log.url()),
            ("REKOR_VERSION", number(version).to_owned()),
            ("REKOR_PUBLIC_KEY", log.public_key()),
        ]);
        steps(&environment, &["fetch", "scan", "publish"]).await;
        let first = everything(&destination, "app").await;
        let gone = destination
            .backdoor()
            .send(http::Method::DELETE, "/v2/app/manifests/1.0", &[], "")
            .await;
        assert_eq!(gone.status, 202);
        destination.forget_requests();
        steps(&environment, &["publish"]).await;
        assert_eq!(destination.writes(), ["PUT /v2/app/manifests/1.0 201"]);
        assert_eq!(everything(&destination, "app").await, first);
        assert_eq!(log.requests(), 8);
    }
}

#[tokio::test]
async fn what_a_v1_log_has_already_is_read_where_it_says() {
    let (source, destination, site) = scene().await;
    let log = Rekor::start(Version::V1).await;
    let (_root, mut environment) = site.pod(source.url(), destination.url(), "app", "1.0");
    environment.extend([
        ("REKOR_URL", format!("{}/", log.url())),
        ("REKOR_VERSION", "1".to_owned()),
        ("REKOR_PUBLIC_KEY", log.public_key()),
    ]);
    steps(&environment, &["fetch", "scan", "publish"]).await;
    // The destination forgets; the log does not. Only what names manifests with new proofs is signed anew.
    for digest in all(&destination).await.into_iter().map(|bundle| bundle.manifest) {
        let path = format!("/v2/app/manifests/{digest}");
        destination.backdoor().send(http::Method::DELETE, &path, &[], "").await;
    }
    assert_eq!(all(&destination).await, []);
    steps(&environment, &["publish"]).await;
    assert_eq!((log.entries(), log.requests()), (8 + 2, 16));
    assert_eq!(all(&destination).await.len(), 8);
}

#[tokio::test]
async fn a_log_that_lies_or_fails_stops_the_delivery_before_any_evidence_is_written() {
    for (lie, expected) in [
        (Lie::WrongProof, "the inclusion proof does not lead to the tree that the log signed"),
        (Lie::OtherBody, "the logged signature is not the one of this signature"),
        (Lie::OtherKey, "the checkpoint is not signed by any of the 1 log keys given"),
        (Lie::Endless, "the log answers more than"),
        (Lie::Status(500, usize::MAX), "the log answers 500"),
        (Lie::Status(400, usize::MAX), "the log answers 400"),
    ] {
        let both = [Version::V2, Version::V1].map(async |version| {
            let (source, destination, site) = scene().await;
            let log = Rekor::start(version).await;
            log.lie(lie);
            let (url, key) = (log.url(), log.public_key());
            refuses(&site, &source, &destination, (&url, &key, version), expected).await;
        });
        futures::future::join_all(both).await;
    }
}

#[tokio::test]
async fn a_log_that_isdestination_or_never_answers_stops_the_delivery() {
    let (source, destination, site) = scene().await;
    let log = Rekor::start(Version::V2).await;
    let (url, key) = (log.url(), log.public_key());
    log.lie(Lie::Hang);
    let place = (url.as_str(), key.as_str(), Version::V2);
    refuses(&site, &source, &destination, place, "the log cannot be reached").await;
    drop(log);
    refuses(&site, &source, &destination, place, "the log cannot be reached").await;
}

#[tokio::test]
async fn a_log_that_stumbles_is_asked_again() {
    let (_source, destination, site) = scene().await;
    let log = Rekor::start(Version::V2).await;
    log.lie(Lie::Status(503, 2));
    configure(&site, &log, Version::V2);
    Site::rows(site.run(&[]).await, 0);
    assert_eq!((log.entries(), log.requests()), (8, 10));
    assert!(destination.backdoor().digest("app", "1.0").await.is_some());
}

#[tokio::test]
async fn a_log_without_a_pinned_key_is_wrong_input() {
    let (_source, destination, site) = scene().await;
    site.write_type(&[("rekorURL", "https://login:secret@rekor.example"), ("rekorVersion", "3")]);
    let rows = Site::rows(site.run(&[]).await, 2);
    let message = rows[0]["problems"][0]["message"].as_str().unwrap();
    for field in ["REKOR_URL", "REKOR_VERSION", "REKOR_PUBLIC_KEY"] {
        assert!(message.contains(field), "{message}");
    }
    assert!(!message.contains("secret@"), "{message}");
    assert_eq!(destination.writes(), Vec::<String>::new());
}

/// Publishes, which must fail with this message, exit code 1, no tag and no evidence.
async fn refuses(
    site: &Site,
    source: &LyingRegistry,
    destination: &LyingRegistry,
    (url, key, version): (&str, &str, Version),
    expected: &str,
) {
    let (_root, environment) = site.pod(source.url(), destination.url(), "app", "1.0");
    let mut arc = arc_tests::arc::Arc::new(env!("CARGO_BIN_EXE_arc-under-test"));
    for (variable, value) in &environment {
        arc = arc.env(variable, value);
    }
    let arc = arc
        .env("REKOR_URL", url)
        .env("REKOR_VERSION", number(version))
        .env("REKOR_PUBLIC_KEY", key);
    arc.run(&["step", "fetch"]).await.expect_code(0);
    arc.run(&["step", "scan"]).await.expect_code(0);
    let finished = arc.run(&["step", "publish"]).await.expect_code(1);
    assert!(finished.stderr.contains(expected), "{expected}: {}", finished.stderr);
    assert!(finished.stderr.contains(url), "{}", finished.stderr);
    assert_eq!(destination.backdoor().digest("app", "1.0").await, None);
    assert_eq!(bundles(destination, "app", clean().digest()).await, []);
    assert_eq!(destination.backdoor().tags("app").await, Vec::<String>::new());
}
