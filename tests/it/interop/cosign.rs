//! cosign as its manual uses it with keys, cut off from the world: it must need nothing but the registry.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_tests::arc::{self, Finished};
use arc_tests::peers::{Peer, require};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The password of the keys that cosign makes here.
pub(crate) const PASSWORD: &str = "upstream";

/// In which form cosign writes signatures and attestations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Sigstore bundles as referrers.
    Bundle,
    /// Tags `.sig` and `.att`.
    Legacy,
}

/// One version of cosign with a folder for its keys.
pub(crate) struct Cosign {
    pub(crate) peer: Peer,
    program: arc::Arc,
    folder: TempDir,
    calls_outside: Arc<AtomicUsize>,
    outside: JoinHandle<()>,
}

impl Cosign {
    /// Prepares cosign without a home, behind a proxy that counts who calls; or says that the test is skipped.
    pub(crate) async fn new(peer: Peer) -> Option<Self> {
        let program = require(peer)?;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = format!("http://{}", listener.local_addr().unwrap());
        let calls_outside = Arc::new(AtomicUsize::new(0));
        let counter = calls_outside.clone();
        let outside = tokio::spawn(async move {
            // The connection is dropped at once: whoever calls gets an error, not a wait.
            while listener.accept().await.is_ok() {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        });
        let folder = tempfile::tempdir().unwrap();
        let program = arc::Arc::new(program)
            .env("HOME", "/nonexistent")
            .env("HTTP_PROXY", &proxy)
            .env("HTTPS_PROXY", &proxy)
            .env("COSIGN_PASSWORD", PASSWORD)
            .current_dir(folder.path());
        Some(Self { peer, program, folder, calls_outside, outside })
    }

    /// Prepares both versions.
    pub(crate) async fn both() -> Option<[Self; 2]> {
        Some([Self::new(Peer::Cosign2).await?, Self::new(Peer::Cosign3).await?])
    }

    /// Runs cosign. Images on loopback are reached directly; anything else is a call outside and fails the test.
    pub(crate) async fn run(&self, args: &[&str]) -> Finished {
        let finished = self.program.run(args).await;
        let calls = self.calls_outside.load(Ordering::Relaxed);
        assert_eq!(calls, 0, "{} {args:?} called outside\n{}", self.peer, finished.stderr);
        finished
    }

    /// `cosign verify`.
    pub(crate) async fn verify(&self, key: &Path, image: &str) -> Finished {
        self.run(&["verify", "--key", text(key), "--insecure-ignore-tlog=true", image]).await
    }

    /// `cosign verify-attestation`.
    pub(crate) async fn verify_attestation(&self, key: &Path, kind: &str, image: &str) -> Finished {
        let key = ["--key", text(key), "--insecure-ignore-tlog=true"];
        self.run(&[&["verify-attestation"], &key[..], &["--type", kind, image]].concat()).await
    }

    /// `cosign generate-key-pair`: `cosign.key` and `cosign.pub` in its folder.
    pub(crate) async fn generate_key_pair(&self) {
        self.run(&["generate-key-pair"]).await.expect_code(0);
    }

    /// Returns a file of its folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the public key of [`Cosign::generate_key_pair`].
    pub(crate) fn public_key(&self) -> PathBuf {
        self.file("cosign.pub")
    }

    /// `cosign sign` with its own key.
    pub(crate) async fn sign(&self, image: &str, format: Format) {
        let flags = self.flags(format).await;
        let args = [&["sign", "--yes", "--key", "cosign.key"], &flags[..], &[image]].concat();
        self.run(&args).await.expect_code(0);
    }

    /// `cosign attest` with its own key.
    pub(crate) async fn attest(&self, image: &str, kind: &str, predicate: &Value, format: Format) {
        std::fs::write(self.file("predicate.json"), predicate.to_string()).unwrap();
        let flags = self.flags(format).await;
        let what = ["--type", kind, "--predicate", "predicate.json", image];
        let args = [&["attest", "--yes", "--key", "cosign.key"], &flags[..], &what].concat();
        self.run(&args).await.expect_code(0);
    }

    /// The flags that make each version write a format without a transparency log.
    async fn flags(&self, format: Format) -> Vec<&'static str> {
        match (self.peer, format) {
            (Peer::Cosign2, Format::Legacy) => vec!["--tlog-upload=false"],
            (Peer::Cosign2, _) => vec!["--tlog-upload=false", "--new-bundle-format"],
            (_, Format::Legacy) => {
                vec![
                    "--new-bundle-format=false",
                    "--use-signing-config=false",
                    "--tlog-upload=false",
                ]
            }
            (_, Format::Bundle) => {
                // Without services, and without asking anybody for the root of trust of services.
                for (kind, file) in [("signing-config", "sc.json"), ("trusted-root", "tr.json")] {
                    if !self.file(file).exists() {
                        self.run(&[kind, "create", "--out", file]).await.expect_code(0);
                    }
                }
                vec!["--signing-config", "sc.json", "--trusted-root", "tr.json"]
            }
        }
    }
}

impl Drop for Cosign {
    fn drop(&mut self) {
        self.outside.abort();
    }
}

/// Fails the test, with all output, unless the program said no.
#[track_caller]
pub(crate) fn refused(finished: Finished) -> Finished {
    let output = format!("{}\n{}", finished.stdout, finished.stderr);
    assert!(finished.code.is_some_and(|code| code != 0), "accepted:\n{output}");
    finished
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
