//! An object on its way into the store: read, completed, kept apart from what it may not touch.

use serde_json::{Map, Value, json};

use crate::{
    failure::{Failure, Outcome},
    fields::{Identity, Managers, Operation, Set},
    kind::Kind,
    request::Request,
    schema,
};

/// Metadata that only the server writes.
pub(crate) const SYSTEM: [&str; 5] =
    ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"];

/// An object that is to be written.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) value: Value,
    /// Set when server-side apply has found them out already.
    pub(crate) managers: Option<Managers>,
    pub(crate) warnings: Vec<String>,
}

/// Reads an object of the kind: unknown fields go, defaults come.
pub(crate) fn decode(
    request: &Request,
    kind: &Kind,
    value: Value,
) -> Outcome<(Value, Vec<String>)> {
    let mut value = typed(kind, value)?;
    let unknown = schema::prune(&mut value, &kind.schema);
    let lines: Vec<String> = unknown.iter().map(|path| format!("unknown field {path:?}")).collect();
    let warnings = match request.option("fieldValidation") {
        Some("Strict") if !lines.is_empty() => {
            return Err(Failure::bad_request(format!(
                "{} in version {:?} cannot be handled as a {}: strict decoding error: {}",
                kind.kind,
                kind.version,
                kind.kind,
                lines.join(", ")
            )));
        }
        Some("Strict" | "Ignore") => Vec::new(),
        _ => lines,
    };
    schema::fill_defaults(&mut value, &kind.schema);
    Ok((value, warnings))
}

/// The value with type and metadata of its kind; refuses another kind.
pub(crate) fn typed(kind: &Kind, mut value: Value) -> Outcome<Value> {
    let Some(map) = value.as_object_mut() else {
        return Err(Failure::bad_request("the body of the request is not an object"));
    };
    for (field, wanted) in [("apiVersion", kind.api_version()), ("kind", kind.kind.clone())] {
        let stated = map.entry(field).or_insert_with(|| wanted.as_str().into());
        if *stated != wanted.as_str() {
            return Err(Failure::bad_request(format!(
                "the {field} in the data ({}) does not match the expected {field} ({wanted})",
                stated.as_str().unwrap_or_default()
            )));
        }
    }
    let metadata = map.entry("metadata").or_insert_with(|| json!({}));
    if !metadata.is_object() {
        *metadata = json!({});
    }
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.retain(|_, value| !value.is_null() && !is_empty(value));
    }
    Ok(value)
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

/// Who writes with this request.
pub(crate) fn identity(request: &Request, kind: &Kind, operation: Operation) -> Identity {
    Identity {
        manager: request.manager(),
        operation,
        api_version: kind.api_version(),
        subresource: request.subresource().to_owned(),
    }
}

/// Fields that nobody comes to own through this endpoint.
pub(crate) fn ignored(kind: &Kind, subresource: &str) -> Set {
    let mut ignored = Set::default();
    if subresource == "status" {
        for field in kind.schema.properties.keys().filter(|field| *field != "status") {
            ignored.insert(format!("f:{field}"));
        }
    } else if kind.status {
        ignored.insert("f:status");
    }
    ignored
}

/// Writes the managers into the object's metadata.
pub(crate) fn set_managers(value: &mut Value, managers: &Managers) {
    if managers.is_empty() {
        if let Some(metadata) = value["metadata"].as_object_mut() {
            metadata.remove("managedFields");
        }
    } else {
        value["metadata"]["managedFields"] = managers.encode();
    }
}

/// Keeps spec and status apart, and the server's metadata as it was.
pub(crate) fn isolate(subresource: &str, kind: &Kind, live: &Value, value: &mut Value) {
    if subresource == "status" {
        let status = value.get("status").cloned();
        *value = live.clone();
        set_or_remove(value, "status", status);
    } else if kind.status {
        set_or_remove(value, "status", live.get("status").cloned());
    }
    for field in SYSTEM.into_iter().chain(["namespace", "resourceVersion"]) {
        let old = live["metadata"].get(field).cloned();
        set_or_remove(&mut value["metadata"], field, old);
    }
}

fn set_or_remove(value: &mut Value, field: &str, content: Option<Value>) {
    let Some(map) = value.as_object_mut() else { return };
    match content {
        Some(content) => map.insert(field.to_owned(), content),
        None => map.remove(field),
    };
}
