//! What ARC attests: whole predicates as cosign and SLSA verifiers parse them.

use std::collections::BTreeMap;

use arc_evidence::{
    Envelope, Severity, Statement,
    predicate::{
        self, LEVEL_SCAN_PASSED, Order, Provenance, ResourceDescriptor, VerificationResult,
        VerificationSummary,
    },
};
use serde_json::json;

use crate::fixture::{REPOSITORY, clean_scan, digest, kat, key, sign, statement};

#[test]
fn the_scan_is_cosigns_predicate_with_arcs_verdict_inside() {
    let finding = json!({
        "id": "CVE-2026-0000", "package": "openssl", "installed": "3.0.1-1", "fixed": "3.0.2-1", "severity": "LOW",
    });
    let database = format!("sha256:{}", "d".repeat(64));
    assert_eq!(
        clean_scan().predicate,
        json!({
            "invocation": {
                "parameters": ["--severity", "HIGH,CRITICAL"],
                "uri": "arc://orders/team-a/app/artifacts/app",
                "event_id": "3f0c",
                "builder.id": "https://arc.opendefense.cloud/scan/v1",
            },
            "scanner": {
                "uri": "https://arc.opendefense.cloud/scanner",
                "version": "0.1.0",
                "db": {"uri": "file:///advisories", "version": database},
                "result": {
                    "verdict": "passed",
                    "gate": ["HIGH", "CRITICAL"],
                    "counts": {"critical": 0, "high": 0, "medium": 0, "low": 1, "unknown": 0},
                    "database": database,
                    "findings": [finding],
                },
            },
            "metadata": {"scanStartedOn": "2026-08-22T10:00:00Z", "scanFinishedOn": "2026-08-22T10:00:41Z"},
        })
    );
}

fn provenance() -> Provenance {
    Provenance {
        order: Order {
            namespace: "team-a".to_owned(),
            name: "app".to_owned(),
            uid: "3f0c".to_owned(),
            generation: "1".to_owned(),
            artifact: "app".to_owned(),
        },
        source: "docker.io/library/app:1.2.3".to_owned(),
        destination: format!("{REPOSITORY}:1.2.3"),
        steps: vec!["copy".to_owned(), "scan".to_owned()],
        options: BTreeMap::from([("scanSeverity".to_owned(), json!("HIGH,CRITICAL"))]),
        internal_parameters: BTreeMap::from([(
            "workflowTemplate".to_owned(),
            json!("oci-image-pipeline"),
        )]),
        resolved_dependencies: vec![
            ResourceDescriptor::new("source", "oci://docker.io/library/app:1.2.3", &digest())
                .unwrap(),
        ],
        arc_version: "0.1.0".to_owned(),
        invocation_id: "77aa".to_owned(),
        started_on: Some("2026-08-22T10:00:00Z".to_owned()),
        finished_on: None,
        byproducts: Vec::new(),
    }
}

#[test]
fn provenance_has_the_fields_that_slsa_verifiers_read() {
    assert_eq!(
        predicate::slsa_provenance(&provenance()),
        json!({
            "buildDefinition": {
                "buildType": "https://arc.opendefense.cloud/buildtypes/order/v1",
                "externalParameters": {
                    "order": {"namespace": "team-a", "name": "app", "uid": "3f0c", "generation": "1", "artifact": "app"},
                    "source": {"ref": "docker.io/library/app:1.2.3"},
                    "destination": {"ref": "registry.example/team/app:1.2.3"},
                    "steps": ["copy", "scan"],
                    "options": {"scanSeverity": "HIGH,CRITICAL"},
                },
                "internalParameters": {"workflowTemplate": "oci-image-pipeline"},
                "resolvedDependencies": [{
                    "name": "source",
                    "uri": "oci://docker.io/library/app:1.2.3",
                    "digest": {"sha256": kat("image_digest")},
                }],
            },
            "runDetails": {
                "builder": {"id": "https://arc.opendefense.cloud/builder/v1", "version": {"arc": "0.1.0"}},
                "metadata": {"invocationId": "77aa", "startedOn": "2026-08-22T10:00:00Z"},
                "byproducts": [],
            },
        })
    );
}

fn summary(result: VerificationResult) -> VerificationSummary {
    let of = |name: &str, uri: &str| ResourceDescriptor::new(name, uri, &digest()).unwrap();
    VerificationSummary {
        arc_version: "0.1.0".to_owned(),
        time_verified: "2026-08-22T10:01:10Z".to_owned(),
        resource_uri: format!("oci://{REPOSITORY}"),
        policy: of("", "arc://policies/oci-image"),
        input_attestations: vec![of("", "oci://docker.io/library/app")],
        result,
        verified_levels: vec![LEVEL_SCAN_PASSED.to_owned()],
    }
}

#[test]
fn the_verification_summary_is_the_one_form_that_slsa_verifier_takes() {
    let digests = json!({"sha256": kat("image_digest")});
    assert_eq!(
        predicate::vsa(&summary(VerificationResult::Passed)),
        json!({
            "verifier": {"id": "https://arc.opendefense.cloud/verifier/v1", "version": {"arc": "0.1.0"}},
            "timeVerified": "2026-08-22T10:01:10Z",
            "resourceUri": "oci://registry.example/team/app",
            "policy": {"uri": "arc://policies/oci-image", "digest": digests},
            "inputAttestations": [{"uri": "oci://docker.io/library/app", "digest": digests}],
            "verificationResult": "PASSED",
            "verifiedLevels": ["ARC_SCAN_PASSED"],
            "dependencyLevels": {},
            "slsaVersion": "1.1",
        })
    );
    let failed = predicate::vsa(&summary(VerificationResult::Failed));
    assert_eq!(failed["verificationResult"], json!("FAILED"));
}

/// Go's DSSE reader skips signatures with a key id that is not its own, so the id must be there and empty.
#[test]
fn the_file_with_the_summary_is_a_bare_envelope_without_a_key_id() {
    let vsa = predicate::vsa(&summary(VerificationResult::Passed));
    let envelope: Envelope = sign(key(), &statement(predicate::PREDICATE_VSA, vsa));
    let file: serde_json::Value = serde_json::from_slice(&envelope.to_json()).unwrap();
    let mut fields: Vec<_> = file.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["payload", "payloadType", "signatures"]);
    assert_eq!(file["payloadType"], json!("application/vnd.in-toto+json"));
    assert_eq!(file["signatures"].as_array().unwrap().len(), 1);
    assert_eq!(file["signatures"][0]["keyid"], json!(""));
}

#[test]
fn predicate_keys_are_written_in_order_at_every_level() {
    let predicate = json!({"b": [{"z": 1, "a": {"y": null, "x": 1.5}}], "a": "ä<&"});
    let bytes = statement("https://cyclonedx.org/bom", predicate.clone()).to_bytes();
    let expected = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"{REPOSITORY}","digest":{{"sha256":"{}"}}}}],"predicateType":"https://cyclonedx.org/bom","predicate":{{"a":"ä<&","b":[{{"a":{{"x":1.5,"y":null}},"z":1}}]}}}}"#,
        kat("image_digest")
    );
    assert_eq!(String::from_utf8(bytes.clone()).unwrap(), expected);
    assert_eq!(Statement::parse(&bytes).unwrap().predicate, predicate);
}

#[test]
fn severities_read_in_any_case_and_unknown_words_are_errors() {
    for severity in Severity::ALL {
        assert_eq!(severity.as_str().to_lowercase().parse(), Ok(severity));
    }
    assert_eq!(
        "hihg".parse::<Severity>().unwrap_err().to_string(),
        "\"hihg\" is not a severity; known severities are UNKNOWN, LOW, MEDIUM, HIGH, CRITICAL"
    );
}
