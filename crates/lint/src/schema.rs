//! Compares ARC's own kinds with their definitions, field by field, as an API server does.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use arc_core::spec_schema::{Schema, ViolationKind};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::finding::Findings;
use crate::object::{Kind, Object};
use crate::rules;

/// The schemas of all kinds, from the definitions that are applied to a cluster.
static SCHEMAS: LazyLock<BTreeMap<String, Schema>> = LazyLock::new(|| {
    let definitions = arc_api::crds().into_iter().filter_map(|definition| {
        let version = definition.spec.versions.into_iter().next()?;
        let schema = serde_json::to_value(version.schema?.open_api_v3_schema?).ok()?;
        // A definition that cannot be read is left out, which a test would notice.
        Some((definition.spec.names.kind, Schema::parse(whole(schema).as_object()?).ok()?))
    });
    definitions.collect()
});

/// Reports every field that is unknown, missing or wrong.
pub(crate) fn check(object: &Object<'_>, findings: &mut Findings) {
    let Some(schema) = SCHEMAS.get(object.kind.as_str()) else { return };
    for violation in schema.check(&object.node.to_json(), "") {
        let path = violation.path.trim_start_matches('.');
        let (rule, at) = match violation.kind {
            ViolationKind::UnknownField => (rules::UNKNOWN_FIELD, object.key(path)),
            ViolationKind::MissingField | ViolationKind::WrongValue => {
                (rules::INVALID_FIELD, object.value(path))
            }
        };
        let message = if path.is_empty() {
            violation.message
        } else {
            format!("{path}: {}", violation.message)
        };
        findings.add(object.source, rule, at, (message, Some(violation.hint)));
    }
}

/// Reads an object in spite of fields that are missing or wrong, so that the rest of it can be judged.
///
/// What is missing or wrong is empty, and was reported by [`check`].
pub(crate) fn read<T: DeserializeOwned>(object: &Object<'_>) -> Option<T> {
    let json = object.node.to_json();
    if let Ok(typed) = serde_json::from_value(json.clone()) {
        return Some(typed);
    }
    let violations = SCHEMAS.get(object.kind.as_str())?.check(&json, "");
    for empty in [Value::Null, Value::String(String::new())] {
        let mut mended = json.clone();
        for violation in &violations {
            let tokens = tokens(&violation.path);
            match violation.kind {
                ViolationKind::UnknownField => {}
                ViolationKind::WrongValue => {
                    if let Some(place) = mended.pointer_mut(&tokens) {
                        *place = empty.clone();
                    }
                }
                ViolationKind::MissingField => {
                    let name = violation.message.split('`').nth(1).unwrap_or_default();
                    let fields = mended.pointer_mut(&tokens).and_then(Value::as_object_mut);
                    if let Some(fields) = fields {
                        fields.insert(name.to_owned(), Value::String(String::new()));
                    }
                }
            }
        }
        if let Ok(typed) = serde_json::from_value(mended) {
            return Some(typed);
        }
    }
    None
}

/// A path such as `.spec.artifacts[0].type` as a JSON pointer; keys that need quotes are not ours.
fn tokens(path: &str) -> String {
    path.replace('[', ".").replace(']', "").replace('.', "/")
}

/// Tells whether a problem is about a field that [`read`] left empty, which was reported before.
pub(crate) fn is_about_mended(message: &str) -> bool {
    message.contains("\"\"")
}

/// Tells whether a kind has a schema of ours.
pub(crate) const fn is_ours(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::WorkflowTemplate | Kind::ClusterWorkflowTemplate | Kind::Secret | Kind::Policy
    )
}

/// The schema of a whole object: a definition leaves out what is the same for all of them.
fn whole(schema: Value) -> Value {
    let mut schema = plain(schema);
    let any = json!({"x-kubernetes-preserve-unknown-fields": true});
    let texts = json!({"type": "object", "additionalProperties": {"type": "string"}});
    let mut metadata = Map::new();
    for name in ["name", "namespace", "generateName", "uid", "resourceVersion", "selfLink"] {
        metadata.insert(name.to_owned(), json!({"type": "string"}));
    }
    for name in ["labels", "annotations"] {
        metadata.insert(name.to_owned(), texts.clone());
    }
    for name in [
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "finalizers",
        "generation",
        "managedFields",
        "ownerReferences",
    ] {
        metadata.insert(name.to_owned(), any.clone());
    }
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.insert("apiVersion".to_owned(), json!({"type": "string"}));
        properties.insert("kind".to_owned(), json!({"type": "string"}));
        properties.insert("metadata".to_owned(), json!({"type": "object", "properties": metadata}));
        // What ARC writes is ARC's business.
        properties.insert("status".to_owned(), any);
    }
    schema
}

/// Leaves out what only an API server applies: rules in CEL, merging, defaults.
fn plain(schema: Value) -> Value {
    match schema {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter_map(|(name, value)| match name.as_str() {
                "x-kubernetes-preserve-unknown-fields" | "x-kubernetes-int-or-string" => {
                    Some((name, value))
                }
                // Names below `properties` are fields and not keywords.
                "properties" => {
                    let properties = value.as_object().cloned().unwrap_or_default();
                    let plain = properties.into_iter().map(|(name, value)| (name, plain(value)));
                    Some((name, Value::Object(plain.collect())))
                }
                "default" => None,
                _ if name.starts_with("x-kubernetes-") => None,
                _ => Some((name, plain(value))),
            });
            Value::Object(kept.collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_the_group_has_a_schema() {
        let kinds: Vec<_> = SCHEMAS.keys().map(String::as_str).collect();
        assert_eq!(
            kinds,
            ["ArtifactType", "ArtifactWorkflow", "ClusterArtifactType", "Endpoint", "Order"]
        );
    }
}
