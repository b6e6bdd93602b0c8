//! Prints a verdict: for people level by level, for machines as one document.

use arc_evidence::verify::{Item, Origin, Problem, Report};
use serde_json::Value;

use super::Level;
use super::demands::CONTENTS;
use crate::audit::clean;
use crate::report::Failure;

/// Prints one document; the digest asked for at the top, its platforms below it.
#[expect(clippy::print_stdout, reason = "the report is the outcome")]
pub(super) fn json(name: &str, levels: &[Level]) -> Result<(), Failure> {
    let accepted = levels.iter().all(|level| level.report.accepted());
    let mut documents = Vec::new();
    for level in levels {
        let mut value =
            serde_json::to_value(&level.report).map_err(|error| Failure::failed(&error))?;
        value["accepted"] = level.report.accepted().into();
        if let Some(platform) = &level.platform {
            value["platform"] = platform.as_str().into();
        }
        documents.push(value);
    }
    let mut platforms = documents.split_off(1.min(documents.len()));
    let mut document = documents.pop().unwrap_or_default();
    document["reference"] = name.into();
    document["accepted"] = accepted.into();
    if !platforms.is_empty() {
        document["platforms"] = Value::Array(std::mem::take(&mut platforms));
    }
    println!("{document:#}");
    Ok(())
}

/// Prints every piece of evidence with its fate, every problem, and the verdict.
#[expect(clippy::print_stdout, reason = "the report is the outcome")]
pub(super) fn text(name: &str, levels: &[Level]) {
    println!("{name}");
    for level in levels {
        if let Some(platform) = &level.platform {
            println!("{}", clean(platform));
        }
        println!("  digest       {}", level.digest);
        for line in lines(&level.report) {
            println!("  {line}");
        }
    }
    let accepted = levels.iter().all(|level| level.report.accepted());
    println!("{}", if accepted { "accepted" } else { "REFUSED" });
}

/// Says where bills of materials are, to somebody who looks for one at an index.
#[expect(clippy::print_stderr, reason = "a remark beside the outcome")]
pub(super) fn hint(levels: &[Level], is_index_alone: bool) {
    let is_contents = |problem: &Problem| match problem {
        Problem::MissingAttestation { predicate_type } => {
            CONTENTS.contains(&predicate_type.as_str())
        }
        _ => false,
    };
    if is_index_alone && levels.iter().any(|level| level.report.problems.iter().any(is_contents)) {
        eprintln!(
            "hint: bills of materials are attached to the platforms of an index; add --platforms"
        );
    }
}

fn lines(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(report.signatures.iter().map(|item| format!("signature    {}", describe(item))));
    lines.extend(report.attestations.iter().map(|item| format!("attestation  {}", describe(item))));
    lines.extend(report.unreadable.iter().map(|what| format!("unreadable   {}", clean(what))));
    if let Some(scan) = &report.scan {
        let counts = scan.counts;
        lines.push(format!(
            "scan         {} critical, {} high, {} medium, {} low, {} unknown; ended {}",
            counts.critical,
            counts.high,
            counts.medium,
            counts.low,
            counts.unknown,
            scan.finished_on
        ));
    }
    lines.extend(
        report
            .problems
            .iter()
            .map(|problem| format!("problem      {}", clean(&problem.to_string()))),
    );
    lines
}

fn describe(item: &Item) -> String {
    let what = clean(item.predicate_type.as_deref().unwrap_or("cosign simple signing"));
    let origin = match item.origin {
        Origin::Bundle => "bundle",
        Origin::LegacyTag => "tag",
    };
    match &item.rejection {
        None => format!("valid    {what} ({origin}, {})", item.digest),
        Some(why) => {
            format!("REJECTED {what} ({origin}, {}): {}", item.digest, clean(&why.to_string()))
        }
    }
}
