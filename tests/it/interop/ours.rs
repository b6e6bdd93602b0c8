//! What ARC writes is accepted by both versions of cosign, without any network but the registry.

use arc_tests::peers::Peer;
use base64::Engine as _;
use serde_json::Value;

use super::cosign::{Cosign, refused, text};
use super::registry::Registry;
use crate::site::{Site, clean, vulnerable};

/// What is attested about the image.
const OF_THE_IMAGE: [(&str, &str); 3] = [
    ("vuln", "https://cosign.sigstore.dev/attestation/vuln/v1"),
    ("slsaprovenance1", "https://slsa.dev/provenance/v1"),
    ("https://slsa.dev/verification_summary/v1", "https://slsa.dev/verification_summary/v1"),
];
/// What is attested about each platform's manifest.
const OF_A_PLATFORM: [(&str, &str); 2] =
    [("cyclonedx", "https://cyclonedx.org/bom"), ("spdxjson", "https://spdx.dev/Document")];

/// Reads the statement that cosign prints once it holds.
fn statement(stdout: &str) -> Value {
    let line =
        stdout.lines().find(|line| line.starts_with('{')).expect("cosign prints the envelope");
    let envelope: Value = serde_json::from_str(line).unwrap();
    let payload = envelope["payload"].as_str().unwrap();
    let payload = base64::engine::general_purpose::STANDARD.decode(payload).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

async fn accepts_what_is_delivered(peer: Peer) {
    let Some(cosign) = Cosign::new(peer).await else { return };
    let Some(registries) = Registry::both().await else { return };
    let source = Registry::WithApi(arc_tests::lying::LyingRegistry::honest().await);
    clean().push(&source.client(), "app", "1.2.3").await;
    for registry in registries {
        let site = Site::new(&source.side(), &registry.side());
        site.write_type(&[("signPlatforms", "true")]);
        let reference = site.deliver().await;
        let key = site.public_key();
        let said = cosign.verify(&key, &reference).await.expect_code(0);
        assert!(said.stdout.contains(clean().digest()), "{}", said.stdout);
        let (repository, _) = reference.rsplit_once(':').unwrap();
        let platform = clean().manifest_digests()[0].clone();
        cosign.verify(&key, &format!("{repository}@{platform}")).await.expect_code(0);
        let checks = OF_THE_IMAGE
            .map(|of_image| (of_image, clean().digest().to_owned()))
            .into_iter()
            .chain(OF_A_PLATFORM.map(|of_platform| (of_platform, platform.clone())));
        for ((kind, predicate_type), digest) in checks {
            let image = format!("{repository}@{digest}");
            let said = cosign.verify_attestation(&key, kind, &image).await.expect_code(0);
            let statement = statement(&said.stdout);
            assert_eq!(statement["predicateType"], predicate_type);
            let subject =
                format!("sha256:{}", statement["subject"][0]["digest"]["sha256"].as_str().unwrap());
            assert_eq!(subject, digest, "{kind}");
        }
        // What was not attested is not found.
        refused(cosign.verify_attestation(&key, "openvex", &reference).await);

        // The tag moved to something nobody signed.
        vulnerable().push(&registry.client(), "mirror/app", "1.2.3").await;
        refused(cosign.verify(&key, &reference).await);
        site.verify(&format!("http://{reference}")).await.expect_code(3);
    }
}

#[tokio::test]
async fn cosign_2_accepts_what_is_delivered_and_refuses_a_moved_tag() {
    accepts_what_is_delivered(Peer::Cosign2).await;
}

#[tokio::test]
async fn cosign_3_accepts_what_is_delivered_and_refuses_a_moved_tag() {
    accepts_what_is_delivered(Peer::Cosign3).await;
}

/// cosign 2 reads bundles of attestations where it is told to, and given a root of trust to not ask anybody for one.
#[tokio::test]
async fn cosign_2_reads_our_bundles_when_told_to() {
    let Some(cosign) = Cosign::new(Peer::Cosign2).await else { return };
    let Some(registries) = Registry::both().await else { return };
    cosign.run(&["trusted-root", "create", "--out", "tr.json"]).await.expect_code(0);
    for registry in registries {
        clean().push(&registry.client(), "app", "1.2.3").await;
        let site = Site::new(&registry.side(), &registry.side());
        let reference = site.deliver().await;
        let key = site.public_key();
        let key = ["--key", text(&key), "--insecure-ignore-tlog=true"];
        let bundles = ["--new-bundle-format", "--trusted-root", "tr.json"];
        for (kind, _) in OF_THE_IMAGE {
            let what = ["--type", kind, &reference];
            let args = [&["verify-attestation"], &key[..], &bundles, &what].concat();
            cosign.run(&args).await.expect_code(0);
        }
    }
}
