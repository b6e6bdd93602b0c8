//! The exported folder: complete, checked by its own script with public programs, and by nothing of ARC.

use std::fs;
use std::path::{Path, PathBuf};

use arc_tests::arc::{Arc, Finished};
use arc_tests::peers::{Peer, require};

use super::{Delivered, program};

/// Exports the audit of a delivery.
async fn export(delivered: &Delivered, folder: &Path) -> PathBuf {
    let dir = folder.join("export");
    let args = ["--export", dir.to_str().unwrap()];
    delivered.arc("audit", &delivered.reference(), &args).await.expect_code(0);
    dir
}

/// Runs the script as a stranger would, from another folder.
async fn recheck(dir: &Path, more: &[&str], programs: &[(&str, &Path)]) -> Finished {
    let script = dir.join("recheck.sh");
    let shell = programs
        .iter()
        .fold(Arc::new("/bin/sh"), |shell, (name, program)| shell.env(name, program));
    shell.run(&[&[script.to_str().unwrap()], more].concat()).await
}

/// Whether everything is there that the script needs.
fn can_recheck() -> bool {
    ["openssl", "sha256sum", "grep"].iter().all(|name| program(name).is_some())
}

fn files(dir: &Path, part: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir(dir.join(part)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[tokio::test]
async fn the_script_rechecks_everything_with_openssl_and_finds_flipped_bytes() {
    if !can_recheck() {
        return;
    }
    let delivered = Delivered::into_registry(true).await;
    let folder = tempfile::tempdir().unwrap();
    let dir = export(&delivered, folder.path()).await;
    let finished = recheck(&dir, &[], &[]).await.expect_code(0);
    assert!(finished.stdout.ends_with("everything holds\n"), "{}", finished.stdout);
    assert!(!finished.stdout.contains("FAILED"), "{}", finished.stdout);
    // A manifest and two checks of content at least for each signed payload, in both formats.
    assert!(finished.stdout.matches("signed payloads/").count() >= 4, "{}", finished.stdout);

    for part in ["manifests", "bundles", "envelopes", "payloads", "signatures", "keys"] {
        // Every file of a folder is checked in the same way; one run of the script takes most of a second.
        for file in files(&dir, part).into_iter().take(3) {
            let before = fs::read(&file).unwrap();
            let mut changed = before.clone();
            let middle = changed.len() / 2;
            changed[middle] ^= 1;
            fs::write(&file, &changed).unwrap();
            // Also when somebody makes the checksums fit.
            let sums = dir.join("SHA256SUMS");
            let honest = fs::read_to_string(&sums).unwrap();
            let digest = |bytes| arc_tests::images::sha256(bytes).replace("sha256:", "");
            fs::write(&sums, honest.replace(&digest(&before), &digest(&changed))).unwrap();
            let finished = recheck(&dir, &[], &[]).await;
            assert_eq!(
                finished.code,
                Some(1),
                "{} was changed\n{}",
                file.display(),
                finished.stdout
            );
            fs::write(&file, &before).unwrap();
            fs::write(&sums, honest).unwrap();
        }
    }
    recheck(&dir, &[], &[]).await.expect_code(0);
}

#[tokio::test]
async fn what_is_exported_from_a_layout_needs_no_registry() {
    if !can_recheck() {
        return;
    }
    let delivered = Delivered::into_registry(false).await;
    let folder = tempfile::tempdir().unwrap();
    let layout = delivered.pull(&folder.path().join("layout")).await;
    let site = delivered.disconnect();
    let dir = folder.path().join("export");
    let key = site.public_key();
    let args =
        ["audit", &layout, "--key", key.to_str().unwrap(), "--export", dir.to_str().unwrap()];
    site.arc.run(&args).await.expect_code(0);
    recheck(&dir, &[], &[]).await.expect_code(0);
    // A second export never mixes with the first.
    let finished = site.arc.run(&args).await.expect_code(2);
    assert!(finished.stderr.contains("is not empty"), "{}", finished.stderr);
}

#[tokio::test]
async fn the_report_and_the_keys_are_what_was_audited() {
    let delivered = Delivered::into_registry(true).await;
    let folder = tempfile::tempdir().unwrap();
    let dir = export(&delivered, folder.path()).await;
    let report = fs::read_to_string(dir.join("report.md")).unwrap();
    for part in [
        "# Audit of ",
        "## Where it came from",
        "**order** team-a/order, artifact app, uid 0b0e7e9d-5f5a-4d43-9d54-0f1c1f5a1d11",
        "**signed by one of the keys**",
    ] {
        assert!(report.contains(part), "no {part:?} in\n{report}");
    }
    assert_eq!(
        fs::read(dir.join("keys/key-1.pub")).unwrap(),
        fs::read(delivered.site.public_key()).unwrap()
    );
    let story = delivered.arc("audit", &delivered.reference(), &["-o", "json"]).await.stdout;
    let written = fs::read_to_string(dir.join("audit.json")).unwrap();
    let without_time = |text: &str| {
        let mut story: serde_json::Value = serde_json::from_str(text).unwrap();
        story["auditedOn"].take();
        story
    };
    assert_eq!(without_time(&written), without_time(&story));
    assert!(!dir.join("rejected").exists());
}

#[tokio::test]
async fn rejected_evidence_is_kept_apart() {
    let delivered = Delivered::into_registry(true).await;
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    let arc = &delivered.site.arc;
    arc.run(&["keys", "generate", "--dir", keys.to_str().unwrap()]).await.expect_code(0);
    let (dir, other) = (folder.path().join("export"), keys.join("cosign.pub"));
    let reference = delivered.reference();
    let args =
        ["audit", &reference, "--key", other.to_str().unwrap(), "--export", dir.to_str().unwrap()];
    arc.run(&args).await.expect_code(3);
    assert!(!files(&dir, "rejected").is_empty());
    for part in ["bundles", "envelopes", "payloads", "signatures"] {
        assert!(!dir.join(part).exists(), "{part} was written");
    }
}

async fn cosign_rechecks(cosign: &Path) {
    if !can_recheck() {
        return;
    }
    let Some(oras) = require(Peer::Oras) else { return };
    for referrers_api in [true, false] {
        let delivered = Delivered::into_registry(referrers_api).await;
        let folder = tempfile::tempdir().unwrap();
        let dir = export(&delivered, folder.path()).await;
        let programs = [("COSIGN", cosign), ("ORAS", &oras)];
        let finished = recheck(&dir, &["--online"], &programs).await.expect_code(0);
        for part in [
            "ok      cosign accepts bundles/",
            "ok      cosign verify ",
            "ok      cosign verify-attestation --type vuln ",
            " is what the registry serves\n",
        ] {
            assert!(finished.stdout.contains(part), "no {part:?} in\n{}", finished.stdout);
        }
        // The registry is gone, the folder is not.
        drop(delivered);
        recheck(&dir, &["--cosign"], &programs).await.expect_code(0);
        recheck(&dir, &["--online"], &programs).await.expect_code(1);
    }
}

#[tokio::test]
async fn cosign_2_rechecks_an_export() {
    let Some(cosign) = require(Peer::Cosign2) else { return };
    cosign_rechecks(&cosign).await;
}

#[tokio::test]
async fn cosign_3_rechecks_an_export() {
    let Some(cosign) = require(Peer::Cosign3) else { return };
    cosign_rechecks(&cosign).await;
}
