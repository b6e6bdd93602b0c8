//! Reads maps field by field and remembers what was not asked for.
//!
//! `finish` refuses every field that nobody took: nothing of a template is skipped by accident.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::duration;
use crate::problem::{Position, Problem};
use crate::template::{IGNORED_FIELDS, hint};
use crate::text::Text;
use crate::yaml::{Entry, Node, Value};

/// Collects problems of one file.
#[derive(Debug)]
pub(crate) struct Reader<'file> {
    pub(crate) file: &'file str,
    pub(crate) problems: Vec<Problem>,
}

/// The fields of one map that were not taken yet.
#[derive(Debug)]
pub(crate) struct Fields<'node> {
    pub(crate) what: String,
    pub(crate) at: Position,
    entries: BTreeMap<&'node str, &'node Entry>,
}

impl<'file> Reader<'file> {
    pub(crate) fn new(file: &'file str) -> Self {
        Self { file, problems: Vec::new() }
    }

    pub(crate) fn refuse(&mut self, at: Position, message: impl Into<String>) {
        self.problems.push(Problem::new(self.file, at, message));
    }

    pub(crate) fn refuse_with_hint(
        &mut self,
        at: Position,
        message: impl Into<String>,
        hint: &str,
    ) {
        self.problems.push(Problem::new(self.file, at, message).with_hint(hint));
    }

    /// Opens a map; `what` names it in messages, such as `template "fetch"`.
    pub(crate) fn map<'node>(
        &mut self,
        node: &'node Node,
        what: impl Into<String>,
    ) -> Fields<'node> {
        let what = what.into();
        let mut entries = BTreeMap::new();
        match &node.value {
            Value::Map(list) => {
                entries.extend(
                    list.iter()
                        .filter(|entry| !matches!(entry.value.value, Value::Null))
                        .map(|entry| (entry.key.as_str(), entry)),
                );
            }
            Value::Null => {}
            Value::Scalar(_) | Value::List(_) => {
                self.refuse(node.at, format!("{what}: expected fields, found {}", kind(node)));
            }
        }
        Fields { what, at: node.at, entries }
    }

    /// Returns the items of a list.
    pub(crate) fn list<'node>(&mut self, node: &'node Node, what: &str) -> &'node [Node] {
        match &node.value {
            Value::List(items) => items,
            Value::Null => &[],
            Value::Scalar(_) | Value::Map(_) => {
                self.refuse(node.at, format!("{what}: expected a list, found {}", kind(node)));
                &[]
            }
        }
    }

    /// Returns the text of a scalar.
    pub(crate) fn string(&mut self, node: &Node, what: &str) -> Option<String> {
        let text = node.text();
        if text.is_none() {
            self.refuse(node.at, format!("{what}: expected text, found {}", kind(node)));
        }
        text.map(str::to_owned)
    }

    /// Returns a text with its placeholders.
    pub(crate) fn text(&mut self, node: &Node, what: &str) -> Option<Text> {
        let text = self.string(node, what)?;
        match Text::parse(&text, node.at) {
            Ok(text) => Some(text),
            Err(error) => {
                self.refuse_with_hint(
                    node.at,
                    format!("{what}: {error}"),
                    "use a plain placeholder such as {{inputs.parameters.name}}",
                );
                None
            }
        }
    }

    /// Returns a text that must not have placeholders, because it is needed before anything runs.
    pub(crate) fn plain(&mut self, node: &Node, what: &str) -> Option<String> {
        let text = self.text(node, what)?;
        if text.references().next().is_some() {
            self.refuse(
                node.at,
                format!("{what}: placeholders are not supported here by `arc run`"),
            );
            return None;
        }
        node.text().map(str::to_owned)
    }

    pub(crate) fn number<T: std::str::FromStr>(&mut self, node: &Node, what: &str) -> Option<T> {
        let text = self.plain(node, what)?;
        let number = text.trim().parse().ok();
        if number.is_none() {
            self.refuse(node.at, format!("{what}: {text:?} is not a number that fits here"));
        }
        number
    }

    pub(crate) fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        match self.plain(node, what)?.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            other => {
                self.refuse(node.at, format!("{what}: {other:?} is neither true nor false"));
                None
            }
        }
    }

    pub(crate) fn duration(&mut self, node: &Node, what: &str) -> Option<Duration> {
        let text = self.plain(node, what)?;
        let duration = duration::parse(&text);
        if duration.is_none() {
            self.refuse(
                node.at,
                format!("{what}: {text:?} is not a duration such as \"30\", \"90s\" or \"1h30m\""),
            );
        }
        duration
    }

    /// Refuses every field that was not taken and has a meaning on one machine.
    pub(crate) fn finish(&mut self, fields: Fields<'_>) {
        for (name, entry) in fields.entries {
            if !IGNORED_FIELDS.contains(&name) {
                let message = format!("{}: `{name}` is not supported by `arc run`", fields.what);
                self.refuse_with_hint(entry.at, message, hint(name));
            }
        }
    }
}

impl<'node> Fields<'node> {
    /// Takes a field that is set.
    pub(crate) fn take(&mut self, name: &str) -> Option<&'node Node> {
        self.entries.remove(name).map(|entry| &entry.value)
    }

    /// Takes a field that must be set.
    pub(crate) fn require(&mut self, reader: &mut Reader<'_>, name: &str) -> Option<&'node Node> {
        let node = self.take(name);
        if node.is_none() {
            reader.refuse(self.at, format!("{}: `{name}` is missing", self.what));
        }
        node
    }

    /// Whether a field is set and was not taken.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// Whether every field was taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Drops fields that have no meaning here.
    pub(crate) fn ignore(&mut self, names: &[&'static str]) {
        for name in names {
            self.entries.remove(name);
        }
    }
}

fn kind(node: &Node) -> &'static str {
    match node.value {
        Value::Null => "nothing",
        Value::Scalar(_) => "text",
        Value::List(_) => "a list",
        Value::Map(_) => "fields",
    }
}
