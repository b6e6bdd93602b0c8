//! Label and field selectors.

use serde_json::Value;

use crate::{
    failure::{Failure, Outcome},
    kind::Kind,
    request::Request,
    store::Object,
};

#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

impl Requirement {
    fn matches(&self, labels: &Value) -> bool {
        let get = |key: &str| labels.get(key).and_then(Value::as_str);
        match self {
            Self::In(key, values) => {
                get(key).is_some_and(|value| values.iter().any(|v| v == value))
            }
            Self::NotIn(key, values) => {
                get(key).is_none_or(|value| values.iter().all(|v| v != value))
            }
            Self::Exists(key) => get(key).is_some(),
            Self::Absent(key) => get(key).is_none(),
        }
    }
}

/// Which objects a list or watch wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    namespace: Option<String>,
    labels: Vec<Requirement>,
    /// Path, value, and whether it must be equal.
    fields: Vec<(Vec<String>, String, bool)>,
}

impl Selector {
    /// Reads namespace and selectors of a request.
    pub(crate) fn of(request: &Request, kind: &Kind) -> Outcome<Self> {
        let target = request.target.as_ref();
        Ok(Self {
            namespace: target.and_then(|target| target.namespace.clone()),
            labels: labels(request.option("labelSelector").unwrap_or_default())?,
            fields: fields(request.option("fieldSelector").unwrap_or_default(), kind)?,
        })
    }

    /// Tells whether it selects by anything but the namespace.
    pub(crate) fn is_narrow(&self) -> bool {
        !self.labels.is_empty() || !self.fields.is_empty()
    }

    pub(crate) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    pub(crate) fn matches(&self, object: &Object) -> bool {
        let metadata = &object.value["metadata"];
        let inside =
            self.namespace.as_deref().is_none_or(|namespace| metadata["namespace"] == namespace);
        inside
            && self.labels.iter().all(|requirement| requirement.matches(&metadata["labels"]))
            && self.fields.iter().all(|(path, wanted, equal)| {
                let mut value = &object.value;
                for part in path {
                    value = &value[part];
                }
                let text = match value {
                    Value::String(text) => text.clone(),
                    Value::Null => String::new(),
                    other => other.to_string(),
                };
                (text == *wanted) == *equal
            })
    }
}

fn labels(text: &str) -> Outcome<Vec<Requirement>> {
    split(text).iter().map(|part| requirement(part.trim())).collect()
}

/// Splits at commas outside of parentheses.
fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_u32;
    for letter in text.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if letter == ',' && depth == 0 {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(letter);
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

fn requirement(part: &str) -> Outcome<Requirement> {
    let owned = |text: &str| text.trim().to_owned();
    if let Some(key) = part.strip_prefix('!') {
        return Ok(Requirement::Absent(owned(key)));
    }
    for (operator, negated) in [("!=", true), ("==", false), ("=", false)] {
        if let Some((key, value)) = part.split_once(operator) {
            let values = vec![owned(value)];
            let key = owned(key);
            return Ok(if negated {
                Requirement::NotIn(key, values)
            } else {
                Requirement::In(key, values)
            });
        }
    }
    let Some((head, list)) = part.split_once('(') else {
        if part.contains(' ') {
            return Err(unreadable(part));
        }
        return Ok(Requirement::Exists(owned(part)));
    };
    let values = list.trim_end_matches(')').split(',').map(owned).collect();
    match head.split_whitespace().collect::<Vec<_>>().as_slice() {
        [key, "in"] => Ok(Requirement::In(owned(key), values)),
        [key, "notin"] => Ok(Requirement::NotIn(owned(key), values)),
        _ => Err(unreadable(part)),
    }
}

fn unreadable(part: &str) -> Failure {
    Failure::bad_request(format!("unable to parse requirement: {part}"))
}

fn fields(text: &str, kind: &Kind) -> Outcome<Vec<(Vec<String>, String, bool)>> {
    let mut out = Vec::new();
    for part in split(text) {
        let (path, value, equal) = if let Some((path, value)) = part.split_once("!=") {
            (path, value, false)
        } else if let Some((path, value)) = part.split_once('=') {
            (path, value.trim_start_matches('='), true)
        } else {
            return Err(Failure::bad_request(format!(
                "invalid selector: {part:?}; can't understand {part:?}"
            )));
        };
        let common = path == "metadata.name" || (path == "metadata.namespace" && kind.namespaced);
        if !common && !kind.selectable.iter().any(|known| known == path) {
            return Err(Failure::bad_request(format!("field label not supported: {path}")));
        }
        out.push((path.split('.').map(str::to_owned).collect(), value.to_owned(), equal));
    }
    Ok(out)
}
