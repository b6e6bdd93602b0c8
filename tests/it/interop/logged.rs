//! What ARC put into a transparency log is found there by cosign 3: offline, from the bundle and the log's key alone.

use arc_tests::lying::LyingRegistry;
use arc_tests::peers::Peer;
use arc_tests::rekor::{Rekor, Version};

use super::cosign::{Cosign, refused, text};
use crate::site::{Side, Site, clean};

/// Tells cosign about a log: a root of trust with nothing else in it.
async fn trusted_root(cosign: &Cosign, log: &Rekor, name: &str) {
    std::fs::write(cosign.file("log.pub"), log.public_key()).unwrap();
    let mut service =
        format!("url={},public-key=log.pub,start-time=2026-01-01T00:00:00Z", log.url());
    // Version 2 names its key by the log's name, as signed notes do.
    if log.version() == Version::V2 {
        service.push_str(",origin=127.0.0.1");
    }
    let args = ["trusted-root", "create", "--rekor", &service, "--out", name];
    cosign.run(&args).await.expect_code(0);
}

#[tokio::test]
async fn cosign_3_finds_what_arc_logged_and_not_in_another_log() {
    let Some(cosign) = Cosign::new(Peer::Cosign3).await else { return };
    for version in [Version::V1, Version::V2] {
        let source = LyingRegistry::honest().await;
        clean().push(source.backdoor(), "app", "1.2.3").await;
        let destination = LyingRegistry::honest().await;
        let site = Site::new(&Side::at(source.url()), &Side::at(destination.url()));
        let (log, other) = (Rekor::start(version).await, Rekor::start(version).await);
        let (url, log_key) = (log.url(), log.public_key());
        site.write_type(&[
            ("rekorURL", &url),
            ("rekorVersion", if version == Version::V1 { "1" } else { "2" }),
            ("rekorPublicKey", &log_key),
        ]);
        let reference = site.deliver().await;
        let key = site.public_key();
        trusted_root(&cosign, &log, "root.json").await;
        trusted_root(&cosign, &other, "other.json").await;
        let verify = async |root: &str| {
            let args = ["verify", "--key", text(&key), "--trusted-root", root, &reference];
            cosign.run(&args).await
        };
        let verify_attestation = async |root: &str| {
            let given = ["--key", text(&key), "--trusted-root", root];
            let what = ["--type", "slsaprovenance1", &reference];
            cosign.run(&[&["verify-attestation"], &given[..], &what].concat()).await
        };
        verify("root.json").await.expect_code(0);
        verify_attestation("root.json").await.expect_code(0);
        refused(verify("other.json").await);
        refused(verify_attestation("other.json").await);
        // Without the log, the same bundles are signatures like all others.
        cosign.verify(&key, &reference).await.expect_code(0);
        cosign.verify_attestation(&key, "vuln", &reference).await.expect_code(0);
    }
}
