//! Dropping fields that the schema does not know.

use serde_json::Value;

use crate::schema::Schema;

/// Drops unknown fields and tells their paths; nulls that the schema does not allow go silently.
pub(crate) fn prune(value: &mut Value, schema: &Schema) -> Vec<String> {
    let mut dropped = Vec::new();
    walk(value, schema, "", &mut dropped);
    dropped
}

fn walk(value: &mut Value, schema: &Schema, path: &str, dropped: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            let open = schema.preserve || schema.embedded;
            let names: Vec<String> = map.keys().cloned().collect();
            for name in names {
                let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                if !schema.knows(&name) {
                    if !open {
                        map.remove(&name);
                        dropped.push(below);
                    }
                    continue;
                }
                let child = schema.child(&name);
                let Some(inner) = map.get_mut(&name) else { continue };
                if inner.is_null()
                    && !child.nullable
                    && child.default.is_none()
                    && !child.kind.is_empty()
                {
                    map.remove(&name);
                } else {
                    walk(inner, child, &below, dropped);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = &schema.items {
                for (index, item) in items.iter_mut().enumerate() {
                    walk(item, schema, &format!("{path}[{index}]"), dropped);
                }
            }
        }
        _ => {}
    }
}
