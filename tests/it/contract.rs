//! The contract between controller, templates and steps is data; here both sides are held to it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use arc_api::DeliveryResult;
use serde_json::{Value, json};

const TEMPLATES: [&str; 2] = ["oci-image-pipeline", "oci-image-pipeline-isolated"];

fn template(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workflow-templates");
    fs::read_to_string(folder.join(format!("{name}.yaml"))).unwrap()
}

/// Names between `marker` and any character that cannot be part of one.
fn names_after<'a>(text: &'a str, marker: &str) -> BTreeSet<&'a str> {
    let rest = text.split(marker).skip(1);
    rest.map(|part| part.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap())
        .collect()
}

#[test]
fn both_templates_declare_and_pass_the_same_parameters() {
    let [single, isolated] = TEMPLATES.map(template);
    let declared = names_after(&single, "\n      - name: ");
    assert_eq!(declared, names_after(&single, "{{workflow.parameters."));
    assert_eq!(declared, names_after(&isolated, "\n      - name: "));
    assert_eq!(names_after(&single, "- {name: "), {
        let mut names = names_after(&isolated, "- {name: ");
        names.extend(["src", "dst", "cosign", "advisories", "work"]);
        names
    });
}

#[test]
fn every_variable_a_template_sets_is_read_by_the_steps() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/steps/src");
    let read = |file: &str| fs::read_to_string(sources.join(file)).unwrap();
    let source = read("environment.rs") + &read("environment/trust.rs");
    let text = template(TEMPLATES[0]);
    let is_variable =
        |name: &&str| name.chars().next().is_some_and(|first| first.is_ascii_uppercase());
    for name in names_after(&text, "- {name: ").into_iter().filter(is_variable) {
        let side = name.strip_prefix("SRC_").or_else(|| name.strip_prefix("DST_"));
        let wanted =
            side.map_or_else(|| format!("\"{name}\""), |rest| format!("{{side}}_{rest}\""));
        assert!(source.contains(&wanted), "no step reads {name}");
    }
}

#[test]
fn templates_hold_no_shell_and_no_secret_in_the_environment() {
    for name in TEMPLATES {
        let text = template(name);
        for forbidden in [
            "sh, -c",
            "\"sh\"",
            "script:",
            "source:",
            "secretKeyRef",
            "envFrom",
            "privileged: true",
        ] {
            assert!(!text.contains(forbidden), "{name} contains {forbidden:?}");
        }
        assert_eq!(text.matches("command: [arc, step, ").count(), 3);
    }
}

#[test]
fn the_result_of_the_steps_is_the_status_of_the_api() {
    let step = arc_steps::record::StepResult {
        outcome: arc_steps::record::Outcome::Delivered,
        source: arc_steps::record::Source {
            reference: "a.example/b:1".to_owned(),
            digest: arc_oci::Digest::sha256(b""),
            tag: Some("1".to_owned()),
        },
        destination: arc_steps::record::Place {
            reference: "c.example/b:1".to_owned(),
            digest: Some(arc_oci::Digest::sha256(b"")),
        },
        scan: Some(arc_steps::record::ScanSummary {
            critical: 1,
            scanner: "s".to_owned(),
            database: "d".to_owned(),
            findings: vec![arc_steps::record::FindingRecord {
                id: "CVE".to_owned(),
                package: "p".to_owned(),
                installed: "1".to_owned(),
                fixed: Some("2".to_owned()),
                severity: "HIGH".to_owned(),
                url: Some("u".to_owned()),
            }],
            ..Default::default()
        }),
        signature: Some(arc_steps::record::SignatureRecord { digest: "x".to_owned() }),
        attestations: vec![arc_steps::record::AttestationRecord {
            predicate_type: "p".to_owned(),
            digest: "y".to_owned(),
        }],
        blobs_moved: 1,
        bytes_moved: 2,
        bytes_planned: Some(3),
        steps: Vec::new(),
    };
    let written = serde_json::to_value(&step).unwrap();
    let read: DeliveryResult = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(without_empty(serde_json::to_value(read).unwrap()), without_empty(written));
}

/// Both sides leave out what is empty, not always in the same way.
fn without_empty(mut value: Value) -> Value {
    if let Some(object) = value.as_object_mut() {
        object.retain(|_, value| *value != json!([]) && !value.is_null());
    }
    value
}
