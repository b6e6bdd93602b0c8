//! For machines: one document with the findings and how many there are.

use serde_json::{Value, json};

use crate::judge::Report;

/// Returns the report as one JSON document.
pub fn json(report: &Report) -> Value {
    let findings: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            json!({
                "rule": finding.rule.id,
                "severity": finding.severity,
                "file": finding.file,
                "line": finding.line,
                "column": finding.column,
                "endColumn": finding.end_column,
                "message": finding.message,
                "hint": finding.hint,
            })
        })
        .collect();
    json!({"findings": findings, "counts": report.counts()})
}
