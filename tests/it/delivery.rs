//! The whole job against the embedded registry, with the referrers API and without it.

use arc_registry::Options;
use arc_tests::lying::{LyingRegistry, Setup};
use serde_json::{Value, json};

use crate::site::{Side, Site, clean, clean_too, vulnerable};

/// A source with several tags and a destination, each a registry.
async fn site_with(destination: Setup) -> (LyingRegistry, LyingRegistry, Site) {
    let source = LyingRegistry::honest().await;
    clean().push(source.backdoor(), "library/alpine", "3.18.6").await;
    clean_too().push(source.backdoor(), "library/alpine", "3.19.1").await;
    clean_too().push(source.backdoor(), "library/alpine", "3.18.2").await;
    vulnerable().push(source.backdoor(), "library/debian", "11.4").await;
    let destination = LyingRegistry::start(destination).await;
    let site =
        Site::new(&Side::at(source.url()), &Side::at(format!("{}/mirror", destination.url())));
    source.forget_requests();
    (source, destination, site)
}

fn outcomes(rows: &[Value]) -> Vec<(&str, &str)> {
    rows.iter()
        .map(|row| (row["artifact"].as_str().unwrap(), row["outcome"].as_str().unwrap()))
        .collect()
}

fn four_artifacts(site: &Site) {
    site.order(&[
        ("range", json!({"repository": "library/alpine", "tag": ">3.18.0 <3.19.0"})),
        (
            "override",
            json!({"image": "library/alpine:3.19.1", "override": "team/alpine:{{.tag}}-ok"}),
        ),
        ("refused", json!({"repository": "library/debian", "tag": "11.4"})),
        ("missing", json!({"repository": "library/alpine", "tag": "2.x"})),
    ]);
}

#[tokio::test]
async fn every_artifact_has_its_own_fate_and_a_second_run_moves_nothing() {
    for options in [Options::default(), Options { referrers_api: false, ..Options::default() }] {
        let (_source, destination, site) = site_with(Setup { options, ..Setup::default() }).await;
        four_artifacts(&site);
        let rows = Site::rows(site.run(&[]).await, 2);
        assert_eq!(
            outcomes(&rows),
            [
                ("range", "Delivered"),
                ("override", "Delivered"),
                ("refused", "Refused"),
                ("missing", "Invalid")
            ]
        );
        let there = destination.backdoor();
        assert_eq!(
            there.digest("mirror/library/alpine", "3.18.6").await.as_deref(),
            Some(clean().digest())
        );
        assert_eq!(
            there.digest("mirror/team/alpine", "3.19.1-ok").await.as_deref(),
            Some(clean_too().digest())
        );
        assert_eq!(there.tags("mirror/library/debian").await, Vec::<String>::new());
        let finding = &rows[2]["result"]["scan"]["findings"][0];
        assert_eq!(finding["id"], "CVE-2022-37434");
        assert_eq!(finding["fixed"], "1:1.2.11.dfsg-2+deb11u2");
        assert!(finding["url"].as_str().unwrap().starts_with("https://"));
        site.verify(&format!("http://{}/mirror/library/alpine:3.18.6", destination.host()))
            .await
            .expect_code(0);

        destination.forget_requests();
        let rows = Site::rows(site.run(&[]).await, 2);
        assert_eq!(
            outcomes(&rows),
            [
                ("range", "AlreadyDelivered"),
                ("override", "AlreadyDelivered"),
                ("refused", "Refused"),
                ("missing", "Invalid")
            ]
        );
        assert_eq!(destination.writes(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn the_tag_is_the_last_write_and_the_evidence_stands_before_it() {
    let (_source, destination, site) = site_with(Setup::default()).await;
    site.order(&[("one", json!({"repository": "library/alpine", "tag": "3.18.6"}))]);
    Site::rows(site.run(&[]).await, 0);
    let writes = destination.writes();
    let tag = writes
        .iter()
        .position(|write| write.starts_with("PUT /v2/mirror/library/alpine/manifests/3.18.6 "));
    assert_eq!(tag, Some(writes.len() - 1), "{writes:#?}");
}

#[tokio::test]
async fn a_dry_run_says_what_would_move_and_writes_nothing() {
    let (_source, destination, site) = site_with(Setup::default()).await;
    site.order(&[("range", json!({"repository": "library/alpine", "tag": "~3.18"}))]);
    let rows = Site::rows(site.run(&["--dry-run"]).await, 0);
    assert_eq!(outcomes(&rows), [("range", "DryRun")]);
    let result = &rows[0]["result"];
    assert_eq!(result["source"]["tag"], "3.18.6");
    assert_eq!(result["source"]["digest"], clean().digest());
    assert_eq!(
        result["destination"]["reference"],
        format!("{}/mirror/library/alpine:3.18.6", destination.host())
    );
    assert!(result["bytesPlanned"].as_u64().unwrap() > 0);
    assert_eq!(destination.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn three_pods_that_share_no_secret_deliver_the_same() {
    let (_source, destination, site) = site_with(Setup::default()).await;
    site.isolate();
    four_artifacts(&site);
    let expected = [
        ("range", "Delivered"),
        ("override", "Delivered"),
        ("refused", "Refused"),
        ("missing", "Invalid"),
    ];
    assert_eq!(outcomes(&Site::rows(site.run(&[]).await, 2)), expected);
    site.verify(&format!("http://{}/mirror/team/alpine:3.19.1-ok", destination.host()))
        .await
        .expect_code(0);
    destination.forget_requests();
    let again = Site::rows(site.run(&[]).await, 2);
    assert_eq!(outcomes(&again)[0], ("range", "AlreadyDelivered"));
    assert_eq!(destination.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn what_belongs_to_an_image_travels_with_it() {
    let source = LyingRegistry::honest().await;
    let (image, referrer) =
        clean().with_referrer("application/vnd.example.sbom", "{\"made\":\"upstream\"}");
    image.push(source.backdoor(), "app", "1.0").await;
    let destination = LyingRegistry::honest().await;
    let site = Site::new(&Side::at(source.url()), &Side::at(destination.url()));
    site.order(&[("app", json!({"repository": "app", "tag": "1.0"}))]);
    Site::rows(site.run(&[]).await, 0);
    let index =
        destination.backdoor().get(&format!("/v2/app/referrers/{}", image.digest())).await.json();
    let digests: Vec<_> = index["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["digest"].clone())
        .collect();
    assert!(digests.contains(&json!(referrer)), "{index:#}");
}

#[tokio::test]
async fn a_second_order_for_the_same_image_adds_no_second_signature() {
    let (_source, destination, site) = site_with(Setup::default()).await;
    site.order(&[
        ("one", json!({"repository": "library/alpine", "tag": "3.18.6"})),
        ("two", json!({"repository": "library/alpine", "tag": "3.18.6", "override": "library/alpine:stable"})),
    ]);
    Site::rows(site.run(&[]).await, 0);
    let signature = format!("{}.sig", clean().digest().replace(':', "-"));
    let path = format!("/v2/mirror/library/alpine/manifests/{signature}");
    let manifest = destination.backdoor().get(&path).await.json();
    assert_eq!(manifest["layers"].as_array().unwrap().len(), 1, "{manifest:#}");
}
