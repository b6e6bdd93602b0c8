use arc_evidence::Subject;
use serde_json::json;

use super::*;

const SUBJECT: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn told(predicate_type: &str, predicate: Value) -> Vec<(Topic, String, String)> {
    let subject = Subject::new("", SUBJECT).unwrap();
    let statement = Statement::new(subject, predicate_type, predicate);
    let facts = of_statement(&statement, SUBJECT);
    facts.into_iter().map(|fact| (fact.topic, fact.what, fact.text)).collect()
}

fn fact(topic: Topic, what: &str, text: &str) -> (Topic, String, String) {
    (topic, what.to_owned(), text.to_owned())
}

#[test]
fn a_source_with_other_bytes_is_called_that() {
    let dependency = |hex: &str| {
        json!({"buildDefinition": {"resolvedDependencies": [
            {"name": "source", "uri": "oci://a.example/b:1", "digest": {"sha256": hex}},
        ]}})
    };
    let of = |hex: &str| told(predicate::PREDICATE_SLSA_PROVENANCE, dependency(hex));
    assert_eq!(
        of("00"),
        [fact(
            Topic::Source,
            "material",
            "source oci://a.example/b:1 sha256:00, OTHER BYTES than here"
        )]
    );
    let hex = &SUBJECT[7..];
    let same = format!("source oci://a.example/b:1 {SUBJECT}, the same bytes as here");
    assert_eq!(of(hex), [fact(Topic::Source, "material", &same)]);
}

#[test]
fn provenance_of_others_tells_what_it_has() {
    let predicate = json!({
        "buildDefinition": {
            "buildType": "https://example.com/build",
            "externalParameters": {"order": {"name": "app"}},
            "internalParameters": {"workflow": {"name": 7}},
        },
        "runDetails": {"builder": {"id": "https://example.com/builder"}},
    });
    assert_eq!(
        told(predicate::PREDICATE_SLSA_PROVENANCE, predicate),
        [
            fact(Topic::Order, "order", "app"),
            fact(Topic::Workflow, "builder", "https://example.com/builder"),
        ]
    );
}

#[test]
fn nothing_in_a_predicate_is_required_to_be_there() {
    for predicate_type in [
        predicate::PREDICATE_SLSA_PROVENANCE,
        predicate::PREDICATE_VULN,
        predicate::PREDICATE_VSA,
        predicate::PREDICATE_CYCLONEDX,
        predicate::PREDICATE_SPDX,
        "https://example.com/own",
    ] {
        for predicate in [
            Value::Null,
            json!([]),
            json!({"scanner": {"result": {"findings": [1], "counts": [], "verdict": "passed"}}}),
            json!({"policy": {"digest": {"sha256": 1}}, "verifiedLevels": {}}),
            json!({"components": {}, "packages": {}}),
        ] {
            // No panic, and no line without words.
            let told = told(predicate_type, predicate);
            assert!(told.iter().all(|(_, what, text)| !what.is_empty() && !text.is_empty()));
        }
    }
}

#[test]
fn the_worst_findings_are_told_and_the_rest_counted() {
    let finding = json!({"id": "CVE-1", "package": "zlib", "installed": "1", "severity": "HIGH"});
    let result = json!({"findings": vec![finding; MAX_FINDINGS + 2]});
    let told = told(predicate::PREDICATE_VULN, json!({"scanner": {"result": result}}));
    let findings: Vec<_> = told.iter().filter(|(_, what, _)| what == "finding").collect();
    assert_eq!(findings.len(), MAX_FINDINGS + 1);
    assert_eq!(findings[0].2, "HIGH CVE-1 in zlib 1, no fix yet");
    assert_eq!(findings[MAX_FINDINGS].2, "and 2 more in the attestation");
}
