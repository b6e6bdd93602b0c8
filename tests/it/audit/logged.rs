//! What a transparency log holds, and what an audit says when evidence was taken away.

use arc_tests::lying::LyingRegistry;
use arc_tests::rekor::{Rekor, Version};
use http::Method;
use serde_json::{Value, json};

use super::{Delivered, program, story};
use crate::site::{Side, Site, clean};

const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";

fn lines<'a>(story: &'a Value, title: &str) -> &'a [Value] {
    let chapters = story["chapters"].as_array().unwrap();
    let chapter = chapters.iter().find(|chapter| chapter["title"] == title).unwrap();
    chapter["lines"].as_array().unwrap()
}

/// Delivers `app:1.0` with a log of this version; returns the log, too.
async fn logged(version: Version) -> (LyingRegistry, LyingRegistry, Site, Rekor) {
    let number = match version {
        Version::V1 => "1",
        Version::V2 => "2",
    };
    let source = LyingRegistry::honest().await;
    clean().push(source.backdoor(), "app", "1.0").await;
    let destination = LyingRegistry::honest().await;
    let site = Site::new(&Side::at(source.url()), &Side::at(destination.url()));
    let log = Rekor::start(version).await;
    let (url, pem) = (log.url(), log.public_key());
    site.write_type(&[
        ("rekorURL", url.as_str()),
        ("rekorVersion", number),
        ("rekorPublicKey", pem.as_str()),
    ]);
    site.order(&[("app", json!({"repository": "app", "tag": "1.0"}))]);
    Site::rows(site.run(&[]).await, 0);
    (source, destination, site, log)
}

#[tokio::test]
async fn an_audit_says_which_log_holds_what_and_only_with_the_logs_own_key() {
    for version in [Version::V1, Version::V2] {
        let (_source, destination, site, log) = logged(version).await;
        let (entries, pem) = (log.entries(), log.public_key());
        // All of it is checked without the log.
        drop(log);
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, pem: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, pem).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let own = write("log.pub", &pem);
        let other = write("other.pub", &Rekor::start(version).await.public_key());
        let reference = format!("http://{}/app:1.0", destination.host());
        let key = site.public_key();
        let run = async |command: &str, more: &[&str]| {
            let args = [command, reference.as_str(), "--key", key.to_str().unwrap()];
            site.arc.run(&[&args[..], more].concat()).await
        };
        let told = story(run("audit", &["--log-key", &own, "-o", "json"]).await);
        let held = lines(&told, "which log holds it");
        assert_eq!(held.len(), entries, "{held:#?}");
        assert!(held.iter().all(|line| line["what"] == "logged"), "{held:#?}");
        assert_eq!(lines(&told, "who signed it").len(), 1);

        let told = run("audit", &["--log-key", &other]).await.expect_code(0).stdout;
        assert!(told.contains("NONE: no valid entry of any of the logs"), "{told}");

        run("verify", &["--log-key", &own, "--platforms"]).await.expect_code(0);
        run("verify", &["--log-key", &other]).await.expect_code(3);

        if program("openssl").is_some() && program("sha256sum").is_some() {
            let dir = folder.path().join("export");
            let dir = dir.to_str().unwrap();
            run("audit", &["--log-key", &own, "--export", dir]).await.expect_code(0);
            assert_eq!(std::fs::read_to_string(format!("{dir}/keys/log-1.pub")).unwrap(), pem);
            let shell = arc_tests::arc::Arc::new("/bin/sh");
            shell.run(&[&format!("{dir}/recheck.sh")]).await.expect_code(0);
        }
    }
}

#[tokio::test]
async fn a_signature_bundle_that_was_taken_away_is_told_and_refused() {
    let delivered = Delivered::into_registry(true).await;
    let there = delivered.destination.backdoor();
    let list = there.get(&format!("/v2/mirror/app/referrers/{}", clean().digest())).await.json();
    let annotation = "dev.sigstore.bundle.predicateType";
    let manifests = list["manifests"].as_array().unwrap();
    let signature =
        manifests.iter().find(|entry| entry["annotations"][annotation] == SIGNATURE).unwrap();
    let path = format!("/v2/mirror/app/manifests/{}", signature["digest"].as_str().unwrap());
    assert_eq!(there.send(Method::DELETE, &path, &[], "").await.status, 202);
    let told = delivered.arc("audit", &delivered.reference(), &[]).await.expect_code(3).stdout;
    assert!(told.contains("  PROBLEM  the signature holds only in a legacy tag"), "{told}");
    assert!(told.ends_with("but NOT SOUND: see the problems\n"), "{told}");
    delivered.arc("verify", &delivered.reference(), &[]).await.expect_code(3);
}
