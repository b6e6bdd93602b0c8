//! From values to sets of fields.

use serde_json::{Map, Value};

use crate::{
    fields::Set,
    schema::{ListKind, Schema},
};

/// How a value takes part in merging.
pub(crate) enum Node<'a> {
    /// As a whole.
    Leaf,
    /// Field by field.
    Map(&'a Map<String, Value>),
    /// Item by item, found by key or by value.
    List(&'a [Value]),
}

/// How this value takes part in merging under this schema.
pub(crate) fn node<'a>(value: &'a Value, schema: &Schema) -> Node<'a> {
    match value {
        Value::Object(map) if !schema.atomic_map => Node::Map(map),
        Value::Array(items) if schema.list != ListKind::Atomic => Node::List(items),
        _ => Node::Leaf,
    }
}

/// The path element of an item of a list set or list map.
pub(crate) fn element(item: &Value, schema: &Schema) -> String {
    match &schema.list {
        ListKind::Map(keys) => {
            let mut key = Map::new();
            for name in keys {
                let value =
                    item.get(name).cloned().or_else(|| schema.item().child(name).default.clone());
                key.insert(name.clone(), value.unwrap_or(Value::Null));
            }
            format!("k:{}", Value::Object(key))
        }
        ListKind::Set | ListKind::Atomic => format!("v:{item}"),
    }
}

/// All fields that a value states, as an applied configuration owns them.
pub(crate) fn to_set(value: &Value, schema: &Schema) -> Set {
    let mut set = Set::default();
    match node(value, schema) {
        Node::Leaf => {}
        Node::Map(map) => {
            for (name, child) in map {
                let below = schema.child(name);
                let path = format!("f:{name}");
                let empty = child.as_object().is_some_and(Map::is_empty);
                let leaf = matches!(node(child, below), Node::Leaf);
                if leaf || empty || !schema.properties.contains_key(name) {
                    set.insert(path.clone());
                }
                set.put(path, to_set(child, below));
            }
        }
        Node::List(items) => {
            for item in items {
                let path = element(item, schema);
                set.insert(path.clone());
                set.put(path, to_set(item, schema.item()));
            }
        }
    }
    set
}

/// The set plus every declared field that has something below it.
pub(crate) fn ensure_named(set: &Set, schema: &Schema) -> Set {
    let mut out = Set { members: set.members.clone(), ..Set::default() };
    for (path, below) in &set.children {
        let field = path.strip_prefix("f:");
        if field.is_some_and(|name| schema.properties.contains_key(name)) {
            out.insert(path.clone());
        }
        let child = field.map_or_else(|| schema.item(), |name| schema.child(name));
        out.put(path.clone(), ensure_named(below, child));
    }
    out
}
