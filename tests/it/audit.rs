//! Verifying, auditing and exporting a delivery: from both kinds of registry, and offline from image layouts.

mod exported;
mod logged;
mod masked;
mod policy;

use std::path::{Path, PathBuf};

use arc_oci::{Client, ClientOptions, Layout, Progress, Remote, copy};
use arc_registry::Options;
use arc_tests::arc::{Arc, Finished};
use arc_tests::lying::{LyingRegistry, Setup};
use arc_tests::peers::{Peer, require};
use serde_json::{Value, json};

use self::masked::masked;
use crate::site::{Side, Site, clean, vulnerable};

/// A delivery into one registry, and everything that must live as long as it is looked at.
pub(crate) struct Delivered {
    pub(crate) site: Site,
    destination: LyingRegistry,
    _source: LyingRegistry,
}

impl Delivered {
    /// Delivers `app:1.2.3` into a registry with or without the referrers API.
    pub(crate) async fn into_registry(referrers_api: bool) -> Self {
        let source = LyingRegistry::honest().await;
        clean().push(source.backdoor(), "app", "1.2.3").await;
        let options = Options { referrers_api, ..Options::default() };
        let destination = LyingRegistry::start(Setup { options, ..Setup::default() }).await;
        let to = Side::at(format!("{}/mirror", destination.url()));
        let site = Site::new(&Side::at(source.url()), &to);
        site.order(&[("app", json!({"repository": "app", "tag": "^1.2"}))]);
        let rows = Site::rows(site.run(&[]).await, 0);
        assert_eq!(rows[0]["outcome"], "Delivered");
        Self { site, destination, _source: source }
    }

    /// The reference for ARC.
    pub(crate) fn reference(&self) -> String {
        format!("http://{}/mirror/app:1.2.3", self.destination.host())
    }

    /// Runs a command on a reference with the site's key.
    pub(crate) async fn arc(&self, command: &str, reference: &str, more: &[&str]) -> Finished {
        let key = self.site.public_key();
        let args = [command, reference, "--key", key.to_str().unwrap()];
        self.site.arc.run(&[&args[..], more].concat()).await
    }

    /// Copies the image into a layout with ARC's own pull, which takes referrers and cosign's tags along.
    async fn pull(&self, folder: &Path) -> String {
        let remote = Remote::parse(self.destination.url()).unwrap();
        let client = Client::new(ClientOptions::new(remote)).unwrap();
        let root = client.resolve("mirror/app", "1.2.3").await.unwrap().unwrap();
        let layout = Layout::create(folder).unwrap();
        copy::pull(&client, "mirror/app", &root, &layout, &Progress::new()).await.unwrap();
        layout.set_ref("1.2.3", &root).unwrap();
        format!("oci:{}:1.2.3", folder.display())
    }

    /// Takes the destination away: what follows is offline.
    fn disconnect(self) -> Site {
        let Self { site, destination, _source: source } = self;
        drop((destination, source));
        site
    }
}

/// The story as one document.
fn story(finished: Finished) -> Value {
    serde_json::from_str(&finished.expect_code(0).stdout).expect("JSON on standard output")
}

#[tokio::test]
async fn the_story_of_a_delivery_is_told_line_by_line() {
    for referrers_api in [true, false] {
        let delivered = Delivered::into_registry(referrers_api).await;
        let told = delivered.arc("audit", &delivered.reference(), &[]).await.expect_code(0);
        let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/audit/story.txt");
        let told = masked(&told.stdout);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&expected, &told).unwrap();
        }
        let expected = std::fs::read_to_string(&expected).unwrap();
        assert_eq!(told, expected, "--- told\n{told}\n--- expected\n{expected}");
    }
}

#[tokio::test]
async fn the_same_story_is_told_offline_from_a_layout() {
    let delivered = Delivered::into_registry(true).await;
    let in_registry = story(delivered.arc("audit", &delivered.reference(), &["-o", "json"]).await);
    let folder = tempfile::tempdir().unwrap();
    let pulled = delivered.pull(&folder.path().join("layout")).await;
    let site = delivered.disconnect();
    let key = site.public_key();
    let run = async |args: &[&str]| site.arc.run(args).await;
    let args = ["audit", &pulled, "--key", key.to_str().unwrap(), "-o", "json"];
    let in_layout = story(run(&args).await);
    for part in ["digest", "mediaType", "signed", "chapters", "evidence", "unreadable"] {
        assert_eq!(in_layout[part], in_registry[part], "{part}");
    }
    run(&["verify", &pulled, "--key", key.to_str().unwrap(), "--platforms"]).await.expect_code(0);
    let whole = pulled.strip_suffix(":1.2.3").unwrap();
    run(&["verify", whole, "--key", key.to_str().unwrap()]).await.expect_code(0);
    let pinned = format!("{whole}@{}", clean().digest());
    run(&["verify", &pinned, "--key", key.to_str().unwrap()]).await.expect_code(0);
    let unknown = format!("{whole}:9.9");
    let finished = run(&["verify", &unknown, "--key", key.to_str().unwrap()]).await.expect_code(2);
    assert!(finished.stderr.contains("\"1.2.3\""), "{}", finished.stderr);
}

#[tokio::test]
async fn what_oras_copied_to_a_layout_verifies_offline() {
    let Some(oras) = require(Peer::Oras) else { return };
    for referrers_api in [true, false] {
        let delivered = Delivered::into_registry(referrers_api).await;
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("layout");
        let from = delivered.reference().strip_prefix("http://").unwrap().to_owned();
        let to_name = format!("{}:1.2.3", to.display());
        let args = ["cp", "-r", "--from-plain-http", &from, "--to-oci-layout", &to_name];
        Arc::new(&oras).run(&args).await.expect_code(0);
        let site = delivered.disconnect();
        let key = site.public_key();
        let layout = format!("oci:{}:1.2.3", to.display());
        let args = ["verify", &layout, "--key", key.to_str().unwrap(), "--platforms"];
        site.arc.run(&args).await.expect_code(0);
    }
}

#[tokio::test]
async fn nothing_is_told_that_another_key_signed() {
    let delivered = Delivered::into_registry(true).await;
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    delivered
        .site
        .arc
        .run(&["keys", "generate", "--dir", keys.to_str().unwrap()])
        .await
        .expect_code(0);
    let other = keys.join("cosign.pub");
    let args = ["audit", &delivered.reference(), "--key", other.to_str().unwrap()];
    let told = delivered.site.arc.run(&[&args[..], &["-o", "json"]].concat()).await.expect_code(3);
    let story: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(story["signed"], false);
    for chapter in story["chapters"].as_array().unwrap() {
        assert_eq!(chapter["lines"], json!([]), "{chapter:#}");
    }
    for piece in story["evidence"].as_array().unwrap() {
        assert_eq!(piece["held"], false, "{piece:#}");
        let why = piece["rejection"].as_str().unwrap();
        let is_foreign = why.contains("signed with another key") || why.contains("no signature of");
        assert!(is_foreign, "{piece:#}");
    }
    let told = delivered.site.arc.run(&args).await.expect_code(3).stdout;
    for claim in ["team-a/order", "CVE-", "copy, scan"] {
        assert!(!told.contains(claim), "{claim:?} was told:\n{told}");
    }
    assert!(told.ends_with("counts for nothing\n") && told.contains("NOT SIGNED"), "{told}");
}

#[tokio::test]
async fn an_image_without_evidence_has_no_story() {
    let registry = LyingRegistry::honest().await;
    vulnerable().push(registry.backdoor(), "app", "1.0").await;
    let site = Site::new(&Side::at(registry.url()), &Side::at(registry.url()));
    let reference = format!("http://{}/app:1.0", registry.host());
    let key = site.public_key();
    let told = site.arc.run(&["audit", &reference, "--key", key.to_str().unwrap()]).await;
    let told = told.expect_code(3).stdout;
    assert!(told.contains("NOBODY: no valid signature by any of the keys"), "{told}");
    assert!(told.contains("evidence\n  none was found\n"), "{told}");
}

/// Returns a program of the machine, or says that the test is skipped; in CI a missing one fails the test.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    if found.is_none() {
        let message = format!("skipped: {name} is not installed");
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{message}");
        eprintln!("{message}");
    }
    found
}
