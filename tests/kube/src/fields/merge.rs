//! Laying an applied configuration over the live object.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Map, Value};

use crate::{
    fields::walk::{Node, element, node},
    schema::Schema,
};

/// The live value with everything that the configuration states.
pub(crate) fn merge(live: &Value, config: &Value, schema: &Schema) -> Value {
    match (node(live, schema), node(config, schema)) {
        (Node::Map(live), Node::Map(config)) => Value::Object(maps(live, config, schema)),
        (Node::List(live), Node::List(config)) => Value::Array(lists(live, config, schema)),
        _ => config.clone(),
    }
}

fn maps(
    live: &Map<String, Value>,
    config: &Map<String, Value>,
    schema: &Schema,
) -> Map<String, Value> {
    let mut out = live.clone();
    for (name, value) in config {
        let merged = match live.get(name) {
            Some(old) => merge(old, value, schema.child(name)),
            None => value.clone(),
        };
        out.insert(name.clone(), merged);
    }
    out
}

/// Keeps the order of both lists as far as they agree; where they do not, the configuration's wins.
fn lists(live: &[Value], config: &[Value], schema: &Schema) -> Vec<Value> {
    let left: Vec<String> = live.iter().map(|item| element(item, schema)).collect();
    let right: Vec<String> = config.iter().map(|item| element(item, schema)).collect();
    let of_left: BTreeMap<&String, &Value> = left.iter().zip(live).collect();
    let in_right: BTreeSet<&String> = right.iter().collect();
    let mut shared: VecDeque<&String> =
        right.iter().filter(|path| of_left.contains_key(path)).collect();
    let mut next = shared.pop_front();
    let mut merged: BTreeSet<&String> = BTreeSet::new();
    let mut out = Vec::new();
    let (mut l, mut r) = (0, 0);
    while l < left.len() || r < right.len() {
        if let Some(path) = left.get(l) {
            if !in_right.contains(path) {
                out.extend(live.get(l).cloned());
                l += 1;
                continue;
            }
            let both = right.get(r);
            if both.is_some_and(|other| other != path) && next.is_some_and(|next| next != path) {
                l += 1;
                continue;
            }
            if both != Some(path) && merged.contains(path) {
                l += 1;
            }
        }
        if let (Some(path), Some(item)) = (right.get(r), config.get(r)) {
            if left.get(l) == Some(path) {
                l += 1;
            }
            merged.insert(path);
            out.push(match of_left.get(path) {
                Some(old) => merge(old, item, schema.item()),
                None => item.clone(),
            });
            r += 1;
            if next == Some(path) {
                next = shared.pop_front();
            }
        } else if left.get(l).is_some_and(|path| in_right.contains(path)) {
            l += 1;
        }
    }
    out
}
