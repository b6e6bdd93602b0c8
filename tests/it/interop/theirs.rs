//! What both versions of cosign write is judged by ARC, and their keys are ours to use.

use arc_evidence::KeyFiles;
use arc_tests::arc::Arc;
use arc_tests::lying::LyingRegistry;
use arc_tests::peers::Peer;
use serde_json::{Value, json};

use super::cosign::{Cosign, Format, PASSWORD, text};
use super::registry::Registry;
use crate::site::{Site, clean};

/// A scan report as another scanner makes it: ARC judges it by the severities asked for.
fn scan(severity: &str) -> Value {
    let found = json!({
        "VulnerabilityID": "CVE-2026-0001", "PkgName": "musl", "InstalledVersion": "1.2.4-r2", "Severity": severity,
    });
    json!({
        "invocation": {"parameters": [], "uri": "", "event_id": "", "builder.id": ""},
        "scanner": {
            "uri": "pkg:github/aquasecurity/trivy@0.74.0", "version": "0.74.0", "db": {"uri": "", "version": ""},
            "result": {"SchemaVersion": 2, "Results": [{"Target": "app", "Vulnerabilities": [found]}]},
        },
        "metadata": {"scanStartedOn": "2025-01-01T00:00:00Z", "scanFinishedOn": "2025-01-01T00:00:01Z"},
    })
}

pub(crate) fn provenance() -> Value {
    json!({
        "buildDefinition": {"buildType": "https://example.com/build/v1", "externalParameters": {"ref": "v1"}},
        "runDetails": {"builder": {"id": "https://example.com/builder"}},
    })
}

async fn is_judged(peer: Peer, format: Format) {
    let Some(cosign) = Cosign::new(peer).await else { return };
    let Some(registries) = Registry::both().await else { return };
    cosign.generate_key_pair().await;
    let site = Site::new(&registries[0].side(), &registries[1].side());
    let key = cosign.public_key();
    for registry in &registries {
        clean().push(&registry.client(), "app", "1.0").await;
        let image = format!("{}/app@{}", registry.host(), clean().digest());
        let reference = format!("http://{}/app:1.0", registry.host());
        let verify = [
            "verify",
            &reference,
            "--key",
            text(&key),
            "--severity",
            "HIGH,CRITICAL",
            "-o",
            "json",
        ];
        cosign.sign(&image, format).await;
        // A signature alone says nothing about the scan.
        site.arc.run(&verify).await.expect_code(3);
        cosign.attest(&image, "slsaprovenance1", &provenance(), format).await;
        cosign.attest(&image, "vuln", &scan("LOW"), format).await;
        let report = site.arc.run(&verify).await.expect_code(0);
        let report: Value = serde_json::from_str(&report.stdout).unwrap();
        let origin = if format == Format::Bundle { "bundle" } else { "legacyTag" };
        for (list, count) in [("signatures", 1), ("attestations", 2)] {
            let items = report[list].as_array().unwrap();
            assert_eq!(items.len(), count, "{report:#}");
            assert!(items.iter().all(|item| item["origin"] == origin), "{report:#}");
        }
        let aged = [&verify[..], &["--max-scan-age", "7d"]].concat();
        let refused = site.arc.run(&aged).await.expect_code(3);
        assert!(refused.stdout.contains("is older than 604800 s"), "{}", refused.stdout);
        // Another key's owner made none of this.
        site.verify(&reference).await.expect_code(3);
        cosign.attest(&image, "vuln", &scan("CRITICAL"), format).await;
        let refused = site.arc.run(&verify).await.expect_code(3);
        assert!(refused.stdout.contains("severity CRITICAL"), "{}", refused.stdout);
    }
}

#[tokio::test]
async fn signatures_and_attestations_of_cosign_2_are_judged() {
    is_judged(Peer::Cosign2, Format::Legacy).await;
}

#[tokio::test]
async fn bundles_of_cosign_3_are_judged() {
    is_judged(Peer::Cosign3, Format::Bundle).await;
}

#[tokio::test]
async fn tags_of_cosign_3_are_judged() {
    is_judged(Peer::Cosign3, Format::Legacy).await;
}

/// cosign 2 can write attestations as bundles, but signatures only as tags. To a reader that is what is left where
/// somebody took the signature's bundle away: ARC refuses it, and cosign 3 takes the attestation for a signature.
#[tokio::test]
async fn bundled_attestations_of_cosign_2_hold_and_its_tagged_signature_beside_them_is_a_downgrade()
{
    let Some(cosign) = Cosign::new(Peer::Cosign2).await else { return };
    let Some(registries) = Registry::both().await else { return };
    cosign.generate_key_pair().await;
    let site = Site::new(&registries[0].side(), &registries[1].side());
    let key = cosign.public_key();
    for registry in &registries {
        clean().push(&registry.client(), "app", "1.0").await;
        let image = format!("{}/app@{}", registry.host(), clean().digest());
        let reference = format!("http://{image}");
        cosign.sign(&image, Format::Legacy).await;
        cosign.attest(&image, "slsaprovenance1", &provenance(), Format::Bundle).await;
        let require = ["--require", "slsaprovenance1"];
        let verify = [&["verify", &reference, "--key", text(&key)], &require[..]].concat();
        let refused = site.arc.run(&verify).await.expect_code(3);
        assert!(refused.stdout.contains("valid    https://slsa.dev/provenance/v1 (bundle"));
        assert!(refused.stdout.contains("a downgrade"), "{}", refused.stdout);
    }
}

/// A delivery signed with a key that cosign made and encrypted.
async fn key_signs(peer: Peer) {
    let Some(cosign) = Cosign::new(peer).await else { return };
    cosign.generate_key_pair().await;
    let source = LyingRegistry::honest().await;
    clean().push(source.backdoor(), "app", "1.2.3").await;
    let destination = Registry::WithApi(LyingRegistry::honest().await);
    let mut keys = KeyFiles::read(cosign.file("cosign.key").parent().unwrap()).unwrap();
    keys.password = Some(PASSWORD.as_bytes().to_vec().into());
    let site = Site::with_keys(&crate::site::Side::at(source.url()), &destination.side(), keys);
    let reference = site.deliver().await;
    cosign.verify(&cosign.public_key(), &reference).await.expect_code(0);
    site.verify(&format!("http://{reference}")).await.expect_code(0);
}

#[tokio::test]
async fn a_key_made_by_cosign_2_signs_deliveries() {
    key_signs(Peer::Cosign2).await;
}

#[tokio::test]
async fn a_key_made_by_cosign_3_signs_deliveries() {
    key_signs(Peer::Cosign3).await;
}

#[tokio::test]
async fn cosign_reads_our_key_file_and_we_read_its() {
    let Some(cosigns) = Cosign::both().await else { return };
    let arc = Arc::new(env!("CARGO_BIN_EXE_arc-under-test")).env("COSIGN_PASSWORD", PASSWORD);
    arc.run(&["keys", "generate"]).await.expect_code(0);
    let ours = arc.home().join("cosign.key");
    let read = |path: &std::path::Path| std::fs::read_to_string(path).unwrap();
    for cosign in cosigns {
        let public = cosign.run(&["public-key", "--key", text(&ours)]).await.expect_code(0);
        assert_eq!(public.stdout.trim(), read(&arc.home().join("cosign.pub")).trim());
        cosign.generate_key_pair().await;
        let theirs = cosign.file("cosign.key");
        let public = arc.run(&["keys", "public", text(&theirs)]).await.expect_code(0);
        assert_eq!(public.stdout.trim(), read(&cosign.public_key()).trim());
    }
}
