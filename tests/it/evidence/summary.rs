//! What is attested: SBOMs, scan, provenance, and the verification summary over all of it.

use arc_tests::images::{Content, Layer, sha256};
use serde_json::{Value, json};

use super::{
    CYCLONEDX, PROVENANCE, SIGNATURE, SPDX, VSA, VULN, bundles, only, platforms, scene, statement,
    types,
};
use crate::site::{Site, clean};

#[tokio::test]
async fn the_summary_names_the_policy_the_destination_and_every_other_attestation() {
    let (_source, destination, site) = scene().await;
    let rows = Site::rows(site.run(&[]).await, 0);
    let root = bundles(&destination, "app", clean().digest()).await;
    assert_eq!(types(&root), [VULN, SIGNATURE, PROVENANCE, VSA]);
    let mut inputs = vec![
        format!("scan-report {}", only(&root, VULN).manifest),
        format!("provenance {}", only(&root, PROVENANCE).manifest),
    ];
    for platform in platforms() {
        let found = bundles(&destination, "app", &platform).await;
        assert_eq!(types(&found), [CYCLONEDX, SPDX]);
        inputs.push(format!("sbom/cyclonedx {}", found[0].manifest));
        inputs.push(format!("sbom/spdx {}", found[1].manifest));
    }
    let summary = &only(&root, VSA).statement["predicate"];
    let resource = format!("oci://{}/app", destination.host());
    assert_eq!(summary["resourceUri"], resource);
    assert_eq!(summary["verificationResult"], "PASSED");
    assert_eq!(summary["verifiedLevels"], json!(["ARC_SCAN_PASSED"]));
    let named = |list: &Value| {
        let mut named: Vec<_> = list.as_array().unwrap().iter().map(named).collect();
        named.sort();
        named
    };
    inputs.sort();
    assert_eq!(named(&summary["inputAttestations"]), inputs);
    // The policy's text is in the provenance, its digest in the summary.
    let build = &only(&root, PROVENANCE).statement["predicate"]["buildDefinition"];
    let policy = &build["internalParameters"]["policy"];
    assert_eq!(policy["scanSeverity"], "HIGH,CRITICAL");
    let digest = format!("sha256:{}", summary["policy"]["digest"]["sha256"].as_str().unwrap());
    assert_eq!(digest, sha256(policy.to_string().as_bytes()));
    // What was reported is what is there.
    let reported = rows[0]["result"]["attestations"].as_array().unwrap();
    assert_eq!(reported.len(), 7);
    assert_eq!(
        reported.last().unwrap(),
        &json!({"predicateType": VSA, "digest": only(&root, VSA).manifest})
    );
}

fn named(descriptor: &Value) -> String {
    let name = descriptor["name"].as_str().unwrap();
    format!("{name} sha256:{}", descriptor["digest"]["sha256"].as_str().unwrap())
}

#[tokio::test]
async fn the_summary_is_written_after_all_other_attestations_and_left_as_a_file() {
    let (source, destination, site) = scene().await;
    let (root, environment) = site.pod(source.url(), destination.url(), "app", "1.0");
    super::steps(&environment, &["fetch", "scan", "publish"]).await;
    let there = bundles(&destination, "app", clean().digest()).await;
    let writes = destination.writes();
    let at = |digest: &str| {
        let write = format!("PUT /v2/app/manifests/{digest} ");
        writes.iter().position(|line| line.starts_with(&write)).expect("it was written")
    };
    let summary = only(&there, VSA);
    let mut others: Vec<_> = there.iter().filter(|other| *other != summary).cloned().collect();
    for platform in platforms() {
        others.extend(bundles(&destination, "app", &platform).await);
    }
    for other in others {
        assert!(at(&other.manifest) < at(&summary.manifest), "{} came later", other.predicate_type);
    }
    let file = std::fs::read(root.join("work/vsa.dsse.json")).unwrap();
    let envelope: Value = serde_json::from_slice(&file).unwrap();
    assert_eq!(envelope["payloadType"], "application/vnd.in-toto+json");
    assert_eq!(statement(&envelope), summary.statement);
}

#[tokio::test]
async fn the_provenance_names_order_materials_and_byproducts() {
    let (source, destination, site) = scene().await;
    Site::rows(site.run(&[]).await, 0);
    let root = bundles(&destination, "app", clean().digest()).await;
    let provenance = &only(&root, PROVENANCE).statement["predicate"];
    let order = &provenance["buildDefinition"]["externalParameters"]["order"];
    assert_eq!(order["uid"], "0b0e7e9d-5f5a-4d43-9d54-0f1c1f5a1d11");
    assert_eq!(order["generation"], "1");
    let materials = provenance["buildDefinition"]["resolvedDependencies"].as_array().unwrap();
    let names: Vec<_> = materials.iter().map(|one| one["name"].as_str().unwrap()).collect();
    // The engine runs its own program, so the template's image is no material.
    assert_eq!(names, ["source", "step/scan", "db/advisories"]);
    assert_eq!(materials[0]["uri"], format!("oci://{}/app:1.0", source.host()));
    assert_eq!(named(&materials[0]), format!("source {}", clean().digest()));
    let program = std::fs::read(env!("CARGO_BIN_EXE_arc-under-test")).unwrap();
    assert_eq!(named(&materials[1]), format!("step/scan {}", sha256(&program)));
    let run = &provenance["runDetails"];
    assert_eq!(run["builder"]["version"]["arc"], env!("CARGO_PKG_VERSION"));
    assert!(run["metadata"]["startedOn"].as_str() <= run["metadata"]["finishedOn"].as_str());
    let byproducts = run["byproducts"].as_array().unwrap();
    assert_eq!(byproducts.len(), 5);
    let scan = byproducts.iter().find(|one| one["name"] == "scan-report").unwrap();
    assert_eq!(named(scan), format!("scan-report {}", only(&root, VULN).manifest));
    assert_eq!(scan["uri"], format!("oci://{}/app", destination.host()));
}

#[tokio::test]
async fn platforms_are_signed_where_the_type_asks_for_it_and_a_delivery_without_is_completed() {
    let (_source, destination, site) = scene().await;
    Site::rows(site.run(&[]).await, 0);
    for platform in platforms() {
        assert_eq!(types(&bundles(&destination, "app", &platform).await), [CYCLONEDX, SPDX]);
    }
    site.write_type(&[("signPlatforms", "true")]);
    let rows = Site::rows(site.run(&[]).await, 0);
    assert_eq!(rows[0]["outcome"], "Delivered");
    for platform in platforms() {
        let there = bundles(&destination, "app", &platform).await;
        assert!(types(&there).contains(&SIGNATURE), "{there:#?}");
        let tag = format!("{}.sig", platform.replace(':', "-"));
        assert!(destination.backdoor().digest("app", &tag).await.is_some());
        site.verify(&format!("http://{}/app@{platform}", destination.host())).await.expect_code(3);
    }
    destination.forget_requests();
    let rows = Site::rows(site.run(&[]).await, 0);
    assert_eq!(rows[0]["outcome"], "AlreadyDelivered");
    assert_eq!(destination.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn an_image_with_nothing_to_scan_is_not_called_scanned() {
    let (source, destination, site) = scene().await;
    let layer = Layer::files(&[("app", "a static binary")]);
    Content::image("linux/amd64", [layer]).push(source.backdoor(), "app", "1.0").await;
    site.write_type(&[("scanUnsupported", "allow")]);
    Site::rows(site.run(&[]).await, 0);
    let digest = destination.backdoor().digest("app", "1.0").await.unwrap();
    let root = bundles(&destination, "app", &digest).await;
    let summary = &only(&root, VSA).statement["predicate"];
    assert_eq!(summary["verifiedLevels"], json!(["ARC_NOT_SCANNABLE_ALLOWED"]));
    let rows = Site::rows(site.run(&[]).await, 0);
    assert_eq!(rows[0]["outcome"], "AlreadyDelivered");
}
