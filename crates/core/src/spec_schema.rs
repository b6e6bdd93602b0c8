//! The schema of an artifact's `spec`: which fields it may have, which it must have, and of what kind they are.
//!
//! A type's `specSchema` is the structural subset of an `OpenAPI` v3 schema: [`Schema::parse`] refuses every keyword that
//! [`Schema::check`] would not apply, so that nobody relies on a rule that is never looked at.
//! Stricter than `OpenAPI` in one point: a field that is not named is refused, unless `additionalProperties` says
//! otherwise. Looser in one: `null` is no value, because it never becomes a parameter.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde_json::Value;

mod check;
mod parse;

#[cfg(test)]
mod tests;

/// A schema that has been read.
#[derive(Clone, Debug)]
pub struct Schema {
    kind: Kind,
    /// The values of `enum`; nothing where any value of the kind will do.
    allowed: Option<Vec<Value>>,
}

/// A part of a schema that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The keyword or field, counted from the schema: `properties.tag.pattern`.
    pub path: String,
    /// What is wrong with it.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// A part of a value that its schema does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field, counted from where the caller said that the value stands.
    pub path: String,
    /// What kind of mistake it is.
    pub kind: ViolationKind,
    /// What is wrong, with the value given and what was expected.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// The kinds of mistakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViolationKind {
    /// A field that the schema does not name.
    UnknownField,
    /// A field that must be there and is not.
    MissingField,
    /// A value of the wrong kind, or outside of what is allowed.
    WrongValue,
}

#[derive(Clone, Debug)]
enum Kind {
    /// Anything at all: `x-kubernetes-preserve-unknown-fields` without a type.
    Any,
    Boolean,
    /// `x-kubernetes-int-or-string`.
    IntegerOrText,
    Number(Numbers),
    Text(Texts),
    List(Lists),
    Object(Objects),
}

#[derive(Clone, Debug, Default)]
struct Numbers {
    is_integer: bool,
    minimum: Option<f64>,
    maximum: Option<f64>,
    /// The bounds themselves are outside.
    is_above: bool,
    is_below: bool,
}

#[derive(Clone, Debug, Default)]
struct Texts {
    length: Sizes,
    pattern: Option<Regex>,
}

#[derive(Clone, Debug)]
struct Lists {
    items: Option<Box<Schema>>,
    length: Sizes,
    is_unique: bool,
}

#[derive(Clone, Debug)]
struct Objects {
    properties: BTreeMap<String, Schema>,
    required: BTreeSet<String>,
    others: Others,
    length: Sizes,
}

/// What is allowed besides the named fields.
#[derive(Clone, Debug)]
enum Others {
    Refused,
    Any,
    Each(Box<Schema>),
}

/// Smallest and largest number of characters, items or fields.
#[derive(Clone, Copy, Debug, Default)]
struct Sizes {
    min: Option<u64>,
    max: Option<u64>,
}

impl Schema {
    /// Returns the names of the fields at the top, with whether each must be given; nothing for other kinds of values.
    pub fn fields(&self) -> impl Iterator<Item = (&str, bool)> {
        let object = match &self.kind {
            Kind::Object(object) => Some(object),
            _ => None,
        };
        object.into_iter().flat_map(|object| {
            object.properties.keys().map(|name| (name.as_str(), object.required.contains(name)))
        })
    }
}
