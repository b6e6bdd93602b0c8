//! Something wrong with the input, as a value: it is collected, sorted and shown, never thrown.

use std::fmt;

use arc_api::reasons::Reason;

/// One thing that is wrong with an order or with what it refers to.
///
/// Displays as `<path>: <message>`; the hint is a line of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field it is about, counted from the order: `spec.artifacts[2].srcRef`.
    pub path: String,
    /// The machine-readable kind.
    pub reason: Reason,
    /// What is wrong, with the value given and what was expected.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// Makes a problem without a hint.
    pub fn new(path: impl Into<String>, reason: Reason, message: impl Into<String>) -> Self {
        Self { path: path.into(), reason, message: message.into(), hint: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// Sorts by path, numbers in it as numbers: `artifacts[2]` stands before `artifacts[10]`.
pub(crate) fn sort(problems: &mut [Problem]) {
    problems.sort_by(|a, b| {
        sort_key(&a.path).cmp(&sort_key(&b.path)).then_with(|| a.message.cmp(&b.message))
    });
}

/// Digits that a number in a path is padded to; no list is longer than they tell.
const NUMBER_WIDTH: usize = 12;

/// Pads every number of a path, so that text order is number order.
fn sort_key(path: &str) -> String {
    let mut key = String::with_capacity(path.len() + NUMBER_WIDTH);
    let mut rest = path;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let end =
            rest[start..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |at| start + at);
        key.push_str(&rest[..start]);
        key.extend(std::iter::repeat_n('0', NUMBER_WIDTH.saturating_sub(end - start)));
        key.push_str(&rest[start..end]);
        rest = &rest[end..];
    }
    key.push_str(rest);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_sort_by_path_with_numbers_as_numbers() {
        let mut problems: Vec<Problem> =
            ["spec.artifacts[10].type", "spec.artifacts[2].type", "spec.artifacts[2].srcRef"]
                .map(|path| Problem::new(path, Reason::InvalidSpec, "wrong"))
                .to_vec();
        sort(&mut problems);
        let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(
            paths,
            ["spec.artifacts[2].srcRef", "spec.artifacts[2].type", "spec.artifacts[10].type"]
        );
    }

    #[test]
    fn a_problem_reads_as_path_and_message() {
        let problem = Problem::new(
            "spec.artifacts[0].type",
            Reason::InvalidSpec,
            "\"ocu\" is not an artifact type",
        );
        assert_eq!(problem.to_string(), "spec.artifacts[0].type: \"ocu\" is not an artifact type");
    }
}
