//! The registry that everybody runs, with its own TLS and passwords, read back by the client that everybody trusts.

use std::path::{Path, PathBuf};

use arc_tests::arc::{Arc, Finished};
use arc_tests::certs::Certificates;
use arc_tests::peers::{DockerRegistry, Peer, Setup, require};

use crate::site::{Side, Site, clean, vulnerable};

/// Runs a peer with an empty home; it waits without blocking, because the registry it talks to is in this process.
async fn run(program: &Path, args: &[&str]) -> Finished {
    Arc::new(program).run(args).await
}

#[tokio::test]
async fn docker_registry_over_plain_http_delivers_and_skopeo_reads_the_same_digest() {
    let Some(registry) = require(Peer::DockerRegistry) else { return };
    let Some(skopeo) = require(Peer::Skopeo) else { return };
    let source = DockerRegistry::start(&registry, Setup::default()).await;
    clean().push(&source.client(), "app", "1.2.3").await;
    vulnerable().push(&source.client(), "app", "1.9.9-beta.1").await;
    let destination = DockerRegistry::start(&registry, Setup::default()).await;
    let site = Site::new(&Side::at(source.url()), &Side::at(destination.url()));
    let reference = site.deliver().await;
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
    let setup =
        || Setup { tls: Some(Certificates::generate()), has_account: true, ..Setup::default() };
    let source = DockerRegistry::start(&registry, setup()).await;
    clean().push(&source.client(), "app", "1.2.3").await;
    let destination = DockerRegistry::start(&registry, setup()).await;
    let locked = |registry: &DockerRegistry| Side {
        url: registry.url(),
        ca: registry.ca_pem().map(str::to_owned),
        account: true,
    };
    let site = Site::new(&locked(&source), &locked(&destination));
    let reference = site.deliver().await;
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
