//! Run again: the same evidence byte for byte, and nobody else's evidence is lost.

use http::Method;
use serde_json::json;

use super::{bundles, everything, scene, steps};
use crate::site::{NAMESPACE, Site, clean};

#[tokio::test]
async fn a_second_publish_with_the_same_work_writes_the_tag_and_nothing_else() {
    let (source, destination, site) = scene().await;
    let (_root, environment) = site.pod(source.url(), destination.url(), "app", "1.0");
    steps(&environment, &["fetch", "scan", "publish"]).await;
    let first = everything(&destination, "app").await;
    let path = "/v2/app/manifests/1.0";
    let gone = destination.backdoor().send(Method::DELETE, path, &[], "").await;
    assert_eq!(gone.status, 202);
    assert_eq!(destination.backdoor().digest("app", "1.0").await, None);
    destination.forget_requests();
    steps(&environment, &["publish"]).await;
    assert_eq!(destination.writes(), ["PUT /v2/app/manifests/1.0 201"]);
    assert_eq!(everything(&destination, "app").await, first);
}

#[tokio::test]
async fn a_fresh_work_folder_finds_the_evidence_and_writes_nothing() {
    let (source, destination, site) = scene().await;
    let (root, environment) = site.pod(source.url(), destination.url(), "app", "1.0");
    steps(&environment, &["fetch", "scan", "publish"]).await;
    let first = everything(&destination, "app").await;
    std::fs::remove_dir_all(root.join("work")).unwrap();
    std::fs::create_dir(root.join("work")).unwrap();
    destination.forget_requests();
    steps(&environment, &["fetch", "scan", "publish"]).await;
    assert_eq!(destination.writes(), Vec::<String>::new());
    assert_eq!(everything(&destination, "app").await, first);
}

#[tokio::test]
async fn the_delivery_of_another_order_keeps_the_evidence_of_the_first() {
    let (source, destination, site) = scene().await;
    Site::rows(site.run(&[]).await, 0);
    let legacy =
        |suffix: &str| format!("/v2/app/manifests/{}.{suffix}", clean().digest().replace(':', "-"));
    let layers = async |suffix: &str| {
        let manifest = destination.backdoor().get(&legacy(suffix)).await.json();
        manifest["layers"].as_array().unwrap().clone()
    };
    let first = bundles(&destination, "app", clean().digest()).await;
    let (signatures, attestations) = (layers("sig").await, layers("att").await);
    // Another order, at another time, for the same content under another tag.
    let order = json!({
        "apiVersion": "arc.opendefense.cloud/v1alpha1", "kind": "Order",
        "metadata": {
            "name": "later", "namespace": NAMESPACE, "uid": "5d0b9a57-8b6e-4f55-a9a8-0f0a1c7b9f22",
            "creationTimestamp": "2026-11-21T12:00:00Z",
        },
        "spec": {
            "defaults": {"srcRef": {"name": "source"}, "dstRef": {"name": "destination"}},
            "artifacts": [{"name": "app", "type": "oci", "spec": {
                "repository": "app", "tag": "1.0", "override": "app:stable",
            }}],
        },
    });
    site.write("order", &[order]);
    let rows = Site::rows(site.run(&[]).await, 0);
    assert_eq!(rows[0]["outcome"], "Delivered");
    let both = bundles(&destination, "app", clean().digest()).await;
    assert!(first.iter().all(|bundle| both.contains(bundle)), "{both:#?}");
    assert!(both.len() > first.len());
    assert!(layers("sig").await.starts_with(&signatures));
    let appended = layers("att").await;
    assert!(appended.starts_with(&attestations) && appended.len() > attestations.len());
    for tag in ["1.0", "stable"] {
        site.verify(&format!("http://{}/app:{tag}", destination.host())).await.expect_code(0);
    }
    drop(source);
}
