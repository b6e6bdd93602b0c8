//! One thing that is wrong, with everything that is needed to show it.

use std::collections::BTreeSet;

use arc_engine::yaml::Position;

use crate::place::extent;
use crate::rules::{Rule, Severity};
use crate::source::Parsed;

/// Longest source line that is repeated; a longer one is no text for people.
const MAX_SHOWN_CHARS: usize = 200;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked for.
    pub rule: &'static Rule,
    /// How serious it is here.
    pub severity: Severity,
    /// The name of the source.
    pub file: String,
    /// The line, from 1; 0 when it is about the whole file.
    pub line: u64,
    /// The column in characters, from 1; 0 when it is about the whole line or file.
    pub column: u64,
    /// The column after the last character that it is about.
    pub end_column: u64,
    /// The text of the line; empty when there is none, or too much of it.
    pub excerpt: String,
    /// What is wrong, with the value given and what was expected.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// Collects findings.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    list: Vec<Finding>,
    seen: BTreeSet<(String, u64, u64, &'static str, String)>,
}

impl Findings {
    /// Adds a finding unless the same is known already, which anchors (`*env`) would otherwise cause.
    pub(crate) fn add(
        &mut self,
        source: &Parsed<'_>,
        rule: &'static Rule,
        at: Position,
        text: (String, Option<String>),
    ) {
        self.add_as(source, (rule, rule.severity), at, text);
    }

    /// Adds a finding with a severity of its own.
    pub(crate) fn add_as(
        &mut self,
        source: &Parsed<'_>,
        (rule, severity): (&'static Rule, Severity),
        at: Position,
        (message, hint): (String, Option<String>),
    ) {
        let file = source.source.name.clone();
        let at = within(source, at);
        if !self.seen.insert((file.clone(), at.line, at.column, rule.id, message.clone())) {
            return;
        }
        let line = source.line(at.line);
        self.list.push(Finding {
            rule,
            severity,
            file,
            line: at.line,
            column: at.column,
            end_column: at.column + extent(line, at.column),
            excerpt: excerpt(line),
            message,
            // Nobody is left alone with a complaint.
            hint: hint.unwrap_or_else(|| rule.help.to_owned()),
        });
    }

    /// Returns the findings by place.
    pub(crate) fn into_sorted(mut self) -> Vec<Finding> {
        self.list.sort_by(|one, other| {
            let key = |finding: &Finding| (finding.line, finding.column, finding.severity);
            one.file.cmp(&other.file).then_with(|| key(one).cmp(&key(other)))
        });
        self.list
    }
}

/// A parser may point behind the end of the text, where no editor can go.
fn within(source: &Parsed<'_>, at: Position) -> Position {
    let lines = source.lines.len() as u64;
    if at.line <= lines {
        return at;
    }
    let column = source.line(lines).chars().count() as u64;
    Position { line: lines, column: if lines == 0 { 0 } else { column.max(1) } }
}

/// The line as it may be shown: not too long, no key, and no password of an address.
fn excerpt(line: &str) -> String {
    if line.chars().count() > MAX_SHOWN_CHARS || line.contains("PRIVATE KEY") {
        return String::new();
    }
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("://") {
        shown.push_str(before);
        shown.push_str("://");
        let ends =
            |letter: char| letter.is_whitespace() || matches!(letter, '/' | '"' | '\'' | ',');
        let authority = &after[..after.find(ends).unwrap_or(after.len())];
        let secret = authority.rfind('@').unwrap_or_default();
        shown.extend(std::iter::repeat_n('*', after[..secret].chars().count()));
        rest = &after[secret..];
    }
    shown.push_str(rest);
    shown
}

/// A message and what to do.
pub(crate) fn say(message: impl Into<String>, hint: impl Into<String>) -> (String, Option<String>) {
    (message.into(), Some(hint.into()))
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn what_is_shown_of_a_line_holds_no_secret() {
        for (line, expected) in [
            (
                "remoteURL: https://me:secret@a.example/b",
                "remoteURL: https://*********@a.example/b",
            ),
            ("a: \"http://ä@b\" # c://d@e", "a: \"http://*@b\" # c://*@e"),
            ("url: https://a.example/x@sha256:1", "url: https://a.example/x@sha256:1"),
            ("key: -----BEGIN PRIVATE KEY-----", ""),
            ("name: a", "name: a"),
        ] {
            assert_eq!(excerpt(line), expected);
        }
        assert_eq!(excerpt(&"x".repeat(201)), "");
    }
}
