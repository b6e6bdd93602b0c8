//! The evidence of a delivery: what is attested, what must hold before, what a log holds, and what a second run leaves.

mod again;
mod log;
mod secrets;
mod source;
mod summary;

use std::collections::BTreeMap;

use arc_tests::lying::LyingRegistry;
use serde_json::{Value, json};

use crate::site::{Side, Site, clean};

const CYCLONEDX: &str = "https://cyclonedx.org/bom";
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";
const SPDX: &str = "https://spdx.dev/Document";
const VSA: &str = "https://slsa.dev/verification_summary/v1";
const VULN: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";

/// A source with one image, an empty destination, and a site between them.
async fn scene() -> (LyingRegistry, LyingRegistry, Site) {
    let source = LyingRegistry::honest().await;
    clean().push(source.backdoor(), "app", "1.0").await;
    let destination = LyingRegistry::honest().await;
    let site = Site::new(&Side::at(source.url()), &Side::at(destination.url()));
    site.order(&[("app", json!({"repository": "app", "tag": "1.0"}))]);
    source.forget_requests();
    (source, destination, site)
}

/// One bundle at a registry.
#[derive(Debug, Clone, PartialEq)]
struct Bundle {
    /// The manifest that carries it.
    manifest: String,
    predicate_type: String,
    statement: Value,
    log_entries: usize,
}

/// Reads all bundles that refer to a digest, by the type of their statement, without the code under test.
async fn bundles(registry: &LyingRegistry, repository: &str, digest: &str) -> Vec<Bundle> {
    let there = registry.backdoor();
    let index = there.get(&format!("/v2/{repository}/referrers/{digest}")).await.json();
    let mut found = Vec::new();
    for entry in index["manifests"].as_array().unwrap() {
        let manifest = entry["digest"].as_str().unwrap().to_owned();
        let read = there.get(&format!("/v2/{repository}/manifests/{manifest}")).await.json();
        let layer = read["layers"][0]["digest"].as_str().unwrap();
        let bundle = there.get(&format!("/v2/{repository}/blobs/{layer}")).await.json();
        let statement = statement(&bundle["dsseEnvelope"]);
        let predicate_type = statement["predicateType"].as_str().unwrap().to_owned();
        let entries = bundle["verificationMaterial"]["tlogEntries"].as_array().map_or(0, Vec::len);
        found.push(Bundle { manifest, predicate_type, statement, log_entries: entries });
    }
    found.sort_by(|a, b| a.predicate_type.cmp(&b.predicate_type));
    found
}

fn statement(envelope: &Value) -> Value {
    use base64::Engine as _;
    let payload = envelope["payload"].as_str().unwrap();
    let payload = base64::engine::general_purpose::STANDARD.decode(payload).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

fn types(bundles: &[Bundle]) -> Vec<&str> {
    bundles.iter().map(|bundle| bundle.predicate_type.as_str()).collect()
}

fn only<'a>(bundles: &'a [Bundle], predicate_type: &str) -> &'a Bundle {
    let mut found = bundles.iter().filter(|bundle| bundle.predicate_type == predicate_type);
    let only = found.next().unwrap_or_else(|| panic!("no {predicate_type}: {bundles:#?}"));
    assert_eq!(found.next(), None, "more than one {predicate_type}");
    only
}

/// Digests of the platforms of an image.
fn platforms() -> Vec<String> {
    let root: Value = serde_json::from_slice(&clean().root_bytes()).unwrap();
    let children = root["manifests"].as_array().unwrap().iter();
    children.map(|child| child["digest"].as_str().unwrap().to_owned()).collect()
}

/// Every tag and referrer of a repository with its digest.
async fn everything(registry: &LyingRegistry, repository: &str) -> BTreeMap<String, String> {
    let there = registry.backdoor();
    let mut found = BTreeMap::new();
    for tag in there.tags(repository).await {
        let digest = there.digest(repository, &tag).await.unwrap();
        found.insert(tag, digest);
    }
    for subject in platforms().iter().map(String::as_str).chain([clean().digest()]) {
        for bundle in bundles(registry, repository, subject).await {
            found.insert(format!("{subject} {}", bundle.manifest), bundle.predicate_type);
        }
    }
    found
}

/// Runs single steps in a pod, each of which must succeed.
async fn steps(environment: &[(&str, String)], names: &[&str]) {
    for name in names {
        let mut arc = arc_tests::arc::Arc::new(env!("CARGO_BIN_EXE_arc-under-test"));
        for (variable, value) in environment {
            arc = arc.env(variable, value);
        }
        arc.run(&["step", name]).await.expect_code(0);
    }
}
