//! Prints what became of the artifacts: a table for people, JSON for machines.

use arc_api::DeliveryResult;
use comfy_table::{Table, presets};

use super::Row;
use crate::report::Failure;

/// Digits of a digest that people compare.
const SHORT_DIGEST: usize = 12;

/// Tells which objects had no meaning here.
#[expect(clippy::print_stderr, reason = "a remark beside the outcome")]
pub(crate) fn ignored(ignored: &[(String, String)]) {
    for (kind, file) in ignored {
        eprintln!("note: {file}: {kind} has no meaning for `arc run` and is ignored");
    }
}

/// Prints all rows as one JSON document.
#[expect(clippy::print_stdout, reason = "this is the outcome")]
pub(crate) fn json(rows: &[Row]) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(&serde_json::json!({"artifacts": rows}))
        .map_err(|error| Failure::failed(&error))?;
    println!("{text}");
    Ok(())
}

/// Prints the table and, below it, every reason and remedy.
#[expect(clippy::print_stdout, reason = "this is the outcome")]
pub(crate) fn text(rows: &[Row]) {
    println!("{}", table(rows));
    for row in rows {
        for line in details(row) {
            println!("{line}");
        }
    }
}

/// The table of all rows: one line of facts for each artifact, and below it where it comes from and goes to.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["ARTIFACT", "OUTCOME", "DIGEST", "SCAN", "EVIDENCE", "MOVED"]);
    for row in rows {
        let order = row.order.rsplit('/').next().unwrap_or_default();
        let cells = row.result.as_ref().map(cells).unwrap_or_default();
        table.add_row(
            [format!("{order}/{}", row.artifact), row.outcome.clone()].into_iter().chain(cells),
        );
    }
    let mut lines = table.lines();
    let mut text: Vec<_> = lines.next().into_iter().collect();
    for (line, row) in lines.zip(rows) {
        text.push(line);
        let Some(result) = &row.result else { continue };
        text.extend(result.source.iter().map(|source| format!("     from {}", source.reference)));
        text.extend(
            result
                .destination
                .iter()
                .map(|destination| format!("       to {}", destination.reference)),
        );
    }
    text.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

fn cells(result: &DeliveryResult) -> [String; 4] {
    let scan = result.scan.as_ref();
    [
        result.source.as_ref().map(|source| short(&source.digest)).unwrap_or_default(),
        scan.map(|scan| {
            format!("{}C {}H {}M {}L", scan.critical, scan.high, scan.medium, scan.low)
        })
        .unwrap_or_default(),
        evidence(result),
        moved(result),
    ]
}

fn short(digest: &str) -> String {
    let hex = digest.split_once(':').map_or(digest, |(_, hex)| hex);
    hex.chars().take(SHORT_DIGEST).collect()
}

fn evidence(result: &DeliveryResult) -> String {
    match (&result.signature, result.attestations.len()) {
        (None, 0) => String::new(),
        (None, attestations) => format!("{attestations} attested"),
        (Some(_), attestations) => format!("signed, {attestations} attested"),
    }
}

fn moved(result: &DeliveryResult) -> String {
    match result.outcome {
        Some(arc_api::Outcome::DryRun) => {
            format!("would move {}", arc_steps::bytes(result.bytes_planned))
        }
        _ if result.blobs_moved == 0 => "0 blobs".to_owned(),
        _ => format!("{} blobs, {}", result.blobs_moved, arc_steps::bytes(result.bytes_moved)),
    }
}

/// Why a row did not end well, with the findings that refused it.
pub(crate) fn details(row: &Row) -> Vec<String> {
    let mut lines = Vec::new();
    if !row.message.is_empty() {
        lines.push(format!("\n{}: {}", row.artifact, row.message));
    }
    for problem in &row.problems {
        lines.push(format!("\n{}: {}", row.artifact, problem.message));
        lines.extend(problem.hint.iter().map(|hint| format!("hint: {hint}")));
    }
    let refused = row.outcome == "Refused";
    let findings = row
        .result
        .iter()
        .filter(|_| refused)
        .filter_map(|result| result.scan.as_ref())
        .flat_map(|scan| &scan.findings);
    for finding in findings {
        let fixed = finding
            .fixed
            .as_deref()
            .map_or_else(|| "no fix yet".to_owned(), |fixed| format!("fixed in {fixed}"));
        lines.push(format!(
            "  {:8} {}  {} {}  {fixed}",
            finding.severity, finding.id, finding.package, finding.installed
        ));
        lines.extend(finding.url.iter().map(|url| format!("           {url}")));
    }
    lines
}
