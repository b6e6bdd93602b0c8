//! How ARC itself is released: `.ci/release`, from one registry to another.

use std::fs;
use std::path::{Path, PathBuf};

use arc_evidence::KeyFiles;
use arc_tests::arc::{Arc, Finished};
use arc_tests::images::Content;
use arc_tests::lying::{Auth, LyingRegistry, Setup};
use arc_tests::{PASSWORD, USERNAME};

use crate::site::{clean, vulnerable};

const VERSION: &str = "0.1.0";

/// Releases an image that lies in a staging registry to one that wants a login.
async fn release(image: &Content, advisories: &str) -> (LyingRegistry, Finished) {
    let setup = || Setup { auth: Auth::Basic, ..Setup::default() };
    let staging = LyingRegistry::start(setup()).await;
    image.push(staging.backdoor(), "staging/arc", VERSION).await;
    let public = LyingRegistry::start(setup()).await;
    let keys = tempfile::tempdir().unwrap();
    let pair = KeyFiles::generate(b"release").unwrap();
    fs::write(keys.path().join(KeyFiles::KEY), pair.key.as_bytes()).unwrap();
    fs::write(keys.path().join(KeyFiles::PASSWORD), b"release").unwrap();
    fs::write(keys.path().join(KeyFiles::PUBLIC), pair.public.as_deref().unwrap()).unwrap();
    let script = Arc::new(root().join(".ci/release"))
        .env("ARC", env!("CARGO_BIN_EXE_arc-under-test"))
        .env("KEYS", keys.path())
        .env("ADVISORIES", root().join("examples/quickstart/advisories").join(advisories))
        .env("REGISTRY_USERNAME", USERNAME)
        .env("REGISTRY_PASSWORD", PASSWORD);
    let (from, to) = (format!("{}/staging", staging.url()), format!("{}/public", public.url()));
    let finished = script.run(&[VERSION, &from, &to]).await;
    let left: Vec<_> = fs::read_dir(script.home()).unwrap().flatten().collect();
    assert!(left.is_empty(), "the keys are gone with the folder they were in: {left:?}");
    assert!(!(finished.stdout.clone() + &finished.stderr).contains(PASSWORD));
    (public, finished)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn is_missing(program: &str) -> bool {
    let is_missing = std::process::Command::new(program).arg("--version").output().is_err();
    if is_missing {
        eprintln!("skipped: {program} is not here");
    }
    is_missing
}

#[tokio::test]
async fn a_release_is_scanned_signed_and_verified_before_it_has_its_tag() {
    if is_missing("curl") {
        return;
    }
    let (public, finished) = release(&clean(), "ALPINE-CVE-2023-5363.json").await;
    let finished = finished.expect_code(0);
    assert!(finished.stdout.contains("Delivered"), "{}", finished.stdout);
    let digest = public.backdoor().digest("public/arc", VERSION).await;
    assert_eq!(digest.as_deref(), Some(clean().digest()));
}

#[tokio::test]
async fn a_release_with_a_known_vulnerability_does_not_happen() {
    if is_missing("curl") {
        return;
    }
    let (public, finished) = release(&vulnerable(), "DEBIAN-CVE-2022-37434.json").await;
    finished.expect_code(3);
    assert_eq!(public.backdoor().digest("public/arc", VERSION).await, None);
}
