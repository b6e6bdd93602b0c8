use std::{cell::RefCell, fmt::Write, fs, path::PathBuf};

use kube::core::cel::{CompiledSchema, Validator, compile_schema};
use serde_json::{Value, json};

thread_local! {
    /// Everything that was checked on this thread.
    static CHECKED: RefCell<Vec<Value>> = const { RefCell::new(Vec::new()) };
}

/// Returns the schema of a kind, with its rules compiled.
fn schema(kind: &str) -> CompiledSchema {
    let crd =
        crate::crds().into_iter().find(|crd| crd.spec.names.kind == kind).expect("a kind of ours");
    let schema = crd.spec.versions[0].schema.as_ref().expect("every version has a schema");
    let compiled = compile_schema(
        &serde_json::to_value(&schema.open_api_v3_schema).expect("a schema is plain data"),
    );
    assert!(!compiled.has_errors(), "{kind}: {:?}", compiled.compilation_errors());
    compiled
}

/// Applies `old`, then `new`, and compares what the rules say to the second.
#[track_caller]
fn check_update(kind: &str, old: Option<&Value>, new: &Value, expected: &[&str]) {
    let object = |spec: &Value| json!({ "metadata": {}, "spec": spec });
    let result =
        Validator::new().validate_compiled(&schema(kind), &object(new), old.map(object).as_ref());
    let said: Vec<String> = result
        .err()
        .map(|errors| errors.iter().map(ToString::to_string).collect())
        .unwrap_or_default();
    assert_eq!(said, expected, "{new}");
    let checked = json!({ "kind": kind, "old": old, "spec": new, "says": expected });
    CHECKED.with_borrow_mut(|all| all.push(checked));
}

#[track_caller]
fn check(kind: &str, spec: &Value, expected: &[&str]) {
    check_update(kind, None, spec, expected);
}

const NO_SOURCE: &str = "spec: every artifact needs a srcRef, unless spec.defaults.srcRef is set";
const NO_DESTINATION: &str =
    "spec: every artifact needs a dstRef, unless spec.defaults.dstRef is set";

#[test]
fn every_artifact_needs_a_source_and_a_destination() {
    let (both, src) = (
        json!({"srcRef": {"name": "a"}, "dstRef": {"name": "b"}}),
        json!({"srcRef": {"name": "a"}}),
    );
    for (defaults, artifacts, expected) in [
        (json!({}), json!([]), vec![]),
        (json!({}), json!([both]), vec![]),
        (both.clone(), json!([{}, {}]), vec![]),
        (src.clone(), json!([{}, both]), vec![NO_DESTINATION]),
        (src.clone(), json!([{"dstRef": {"name": "b"}}]), vec![]),
        (json!({}), json!([both, src]), vec![NO_DESTINATION]),
        (json!({}), json!([both, {}]), vec![NO_SOURCE, NO_DESTINATION]),
        (
            json!({"srcRef": {}, "dstRef": {"name": ""}}),
            json!([{}]),
            vec![NO_SOURCE, NO_DESTINATION],
        ),
        (json!({}), json!([{"srcRef": {"name": ""}, "dstRef": {"name": "b"}}]), vec![NO_SOURCE]),
    ] {
        check("Order", &json!({ "defaults": defaults, "artifacts": artifacts }), &expected);
    }
    check("Order", &json!({}), &[]);
    check("Order", &json!({ "artifacts": [{}] }), &[NO_SOURCE, NO_DESTINATION]);
}

#[test]
fn names_of_artifacts_are_dns_labels() {
    let said = "must be lower case letters, digits and '-', and start and end with a letter or digit, such as alpine-3";
    for (name, fits) in [
        ("alpine", true),
        ("a", true),
        ("3", true),
        ("alpine-3-18", true),
        ("", false),
        ("-alpine", false),
        ("alpine-", false),
        ("Alpine", false),
        ("alpine.3", false),
        ("alpine\n", false),
        ("älpine", false),
        ("[0]", false),
    ] {
        let expected = format!("spec.artifacts[0].name: {said}");
        let expected = if fits { vec![] } else { vec![expected.as_str()] };
        let spec = json!({ "artifacts": [{ "name": name, "srcRef": {"name": "a"}, "dstRef": {"name": "b"} }] });
        check("Order", &spec, &expected);
    }
}

#[test]
fn lifetimes_are_durations_that_are_not_negative() {
    let said = "must be a duration of hours, minutes and seconds that is not negative, such as 90m or 1h30m";
    for (duration, fits) in [
        ("0", true),
        ("0s", true),
        ("72h", true),
        ("72h0m0s", true),
        ("1h30m", true),
        ("1.5h", true),
        ("250ms", true),
        ("5µs", true),
        (".5h", true),
        ("1.h", true),
        ("+1h", true),
        (".h", false),
        ("1..5h", false),
        ("+", false),
        ("", false),
        ("-1h", false),
        ("10", false),
        ("1d", false),
        ("1h 30m", false),
        ("soon", false),
    ] {
        for (kind, field) in [
            ("Order", "ttl"),
            ("ArtifactType", "ttlAfterFinished"),
            ("ArtifactType", "ttlAfterFailed"),
            ("ClusterArtifactType", "ttlAfterFinished"),
            ("ClusterArtifactType", "ttlAfterFailed"),
            ("ArtifactWorkflow", "ttlAfterFinished"),
            ("ArtifactWorkflow", "ttlAfterFailed"),
        ] {
            let expected = format!("spec.{field}: {said}");
            let expected = if fits { vec![] } else { vec![expected.as_str()] };
            check(kind, &json!({ field: duration }), &expected);
        }
    }
}

#[test]
fn addresses_have_a_known_scheme_and_no_credentials() {
    let scheme = "spec.remoteURL: must begin with https://, http://, oci:// or s3://, or have no scheme at all";
    let user = "spec.remoteURL: must not contain a user name or password; put them into a Secret and name it in secretRef";
    let space = "spec.remoteURL: must not contain white space";
    for (url, expected) in [
        ("quay.io", vec![]),
        ("dst.zot:80", vec![]),
        ("localhost:5000/team-a", vec![]),
        ("[::1]:5000", vec![]),
        ("https://registry.example.com/team-a", vec![]),
        ("http://src.minio:9000", vec![]),
        ("oci://quay.io", vec![]),
        ("s3://my-bucket", vec![]),
        ("https://example.com/@scope/package", vec![]),
        ("ftp://example.com", vec![scheme]),
        ("file:///etc/passwd", vec![scheme]),
        ("HTTPS://example.com", vec![scheme]),
        ("://example.com", vec![scheme]),
        ("https://user:password@example.com", vec![user]),
        ("https://token@example.com", vec![user]),
        ("user:password@example.com/path", vec![user]),
        ("ftp://user@example.com", vec![scheme, user]),
        ("https://example.com/ ", vec![space]),
        ("https://exa\nmple.com", vec![space]),
    ] {
        check("Endpoint", &json!({ "remoteURL": url }), &expected);
    }
}

#[test]
fn a_bundle_holds_certificates_and_no_key() {
    let said = "spec.caBundle: must be certificates in PEM, and no private key";
    let certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    let key = "-----BEGIN EC PRIVATE KEY-----\nMIIB\n-----END EC PRIVATE KEY-----\n";
    for (bundle, expected) in [
        (certificate.to_owned(), vec![]),
        (format!("# our own\n{certificate}{certificate}"), vec![]),
        (String::new(), vec![said]),
        ("MIIB".to_owned(), vec![said]),
        (format!("{certificate}{key}"), vec![said]),
    ] {
        check("Endpoint", &json!({ "caBundle": bundle }), &expected);
    }
}

#[test]
fn the_spec_of_an_artifact_workflow_never_changes() {
    let said = "spec: is immutable; change the order instead, and ARC makes a new object";
    let spec = |value: &str| json!({ "workflowTemplateRef": {"name": "t"}, "parameters": [{"name": "a", "value": value}] });
    check_update("ArtifactWorkflow", None, &spec("1"), &[]);
    check_update("ArtifactWorkflow", Some(&spec("1")), &spec("1"), &[]);
    check_update("ArtifactWorkflow", Some(&spec("1")), &spec("2"), &[said]);
}

/// `tests/kube` asks a real API server the same questions.
#[test]
fn what_was_checked_is_written_down() {
    CHECKED.take();
    every_artifact_needs_a_source_and_a_destination();
    names_of_artifacts_are_dns_labels();
    lifetimes_are_durations_that_are_not_negative();
    addresses_have_a_known_scheme_and_no_credentials();
    a_bundle_holds_certificates_and_no_key();
    the_spec_of_an_artifact_workflow_never_changes();
    let lines = CHECKED.take().iter().fold(String::new(), |mut lines, case| {
        writeln!(lines, "{case}").expect("a text takes every line");
        lines
    });
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/fixtures/rules.jsonl");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &lines).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == lines, "fixtures/rules.jsonl is out of date; UPDATE_GOLDEN=1 rewrites it");
}
