//! The scan verdict: the newest attestation decides, and what cannot be judged refuses.

use std::time::Duration;

use arc_evidence::{
    Evidence, ScanVerdict, Severity, Statement, predicate,
    verify::{ScanPolicy, verify},
};
use serde_json::{Value, json};

use crate::fixture::{
    attestation_of, bundle_of, clean_scan, digest, good, key, now, other_key, policy, scan_result,
    vuln,
};

const GATE: [Severity; 2] = [Severity::High, Severity::Critical];

/// Problems of an image that is signed and carries these scans.
#[track_caller]
fn problems(scans: &[Statement], scan_policy: ScanPolicy) -> Vec<String> {
    let mut evidence = Evidence { bundles: good().bundles, ..Evidence::default() };
    // Only the signature of the two.
    evidence.bundles.truncate(1);
    evidence.bundles.extend(scans.iter().map(|scan| bundle_of(key(), scan)));
    let report = verify(&digest(), &evidence, &policy().with_scan(scan_policy), now()).unwrap();
    // Digests of evidence are long and follow from the content.
    let short = |text: String| {
        text.split(" (\"sha256:").next().unwrap().replace(&attestation_digest(&text), "…")
    };
    report.problems.iter().map(ToString::to_string).map(short).collect()
}

fn attestation_digest(text: &str) -> String {
    text.find("sha256:").map_or("\0".to_owned(), |start| text[start..start + 71].to_owned())
}

fn gate(gate: &[Severity]) -> ScanPolicy {
    ScanPolicy { gate: gate.iter().copied().collect(), max_age: None }
}

fn max_age(seconds: u64) -> ScanPolicy {
    ScanPolicy { max_age: Some(Duration::from_secs(seconds)), ..ScanPolicy::default() }
}

fn scan_at(severities: &[Severity], finished_on: &str) -> Statement {
    vuln(scan_result(&GATE, severities), finished_on)
}

fn with_result(change: impl FnOnce(&mut Value)) -> Statement {
    let mut scan = scan_at(&[Severity::High], "2026-08-22T10:00:41Z");
    change(&mut scan.predicate["scanner"]["result"]);
    scan
}

#[test]
fn a_clean_scan_passes_and_is_summed_up() {
    assert_eq!(problems(&[clean_scan()], gate(&GATE)), [""; 0]);
    let report = verify(&digest(), &good(), &policy().with_scan(gate(&[])), now()).unwrap();
    let scan = report.scan.unwrap();
    assert_eq!((scan.verdict, scan.counts.low), (Some(ScanVerdict::Passed), 1));
    assert_eq!(scan.digest, report.attestations[0].digest);
}

#[test]
fn the_gate_judges_counts_and_the_verdict_of_the_time_stays() {
    let found = |severities: &[Severity]| [scan_at(severities, "2026-08-22T10:00:41Z")];
    assert_eq!(
        problems(&found(&[Severity::Low]), gate(&[Severity::Low])),
        ["the scan found 1 of severity LOW"]
    );
    assert_eq!(
        problems(&found(&[Severity::High]), gate(&[])),
        ["the scan was refused when it was made"]
    );
    assert_eq!(
        problems(&found(&[Severity::High, Severity::Critical, Severity::High]), gate(&GATE)),
        [
            "the scan was refused when it was made",
            "the scan found 1 of severity CRITICAL",
            "the scan found 2 of severity HIGH",
        ]
    );
}

#[test]
fn the_newest_scan_decides() {
    let old = |severities: &[Severity]| scan_at(severities, "2026-08-20T00:00:00Z");
    let new = |severities: &[Severity]| scan_at(severities, "2026-08-21T00:00:00Z");
    let same_time = "2026-08-21T02:00:00+02:00";
    let refused = ["the scan was refused when it was made"];
    assert_eq!(problems(&[old(&[Severity::High]), new(&[])], gate(&[])), [""; 0]);
    assert_eq!(problems(&[new(&[Severity::High]), old(&[])], gate(&[])), refused);
    // Two scans of one moment must both pass, in whatever order and even with equal counts.
    let lenient = vuln(scan_result(&[Severity::Critical], &[Severity::High]), same_time);
    assert_eq!(problems(&[new(&[Severity::High]), lenient.clone()], gate(&[])), refused);
    assert_eq!(problems(&[lenient, new(&[Severity::High])], gate(&[])), refused);
}

#[test]
fn scans_have_an_age() {
    // 13 h 59 min 19 s before now.
    assert_eq!(problems(&[clean_scan()], max_age(50_359)), [""; 0]);
    assert_eq!(
        problems(&[clean_scan()], max_age(50_358)),
        ["the newest scan ended 2026-08-22T10:00:41Z and is older than 50358 s"]
    );
    assert_eq!(
        problems(&[scan_at(&[], "2026-08-23T00:05:00Z")], max_age(1)),
        [""; 0],
        "clocks differ a little"
    );
    assert_eq!(
        problems(&[scan_at(&[], "2026-08-23T00:05:01Z")], gate(&[])),
        ["the newest scan ended 2026-08-23T00:05:01Z, which is in the future; compare the clocks"]
    );
    assert_eq!(problems(&[clean_scan()], max_age(u64::MAX)), [""; 0]);
}

#[test]
fn scans_that_contradict_themselves_or_cannot_be_read_refuse() {
    let unjudged =
        |why: &str| vec![format!("the vulnerability attestation \"…\" cannot be judged: {why}")];
    for (scan, why) in [
        (
            with_result(|result| result["verdict"] = "passed".into()),
            "its verdict is Passed, its counts and gate say Refused",
        ),
        (with_result(|result| result["gate"] = json!([])), "its gate names no severity"),
        (
            with_result(|result| result["counts"]["high"] = 0.into()),
            "its verdict is Refused, its counts and gate say Passed",
        ),
        (
            with_result(|result| {
                result["counts"]["high"] = 0.into();
                result["verdict"] = "passed".into();
            }),
            "it lists 1 HIGH findings and counts 0",
        ),
        (with_result(|result| *result = json!({})), "missing field `verdict`"),
        (
            with_result(|result| *result = Value::Null),
            "invalid type: null, expected struct ScanResult",
        ),
    ] {
        assert_eq!(problems(std::slice::from_ref(&scan), gate(&[])), unjudged(why));
        // A clean scan beside it does not help: the unreadable one may be the newer.
        assert_eq!(problems(&[clean_scan(), scan], gate(&[])), unjudged(why));
    }
    let mut no_time = clean_scan();
    no_time.predicate["metadata"] = json!({});
    assert_eq!(problems(&[no_time], gate(&[])), unjudged("missing field `scanFinishedOn`"));
}

#[test]
fn a_trivy_report_is_judged_by_the_policys_gate() {
    let trivy = |severity: &str| {
        with_result(|result| {
            *result = json!({"SchemaVersion": 2, "Results": [
                {"Target": "app"},
                {"Target": "debian", "Vulnerabilities": [{"VulnerabilityID": "CVE-2026-1", "Severity": severity}]},
            ]});
        })
    };
    assert_eq!(problems(&[trivy("LOW")], gate(&GATE)), [""; 0]);
    assert_eq!(problems(&[trivy("HIGH")], gate(&GATE)), ["the scan found 1 of severity HIGH"]);
    let why = "it carries no verdict, and the policy names no severities";
    let expected = format!("the vulnerability attestation \"…\" cannot be judged: {why}");
    assert_eq!(problems(&[trivy("LOW")], gate(&[])), [expected]);
}

#[test]
fn a_missing_or_foreign_scan_refuses() {
    assert_eq!(problems(&[], gate(&[])), ["no valid vulnerability attestation"]);
    let mut evidence = good();
    evidence.bundles.truncate(1);
    evidence.attestations = vec![attestation_of(other_key(), &clean_scan())];
    let report = verify(&digest(), &evidence, &policy().with_scan(gate(&[])), now()).unwrap();
    assert_eq!(report.problems.len(), 1);
    assert_eq!(report.attestations[0].predicate_type.as_deref(), Some(predicate::PREDICATE_VULN));
    assert_eq!(report.scan, None);
}
