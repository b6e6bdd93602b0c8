//! Real programs: the registry that everybody runs, and the clients and verifiers that others trust.

use std::path::{Path, PathBuf};

use arc_tests::arc::{Arc, Finished};
use arc_tests::certs::Certificates;
use arc_tests::lying::{LyingRegistry, Setup as Lying};
use arc_tests::peers::{DockerRegistry, Peer, Setup, require};
use serde_json::json;

use crate::site::{Side, Site, clean, vulnerable};

/// Runs a peer with an empty home; it waits without blocking, because the registry it talks to is in this process.
async fn run(program: &Path, args: &[&str]) -> Finished {
    Arc::new(program).run(args).await
}

async fn accepts(program: &Path, args: &[&str]) -> String {
    let finished = run(program, args).await.expect_code(0);
    format!("{}{}", finished.stdout, finished.stderr)
}

async fn refuses(program: &Path, args: &[&str]) {
    let finished = run(program, args).await;
    assert!(finished.code != Some(0), "{} {args:?} was accepted", program.display());
}

/// Delivers one image from one registry into another and returns the reference.
async fn deliver(source: &Side, destination: &Side, host: &str) -> (Site, String) {
    let site = Site::new(source, destination);
    site.order(&[(
        "app",
        json!({"repository": "app", "tag": "^1.0", "override": "mirror/app:{{.tag}}"}),
    )]);
    let rows = Site::rows(site.run(&[]).await, 0);
    assert_eq!(rows[0]["outcome"], "Delivered");
    (site, format!("{host}/mirror/app:1.2.3"))
}

#[tokio::test]
async fn docker_registry_over_plain_http_delivers_and_skopeo_reads_the_same_digest() {
    let Some(registry) = require(Peer::DockerRegistry) else { return };
    let Some(skopeo) = require(Peer::Skopeo) else { return };
    let source = DockerRegistry::start(&registry, Setup::default()).await;
    clean().push(&source.client(), "app", "1.2.3").await;
    vulnerable().push(&source.client(), "app", "1.9.9-beta.1").await;
    let destination = DockerRegistry::start(&registry, Setup::default()).await;
    let (site, reference) =
        deliver(&Side::at(source.url()), &Side::at(destination.url()), destination.host()).await;
    let raw =
        run(&skopeo, &["inspect", "--raw", "--tls-verify=false", &format!("docker://{reference}")])
            .await;
    assert_eq!(arc_tests::images::sha256(raw.stdout.as_bytes()), clean().digest());
    site.verify(&format!("http://{reference}")).await.expect_code(0);
    let rows = Site::rows(site.run(&[]).await, 0);
    assert_eq!(rows[0]["outcome"], "AlreadyDelivered");
}

#[tokio::test]
async fn docker_registry_over_tls_with_a_private_ca_and_a_password_delivers() {
    let Some(registry) = require(Peer::DockerRegistry) else { return };
    let setup = || Setup { tls: Some(Certificates::generate()), has_account: true };
    let source = DockerRegistry::start(&registry, setup()).await;
    clean().push(&source.client(), "app", "1.2.3").await;
    let destination = DockerRegistry::start(&registry, setup()).await;
    let locked = |registry: &DockerRegistry| Side {
        url: registry.url(),
        ca: registry.ca_pem().map(str::to_owned),
        account: true,
    };
    let (site, reference) =
        deliver(&locked(&source), &locked(&destination), destination.host()).await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let ca = file("ca.pem", destination.ca_pem().unwrap());
    file("username", arc_tests::USERNAME);
    file("password", arc_tests::PASSWORD);
    let key = site.public_key();
    let text = |path: &PathBuf| path.to_str().unwrap().to_owned();
    let args = ["verify", &reference, "--key", &text(&key), "--ca-bundle", &text(&ca)];
    site.arc
        .run(&[&args[..], &["--credentials", folder.path().to_str().unwrap()]].concat())
        .await
        .expect_code(0);
    let finished = site.arc.run(&args).await.expect_code(2);
    assert!(finished.stderr.contains("401"), "{}", finished.stderr);
}

/// Both kinds of registry: with the referrers API (ours) and without (docker-registry).
async fn cosign_accepts(cosign: &Path, flags: &[&str]) {
    let Some(registry) = require(Peer::DockerRegistry) else { return };
    let source = LyingRegistry::start(Lying::default()).await;
    clean().push(source.backdoor(), "app", "1.2.3").await;
    let without_api = DockerRegistry::start(&registry, Setup::default()).await;
    let with_api = LyingRegistry::honest().await;
    for (url, host) in [
        (without_api.url(), without_api.host().to_owned()),
        (with_api.url().to_owned(), with_api.host()),
    ] {
        let (site, reference) = deliver(&Side::at(source.url()), &Side::at(url), &host).await;
        let key = site.public_key();
        let common = [
            "--key",
            key.to_str().unwrap(),
            "--insecure-ignore-tlog=true",
            "--allow-http-registry",
        ];
        let verify = [&["verify"][..], &common, flags, &[&reference]].concat();
        assert!(accepts(cosign, &verify).await.contains(clean().digest()));
        for kind in ["vuln", "slsaprovenance1"] {
            let args = [&["verify-attestation", "--type", kind][..], &common, flags, &[&reference]]
                .concat();
            accepts(cosign, &args).await;
        }
        let platform = format!("{host}/mirror/app@{}", clean().manifest_digests()[0]);
        let sbom =
            [&["verify-attestation", "--type", "cyclonedx"][..], &common, flags, &[&platform]]
                .concat();
        accepts(cosign, &sbom).await;

        // The tag moved to something nobody signed.
        let tampered = vulnerable();
        let client = arc_tests::client::Client::new(format!("http://{host}"));
        tampered.push(&client, "mirror/app", "1.2.3").await;
        refuses(cosign, &verify).await;
        site.verify(&format!("http://{reference}")).await.expect_code(3);
    }
}

#[tokio::test]
async fn cosign_2_accepts_what_is_delivered_and_refuses_what_was_tampered_with() {
    let Some(cosign) = require(Peer::Cosign2) else { return };
    cosign_accepts(&cosign, &[]).await;
}

#[tokio::test]
async fn cosign_3_accepts_what_is_delivered_and_refuses_what_was_tampered_with() {
    let Some(cosign) = require(Peer::Cosign3) else { return };
    cosign_accepts(&cosign, &[]).await;
}

#[tokio::test]
async fn cosign_reads_our_key_and_we_read_its() {
    let Some(cosign) = require(Peer::Cosign2) else { return };
    let folder = tempfile::tempdir().unwrap();
    let arc = Arc::new(env!("CARGO_BIN_EXE_arc-under-test"));
    let ours = folder.path().join("ours");
    arc.run(&["keys", "generate", "--dir", ours.to_str().unwrap()]).await.expect_code(0);
    let password = std::fs::read_to_string(ours.join("cosign.password")).unwrap();
    let key = ours.join("cosign.key");
    let theirs_reads = Arc::new(&cosign).env("COSIGN_PASSWORD", &password);
    let output =
        theirs_reads.run(&["public-key", "--key", key.to_str().unwrap()]).await.expect_code(0);
    let public = std::fs::read_to_string(ours.join("cosign.pub")).unwrap();
    assert_eq!(output.stdout.trim(), public.trim());

    let theirs = folder.path().join("theirs");
    std::fs::create_dir(&theirs).unwrap();
    let maker = Arc::new(&cosign).env("COSIGN_PASSWORD", "secret").current_dir(&theirs);
    maker.run(&["generate-key-pair"]).await.expect_code(0);
    let arc = arc.env("COSIGN_PASSWORD", "secret");
    let shown = arc
        .run(&["keys", "public", theirs.join("cosign.key").to_str().unwrap()])
        .await
        .expect_code(0);
    assert_eq!(
        shown.stdout.trim(),
        std::fs::read_to_string(theirs.join("cosign.pub")).unwrap().trim()
    );
}
