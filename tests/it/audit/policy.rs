//! The demands of a verification: as options, as a file, and what is said of wrong ones.

use std::fs;

use http::Method;
use serde_json::Value;

use super::Delivered;
use crate::site::{Site, clean};

#[tokio::test]
async fn each_demand_is_met_or_refused_and_wrong_ones_are_named() {
    let delivered = Delivered::into_registry(true).await;
    let reference = delivered.reference();
    let cases: &[(&[&str], i32, &str)] = &[
        (&[], 0, "accepted"),
        (&["--platforms"], 0, "linux/arm64"),
        (&["--require", "slsaprovenance1,vuln"], 0, "accepted"),
        (&["--platforms", "--require", "cyclonedx"], 0, "accepted"),
        (
            &["--require", "cyclonedx"],
            3,
            "hint: bills of materials are attached to the platforms of an index; add --platforms",
        ),
        (&["--require", "https://example.com/own/v1"], 3, "https://example.com/own/v1"),
        (&["--require", "slsa"], 2, "--require: \"slsa\" is not a predicate type"),
        (&["--severity", "UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL"], 0, "accepted"),
        (&["--severity", "SEVERE"], 2, "--severity: \"SEVERE\" is not a severity"),
        (&["--severity", ""], 2, "--severity: the value is empty"),
        (&["--max-scan-age", "24h"], 0, "accepted"),
        (&["--max-scan-age", "24"], 0, "accepted"),
        (&["--max-scan-age", "soon"], 2, "--max-scan-age: \"soon\" is not a length of time"),
        (&["--builder", arc_evidence::predicate::BUILDER_ID], 0, "accepted"),
        (&["--builder", "https://example.com/builder"], 3, "https://example.com/builder"),
        (&["--order", "team-a/order"], 0, "accepted"),
        (&["--order", "team-*/*"], 0, "accepted"),
        (&["--order", "team-b/*"], 3, "no valid provenance names the order"),
        (&["--order", "team-a"], 2, "--order: \"team-a\" is not NAMESPACE/NAME"),
        (&["--key", "absent.pub"], 2, "failed to read absent.pub"),
        (&["--log-key", "absent.pub"], 2, "failed to read absent.pub"),
        (&["--policy", "absent.yaml"], 2, "failed to read absent.yaml"),
    ];
    for (options, code, part) in cases {
        let finished = delivered.arc("verify", &reference, options).await.expect_code(*code);
        let output = format!("{}{}", finished.stdout, finished.stderr);
        assert!(output.contains(part), "{options:?}: no {part:?} in\n{output}");
    }
}

#[tokio::test]
async fn every_digest_of_an_index_is_judged_and_one_bad_platform_refuses_it() {
    let delivered = Delivered::into_registry(true).await;
    let reference = delivered.reference();
    let options = ["--platforms", "-o", "json"];
    let verdict: Value = serde_json::from_str(
        &delivered.arc("verify", &reference, &options).await.expect_code(0).stdout,
    )
    .unwrap();
    let names: Vec<_> = verdict["platforms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|platform| (&platform["platform"], &platform["accepted"]))
        .collect();
    assert_eq!(
        names,
        [(&"linux/amd64".into(), &true.into()), (&"linux/arm64".into(), &true.into())]
    );
    assert_eq!(verdict["accepted"], true);

    // One platform loses its bill of materials in both formats.
    let there = delivered.destination.backdoor();
    let platform = clean().manifest_digests()[1].clone();
    let list = there.get(&format!("/v2/mirror/app/referrers/{platform}")).await.json();
    let att = format!("{}.att", platform.replace(':', "-"));
    let referrers = list["manifests"].as_array().unwrap();
    let digests = referrers.iter().map(|entry| entry["digest"].as_str().unwrap().to_owned());
    for gone in digests.chain([att]) {
        let path = format!("/v2/mirror/app/manifests/{gone}");
        assert_eq!(there.send(Method::DELETE, &path, &[], "").await.status, 202, "{gone}");
    }
    delivered.arc("verify", &reference, &[]).await.expect_code(0);
    let finished = delivered.arc("verify", &reference, &options).await.expect_code(3);
    let verdict: Value = serde_json::from_str(&finished.stdout).unwrap();
    let accepted: Vec<_> = verdict["platforms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|platform| platform["accepted"].as_bool().unwrap())
        .collect();
    assert_eq!((accepted, &verdict["accepted"]), (vec![true, false], &Value::Bool(false)));
    let said = &verdict["platforms"][1]["problems"];
    assert_eq!(said[0], "no valid attestation of the type \"https://cyclonedx.org/bom\"");
}

#[tokio::test]
async fn platforms_must_be_signed_where_the_policy_signs_them() {
    let delivered = Delivered::into_registry(true).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.yaml");
    fs::write(&path, "parameters:\n- {name: signPlatforms, value: \"true\"}\n").unwrap();
    let options = ["--platforms", "--policy", path.to_str().unwrap()];
    let reference = delivered.reference();
    let said = delivered.arc("verify", &reference, &options).await.expect_code(3).stdout;
    assert_eq!(said.matches("no valid signature (0 found)").count(), 2, "{said}");
    delivered.site.write_type(&[("signPlatforms", "true")]);
    Site::rows(delivered.site.run(&[]).await, 0);
    delivered.arc("verify", &reference, &options).await.expect_code(0);
}

#[tokio::test]
async fn a_policy_file_demands_the_same_as_options_and_options_win() {
    let delivered = Delivered::into_registry(true).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.yaml");
    let pem = fs::read_to_string(delivered.site.public_key()).unwrap().replace('\n', "\n      ");
    let write = |more: &str| {
        let key = format!("parameters:\n  - name: verifyKeys\n    value: |\n      {pem}\n");
        fs::write(&path, format!("{key}{more}")).unwrap();
    };
    let policy = path.to_str().unwrap();
    let reference = delivered.reference();
    let verify = async |more: &[&str]| {
        let args = ["verify", &reference, "--policy", policy];
        delivered.site.arc.run(&[&args[..], more].concat()).await
    };
    let lint = async || delivered.site.arc.run(&["lint", "-f", policy]).await;

    write(
        "  - {name: verifyPredicateTypes, value: \"slsaprovenance1,vuln\"}\n  - {name: verifyOrderName, value: order}\n",
    );
    lint().await.expect_code(0);
    verify(&[]).await.expect_code(0);
    verify(&["--order", "team-a/other"]).await.expect_code(3);

    write("  - {name: verifyOrderName, value: other}\n");
    verify(&[]).await.expect_code(3);
    verify(&["--order", "team-a/order"]).await.expect_code(0);

    write("  - {name: verifyMaxScanAge, value: soon}\n  - {name: verifyBulider, value: x}\n");
    let said = verify(&[]).await.expect_code(2).stderr;
    for part in ["policy.yaml: verifyMaxScanAge: \"soon\"", "policy.yaml: verifyBulider", "hint: "]
    {
        assert!(said.contains(part), "no {part:?} in\n{said}");
    }
    let linted = lint().await.expect_code(2);
    let lines: Vec<_> = linted.stdout.lines().filter(|line| line.starts_with(policy)).collect();
    assert_eq!(lines.len(), 2, "{}", linted.stdout);
    assert!(lines.iter().all(|line| line.contains(": error: verify")), "{lines:?}");

    fs::write(&path, "parameters: none\n").unwrap();
    assert!(verify(&[]).await.expect_code(2).stderr.contains("not a policy"));
}

#[tokio::test]
async fn a_key_file_is_described_without_its_secret() {
    let arc = arc_tests::arc::Arc::new(env!("CARGO_BIN_EXE_arc-under-test"));
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    arc.run(&["keys", "generate", "--dir", keys.to_str().unwrap()]).await.expect_code(0);
    let path = |name: &str| keys.join(name).to_str().unwrap().to_owned();
    let password = fs::read_to_string(keys.join("cosign.password")).unwrap();

    let closed = arc.run(&["keys", "inspect", &path("cosign.key")]).await.expect_code(0).stdout;
    assert!(closed.contains("scrypt, N=65536 r=8 p=1"), "{closed}");
    assert!(closed.contains("not known without the password"), "{closed}");
    let arc = arc.env("COSIGN_PASSWORD", &password);
    let opened = arc.run(&["keys", "inspect", &path("cosign.key")]).await.expect_code(0).stdout;
    let public = arc
        .run(&["keys", "inspect", &path("cosign.pub"), "-o", "json"])
        .await
        .expect_code(0)
        .stdout;
    let public: Value = serde_json::from_str(&public).unwrap();
    for name in ["hint", "keyId"] {
        let known = public["public"][name].as_str().unwrap();
        assert!(opened.contains(known), "no {name} in\n{opened}");
    }
    // Nothing of the file's content is in what is said of it.
    let pem = fs::read_to_string(keys.join("cosign.key")).unwrap();
    let secrets: Vec<_> = pem.lines().filter(|line| !line.starts_with('-')).collect();
    assert!(secrets.iter().all(|line| !opened.contains(line)) && !opened.contains(&password));

    let arc = arc.env("COSIGN_PASSWORD", "wrong");
    let said = arc.run(&["keys", "inspect", &path("cosign.key")]).await.expect_code(2).stderr;
    assert!(said.contains("cosign.key") && said.contains("COSIGN_PASSWORD"), "{said}");
    let said = arc.run(&["keys", "inspect", &path("cosign.password")]).await.expect_code(2).stderr;
    assert!(said.contains("cosign.password: invalid key file"), "{said}");
}
