//! Second-order templates: would Argo or the kubelet evaluate a *value*?
//!
//! Argo expands `{{…}}` in parameter values again and the kubelet expands `$(NAME)` in environment values after that,
//! so an author's value must be inert or a provably harmless override template such as `{{.tag}}`.
//! The rule is an allow-list: a block passes when its text can name no Argo variable now or later; anything else is
//! refused. Fragments that become dangerous only beside a neighbour (`{{`, a closing `{`, a closing `$`) are refused too.
//! Applied to everything a tenant writes: artifact specs, endpoints and namespaced types.
//! Cluster types are exempt: who writes those may write the cluster workflow template itself.

use std::fmt;

mod block;

#[cfg(test)]
mod tests;

/// How much of an offending value a message repeats, in characters: statuses and logs stay readable.
const MAX_EXCERPT_CHARS: usize = 60;

/// Who would evaluate the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evaluator {
    /// Argo Workflows, `{{…}}`.
    Argo,
    /// The kubelet, `$(NAME)` in an environment variable.
    Kubelet,
}

impl fmt::Display for Evaluator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Argo => "Argo",
            Self::Kubelet => "the kubelet",
        })
    }
}

/// A part of a value that Argo or the kubelet would evaluate, or could when it stands beside another value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Who would evaluate it.
    pub evaluator: Evaluator,
    /// The offending part, shortened.
    pub excerpt: String,
    /// What to write instead.
    pub remedy: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, which {} could evaluate", self.excerpt, self.evaluator)
    }
}

const REMEDY_BLOCK: &str =
    "only override templates such as `{{.tag}}` or `{{tag}}` may stand in double braces";
const REMEDY_BRACE: &str = "do not end the value with an opening brace";
const REMEDY_DOLLAR: &str =
    "write the value without `$(`, without `$$` and without a `$` at its end";

/// Returns the first part of `value` that is not provably inert, or nothing when the value may pass untouched.
///
/// ```
/// use arc_core::expansion::second_order;
/// assert_eq!(second_order("team/alpine:{{.tag}}-dev"), None);
/// assert!(second_order("team/{{workflow.uid}}").is_some());
/// assert!(second_order("$(SPEC_TAG)").is_some());
/// ```
pub fn second_order(value: &str) -> Option<Finding> {
    argo(value).or_else(|| kubelet(value))
}

fn argo(value: &str) -> Option<Finding> {
    let mut rest = value;
    while let Some(start) = rest.find("{{") {
        let block = &rest[start..];
        match block::inert_length(block) {
            Some(length) => rest = &block[length..],
            None => return Some(finding(Evaluator::Argo, block_excerpt(block), REMEDY_BLOCK)),
        }
    }
    // A template that writes two parameters side by side would join this brace with the next value's first.
    value.ends_with('{').then(|| finding(Evaluator::Argo, "{", REMEDY_BRACE))
}

fn kubelet(value: &str) -> Option<Finding> {
    let (start, _) = value.char_indices().find(|&(at, c)| {
        // `$$` is the kubelet's escape and arrives as `$`; a closing `$` joins a neighbour's `(`.
        c == '$' && matches!(value.as_bytes().get(at + 1), None | Some(b'(' | b'$'))
    })?;
    let text = &value[start..];
    let end = text.find(')').map_or(text.len(), |at| at + 1);
    Some(finding(Evaluator::Kubelet, &text[..end], REMEDY_DOLLAR))
}

/// The text up to the braces that close the block, or all of it when none do.
fn block_excerpt(block: &str) -> &str {
    block.find("}}").map_or(block, |end| &block[..end + 2])
}

fn finding(evaluator: Evaluator, text: &str, remedy: &'static str) -> Finding {
    Finding { evaluator, excerpt: crate::text::shorten(text, MAX_EXCERPT_CHARS), remedy }
}
