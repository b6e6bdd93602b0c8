//! Suppressions: they name a rule and a reason, and hold for their line and the next.

use crate::harness::judge;

fn rules(text: &str) -> Vec<String> {
    let report = judge(text);
    report.findings.iter().map(|one| format!("{}:{}", one.line, one.rule.id)).collect()
}

fn endpoint(before: &str, beside: &str) -> String {
    format!(
        "apiVersion: arc.opendefense.cloud/v1alpha1\nkind: Endpoint\nmetadata: {{name: a}}\nspec:\n  type: oci\n{before}\n  remoteURL: http://registry.example{beside}\n"
    )
}

#[test]
fn a_suppression_holds_for_its_line_and_the_next() {
    assert_eq!(rules(&endpoint("", "")), ["7:plain-http"]);
    assert_eq!(rules(&endpoint("  # arc-lint: allow plain-http — a lab network", "")), [""; 0]);
    assert_eq!(rules(&endpoint("", " # arc-lint: allow plain-http -- a lab network")), [""; 0]);
    assert_eq!(
        rules(&endpoint("  # arc-lint: allow skip-verify, plain-http: a lab network", "")),
        [""; 0]
    );
    assert_eq!(
        rules(&endpoint("  # arc-lint: allow skip-verify — a lab network", "")),
        ["7:plain-http"]
    );
}

#[test]
fn a_suppression_without_a_reason_or_of_an_unknown_rule_allows_nothing() {
    for comment in [
        "# arc-lint: allow plain-http",
        "# arc-lint: allow plain-http — ",
        "# arc-lint: allow plain-htp — a lab network",
        "# arc-lint: ignore plain-http — a lab network",
    ] {
        let found = rules(&endpoint(&format!("  {comment}"), ""));
        assert_eq!(found, ["6:suppression", "7:plain-http"], "{comment}");
    }
}

#[test]
fn text_that_only_looks_like_a_suppression_is_none() {
    let found = rules(&endpoint("", "/arc-lint:allow"));
    assert_eq!(found, ["7:plain-http"]);
}
