//! What differs between two values, as sets of fields.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    fields::{
        Set,
        walk::{Node, element, node},
    },
    schema::Schema,
};

/// The fields in which a new value differs from an old one.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    pub(crate) added: Set,
    pub(crate) removed: Set,
    pub(crate) modified: Set,
}

impl Comparison {
    pub(crate) fn is_same(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.modified.is_empty()
    }

    /// The same without the ignored fields.
    pub(crate) fn without(self, ignored: &Set) -> Self {
        Self {
            added: self.added.without(ignored),
            removed: self.removed.without(ignored),
            modified: self.modified.without(ignored),
        }
    }

    /// What the one who made the change now owns.
    pub(crate) fn taken(&self) -> Set {
        self.added.union(&self.modified)
    }
}

/// Compares two values of one schema.
pub(crate) fn compare(old: &Value, new: &Value, schema: &Schema) -> Comparison {
    let mut comparison = Comparison::default();
    below(Some(old), Some(new), schema, &mut comparison);
    comparison
}

fn below(old: Option<&Value>, new: Option<&Value>, schema: &Schema, out: &mut Comparison) {
    let shape = new.or(old);
    match shape.map_or(Node::Leaf, |value| node(value, schema)) {
        Node::Leaf => {}
        Node::Map(_) => {
            let old = old.and_then(Value::as_object);
            let new = new.and_then(Value::as_object);
            for (name, value) in old.into_iter().flatten() {
                let theirs = new.and_then(|new| new.get(name));
                at(format!("f:{name}"), (Some(value), theirs), schema.child(name), out);
            }
            for (name, value) in new.into_iter().flatten() {
                if old.is_none_or(|old| !old.contains_key(name)) {
                    at(format!("f:{name}"), (None, Some(value)), schema.child(name), out);
                }
            }
        }
        Node::List(_) => {
            let old = by_element(old, schema);
            let new = by_element(new, schema);
            for (path, value) in &old {
                at(path.clone(), (Some(value), new.get(path).copied()), schema.item(), out);
            }
            for (path, value) in &new {
                if !old.contains_key(path) {
                    at(path.clone(), (None, Some(value)), schema.item(), out);
                }
            }
        }
    }
}

fn by_element<'a>(list: Option<&'a Value>, schema: &Schema) -> BTreeMap<String, &'a Value> {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items.map(|item| (element(item, schema), item)).collect()
}

fn at(path: String, pair: (Option<&Value>, Option<&Value>), schema: &Schema, out: &mut Comparison) {
    if pair.0 == pair.1 {
        return;
    }
    let leaf = |value: Option<&Value>| {
        value.is_some_and(|value| matches!(node(value, schema), Node::Leaf))
    };
    if let (Some(old), Some(new)) = pair {
        let kinds_differ = old.is_object() != new.is_object() || old.is_array() != new.is_array();
        if leaf(pair.0) || leaf(pair.1) || kinds_differ {
            out.modified.insert(path);
            return;
        }
    }
    let mut sub = Comparison::default();
    below(pair.0, pair.1, schema, &mut sub);
    if pair.0.is_none() {
        out.added.insert(path.clone());
    } else if pair.1.is_none() {
        out.removed.insert(path.clone());
    }
    out.added.put(path.clone(), sub.added);
    out.removed.put(path.clone(), sub.removed);
    out.modified.put(path, sub.modified);
}
