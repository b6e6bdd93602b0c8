//! Text with `{{…}}` placeholders, taken apart once when a file is read and filled in once when a step starts.
//!
//! A value is never looked at again after it was filled in: unlike Argo, a parameter that contains
//! `{{workflow.uid}}` stays those characters.
//! Which braces are placeholders follows Argo: the first `}}` ends the first `{{`, and what is not a name of
//! Argo's own scope (`{{.tag}}`, `{{tag}}`, a lone `{{`) stays as written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::problem::Position;

/// What one text may grow to; a value is at most 256 KiB, and the kernel takes no longer argument than 128 KiB.
pub(crate) const MAX_RENDERED_BYTES: usize = 1024 * 1024;

/// The first words of names that Argo fills in; all other braces belong to somebody else.
const ROOTS: [&str; 9] =
    ["inputs", "outputs", "workflow", "steps", "tasks", "pod", "node", "lastRetry", "cronworkflow"];

/// The values a template's texts may refer to, by their name without braces.
///
/// The workflow's values are shared by all scopes; each adds its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    shared: Arc<BTreeMap<String, Arc<str>>>,
    own: BTreeMap<String, Arc<str>>,
}

impl Scope {
    pub(crate) fn insert(&mut self, name: String, value: Arc<str>) {
        self.own.insert(name, value);
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Arc<str>> {
        self.own.get(name).or_else(|| self.shared.get(name))
    }
}

impl FromIterator<(String, Arc<str>)> for Scope {
    /// Collects values that all scopes derived from this one share.
    fn from_iter<I: IntoIterator<Item = (String, Arc<str>)>>(values: I) -> Self {
        Self { shared: Arc::new(values.into_iter().collect()), own: BTreeMap::new() }
    }
}

/// A text and where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) at: Position,
    pub(crate) pieces: Vec<Piece>,
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Literal(String),
    Reference(String),
}

/// Why a text cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("`{{{{{inner}}}}}` is not supported by `arc run`")]
    Expression { inner: String },
    #[error("failed to resolve {{{{{name}}}}}")]
    Resolve { name: String },
    #[error(
        "the text is longer than {MAX_RENDERED_BYTES} bytes when its placeholders are filled in"
    )]
    TooLong,
}

impl Text {
    /// Takes a text apart; an expression placeholder (`{{=…}}`) is an error.
    pub(crate) fn parse(text: &str, at: Position) -> Result<Self, Error> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((inner, tail)) = after.split_once("}}") else { break };
            literal.push_str(before);
            let name = inner.trim();
            if name.starts_with('=') {
                return Err(Error::Expression { inner: inner.to_owned() });
            }
            if is_reference(name) {
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                pieces.push(Piece::Reference(name.to_owned()));
            } else {
                literal.push_str("{{");
                literal.push_str(inner);
                literal.push_str("}}");
            }
            rest = tail;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Self { at, pieces })
    }

    /// A text without placeholders.
    pub(crate) fn literal(text: &str, at: Position) -> Self {
        Self { at, pieces: vec![Piece::Literal(text.to_owned())] }
    }

    /// Returns the names this text refers to.
    pub(crate) fn references(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Reference(name) => Some(name.as_str()),
            Piece::Literal(_) => None,
        })
    }

    /// Returns the parts that are not filled in.
    pub(crate) fn literals(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Literal(text) => Some(text.as_str()),
            Piece::Reference(_) => None,
        })
    }

    /// Fills in every placeholder, once.
    pub(crate) fn render(&self, scope: &Scope) -> Result<String, Error> {
        render(&self.pieces, scope)
    }
}

/// Fills in the placeholders of some pieces, once.
pub(crate) fn render(pieces: &[Piece], scope: &Scope) -> Result<String, Error> {
    let mut rendered = String::new();
    for piece in pieces {
        let part: &str = match piece {
            Piece::Literal(text) => text,
            Piece::Reference(name) => {
                scope.get(name).ok_or_else(|| Error::Resolve { name: name.clone() })?
            }
        };
        if rendered.len() + part.len() > MAX_RENDERED_BYTES {
            return Err(Error::TooLong);
        }
        rendered.push_str(part);
    }
    Ok(rendered)
}

/// The step or task a name refers to, as `("steps", "fetch", "outputs.result")`.
pub(crate) fn sibling(reference: &str) -> Option<(&str, &str, &str)> {
    let (root, rest) = reference.split_once('.')?;
    if root != "steps" && root != "tasks" {
        return None;
    }
    let (name, what) = rest.split_once('.')?;
    Some((root, name, what))
}

/// Collects the steps and tasks of which somebody reads `outputs.result`.
pub(crate) fn results_read<'text>(
    texts: impl Iterator<Item = &'text Text>,
    into: &mut BTreeSet<String>,
) {
    for reference in texts.flat_map(Text::references) {
        if let Some((_, name, "outputs.result")) = sibling(reference) {
            into.insert(name.to_owned());
        }
    }
}

fn is_reference(name: &str) -> bool {
    let root = name.split('.').next().unwrap_or_default();
    name == "retries"
        || name.len() > root.len()
            && ROOTS.contains(&root)
            && name.chars().all(|character| {
                character.is_alphanumeric() || matches!(character, '.' | '-' | '_')
            })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        [
            ("inputs.parameters.x", "{{workflow.uid}}"),
            ("workflow.uid", "u-1"),
            ("steps.a.status", "Failed"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Arc::from(value)))
        .collect()
    }

    fn check(text: &str, expected: Result<&str, Error>) {
        let rendered =
            Text::parse(text, Position::default()).and_then(|text| text.render(&scope()));
        assert_eq!(rendered, expected.map(str::to_owned), "{text:?}");
    }

    #[test]
    fn placeholders_are_filled_in_once_and_values_are_never_templates() {
        check("a {{inputs.parameters.x}} b", Ok("a {{workflow.uid}} b"));
        check("{{ workflow.uid }}{{workflow.uid}}", Ok("u-1u-1"));
        check("{{steps.a.status}}", Ok("Failed"));
    }

    #[test]
    fn braces_that_are_not_names_of_argo_stay_as_written() {
        for text in [
            "{{.tag}}",
            "{{ tag }}",
            "{{~ .tag ~}}",
            "{{",
            "}}",
            "{{item}}",
            "{{unknown.thing}}",
            "{{}}",
            "sed 's/<</{{/g' f; sed 's/>>/}}/g'",
            "{{ {{x}} }}",
            "{{#if a}}b{{/if}}",
            "{{inputs}}",
        ] {
            check(text, Ok(text));
        }
    }

    #[test]
    fn expressions_and_unknown_names_are_errors() {
        check("{{=1+1}}", Err(Error::Expression { inner: "=1+1".to_owned() }));
        check("{{ = x }}", Err(Error::Expression { inner: " = x ".to_owned() }));
        check(
            "{{inputs.parameters.y}}",
            Err(Error::Resolve { name: "inputs.parameters.y".to_owned() }),
        );
    }

    #[test]
    fn a_text_that_grows_without_end_is_an_error() {
        let mut scope = scope();
        scope.insert("inputs.parameters.x".to_owned(), Arc::from("x".repeat(1000).as_str()));
        let text = Text::parse(&"{{inputs.parameters.x}}".repeat(2000), Position::default())
            .expect("parses");
        assert_eq!(text.render(&scope), Err(Error::TooLong));
    }
}
