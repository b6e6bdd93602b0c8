//! What upstream must have signed is checked before anything but manifests and evidence is read.

use arc_evidence::predicate::{ResourceDescriptor, VerificationResult, VerificationSummary, vsa};
use arc_evidence::{Bundle, Descriptor, SigningKey, Statement, Subject, bundle, dsse};
use arc_oci::{Client, ClientOptions, RawManifest, Remote};
use arc_tests::lying::LyingRegistry;
use serde_json::{Value, json};

use super::{PROVENANCE, SIGNATURE, VSA, bundles, only, scene};
use crate::site::{Site, clean};

/// Attaches a statement to the source's image, as upstream would.
async fn attach(source: &LyingRegistry, key: &SigningKey, statement: &Statement) -> String {
    let client = Client::new(ClientOptions::new(Remote::parse(source.url()).unwrap())).unwrap();
    let root = clean().root().clone();
    let subject = Descriptor { media_type: root.media_type, digest: root.digest, size: root.size };
    let envelope = dsse::sign(key, dsse::PAYLOAD_TYPE_IN_TOTO, statement.to_bytes());
    let made = Bundle::new(envelope, &key.public());
    let made = bundle::referrer(&made, &subject, &statement.predicate_type, "2026-01-01T00:00:00Z");
    for blob in &made.blobs {
        let descriptor = arc_oci::Descriptor::of("application/octet-stream", blob);
        client.push_blob("app", &descriptor, blob.clone()).await.unwrap();
    }
    let manifest = RawManifest::new(made.media_type, made.manifest);
    client.push_referrer("app", &manifest).await.unwrap();
    source.forget_requests();
    made.digest
}

async fn sign(source: &LyingRegistry, key: &SigningKey) -> String {
    attach(source, key, &Statement::signature(clean().digest()).unwrap()).await
}

/// A summary of upstream's own, verified at some time.
async fn summarise(source: &LyingRegistry, key: &SigningKey, time: &str) -> String {
    let summary = VerificationSummary {
        arc_version: "1".to_owned(),
        time_verified: time.to_owned(),
        resource_uri: "oci://upstream.example/app".to_owned(),
        policy: ResourceDescriptor::default(),
        input_attestations: Vec::new(),
        result: VerificationResult::Passed,
        verified_levels: vec!["SLSA_BUILD_LEVEL_3".to_owned()],
    };
    let subject = Subject::new("app", clean().digest()).unwrap();
    attach(source, key, &Statement::new(subject, VSA, vsa(&summary))).await
}

fn trust(site: &Site, key: &SigningKey, more: &[(&str, &str)]) {
    let keys = key.public().to_pem();
    let mut parameters = vec![("verifySourceKeys", keys.as_str())];
    parameters.extend(more);
    site.write_type(&parameters);
}

#[tokio::test]
async fn what_upstream_signed_is_delivered_and_named_in_the_evidence() {
    let (source, destination, site) = scene().await;
    let key = SigningKey::generate().unwrap();
    let signature = sign(&source, &key).await;
    let now = jiff_now();
    let summary = summarise(&source, &key, &now).await;
    trust(&site, &key, &[("verifySourcePredicateTypes", "vsa"), ("verifySourceMaxAge", "1h")]);
    let rows = Site::rows(site.run(&[]).await, 0);
    let steps = rows[0]["result"]["steps"].as_array().unwrap();
    assert!(steps.iter().any(|step| step["name"] == "verify-source"), "{steps:#?}");
    let there = bundles(&destination, "app", clean().digest()).await;
    let ours = |wanted: &'static str| {
        there.iter().filter(move |bundle| bundle.predicate_type == wanted).cloned()
    };
    // Upstream's own evidence came along.
    let manifests: Vec<_> = there.iter().map(|bundle| bundle.manifest.as_str()).collect();
    assert!(manifests.contains(&signature.as_str()) && manifests.contains(&summary.as_str()));
    assert_eq!(ours(SIGNATURE).count(), 2);
    let levels: Vec<_> =
        ours(VSA).map(|bundle| bundle.statement["predicate"]["verifiedLevels"].clone()).collect();
    assert!(levels.contains(&json!(["ARC_SCAN_PASSED", "ARC_SOURCE_VERIFIED"])), "{levels:?}");
    let provenance = &only(&there, PROVENANCE).statement["predicate"]["buildDefinition"];
    let named: Vec<_> = provenance["resolvedDependencies"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["name"].as_str().unwrap().starts_with("upstream-"))
        .cloned()
        .collect();
    let expected = |name: &str, digest: &str, predicate_type: &str| -> Value {
        json!({
            "name": name, "uri": format!("oci://{}/app", source.host()),
            "digest": {"sha256": digest.strip_prefix("sha256:").unwrap()},
            "annotations": {
                "verified": "true", "keyHint": key.public().hint(), "predicateType": predicate_type,
            },
        })
    };
    assert_eq!(
        named,
        [
            expected("upstream-signature", &signature, SIGNATURE),
            expected("upstream-attestation", &summary, VSA),
        ]
    );
    destination.forget_requests();
    let rows = Site::rows(site.run(&[]).await, 0);
    assert_eq!(rows[0]["outcome"], "AlreadyDelivered");
    assert_eq!(destination.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn what_upstream_did_not_sign_is_refused_before_a_layer_is_read() {
    let key = SigningKey::generate().unwrap();
    let stranger = SigningKey::generate().unwrap();
    let required = [("verifySourcePredicateTypes", "vsa"), ("verifySourceMaxAge", "1h")];
    for (case, expected) in [
        ("unsigned", "no valid signature (0 found)"),
        ("another key", "it is signed with another key"),
        ("attestation only", "no valid signature (0 found)"),
        ("signature only", "no valid attestation of the type \"https://slsa.dev/verification_"),
        ("old", "is older than 3600 s"),
    ] {
        let (source, destination, site) = scene().await;
        let now = jiff_now();
        match case {
            "another key" => {
                sign(&source, &stranger).await;
                summarise(&source, &key, &now).await;
            }
            "attestation only" => _ = summarise(&source, &key, &now).await,
            "signature only" => _ = sign(&source, &key).await,
            "old" => {
                sign(&source, &key).await;
                summarise(&source, &key, "2020-01-01T00:00:00Z").await;
            }
            _ => {}
        }
        trust(&site, &key, &required);
        let rows = Site::rows(site.run(&[]).await, 3);
        assert_eq!(rows[0]["outcome"], "Refused", "{case}");
        let problem = &rows[0]["problems"][0];
        let message = problem["message"].as_str().unwrap();
        assert!(message.contains(expected), "{case}: {message}");
        assert!(message.contains(clean().digest()), "{case}: {message}");
        assert!(problem["hint"].as_str().unwrap().contains("verifySourceKeys"), "{problem}");
        assert_eq!(destination.writes(), Vec::<String>::new(), "{case}");
        let layers = clean().blob_digests();
        let asked = source.requests();
        let read = asked.iter().find(|one| layers.iter().any(|layer| one.path.ends_with(layer)));
        assert_eq!(read, None, "{case}: read before the refusal");
    }
}

#[tokio::test]
async fn a_wrong_policy_for_the_source_is_wrong_input() {
    let (_source, destination, site) = scene().await;
    for parameters in
        [vec![("verifySourceKeys", "not a key")], vec![("verifySourcePredicateTypes", "vuln")]]
    {
        site.write_type(&parameters);
        let rows = Site::rows(site.run(&[]).await, 2);
        let message = rows[0]["problems"][0]["message"].as_str().unwrap();
        assert!(message.contains("VERIFY_SOURCE_KEYS"), "{message}");
    }
    assert_eq!(destination.writes(), Vec::<String>::new());
}

fn jiff_now() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let seconds = i64::try_from(since.as_secs()).unwrap();
    jiff::Timestamp::from_second(seconds).unwrap().to_string()
}
