//! SARIF 2.1.0, the format that code hosts read.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::finding::Finding;
use crate::judge::Report;
use crate::rules::{RULES, Severity};

/// The schema that a SARIF log names.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// Where people read about the tool.
const INFORMATION: &str = "https://github.com/opendefensecloud/arc";

/// Returns the report as one SARIF log with one run; `version` is that of the tool.
pub fn sarif(report: &Report, version: &str) -> Value {
    let rules: Vec<_> = RULES
        .iter()
        .map(|rule| {
            json!({
                "id": rule.id,
                "name": pascal(rule.id),
                "shortDescription": {"text": sentence(rule.summary)},
                "fullDescription": {"text": format!("{} {}", sentence(rule.summary), rule.help)},
                "help": {"text": rule.help, "markdown": rule.help},
                "helpUri": format!("{INFORMATION}/blob/main/docs/lint.md"),
                "defaultConfiguration": {"level": level(rule.severity)},
                "properties": {"tags": ["security", "arc"]},
            })
        })
        .collect();
    let results: Vec<_> = report.findings.iter().map(result).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "arc lint",
                "version": version,
                "informationUri": INFORMATION,
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(finding: &Finding) -> Value {
    let index = RULES.iter().position(|rule| *rule == finding.rule);
    let text = format!("{}\nhint: {}", finding.message, finding.hint);
    let mut location = json!({"artifactLocation": {"uri": uri(&finding.file)}});
    if finding.line > 0 {
        let mut region = json!({"startLine": finding.line});
        if finding.column > 0 {
            region["startColumn"] = finding.column.into();
            region["endColumn"] = finding.end_column.into();
        }
        if !finding.excerpt.is_empty() {
            region["snippet"] = json!({"text": finding.excerpt});
        }
        location["region"] = region;
    }
    json!({
        "ruleId": finding.rule.id,
        "ruleIndex": index,
        "level": level(finding.severity),
        "message": {"text": text},
        "locations": [{"physicalLocation": location}],
    })
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// `unknown-field` is called `UnknownField`.
fn pascal(id: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    id.split('-').map(word).collect()
}

/// A sentence begins large and ends with a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// A path as the relative or absolute URI that SARIF asks for.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    let path = path.strip_prefix("./").unwrap_or(path);
    if path.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                uri.push(char::from(byte));
            }
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}
