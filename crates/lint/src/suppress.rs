//! `# arc-lint: allow <rule> — <reason>`: the author has looked at it, and says so.
//!
//! Holds for findings on the same line and on the line below.

use arc_engine::yaml::Position;

use crate::finding::{Finding, Findings, say};
use crate::rules;
use crate::source::Parsed;

const MARK: &str = "arc-lint:";

/// One suppression: where it stands, and the rules that it allows.
struct Suppression<'a> {
    line: u64,
    rules: Vec<&'a str>,
}

/// Removes what is allowed from the findings of one source.
pub(crate) fn apply(source: &Parsed<'_>, findings: &mut Vec<Finding>) {
    let mut wrong = Findings::default();
    let suppressions: Vec<_> = source
        .lines
        .iter()
        .enumerate()
        .filter_map(|(index, line)| read(source, index as u64 + 1, line, &mut wrong))
        .collect();
    findings.retain(|finding| {
        finding.file != source.source.name
            || !suppressions.iter().any(|suppression| {
                let is_near =
                    finding.line == suppression.line || finding.line == suppression.line + 1;
                is_near && suppression.rules.contains(&finding.rule.id)
            })
    });
    findings.extend(wrong.into_sorted());
}

/// Reads one line; a suppression that is not understood allows nothing.
fn read<'a>(
    source: &Parsed<'_>,
    number: u64,
    line: &'a str,
    wrong: &mut Findings,
) -> Option<Suppression<'a>> {
    let (before, text) = line.split_once(MARK)?;
    if !before.trim_end().ends_with('#') {
        return None;
    }
    let mut refuse = |message: String, hint: &str| {
        let column = before.chars().count() as u64 + 1;
        let at = Position { line: number, column };
        wrong.add(source, rules::SUPPRESSION, at, say(message, hint));
    };
    let form = "write `# arc-lint: allow <rule> — <reason>`";
    let Some(rest) = text.trim().strip_prefix("allow ") else {
        refuse(format!("{:?} is not a suppression", text.trim()), form);
        return None;
    };
    let separators = [" — ", " – ", " -- ", " - ", ": "];
    let found = separators.iter().filter_map(|separator| rest.split_once(separator));
    let Some((names, _)) =
        found.filter(|(_, reason)| !reason.trim().is_empty()).min_by_key(|(names, _)| names.len())
    else {
        refuse("this suppression gives no reason".to_owned(), form);
        return None;
    };
    let mut known = Vec::new();
    for name in names.split([',', ' ']).filter(|name| !name.is_empty()) {
        if rules::by_id(name).is_some() {
            known.push(name);
            continue;
        }
        let near = arc_core::nearest(name, rules::RULES.iter().map(|rule| rule.id));
        let hint = near.map_or_else(|| form.to_owned(), |near| format!("did you mean {near}?"));
        refuse(format!("{name:?} is not a rule"), &hint);
    }
    Some(Suppression { line: number, rules: known })
}
