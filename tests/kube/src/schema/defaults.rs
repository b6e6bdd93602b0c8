//! Filling in defaults.

use serde_json::Value;

use crate::schema::Schema;

/// Fills in every default of a field that is absent, or null where null is not allowed.
pub(crate) fn fill_defaults(value: &mut Value, schema: &Schema) {
    match value {
        Value::Object(map) => {
            for (name, child) in &schema.properties {
                let Some(default) = &child.default else { continue };
                let absent = map.get(name).is_none_or(|value| value.is_null() && !child.nullable);
                if absent {
                    map.insert(name.clone(), default.clone());
                }
            }
            for (name, value) in map.iter_mut() {
                if schema.knows(name) {
                    fill_defaults(value, schema.child(name));
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = &schema.items {
                for item in items {
                    fill_defaults(item, schema);
                }
            }
        }
        _ => {}
    }
}
