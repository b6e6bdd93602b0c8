//! Prints what became of the images: a table for people, JSON for machines.

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value, json};

use super::Row;
use crate::copy::Outcome;
use crate::report::Failure;

/// Digits of a digest that people compare.
const SHORT_DIGEST: usize = 12;

/// Prints all rows as one JSON document.
#[expect(clippy::print_stdout, reason = "this is the outcome")]
pub(super) fn json(rows: &[Row]) -> Result<(), Failure> {
    let images: Vec<Value> = rows.iter().map(value).collect::<Result<_, _>>()?;
    println!("{:#}", json!({"images": images, "summary": summary(rows)}));
    Ok(())
}

fn value(row: &Row) -> Result<Value, Failure> {
    match &row.result {
        Ok(copied) => serde_json::to_value(copied).map_err(|error| Failure::failed(&error)),
        Err(failure) => Ok(json!({
            "outcome": "Failed",
            "source": {"reference": row.source},
            "destination": {"reference": row.destination},
            "message": failure.message,
            "hints": failure.hints,
            "exitCode": failure.exit as u8,
        })),
    }
}

fn summary(rows: &[Row]) -> Value {
    let count = |wanted: Outcome| {
        rows.iter()
            .filter(|row| matches!(&row.result, Ok(copied) if copied.outcome == wanted))
            .count()
    };
    let copied = || rows.iter().filter_map(|row| row.result.as_ref().ok());
    json!({
        "copied": count(Outcome::Copied),
        "unchanged": count(Outcome::Unchanged),
        "wouldCopy": count(Outcome::WouldCopy),
        "failed": rows.iter().filter(|row| row.result.is_err()).count(),
        "blobsSent": copied().map(|copied| copied.blobs_sent).sum::<u64>(),
        "bytesSent": copied().map(|copied| copied.bytes_sent).sum::<u64>(),
        "blobsMounted": copied().map(|copied| copied.blobs_mounted).sum::<u64>(),
    })
}

/// Prints the table and, below it, every failure and remark.
#[expect(clippy::print_stdout, reason = "this is the outcome")]
pub(super) fn text(rows: &[Row]) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["OUTCOME", "SOURCE", "DESTINATION", "DIGEST", "MOVED"]);
    for row in rows {
        let (outcome, digest, moved) = match &row.result {
            Ok(copied) => {
                let hex = copied.destination.digest.split_once(':').map_or("", |(_, hex)| hex);
                let digest = hex.chars().take(SHORT_DIGEST).collect();
                (format!("{:?}", copied.outcome), digest, copied.moved())
            }
            Err(_) => ("Failed".to_owned(), String::new(), String::new()),
        };
        table.add_row([outcome, row.source.clone(), row.destination.clone(), digest, moved]);
    }
    println!("{table}");
    for row in rows {
        match &row.result {
            Ok(copied) => {
                for note in copied.notes() {
                    println!("\nnote: {}: {note}", row.source);
                }
            }
            Err(failure) => {
                println!("\n{}: {}", row.source, failure.message);
                failure.hints.iter().for_each(|hint| println!("hint: {hint}"));
            }
        }
    }
}
