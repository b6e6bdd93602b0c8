//! Compares an answer with the recorded one.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::bindings::Bindings;

/// Fields whose value is a time of the server.
const TIMES: [&str; 3] = ["creationTimestamp", "deletionTimestamp", "time"];

/// Adds a line for everything that differs.
pub(crate) fn compare(
    recorded: &Value,
    answered: &Value,
    path: &str,
    bindings: &mut Bindings,
    out: &mut Vec<String>,
) {
    match (recorded, answered) {
        (Value::Object(recorded), Value::Object(answered)) => {
            objects((recorded, answered), path, bindings, out);
        }
        (Value::Array(recorded), Value::Array(answered)) => {
            if recorded.len() != answered.len() {
                let (recorded, answered) = (recorded.len(), answered.len());
                out.push(format!("{path}: recorded {recorded} items, answered {answered}"));
            }
            for (index, (recorded, answered)) in recorded.iter().zip(answered).enumerate() {
                compare(recorded, answered, &format!("{path}[{index}]"), bindings, out);
            }
        }
        (Value::String(recorded), Value::String(answered)) => {
            if !texts(recorded, answered, path, bindings) {
                out.push(format!("{path}: recorded {recorded:?}, answered {answered:?}"));
            }
        }
        _ if recorded == answered => {}
        _ => out.push(format!("{path}: recorded {recorded}, answered {answered}")),
    }
}

fn objects(
    (recorded, answered): (&Map<String, Value>, &Map<String, Value>),
    path: &str,
    bindings: &mut Bindings,
    out: &mut Vec<String>,
) {
    // The uid first: other fields refer to it.
    let mut names: Vec<&String> = recorded.keys().collect();
    names.sort_by_key(|name| (name.as_str() != "metadata", name.as_str() != "uid"));
    let mut expected = Vec::new();
    for name in names {
        let here = bindings.text(name);
        let below = format!("{path}.{name}");
        match answered.get(&here) {
            Some(value) => compare(&recorded[name], value, &below, bindings, out),
            None => out.push(format!("{below}: recorded {}, not answered", recorded[name])),
        }
        expected.push(here);
    }
    for (name, value) in answered.iter().filter(|(name, _)| !expected.contains(name)) {
        out.push(format!("{path}.{name}: not recorded, answered {value}"));
    }
}

fn texts(recorded: &str, answered: &str, path: &str, bindings: &mut Bindings) -> bool {
    let field = path.rsplit('.').next().unwrap_or_default();
    match field {
        "uid" => recorded.len() == answered.len() && bindings.bind(recorded, answered),
        "resourceVersion" => bindings.bind_version(recorded, answered),
        "continue" if !recorded.is_empty() => {
            token(recorded) == token(answered) && bindings.bind(recorded, answered)
        }
        "name" if recorded.starts_with("gen-") => {
            recorded.len() == answered.len() && bindings.bind(recorded, answered)
        }
        field if TIMES.contains(&field) => {
            recorded.len() == answered.len() && answered.ends_with('Z')
        }
        "message" if recorded.starts_with("too old resource version: ") => {
            let shape = |text: &str| text.replace(|letter: char| letter.is_ascii_digit(), "");
            shape(recorded) == shape(answered)
        }
        _ => bindings.text(recorded) == answered,
    }
}

/// What a continue token says, its version aside.
fn token(text: &str) -> Value {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
    let mut token: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    token["rv"] = Value::Null;
    token
}
