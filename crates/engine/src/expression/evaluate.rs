//! A tree and values to true or false.

use std::fmt;

use regex::RegexBuilder;

use super::parse::number;
use super::{Comparison, Error, Expression, MAX_PATTERN_BYTES};
use crate::text::{Piece, Scope, render};

/// The values an expression may use.
pub(crate) struct Names<'scope> {
    /// For placeholders.
    pub(crate) scope: &'scope Scope,
    /// For bare names, such as `lastRetry.exitCode` or `fetch.Succeeded`.
    pub(crate) lookup: &'scope dyn Fn(&str) -> Option<Value>,
}

/// What a part of an expression stands for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Boolean(bool),
    Number(f64),
    Text(String),
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(truth) => write!(formatter, "{truth}"),
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Text(text) => write!(formatter, "{text:?}"),
        }
    }
}

/// Evaluates an expression, which must come out as true or false.
pub(crate) fn evaluate(expression: &Expression, names: &Names<'_>) -> Result<bool, Error> {
    truth(value(expression, names)?)
}

fn value(expression: &Expression, names: &Names<'_>) -> Result<Value, Error> {
    Ok(match expression {
        Expression::Quoted(pieces) => Value::Text(render(pieces, names.scope)?),
        Expression::Bare(pieces) => bare(pieces, names.scope)?,
        Expression::Number(number) => Value::Number(*number),
        Expression::Boolean(truth) => Value::Boolean(*truth),
        Expression::Name(name) => {
            (names.lookup)(name).ok_or_else(|| Error::UnknownName { name: name.clone() })?
        }
        Expression::Not(inner) => Value::Boolean(!evaluate(inner, names)?),
        Expression::Compare(comparison, left, right) => {
            Value::Boolean(compare(*comparison, &value(left, names)?, &value(right, names)?)?)
        }
        Expression::In(needle, items) => {
            let needle = value(needle, names)?;
            let mut found = false;
            for item in items {
                found |= value(item, names)? == needle;
            }
            Value::Boolean(found)
        }
        Expression::All(operands) => {
            for operand in operands {
                if !evaluate(operand, names)? {
                    return Ok(Value::Boolean(false));
                }
            }
            Value::Boolean(true)
        }
        Expression::Any(operands) => {
            for operand in operands {
                if evaluate(operand, names)? {
                    return Ok(Value::Boolean(true));
                }
            }
            Value::Boolean(false)
        }
        Expression::ToNumber(inner) => match value(inner, names)? {
            Value::Text(text) => Value::Number(
                number(text.trim()).ok_or(Error::NotANumber { value: format!("{text:?}") })?,
            ),
            Value::Number(number) => Value::Number(number),
            other @ Value::Boolean(_) => {
                return Err(Error::NotANumber { value: other.to_string() });
            }
        },
    })
}

/// What Argo would read from the text after filling it in: a boolean, a number, or a string.
fn bare(pieces: &[Piece], scope: &Scope) -> Result<Value, Error> {
    let text = render(pieces, scope)?;
    Ok(match text.parse() {
        Ok(truth) => Value::Boolean(truth),
        Err(_) => number(&text).map_or(Value::Text(text), Value::Number),
    })
}

fn truth(value: Value) -> Result<bool, Error> {
    match value {
        Value::Boolean(truth) => Ok(truth),
        other => Err(Error::NotABoolean { value: other.to_string() }),
    }
}

fn compare(comparison: Comparison, left: &Value, right: &Value) -> Result<bool, Error> {
    match comparison {
        Comparison::Equal => return Ok(left == right),
        Comparison::NotEqual => return Ok(left != right),
        Comparison::Matches => return matches(left, right),
        Comparison::MatchesNot => return Ok(!matches(left, right)?),
        Comparison::Less
        | Comparison::LessOrEqual
        | Comparison::Greater
        | Comparison::GreaterOrEqual => {}
    }
    let order = match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.partial_cmp(right),
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        _ => None,
    };
    let order =
        order.ok_or_else(|| Error::NoOrder { left: left.to_string(), right: right.to_string() })?;
    Ok(match comparison {
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        _ => order.is_ge(),
    })
}

/// The regex crate runs in linear time; the compiled size is bounded here.
fn matches(text: &Value, pattern: &Value) -> Result<bool, Error> {
    let (Value::Text(text), Value::Text(pattern)) = (text, pattern) else {
        return Err(Error::NoOrder { left: text.to_string(), right: pattern.to_string() });
    };
    RegexBuilder::new(pattern)
        .size_limit(MAX_PATTERN_BYTES)
        .dfa_size_limit(MAX_PATTERN_BYTES)
        .build()
        .map(|regex| regex.is_match(text))
        .map_err(|_invalid| Error::Pattern { pattern: pattern.clone() })
}
