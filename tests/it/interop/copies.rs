//! Other people's clients list our evidence and copy it without harm, between both kinds of registry.

use arc_tests::arc::Arc;
use arc_tests::peers::{Peer, require};
use serde_json::Value;

use super::cosign::{Cosign, refused};
use super::registry::Registry;
use crate::site::{Site, clean};

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// Delivers into the first registry and returns where, with the other registry to copy to.
async fn delivered(from: Registry, to: Registry) -> (Site, String, [Registry; 2]) {
    clean().push(&from.client(), "app", "1.2.3").await;
    let site = Site::new(&from.side(), &from.side());
    let reference = site.deliver().await;
    (site, reference, [from, to])
}

/// The tags of cosign for the index and its platforms, as far as they are there.
async fn evidence_tags(registry: &Registry) -> Vec<String> {
    let mut tags = registry.client().tags("mirror/app").await;
    tags.retain(|tag| tag.starts_with("sha256-") && tag.contains('.'));
    tags
}

async fn ways() -> Option<[(Registry, Registry); 2]> {
    let [with, without] = Registry::both().await?;
    let [to_with, to_without] = Registry::both().await?;
    Some([(with, to_without), (without, to_with)])
}

#[tokio::test]
async fn oras_shows_and_copies_the_bundles() {
    let Some(oras) = require(Peer::Oras).map(Arc::new) else { return };
    let Some([cosign2, cosign3]) = Cosign::both().await else { return };
    let Some(ways) = ways().await else { return };
    for (from, to) in ways {
        let (site, reference, [_from, to]) = delivered(from, to).await;
        let discover = async |image: &str| -> Vec<String> {
            let args = ["discover", "--plain-http", "--format", "json", image];
            let found = oras.run(&args).await.expect_code(0);
            let found: Value = serde_json::from_str(&found.stdout).unwrap();
            let referrers = found["referrers"].as_array().unwrap();
            assert!(referrers.iter().all(|one| one["artifactType"] == BUNDLE), "{found:#}");
            let kind = |one: &Value| {
                one["annotations"]["dev.sigstore.bundle.predicateType"].as_str().unwrap().to_owned()
            };
            let mut kinds: Vec<_> = referrers.iter().map(kind).collect();
            kinds.sort_unstable();
            kinds
        };
        let shown = discover(&reference).await;
        for kind in [
            "https://cosign.sigstore.dev/attestation/vuln/v1",
            "https://sigstore.dev/cosign/sign/v1",
            "https://slsa.dev/provenance/v1",
        ] {
            assert!(shown.iter().any(|shown| shown == kind), "{kind} is not in {shown:?}");
        }

        let copied = format!("{}/copied/app:1", to.host());
        let plain = ["--from-plain-http", "--to-plain-http"];
        oras.run(&[&["cp", "-r"], &plain[..], &[&reference, &copied]].concat())
            .await
            .expect_code(0);
        assert_eq!(discover(&copied).await, shown);
        let key = site.public_key();
        site.verify(&format!("http://{copied}")).await.expect_code(0);
        cosign3.verify(&key, &copied).await.expect_code(0);
        cosign3.verify_attestation(&key, "slsaprovenance1", &copied).await.expect_code(0);
        // oras takes what refers to the image, not tags that only look like it: those are for older tools.
        refused(cosign2.verify(&key, &copied).await);
        let platform = format!("{}/copied/app@{}", to.host(), clean().manifest_digests()[0]);
        cosign3.verify_attestation(&key, "cyclonedx", &platform).await.expect_code(0);
    }
}

/// The way across an air gap: a folder made by somebody else's program is verified where no registry is, and fills one.
#[tokio::test]
async fn a_layout_made_by_oras_is_verified_and_fills_a_registry() {
    let Some(oras) = require(Peer::Oras).map(Arc::new) else { return };
    let Some(cosign3) = Cosign::new(Peer::Cosign3).await else { return };
    let Some(ways) = ways().await else { return };
    for (number, (from, to)) in ways.into_iter().enumerate() {
        let (site, reference, [_from, to]) = delivered(from, to).await;
        let layout = format!("{}/layout-{number}:1", oras.home().display());
        let out = ["cp", "-r", "--from-plain-http", "--to-oci-layout", &reference, &layout];
        oras.run(&out).await.expect_code(0);
        site.verify(&format!("oci:{layout}")).await.expect_code(0);
        let copied = format!("{}/copied/app:1", to.host());
        let back = ["cp", "-r", "--from-oci-layout", "--to-plain-http", &layout, &copied];
        oras.run(&back).await.expect_code(0);
        site.verify(&format!("http://{copied}")).await.expect_code(0);
        cosign3.verify(&site.public_key(), &copied).await.expect_code(0);
    }
}

/// Copies image and tags with `copy`, a function of two references; then the tags are all there is.
async fn tags_are_copied(copy: impl AsyncFn(&str, &str)) {
    let Some([cosign2, cosign3]) = Cosign::both().await else { return };
    let Some(ways) = ways().await else { return };
    for (from, to) in ways {
        let (site, reference, [from, to]) = delivered(from, to).await;
        let tags = evidence_tags(&from).await;
        assert_eq!(tags.len(), 4, "two for the image, one for each platform: {tags:?}");
        for tag in tags.iter().map(String::as_str).chain(["1.2.3"]) {
            let place = |registry: &Registry| format!("{}/mirror/app:{tag}", registry.host());
            copy(&place(&from), &place(&to)).await;
        }
        let digest = to.client().digest("mirror/app", "1.2.3").await;
        assert_eq!(digest.as_deref(), Some(clean().digest()));
        let key = site.public_key();
        let copied = reference.replace(&from.host(), &to.host());
        for cosign in [&cosign2, &cosign3] {
            cosign.verify(&key, &copied).await.expect_code(0);
            cosign.verify_attestation(&key, "vuln", &copied).await.expect_code(0);
            let platform = format!("{}/mirror/app@{}", to.host(), clean().manifest_digests()[1]);
            cosign.verify_attestation(&key, "cyclonedx", &platform).await.expect_code(0);
        }
        let finished = site.verify(&format!("http://{copied}")).await.expect_code(0);
        assert!(!finished.stdout.contains("(bundle"), "{}", finished.stdout);
    }
}

#[tokio::test]
async fn crane_copies_the_tags() {
    let Some(crane) = require(Peer::Crane).map(Arc::new) else { return };
    tags_are_copied(async |from: &str, to: &str| {
        crane.run(&["copy", from, to]).await.expect_code(0);
    })
    .await;
}

#[tokio::test]
async fn skopeo_copies_the_tags() {
    let Some(skopeo) = require(Peer::Skopeo).map(Arc::new) else { return };
    tags_are_copied(async |from: &str, to: &str| {
        let (from, to) = (format!("docker://{from}"), format!("docker://{to}"));
        let plain = ["--src-tls-verify=false", "--dest-tls-verify=false"];
        let what = ["--all", "--preserve-digests", &from, &to];
        let args = [&["--insecure-policy", "copy"], &plain[..], &what].concat();
        skopeo.run(&args).await.expect_code(0);
    })
    .await;
}

/// `arc copy` is the one that takes both along.
#[tokio::test]
async fn arc_copies_the_bundles_and_the_tags() {
    let Some([cosign2, cosign3]) = Cosign::both().await else { return };
    let Some(ways) = ways().await else { return };
    for (from, to) in ways {
        let (site, reference, [_from, to]) = delivered(from, to).await;
        let copied = format!("{}/copied/app:1", to.host());
        let (source, destination) = (format!("http://{reference}"), format!("http://{copied}"));
        site.arc.run(&["copy", &source, &destination]).await.expect_code(0);
        let key = site.public_key();
        let platform = format!("{}/copied/app@{}", to.host(), clean().manifest_digests()[0]);
        for cosign in [&cosign2, &cosign3] {
            cosign.verify(&key, &copied).await.expect_code(0);
            cosign.verify_attestation(&key, "vuln", &copied).await.expect_code(0);
            cosign.verify_attestation(&key, "spdxjson", &platform).await.expect_code(0);
        }
        let said = site.verify(&destination).await.expect_code(0).stdout;
        assert!(said.contains("(bundle") && said.contains("(tag"), "{said}");
        assert!(!said.contains("REJECTED"), "{said}");
    }
}
