//! The expressions of templates: `when`, `depends` and `retryStrategy.expression`.
//!
//! Parsed once when a file is read, with limits on size and depth; evaluated over values that are never parsed again.
//! Three dialects share one grammar: in `when` (govaluate) bare words are strings, in `depends` they are results of
//! tasks, in a retry expression (expr-lang) they are fields of `lastRetry`.

mod evaluate;
mod lex;
mod parse;
#[cfg(test)]
mod tests;

pub(crate) use evaluate::{Names, Value, evaluate};
pub(crate) use parse::parse;

use crate::text::Piece;

/// How deep parentheses, `!` and calls may nest.
pub(crate) const MAX_DEPTH: usize = 64;
/// Words, operators and brackets of one expression.
pub(crate) const MAX_TOKENS: usize = 1000;
/// What the compiled form of one regular expression may take.
pub(crate) const MAX_PATTERN_BYTES: usize = 256 * 1024;

/// Which language an expression is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    When,
    Depends,
    Retry,
}

/// A parsed expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    /// Text in quotes, with placeholders.
    Quoted(Vec<Piece>),
    /// A bare word of a `when`, which is a boolean or a number if its text is one.
    Bare(Vec<Piece>),
    Number(f64),
    Boolean(bool),
    /// A name whose value the caller knows.
    Name(String),
    Not(Box<Self>),
    Compare(Comparison, Box<Self>, Box<Self>),
    In(Box<Self>, Vec<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
    /// `asInt(…)` and its kin.
    ToNumber(Box<Self>),
}

impl Expression {
    /// Returns the names whose values the caller must know.
    pub(crate) fn names(&self) -> Vec<&str> {
        match self {
            Self::Name(name) => vec![name],
            Self::Not(inner) | Self::ToNumber(inner) => inner.names(),
            Self::All(operands) | Self::Any(operands) => {
                operands.iter().flat_map(Self::names).collect()
            }
            Self::Compare(_, left, right) => [left.names(), right.names()].concat(),
            Self::In(needle, items) => {
                items.iter().flat_map(Self::names).chain(needle.names()).collect()
            }
            Self::Quoted(_) | Self::Bare(_) | Self::Number(_) | Self::Boolean(_) => Vec::new(),
        }
    }
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Matches,
    MatchesNot,
}

/// Why an expression cannot be read or evaluated.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("{found} is not expected here")]
    Unexpected { found: String },
    #[error("the expression ends too early")]
    Incomplete,
    #[error("a quote is not closed")]
    UnclosedQuote,
    #[error("the expression has more than {MAX_TOKENS} words")]
    TooLong,
    #[error("the expression nests deeper than {MAX_DEPTH}")]
    TooDeep,
    #[error("{name:?} is not a name that is known here")]
    UnknownName { name: String },
    #[error("{value} is not a number")]
    NotANumber { value: String },
    #[error("{left} and {right} have no order")]
    NoOrder { left: String, right: String },
    #[error("{pattern:?} is not a regular expression that can be used")]
    Pattern { pattern: String },
    #[error("{value} is neither true nor false")]
    NotABoolean { value: String },
    #[error(transparent)]
    Text(#[from] crate::text::Error),
}
