//! Flattens an artifact's free-form `spec` into parameters: `config.port` becomes `specConfigPort`.
//!
//! Names are camel case all the way down, values are text: numbers in canonical JSON's spelling without an exponent,
//! booleans as `true` and `false`, null and empty containers left out.
//! Nothing is dropped silently: an empty key, a key with other characters, two keys that fall on one name, a number
//! that JSON's doubles cannot hold and everything too deep, too long or too much is a problem.
//! Whether a value is an acceptable *text* is for [`crate::expansion`].

use std::collections::BTreeMap;

use arc_api::reasons::Reason;
use serde_json::{Map, Value};

use crate::problem::Problem;
use crate::text::shorten;

mod number;

#[cfg(test)]
mod tests;

/// What every name from an artifact's spec begins with, so that it cannot take the name of a fact.
const PREFIX: &str = "spec";

/// Deepest nesting that is read: parameters are names for a human, and recursion must end.
const MAX_DEPTH: usize = 16;

/// Most parameters of one artifact: each is repeated in the Argo workflow and in every container of its pod.
const MAX_PARAMETERS: usize = 256;

/// Longest value in bytes: Linux refuses one environment variable above 128 KiB, and a name goes with it.
const MAX_VALUE_BYTES: usize = 64 * 1024;

/// All values of one artifact together, in bytes: they stand in three objects of at most 1.5 MiB each.
const MAX_TOTAL_BYTES: usize = 256 * 1024;

/// Longest name in bytes, the length of a Kubernetes label's part doubled.
const MAX_NAME_BYTES: usize = 126;

/// Most characters of a value or key that a message repeats.
const SHOWN_CHARS: usize = 40;

/// One parameter from an artifact's spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlatValue {
    /// The value as text.
    pub value: String,
    /// Where it was written: `spec.artifacts[0].spec.config.port`.
    pub path: String,
}

/// The parameters of a spec, and what could not become one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flattened {
    /// Parameter name to value.
    pub parameters: BTreeMap<String, FlatValue>,
    /// In the order of the keys.
    pub problems: Vec<Problem>,
}

impl Flattened {
    fn refuse(&mut self, path: &str, reason: Reason, message: impl Into<String>, hint: &str) {
        self.problems.push(Problem::new(path, reason, message).hint(hint));
    }
}

/// Flattens `spec`; `path` is where it stands, for the problems.
///
/// ```
/// let spec = serde_json::json!({"config": {"port": 1000000}, "tags": ["a"], "scan-severity": "HIGH"});
/// let flat = arc_core::flatten::flatten(spec.as_object().expect("an object"), "spec.artifacts[0].spec");
/// let names: Vec<_> = flat.parameters.iter().map(|(name, flat)| (name.as_str(), flat.value.as_str())).collect();
/// assert_eq!(names, [("specConfigPort", "1000000"), ("specScanSeverity", "HIGH"), ("specTags0", "a")]);
/// ```
pub fn flatten(spec: &Map<String, Value>, path: &str) -> Flattened {
    let mut flat = Flattened::default();
    map(&mut flat, spec, &Place { name: PREFIX.to_owned(), path: path.to_owned(), depth: 1 });
    let total: usize = flat.parameters.values().map(|flat| flat.value.len()).sum();
    if total > MAX_TOTAL_BYTES {
        let message = format!(
            "all values together have {total} bytes; at most {MAX_TOTAL_BYTES} are allowed"
        );
        flat.refuse(
            path,
            Reason::TooLarge,
            message,
            "refer to large content instead of writing it into the order",
        );
    }
    if flat.parameters.len() > MAX_PARAMETERS {
        let message = format!(
            "{} values would become parameters; at most {MAX_PARAMETERS} are allowed",
            flat.parameters.len()
        );
        flat.refuse(path, Reason::TooLarge, message, "spread the content over several artifacts");
    }
    flat
}

/// Where in the spec we are: the name so far and the path so far.
struct Place {
    name: String,
    path: String,
    depth: usize,
}

fn value(flat: &mut Flattened, value: &Value, place: &Place) {
    let text = match value {
        Value::Null => return,
        Value::Bool(true) => "true".to_owned(),
        Value::Bool(false) => "false".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => {
            let Some(text) = number::canonical(number) else {
                let message = format!("{number} cannot be held exactly as a JSON number");
                let hint = "write the number in quotes";
                return flat.refuse(&place.path, Reason::InvalidSpec, message, hint);
            };
            text
        }
        Value::Object(_) | Value::Array(_) if place.depth >= MAX_DEPTH => {
            let message = format!("nested deeper than {MAX_DEPTH} levels");
            return flat.refuse(&place.path, Reason::TooLarge, message, "write it flatter");
        }
        Value::Object(entries) => return map(flat, entries, place),
        Value::Array(items) => return list(flat, items, place),
    };
    add(flat, text, place);
}

fn map(flat: &mut Flattened, entries: &Map<String, Value>, place: &Place) {
    // Sorted here: whether serde_json keeps the written order depends on a feature that any crate may switch on.
    let sorted: BTreeMap<&String, &Value> = entries.iter().collect();
    for (key, entry) in sorted {
        let path = key_path(&place.path, key);
        match camel(key) {
            Ok(camel) => {
                let name = format!("{}{camel}", place.name);
                value(flat, entry, &Place { name, path, depth: place.depth + 1 });
            }
            Err(message) => {
                flat.refuse(
                    &path,
                    Reason::InvalidSpec,
                    message,
                    "name the key with letters, digits, `-`, `_` or `.`",
                );
            }
        }
    }
}

fn list(flat: &mut Flattened, items: &[Value], place: &Place) {
    for (index, item) in items.iter().enumerate() {
        let name = format!("{}{index}", place.name);
        let path = format!("{}[{index}]", place.path);
        value(flat, item, &Place { name, path, depth: place.depth + 1 });
    }
}

fn add(flat: &mut Flattened, text: String, place: &Place) {
    if text.len() > MAX_VALUE_BYTES {
        let message =
            format!("the value has {} bytes; at most {MAX_VALUE_BYTES} are allowed", text.len());
        return flat.refuse(
            &place.path,
            Reason::TooLarge,
            message,
            "refer to large content instead of writing it into the order",
        );
    }
    if text.contains('\0') {
        let hint = "remove it; no environment variable can hold one";
        return flat.refuse(
            &place.path,
            Reason::InvalidSpec,
            "the value contains a NUL character",
            hint,
        );
    }
    if place.name.len() > MAX_NAME_BYTES {
        let shown = shorten(&place.name, SHOWN_CHARS);
        let message = format!("the parameter name {shown:?} has {} bytes", place.name.len());
        return flat.refuse(
            &place.path,
            Reason::TooLarge,
            message,
            "use shorter keys; 126 bytes are allowed",
        );
    }
    if let Some(other) = flat.parameters.get(&place.name) {
        let message = format!("falls on parameter {:?}, as {} does", place.name, other.path);
        return flat.refuse(
            &place.path,
            Reason::ParameterCollision,
            message,
            "rename one of the two keys",
        );
    }
    flat.parameters.insert(place.name.clone(), FlatValue { value: text, path: place.path.clone() });
}

/// Turns `scan-severity` into `ScanSeverity`; letters that are not the first of a word stay as they are.
fn camel(key: &str) -> Result<String, String> {
    if let Some(bad) = key.chars().find(|c| !c.is_ascii_alphanumeric() && !SEPARATORS.contains(c)) {
        return Err(format!("the key {:?} contains {bad:?}", shorten(key, SHOWN_CHARS)));
    }
    let mut camel = String::with_capacity(key.len());
    for word in key.split(SEPARATORS) {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    if camel.is_empty() {
        Err(format!("the key {key:?} has no letters or digits"))
    } else {
        Ok(camel)
    }
}

const SEPARATORS: [char; 3] = ['-', '_', '.'];

/// `a.b` for a plain key, `a["b c"]` for one that would not be seen as one.
pub(crate) fn key_path(path: &str, key: &str) -> String {
    let is_plain = !key.is_empty()
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if is_plain {
        format!("{path}.{key}")
    } else {
        format!("{path}[{:?}]", shorten(key, SHOWN_CHARS))
    }
}
