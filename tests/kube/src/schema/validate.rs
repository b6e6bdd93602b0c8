//! Judging a value by its schema, with the messages of the real server.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::{Map, Value};

use crate::{
    failure::Cause,
    schema::{ListKind, Schema},
};

/// Everything that is wrong with the value, in the order of the fields.
pub(crate) fn validate(value: &Value, schema: &Schema) -> Vec<Cause> {
    let mut causes = Vec::new();
    walk(value, schema, "", &mut causes);
    causes
}

fn walk(value: &Value, schema: &Schema, path: &str, causes: &mut Vec<Cause>) {
    if value.is_null() && schema.nullable {
        return;
    }
    if !type_fits(value, schema) {
        let shown = match value {
            Value::String(_) => "string",
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
        };
        let kind = if schema.int_or_string { "integer,string" } else { schema.kind.as_str() };
        causes.push(Cause {
            reason: "FieldValueTypeInvalid",
            message: format!(
                "Invalid value: {shown:?}: {path} in body must be of type {kind}: {shown:?}"
            ),
            field: path.to_owned(),
        });
        return;
    }
    listed(value, schema, path, causes);
    match value {
        Value::Object(map) => object(map, schema, path, causes),
        Value::Array(items) => array(items, schema, path, causes),
        Value::String(text) => string(text, schema, path, causes),
        Value::Number(_) => number(value, schema, path, causes),
        _ => {}
    }
}

fn type_fits(value: &Value, schema: &Schema) -> bool {
    if schema.int_or_string {
        return value.is_string() || value.is_i64() || value.is_u64();
    }
    match schema.kind.as_str() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0)
        }
        _ => true,
    }
}

fn listed(value: &Value, schema: &Schema, path: &str, causes: &mut Vec<Cause>) {
    let Some(allowed) = schema.source["enum"].as_array() else { return };
    if !allowed.contains(value) {
        let allowed: Vec<String> = allowed.iter().map(Value::to_string).collect();
        causes.push(Cause {
            reason: "FieldValueNotSupported",
            message: format!(
                "Unsupported value: {value}: supported values: {}",
                allowed.join(", ")
            ),
            field: path.to_owned(),
        });
    }
}

fn object(map: &Map<String, Value>, schema: &Schema, path: &str, causes: &mut Vec<Cause>) {
    let below = |name: &str| {
        if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
    };
    for name in &schema.required {
        if !map.contains_key(name) {
            causes.push(Cause::required(below(name), ""));
        }
    }
    let limit = schema.source["maxProperties"].as_u64();
    if let Some(limit) = limit.filter(|limit| map.len() as u64 > *limit) {
        causes.push(too_many(path, map.len(), limit));
    }
    for (name, value) in map {
        if schema.knows(name) {
            walk(value, schema.child(name), &below(name), causes);
        }
    }
}

fn array(items: &[Value], schema: &Schema, path: &str, causes: &mut Vec<Cause>) {
    let limit = schema.source["maxItems"].as_u64();
    if let Some(limit) = limit.filter(|limit| items.len() as u64 > *limit) {
        causes.push(too_many(path, items.len(), limit));
    }
    let least = schema.source["minItems"].as_u64();
    if let Some(least) = least.filter(|least| (items.len() as u64) < *least) {
        let message = format!("{}: {path} in body should have at least {least} items", items.len());
        causes.push(Cause::invalid(path, message));
    }
    if schema.list != ListKind::Atomic {
        let mut seen = BTreeSet::new();
        for (index, item) in items.iter().enumerate() {
            let element = crate::fields::element(item, schema);
            let shown = element.get(2..).unwrap_or_default().to_owned();
            if !seen.insert(element) {
                causes.push(Cause {
                    reason: "FieldValueDuplicate",
                    message: format!("Duplicate value: {shown}"),
                    field: format!("{path}[{index}]"),
                });
            }
        }
    }
    for (index, item) in items.iter().enumerate() {
        walk(item, schema.item(), &format!("{path}[{index}]"), causes);
    }
}

fn too_many(path: &str, found: usize, limit: u64) -> Cause {
    Cause {
        reason: "FieldValueTooMany",
        message: format!("Too many: {found}: must have at most {limit} items"),
        field: path.to_owned(),
    }
}

fn string(text: &str, schema: &Schema, path: &str, causes: &mut Vec<Cause>) {
    let length = text.chars().count() as u64;
    let most = schema.source["maxLength"].as_u64();
    if let Some(most) = most.filter(|most| length > *most) {
        causes.push(Cause {
            reason: "FieldValueTooLong",
            message: format!("Too long: may not be more than {most} bytes"),
            field: path.to_owned(),
        });
    }
    let least = schema.source["minLength"].as_u64();
    if let Some(least) = least.filter(|least| length < *least) {
        let message = format!("{text:?}: {path} in body should be at least {least} chars long");
        causes.push(Cause::invalid(path, message));
    }
    if let Some(pattern) = schema.source["pattern"].as_str()
        && Regex::new(pattern).is_ok_and(|pattern| !pattern.is_match(text))
    {
        let message = format!("{text:?}: {path} in body should match '{pattern}'");
        causes.push(Cause::invalid(path, message));
    }
    let format = schema.source["format"].as_str().unwrap_or_default();
    let wrong = match format {
        "date-time" => text.parse::<jiff::Timestamp>().is_err(),
        _ => false,
    };
    if wrong {
        let message = format!("{text:?}: {path} in body must be of type {format}: {text:?}");
        causes.push(Cause::invalid(path, message));
    }
}

fn number(value: &Value, schema: &Schema, path: &str, causes: &mut Vec<Cause>) {
    let Some(number) = value.as_f64() else { return };
    for (name, word, wrong) in [
        ("minimum", "greater", f64::lt as fn(&f64, &f64) -> bool),
        ("maximum", "less", f64::gt as fn(&f64, &f64) -> bool),
    ] {
        let limit = &schema.source[name];
        if limit.as_f64().is_some_and(|limit| wrong(&number, &limit)) {
            let message =
                format!("{value}: {path} in body should be {word} than or equal to {limit}");
            causes.push(Cause::invalid(path, message));
        }
    }
}
