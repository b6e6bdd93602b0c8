use serde_json::json;

use super::*;

const HIGH: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H";
const CRITICAL_V4: &str = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";

fn advisory(value: &Value) -> Advisory {
    let mut record = json!({ "id": "X" });
    record.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
    serde_json::from_value(record).unwrap()
}

#[track_caller]
fn check_severity(package: &Value, whole: &Value, expected: (Severity, Option<f64>)) {
    let mut record = whole.clone();
    record["affected"] = json!([package]);
    let advisory = advisory(&record);
    assert_eq!(advisory.severity(&advisory.affected[0]), expected, "{record}");
}

fn scored(scores: &[(&str, &str)]) -> Value {
    let scores: Vec<Value> =
        scores.iter().map(|(kind, score)| json!({ "type": kind, "score": score })).collect();
    json!({ "severity": scores })
}

#[test]
fn the_highest_vector_counts_and_the_packages_before_the_advisorys() {
    const V2: &str = "AV:N/AC:L/Au:N/C:C/I:C/A:C";
    let (none, high) = (json!({}), (Severity::High, Some(7.5)));
    let critical = (Severity::Critical, Some(9.3));
    check_severity(&none, &none, (Severity::Unknown, None));
    check_severity(&none, &scored(&[("CVSS_V3", HIGH)]), high);
    check_severity(&none, &scored(&[("CVSS_V4", CRITICAL_V4)]), critical);
    check_severity(&none, &scored(&[("CVSS_V3", HIGH), ("CVSS_V4", CRITICAL_V4)]), critical);
    check_severity(&none, &scored(&[("CVSS_V3", "nonsense")]), (Severity::Unknown, None));
    check_severity(&scored(&[("CVSS_V3", HIGH)]), &scored(&[("CVSS_V4", CRITICAL_V4)]), high);
    check_severity(&none, &scored(&[("CVSS_V2", V2), ("CVSS_V3", HIGH)]), high);
    check_severity(&none, &scored(&[("CVSS_V2", V2)]), (Severity::Critical, Some(10.0)));
}

#[test]
fn a_word_counts_before_a_vector_and_the_packages_before_the_advisorys() {
    let (none, high) = (json!({}), scored(&[("CVSS_V3", HIGH)]));
    let both = scored(&[("CVSS_V3", HIGH), ("Ubuntu", "medium")]);
    let urgency = |word: &str| json!({ "ecosystem_specific": { "urgency": word } });
    let word = |word: &str| json!({ "database_specific": { "severity": word } });
    check_severity(&none, &scored(&[("Ubuntu", "negligible")]), (Severity::Low, None));
    check_severity(&none, &both, (Severity::Medium, Some(7.5)));
    check_severity(&none, &word("MODERATE"), (Severity::Medium, None));
    check_severity(&word("critical"), &word("low"), (Severity::Critical, None));
    check_severity(&urgency("not yet assigned"), &high, (Severity::High, Some(7.5)));
    check_severity(&urgency("end-of-life"), &high, (Severity::High, Some(7.5)));
    check_severity(&urgency("unimportant"), &high, (Severity::Low, Some(7.5)));
    let list = json!({ "database_specific": { "severity": ["HIGH"] } });
    check_severity(&none, &list, (Severity::Unknown, None));
}

#[test]
fn the_headline_is_one_short_line() {
    let cases = [
        (json!({ "summary": "short", "details": "long" }), "short".to_owned()),
        (json!({ "summary": " ", "details": "\n\n first line \nsecond" }), "first line".to_owned()),
        (json!({ "details": "ä".repeat(200) }), format!("{}…", "ä".repeat(160))),
        (json!({}), String::new()),
    ];
    for (value, expected) in cases {
        assert_eq!(advisory(&value).headline(), expected, "{value}");
    }
}

#[test]
fn the_page_is_the_advisorys_own() {
    let cases = [
        (json!([{ "type": "WEB", "url": "w" }, { "type": "ADVISORY", "url": "a" }]), "a"),
        (json!([{ "type": "FIX", "url": "f" }, { "type": "WEB", "url": "w" }]), "w"),
        (json!([{ "url": "u" }]), "u"),
        (json!(null), ""),
    ];
    for (references, expected) in cases {
        assert_eq!(advisory(&json!({ "references": references })).url(), expected);
    }
}
