//! YAML text to a tree in which every key and value knows its line and column.
//!
//! The tree is what makes "refused by name and line" possible; the typed model is read from it in `template`.
//! Plain scalars keep their text as written (`1.10` stays `1.10`), anchors and merge keys are resolved.
//! Public because who judges manifests (`arc lint`) points at the same places.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use crate::TemplateSource;
pub use crate::problem::Position;
use crate::problem::Problem;

/// A template file is a few kilobytes; beyond this nobody wrote it by hand.
pub const MAX_SOURCE_BYTES: usize = 4 * 1024 * 1024;
/// Deeper nesting than any Argo manifest has; the reader recurses once per level.
const MAX_DEPTH: usize = 48;
/// Scalars and collections of one file after anchors are resolved, so that an alias bomb stops early.
const MAX_NODES: usize = 100_000;
/// Events replayed by aliases, for the same reason.
const MAX_REPLAYED_EVENTS: usize = 100_000;
/// Documents in one file.
const MAX_DOCUMENTS: usize = 256;
/// Bytes of all scalars after anchors are resolved.
const MAX_SCALAR_BYTES: usize = 16 * 1024 * 1024;

/// A value with its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it holds.
    pub value: Value,
    /// Where it begins.
    pub at: Position,
    /// Of a number or boolean what YAML makes of it; nothing for text.
    pub literal: Option<serde_json::Value>,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// Text, or a number or boolean as it is written.
    Scalar(String),
    /// A list.
    List(Vec<Node>),
    /// Keys and values, in their order.
    Map(Vec<Entry>),
}

/// One `key: value` of a map.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key begins.
    pub at: Position,
    /// The value.
    pub value: Node,
}

impl Node {
    /// Returns the value under `key` when this is a map that has one.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(entries) => {
                entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
            }
            Value::Null | Value::Scalar(_) | Value::List(_) => None,
        }
    }

    /// Returns the text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// Returns the value as JSON, numbers and booleans as such.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Scalar(text) => {
                self.literal.clone().unwrap_or_else(|| serde_json::Value::String(text.clone()))
            }
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Map(entries) => {
                let pairs = entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json()));
                serde_json::Value::Object(pairs.collect())
            }
        }
    }
}

/// Parses every document of a file; empty documents are left out.
///
/// # Errors
///
/// The first place that is not YAML, or that is larger than any manifest.
pub fn parse(source: &TemplateSource) -> Result<Vec<Node>, Problem> {
    if source.text.len() > MAX_SOURCE_BYTES {
        let message = format!("the file is larger than {MAX_SOURCE_BYTES} bytes");
        return Err(Problem::new(&source.file, Position::default(), message));
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_documents: MAX_DOCUMENTS,
            max_total_scalar_bytes: MAX_SCALAR_BYTES,
            max_total_comment_bytes: MAX_SOURCE_BYTES,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MAX_REPLAYED_EVENTS,
        },
        strict_booleans: true,
        with_snippet: false,
    };
    let documents = serde_saphyr::from_multiple_with_options::<Spanned<Raw>>(&source.text, options);
    match documents {
        Ok(documents) => {
            Ok(documents.into_iter().map(|document| convert(document, &source.text)).collect())
        }
        Err(error) => {
            let at = error.location().map_or_else(Position::default, position);
            let message = format!("invalid YAML: {}", first_line(&error.to_string()));
            Err(Problem::new(&source.file, at, message))
        }
    }
}

/// The parser's own view: typed scalars, whose text is taken from the source again.
#[derive(Debug)]
enum Raw {
    Null,
    Text(String),
    Typed(serde_json::Value),
    List(Vec<Spanned<Self>>),
    Map(Vec<(Spanned<String>, Spanned<Self>)>),
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a YAML value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Typed(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Typed(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Typed(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Typed(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

fn convert(raw: Spanned<Raw>, source: &str) -> Node {
    let at = position(raw.defined);
    let mut literal = None;
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Text(text) => Value::Scalar(text),
        Raw::Typed(typed) => {
            let text = as_written(raw.defined, source).unwrap_or_else(|| typed.to_string());
            literal = Some(typed);
            Value::Scalar(text)
        }
        Raw::List(items) => {
            Value::List(items.into_iter().map(|item| convert(item, source)).collect())
        }
        Raw::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(key, value)| Entry {
                    at: position(key.defined),
                    key: key.value,
                    value: convert(value, source),
                })
                .collect(),
        ),
    };
    Node { value, at, literal }
}

/// Numbers and booleans reach us parsed; what the author wrote is in the file.
fn as_written(location: serde_saphyr::Location, source: &str) -> Option<String> {
    let span = location.span();
    let start = usize::try_from(span.byte_offset()?).ok()?;
    let length = usize::try_from(span.byte_len()?).ok()?;
    let text = source.get(start..start.checked_add(length)?)?.trim();
    (!text.is_empty() && !text.contains('\n')).then(|| text.to_owned())
}

fn position(location: serde_saphyr::Location) -> Position {
    Position { line: location.line(), column: location.column() }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
