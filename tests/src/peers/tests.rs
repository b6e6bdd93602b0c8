//! Other people's programs work with the embedded registry: it is spec-true to those who wrote the clients.

use serde_json::Value;

use super::*;
use crate::{
    arc::{Arc, Finished},
    images::{Content, Layer},
    lying::{LyingRegistry, Setup as Registry},
};

async fn with_image() -> (LyingRegistry, Content) {
    let registry = LyingRegistry::start(Registry::default()).await;
    let content = Content::multi_arch(&[
        Layer::Random { mebibytes: 2, seed: 3 },
        Layer::files(&[("a", "b")]),
    ]);
    content.push(registry.backdoor(), "team/a", "v1").await;
    (registry, content)
}

async fn run(program: &Path, args: &[&str]) -> Finished {
    Arc::new(program).run(args).await.expect_code(0)
}

#[tokio::test]
async fn skopeo_copies_and_inspects() {
    let Some(skopeo) = require(Peer::Skopeo) else { return };
    let (registry, content) = with_image().await;
    let reference = |repository: &str| format!("docker://{}/{repository}", registry.host());
    let no_tls = ["--src-tls-verify=false", "--dest-tls-verify=false"];
    let (source, destination) = (reference("team/a:v1"), reference("team/b:v2"));
    let copy = [
        "--insecure-policy",
        "copy",
        "--all",
        "--preserve-digests",
        no_tls[0],
        no_tls[1],
        &source,
        &destination,
    ];
    run(&skopeo, &copy).await;
    assert_eq!(registry.backdoor().digest("team/b", "v2").await.as_deref(), Some(content.digest()));
    let tags = run(&skopeo, &["list-tags", "--tls-verify=false", &reference("team/b")]).await;
    let tags: Value = serde_json::from_str(&tags.stdout).unwrap();
    assert_eq!(tags["Tags"], serde_json::json!(["v2"]));
}

#[tokio::test]
async fn crane_copies_lists_and_deletes() {
    let Some(crane) = require(Peer::Crane) else { return };
    let (registry, content) = with_image().await;
    let reference = |repository: &str| format!("{}/{repository}", registry.host());
    run(&crane, &["copy", &reference("team/a:v1"), &reference("team/b:v2")]).await;
    assert_eq!(
        run(&crane, &["digest", &reference("team/b:v2")]).await.stdout.trim(),
        content.digest()
    );
    assert_eq!(run(&crane, &["catalog", &registry.host()]).await.stdout, "team/a\nteam/b\n");
    run(&crane, &["validate", "--remote", &reference("team/b:v2")]).await;
    run(&crane, &["delete", &reference(&format!("team/b@{}", content.digest()))]).await;
    assert_eq!(registry.backdoor().digest("team/b", "v2").await, None);
    let mounted = registry
        .requests()
        .iter()
        .any(|request| request.query.contains("mount=") && request.status == Some(201));
    assert!(mounted, "crane mounts within one registry");
}

#[tokio::test]
async fn oras_attaches_and_discovers_referrers() {
    let Some(oras) = require(Peer::Oras) else { return };
    let (registry, _) = with_image().await;
    let arc = Arc::new(oras);
    std::fs::write(arc.home().join("sbom.json"), "{}").unwrap();
    let subject = format!("{}/team/a:v1", registry.host());
    let attach = [
        "attach",
        "--plain-http",
        "--artifact-type",
        "application/vnd.example.sbom",
        &subject,
        "sbom.json",
    ];
    arc.run(&attach).await.expect_code(0);
    let found =
        arc.run(&["discover", "--plain-http", "--format", "json", &subject]).await.expect_code(0);
    let found: Value = serde_json::from_str(&found.stdout).unwrap();
    assert_eq!(found["referrers"][0]["artifactType"], "application/vnd.example.sbom");
    assert_eq!(registry.backdoor().tags("team/a").await, ["v1"], "no fallback tag is written");
}

#[tokio::test]
async fn both_cosigns_sign_and_verify() {
    for peer in [Peer::Cosign2, Peer::Cosign3] {
        let Some(cosign) = require(peer) else { return };
        let (registry, content) = with_image().await;
        let image = format!("{}/team/a@{}", registry.host(), content.digest());
        let cosign = Arc::new(cosign).env("COSIGN_PASSWORD", "secret");
        cosign.run(&["generate-key-pair"]).await.expect_code(0);
        let mut sign = vec!["sign", "--yes", "--key", "cosign.key"];
        if peer == Peer::Cosign3 {
            cosign.run(&["signing-config", "create", "--out", "sc.json"]).await.expect_code(0);
            sign.extend(["--signing-config", "sc.json"]);
        } else {
            sign.push("--tlog-upload=false");
        }
        sign.push(&image);
        cosign.run(&sign).await.expect_code(0);
        let verify = ["verify", "--key", "cosign.pub", "--insecure-ignore-tlog=true", &image];
        cosign.run(&verify).await.expect_code(0);
        let has_referrers =
            registry.writes().iter().any(|line| line.contains("/manifests/sha256:"));
        assert_eq!(has_referrers, peer == Peer::Cosign3, "{:#?}", registry.writes());
    }
}
