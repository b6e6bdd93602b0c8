//! Merge patches: RFC 7386, and the strategic kind for built-in kinds.

use serde_json::{Map, Value};

use crate::schema::{ListKind, Schema};

/// The value with the merge patch in it.
pub(crate) fn merged(value: &Value, patch: &Value) -> Value {
    let Some(patch) = patch.as_object() else { return patch.clone() };
    let mut out = value.as_object().cloned().unwrap_or_default();
    for (name, change) in patch {
        if change.is_null() {
            out.remove(name);
        } else {
            let old = out.get(name).unwrap_or(&Value::Null);
            let new = merged(old, change);
            out.insert(name.clone(), new);
        }
    }
    Value::Object(out)
}

/// The value with the strategic merge patch in it: lists with keys merge by key.
pub(crate) fn strategic(value: &Value, patch: &Value, schema: &Schema) -> Value {
    match (value, patch) {
        (Value::Object(old), Value::Object(patch)) => {
            if patch.get("$patch").is_some_and(|directive| directive == "replace") {
                return Value::Object(plain(patch));
            }
            let mut out = old.clone();
            for (name, change) in plain(patch) {
                if change.is_null() {
                    out.remove(&name);
                } else {
                    let child = schema.child(&name);
                    let old = out.get(&name).cloned().unwrap_or(Value::Null);
                    out.insert(name, strategic(&old, &change, child));
                }
            }
            Value::Object(out)
        }
        (Value::Array(old), Value::Array(patch)) => match &schema.list {
            ListKind::Map(keys) => Value::Array(items(old, patch, schema, keys)),
            ListKind::Set => {
                let mut out = old.clone();
                out.extend(patch.iter().filter(|item| !old.contains(item)).cloned());
                Value::Array(out)
            }
            ListKind::Atomic => Value::Array(patch.clone()),
        },
        _ => patch.clone(),
    }
}

fn plain(patch: &Map<String, Value>) -> Map<String, Value> {
    let mut patch = patch.clone();
    patch.retain(|name, _| !name.starts_with('$'));
    patch
}

fn items(old: &[Value], patch: &[Value], schema: &Schema, keys: &[String]) -> Vec<Value> {
    let mut out = old.to_vec();
    for change in patch {
        let at =
            out.iter().position(|item| keys.iter().all(|key| item.get(key) == change.get(key)));
        let delete = change.get("$patch").is_some_and(|directive| directive == "delete");
        match at {
            Some(at) if delete => {
                out.remove(at);
            }
            Some(at) => {
                if let Some(item) = out.get_mut(at) {
                    *item = strategic(item, change, schema.item());
                }
            }
            None if delete => {}
            None => out.push(change.clone()),
        }
    }
    out
}
