//! For people: place, severity, message and rule on one line, the source below it, the hint last.

use std::fmt::Write as _;

use crate::finding::Finding;
use crate::judge::Report;

/// Writes every finding; nothing where there is none.
pub fn text(report: &Report) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        one(&mut text, finding);
    }
    text
}

fn one(text: &mut String, finding: &Finding) {
    let place = match (finding.line, finding.column) {
        (0, _) => String::new(),
        (line, 0) => format!(":{line}"),
        (line, column) => format!(":{line}:{column}"),
    };
    let severity = finding.severity.as_str();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{}{place}: {severity}: {} [{}]",
        finding.file,
        finding.message.replace('\n', " "),
        finding.rule.id
    );
    if !finding.excerpt.trim().is_empty() && finding.column > 0 {
        let excerpt = finding.excerpt.replace('\t', " ");
        let indent = usize::try_from(finding.column - 1).unwrap_or_default();
        let width = usize::try_from(finding.end_column.saturating_sub(finding.column));
        let carets = "^".repeat(width.unwrap_or(1).max(1));
        let _ = writeln!(text, "  | {excerpt}\n  | {}{carets}", " ".repeat(indent));
    }
    let _ = writeln!(text, "  hint: {}", finding.hint.replace('\n', " "));
}

/// Sums up: `3 files checked: 1 error, 2 warnings`.
pub fn summary(report: &Report) -> String {
    let counts = report.counts();
    let number = |count: usize, word: &str| {
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} {word}{plural}")
    };
    let files = format!("{} checked", number(counts.files, "file"));
    match (counts.errors, counts.warnings) {
        (0, 0) => format!("{files}, nothing is wrong"),
        (0, warnings) => format!("{files}: {}", number(warnings, "warning")),
        (errors, 0) => format!("{files}: {}", number(errors, "error")),
        (errors, warnings) => {
            format!("{files}: {}, {}", number(errors, "error"), number(warnings, "warning"))
        }
    }
}
