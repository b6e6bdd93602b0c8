//! Taking fields out of a value.

use serde_json::{Map, Value};

use crate::{
    fields::{
        Set,
        walk::{Node, element, node},
    },
    schema::Schema,
};

/// The value without the paths of the set.
pub(crate) fn remove(value: &Value, set: &Set, schema: &Schema) -> Value {
    match node(value, schema) {
        Node::Leaf => value.clone(),
        Node::Map(map) => {
            let mut out = Map::new();
            for (name, child) in map {
                let path = format!("f:{name}");
                if set.has(&path) {
                    continue;
                }
                let kept = match set.below(&path) {
                    Some(below) => remove(child, below, schema.child(name)),
                    None => child.clone(),
                };
                out.insert(name.clone(), kept);
            }
            Value::Object(out)
        }
        Node::List(items) => {
            let kept = items.iter().filter_map(|item| {
                let path = element(item, schema);
                match set.below(&path) {
                    _ if set.has(&path) => None,
                    Some(below) => Some(remove(item, below, schema.item())),
                    None => Some(item.clone()),
                }
            });
            Value::Array(kept.collect())
        }
    }
}
