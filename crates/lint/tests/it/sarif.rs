//! SARIF: what the standard asks for, and what code hosts need to show a finding at its line.

use arc_lint::{RULES, render};
use serde_json::{Value, json};

use crate::harness::judge;

#[test]
fn a_finding_has_rule_level_place_and_remedy() {
    let report = judge("apiVersion: arc.opendefense.cloud/v1alpha1\nkind: Ordre\n");
    let log = render::sarif(&report, "1.2.3");
    assert_eq!(
        log["runs"][0]["results"],
        json!([{
            "ruleId": "unknown-kind",
            "ruleIndex": 1,
            "level": "error",
            "message": {
                "text": "\"Ordre\" is not a kind of arc.opendefense.cloud\nhint: did you mean \"Order\"?",
            },
            "locations": [{"physicalLocation": {
                "artifactLocation": {"uri": "f.yaml"},
                "region": {
                    "startLine": 2, "startColumn": 7, "endColumn": 12,
                    "snippet": {"text": "kind: Ordre"},
                },
            }}],
        }])
    );
}

#[test]
fn the_log_is_sarif_2_1_0_and_describes_every_rule() {
    let log = render::sarif(&judge(""), "1.2.3");
    assert_eq!(log["version"], "2.1.0");
    assert_eq!(log["$schema"], "https://json.schemastore.org/sarif-2.1.0.json");
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["version"], "1.2.3");
    let described = driver["rules"].as_array().unwrap();
    assert_eq!(described.len(), RULES.len());
    for (rule, described) in RULES.iter().zip(described) {
        assert_eq!(described["id"], rule.id);
        // The standard: a short description is one sentence, and levels are these words.
        let short = described["shortDescription"]["text"].as_str().unwrap();
        assert!(short.ends_with('.') && !short.trim_end_matches('.').contains(". "), "{short}");
        let level = described["defaultConfiguration"]["level"].as_str().unwrap();
        assert!(["error", "warning"].contains(&level));
        assert!(described["help"]["text"].is_string());
    }
    // A finding about a whole file has no region.
    let location = &run["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(location["region"], Value::Null);
}
