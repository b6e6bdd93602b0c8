//! What must never be delivered, and what a tired operator reads about it.

use arc_tests::images::{self, Content};
use arc_tests::lying::LyingRegistry;
use serde_json::json;

use crate::site::{Side, Site, clean};

async fn site() -> (LyingRegistry, LyingRegistry, Site) {
    let source = LyingRegistry::honest().await;
    clean().push(source.backdoor(), "app", "1.0").await;
    let destination = LyingRegistry::honest().await;
    let site = Site::new(&Side::at(source.url()), &Side::at(destination.url()));
    site.order(&[("app", json!({"repository": "app", "tag": "1.0"}))]);
    (source, destination, site)
}

/// Runs the order and expects a refusal without a trace at the destination's tag.
async fn refused(site: &Site, destination: &LyingRegistry, code: i32, part: &str) {
    let finished = site.run(&[]).await.expect_code(code);
    let said = format!("{}{}", finished.stdout, finished.stderr);
    assert!(said.contains(part), "{part:?} is not said in\n{said}");
    assert_eq!(destination.backdoor().digest("app", "1.0").await, None);
}

#[tokio::test]
async fn without_a_key_nothing_is_delivered() {
    let (_source, destination, site) = site().await;
    site.lose_key();
    refused(&site, &destination, 2, "signing key").await;
    assert_eq!(destination.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn without_advisories_nothing_is_clean() {
    let (_source, destination, site) = site().await;
    let empty = tempfile::tempdir().unwrap();
    site.write_type(&[("scanDatabase", empty.path().to_str().unwrap())]);
    refused(&site, &destination, 1, "no advisories").await;
}

#[tokio::test]
async fn a_release_the_advisories_do_not_know_is_not_clean() {
    let (source, destination, site) = site().await;
    Content::multi_arch(&[images::debian("10", &[("zlib", "1:1.2.11.dfsg-1")])])
        .push(source.backdoor(), "app", "1.0")
        .await;
    refused(&site, &destination, 3, "no advisory for").await;
}

#[tokio::test]
async fn an_image_without_packages_is_delivered_only_where_the_type_allows_it() {
    let (source, destination, site) = site().await;
    let bare = Content::multi_arch(&[images::Layer::files(&[("app", "binary")])]);
    bare.push(source.backdoor(), "app", "1.0").await;
    refused(&site, &destination, 3, "scanUnsupported").await;
    site.write_type(&[("scanUnsupported", "allow")]);
    Site::rows(site.run(&[]).await, 0);
    assert_eq!(destination.backdoor().digest("app", "1.0").await.as_deref(), Some(bare.digest()));
}

#[tokio::test]
async fn an_order_cannot_make_argo_or_the_kubelet_evaluate_its_values() {
    let (_source, destination, site) = site().await;
    for value in ["{{workflow.uid}}", "{{=1+1}}", "$(SPEC_TAG)", "{{inputs.parameters.x}}"] {
        site.order(&[(
            "app",
            json!({"repository": "app", "tag": "1.0", "override": format!("app:{value}")}),
        )]);
        refused(&site, &destination, 2, "spec.artifacts[0].spec.override").await;
    }
}

#[tokio::test]
async fn an_endpoint_that_may_not_be_pushed_to_is_named_with_its_remedy() {
    let (_source, destination, site) = site().await;
    let order = json!({
        "apiVersion": "arc.opendefense.cloud/v1alpha1", "kind": "Order",
        "metadata": {"name": "order", "namespace": "team-a"},
        "spec": {"artifacts": [{
            "type": "oci", "srcRef": {"name": "source"}, "dstRef": {"name": "source"},
            "spec": {"repository": "app", "tag": "1.0"},
        }]},
    });
    site.write("order", &[order]);
    refused(&site, &destination, 2, "spec.artifacts[0].dstRef").await;
}

#[tokio::test]
async fn a_delivered_image_that_somebody_replaced_is_refused_by_verify() {
    let (_source, destination, site) = site().await;
    Site::rows(site.run(&[]).await, 0);
    let reference = format!("http://{}/app:1.0", destination.host());
    site.verify(&reference).await.expect_code(0);
    let other = Content::multi_arch(&[images::alpine("3.18.6", &[("evil", "1.0-r0")])]);
    other.push(destination.backdoor(), "app", "1.0").await;
    let finished = site.verify(&reference).await.expect_code(3);
    assert!(finished.stdout.contains("REFUSED"), "{}", finished.stdout);
    // The next run notices too, and puts the ordered image back.
    let rows = Site::rows(site.run(&[]).await, 0);
    assert_eq!(rows[0]["outcome"], "Delivered");
    site.verify(&reference).await.expect_code(0);
}

#[tokio::test]
async fn another_key_is_not_this_key() {
    let (_source, destination, site) = site().await;
    Site::rows(site.run(&[]).await, 0);
    let stranger = arc_evidence::KeyFiles::generate(b"").unwrap();
    let path = site.work().join("stranger.pub");
    std::fs::write(&path, stranger.public.unwrap()).unwrap();
    let reference = format!("http://{}/app:1.0", destination.host());
    site.arc.run(&["verify", &reference, "--key", path.to_str().unwrap()]).await.expect_code(3);
}

/// A Trivy report about one platform, known by its config digest, with one finding.
fn report(image_id: &str, severity: &str) -> String {
    json!({
        "SchemaVersion": 2, "ArtifactName": "app", "ArtifactType": "container_image",
        "Metadata": {"ImageID": image_id, "OS": {"Family": "alpine", "Name": "3.18.6"}},
        "Results": [{
            "Target": "app", "Class": "os-pkgs", "Type": "alpine",
            "Packages": [{"Name": "musl", "Version": "1.2.4-r2"}],
            "Vulnerabilities": [{
                "VulnerabilityID": "CVE-2026-0001", "PkgName": "musl", "InstalledVersion": "1.2.4-r2",
                "FixedVersion": "1.2.4-r3", "Severity": severity,
            }],
        }],
    })
    .to_string()
}

#[tokio::test]
async fn a_trivy_report_is_judged_instead_where_it_covers_every_platform() {
    let (source, destination, site) = site().await;
    let (root, mut environment) = site.pod(source.url(), destination.url(), "app", "1.0");
    environment.push(("SCAN_REPORT", "/work/reports".to_owned()));
    let step = async |name: &str| {
        let mut arc = arc_tests::arc::Arc::new(env!("CARGO_BIN_EXE_arc-under-test"));
        for (name, value) in &environment {
            arc = arc.env(name, value);
        }
        arc.run(&["step", name]).await
    };
    step("fetch").await.expect_code(0);
    let reports = root.join("work/reports");
    std::fs::create_dir_all(&reports).unwrap();
    let mut configs = Vec::new();
    for digest in &clean().manifest_digests()[..2] {
        let manifest = source.backdoor().get(&format!("/v2/app/manifests/{digest}")).await.json();
        configs.push(manifest["config"]["digest"].as_str().unwrap().to_owned());
    }
    std::fs::write(reports.join("amd64.json"), report(&configs[0], "LOW")).unwrap();
    let finished = step("scan").await.expect_code(3);
    assert!(finished.stderr.contains("no report"), "{}", finished.stderr);
    std::fs::write(reports.join("arm64.json"), report(&configs[1], "CRITICAL")).unwrap();
    let finished = step("scan").await.expect_code(3);
    assert!(finished.stderr.contains("CVE-2026-0001"), "{}", finished.stderr);
    step("publish").await.expect_code(3);
    std::fs::write(reports.join("arm64.json"), report(&configs[1], "LOW")).unwrap();
    step("scan").await.expect_code(0);
    step("publish").await.expect_code(0);
    assert_eq!(
        destination.backdoor().digest("app", "1.0").await.as_deref(),
        Some(clean().digest())
    );
}
