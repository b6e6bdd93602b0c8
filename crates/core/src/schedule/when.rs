//! The condition of a schedule: an Argo expression about the schedule itself and nothing else.
//!
//! Argo's controller evaluates it with everything it knows, so what it may name is a list.

/// Longest condition, the limit of the CRD.
const MAX_BYTES: usize = 1024;

/// What may stand alone in an expression, apart from names of functions.
const WORDS: [&str; 14] = [
    "true",
    "false",
    "nil",
    "and",
    "or",
    "not",
    "in",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "asInt",
    "asFloat",
    "now",
];

/// Returns what is wrong with a condition.
pub(crate) fn problem(when: &str) -> Option<String> {
    if when.len() > MAX_BYTES {
        return Some(format!("it has {} bytes; at most {MAX_BYTES} are taken", when.len()));
    }
    let mut rest = when;
    let mut is_about_something = false;
    while let Some((before, tail)) = rest.split_once("{{") {
        if before.contains("}}") {
            return Some("it has a `}}` without `{{`".to_owned());
        }
        let Some((inside, after)) = tail.split_once("}}") else {
            return Some("it has a `{{` without `}}`".to_owned());
        };
        let inside = inside.trim();
        let wrong = match inside.strip_prefix('=') {
            Some(expression) => in_expression(expression),
            None if inside.starts_with("cronworkflow.") && inside.bytes().all(is_of_path) => None,
            None => Some(inside.to_owned()),
        };
        if let Some(wrong) = wrong {
            return Some(format!("{wrong:?} is not about the schedule"));
        }
        is_about_something = true;
        rest = after;
    }
    if rest.contains("}}") {
        return Some("it has a `}}` without `{{`".to_owned());
    }
    (!is_about_something).then(|| "it has no `{{…}}`, so it always says the same".to_owned())
}

fn is_of_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/')
}

/// Returns the first name in an expression that is neither the schedule, nor a known word, nor a function.
fn in_expression(expression: &str) -> Option<String> {
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        if matches!(first, '"' | '\'' | '`') {
            let Some(end) = end_of_text(&rest[1..], first) else { return Some(rest.to_owned()) };
            rest = &rest[end + 2..];
        } else if first.is_alphabetic() || matches!(first, '_' | '$' | '#') {
            let end = rest
                .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '$' | '#')))
                .unwrap_or(rest.len());
            let (name, tail) = rest.split_at(end);
            if !may_stand(name, tail) {
                return Some(name.to_owned());
            }
            rest = tail;
        } else if first.is_ascii_digit() {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '.')).unwrap_or(rest.len());
            rest = &rest[end..];
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    None
}

fn may_stand(name: &str, tail: &str) -> bool {
    let is_call = tail.trim_start().starts_with('(');
    let is_plain_function = is_call && !name.contains('.');
    name.starts_with("cronworkflow.") || WORDS.contains(&name) || is_plain_function
}

/// Place of the quote that ends a text.
fn end_of_text(text: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let ends = c == quote && !is_escaped;
        is_escaped = c == '\\' && !is_escaped && quote != '`';
        ends.then_some(at)
    })
}
