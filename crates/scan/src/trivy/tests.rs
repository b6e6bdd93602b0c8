use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn report(results: &Value) -> Value {
    json!({
        "SchemaVersion": 2,
        "CreatedAt": "2024-01-01T00:00:00Z",
        "ArtifactName": "registry.example/app@sha256:00",
        "ArtifactType": "container_image",
        "Metadata": { "OS": { "Family": "debian", "Name": "12.5", "EOSL": true }, "ImageID": "x" },
        "Results": results,
        "NewField": 1,
    })
}

fn read_value(value: &Value) -> Result<Report, String> {
    read(value.to_string().as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn a_report_is_read_worst_finding_first() {
    let results = json!([
        { "Target": "app (debian 12.5)", "Class": "os-pkgs", "Type": "debian", "Vulnerabilities": [
            { "VulnerabilityID": "CVE-1", "PkgName": "libc6", "InstalledVersion": "2.36-9+deb12u4", "Severity": "UNKNOWN", "Status": "affected" },
            { "VulnerabilityID": "CVE-2", "VendorIDs": ["DSA-1-1"], "PkgName": "zlib1g", "InstalledVersion": "1", "FixedVersion": "2", "Status": "fixed", "Severity": "HIGH",
              "Title": "bad", "PrimaryURL": "https://example.org/2", "CVSS": { "nvd": { "V3Score": 7.5 }, "redhat": { "V3Score": 6.1, "V40Score": 8.2 } } },
            { "VulnerabilityID": "CVE-3", "PkgName": "x", "Severity": "CRITICAL", "Status": "not_affected" },
        ] },
        { "Target": "secrets", "Class": "secret", "Secrets": [{}] },
    ]);
    let finding = |id: &str, package: &str, installed: &str| Finding {
        id: id.into(),
        package: package.into(),
        source: package.into(),
        installed: installed.into(),
        ..Finding::default()
    };
    let expected = Report {
        artifact: "registry.example/app@sha256:00".into(),
        image_id: "x".into(),
        distribution: Some("debian 12.5".into()),
        created_at: Some("2024-01-01T00:00:00Z".into()),
        is_scanned: true,
        findings: vec![
            Finding {
                aliases: vec!["DSA-1-1".into()],
                fixed: Some("2".into()),
                severity: Severity::High,
                score: Some(8.2),
                summary: "bad".into(),
                url: "https://example.org/2".into(),
                ..finding("CVE-2", "zlib1g", "1")
            },
            finding("CVE-1", "libc6", "2.36-9+deb12u4"),
        ],
    };
    assert_eq!(read_value(&report(&results)), Ok(expected.clone()));
    assert_eq!(
        findings(report(&results).to_string().as_bytes()).map_err(|e| e.to_string()),
        Ok(expected.findings)
    );
}

#[test]
fn absent_and_null_lists_are_no_findings_but_only_package_lists_are_a_scan() {
    let cases = [
        (json!(null), false),
        (json!([]), false),
        (json!([{ "Target": "x", "Class": "os-pkgs", "Vulnerabilities": null }]), true),
        (json!([{ "Target": "x", "Class": "lang-pkgs" }]), true),
        (json!([{ "Target": "x", "Class": "secret" }]), false),
        (json!([{ "Target": "x", "Class": null }]), false),
    ];
    for (results, expected) in cases {
        let read = read_value(&report(&results));
        assert_eq!(
            read.map(|report| (report.is_scanned, report.findings)),
            Ok((expected, vec![])),
            "{results}"
        );
    }
    let mut bare = report(&json!(null));
    for field in ["Results", "Metadata", "CreatedAt"] {
        bare.as_object_mut().unwrap().remove(field);
    }
    assert_eq!(read_value(&bare).map(|report| report.is_scanned), Ok(false));
}

#[test]
fn what_is_no_report_is_an_error() {
    let without = |field: &str| {
        let mut value = report(&json!([]));
        value.as_object_mut().unwrap().remove(field);
        value
    };
    let mut first_schema = report(&json!([]));
    first_schema["SchemaVersion"] = json!(1);
    let cases = [
        (json!({}), "not a trivy report: `SchemaVersion` is missing"),
        (without("SchemaVersion"), "not a trivy report: `SchemaVersion` is missing"),
        (
            without("ArtifactName"),
            "not a trivy report: `ArtifactName` or `ArtifactType` is missing",
        ),
        (
            without("ArtifactType"),
            "not a trivy report: `ArtifactName` or `ArtifactType` is missing",
        ),
        (first_schema, "not a trivy report: `SchemaVersion` is 1; expected 2"),
        (json!([]), "not a trivy report: `SchemaVersion` is missing"),
        (json!("x"), "failed to read the trivy report"),
        (report(&json!({})), "failed to read the trivy report"),
        (
            report(&json!([{ "Vulnerabilities": [{ "PkgName": "x" }] }])),
            "failed to read the trivy report",
        ),
    ];
    for (value, expected) in cases {
        assert_eq!(read_value(&value), Err(expected.to_owned()), "{value}");
    }
    assert!(read(b"").is_err());
    assert!(read(b"{\"SchemaVersion\":2,").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_damage_makes_the_reader_panic(at in 0usize..400, bytes in prop::collection::vec(any::<u8>(), 0..8)) {
        let mut text = report(&json!([{ "Class": "os-pkgs", "Vulnerabilities": [{ "VulnerabilityID": "X", "PkgName": "p" }] }])).to_string().into_bytes();
        let at = at.min(text.len());
        text.splice(at..(at + bytes.len()).min(text.len()), bytes);
        let _ = read(&text);
    }
}
