//! What is wrong with an object: its schema first, then the CEL rules.

use kube::core::cel::Validator;
use serde_json::Value;

use crate::{failure::Cause, kind::Kind, schema};

/// Causes after which the rules are not asked.
const BLOCKING: [&str; 5] = [
    "FieldValueRequired",
    "FieldValueTypeInvalid",
    "FieldValueTooLong",
    "FieldValueTooMany",
    "FieldValueNotSupported",
];

/// Everything that is wrong with the object; `old` is what it replaces.
pub(crate) fn causes(
    validator: &Validator,
    kind: &Kind,
    object: &Value,
    old: Option<&Value>,
) -> Vec<Cause> {
    let mut causes = if kind.is_custom() {
        schema::validate(object, &kind.schema)
    } else {
        definition(kind, object)
    };
    ratchet(&mut causes, object, old);
    let Some(rules) = &kind.rules else { return causes };
    if causes.iter().any(|cause| BLOCKING.contains(&cause.reason)) {
        causes.push(Cause::invalid(
            "<nil>",
            "null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
        ));
        return causes;
    }
    let errors = validator.validate_compiled(rules, object, old).err();
    causes.extend(errors.into_iter().flatten().map(|error| {
        let field = if error.field_path.is_empty() { "<nil>".to_owned() } else { error.field_path };
        match error.reason.as_deref() {
            Some("FieldValueForbidden") => Cause::forbidden(field, error.message),
            Some("FieldValueRequired") => Cause::required(field, &error.message),
            _ => {
                let shown = shown(object, &field);
                Cause::invalid(field, shown + &error.message)
            }
        }
    }));
    ratchet(&mut causes, object, old);
    causes
}

/// The value that a rule refuses, as far as the real server shows it: no objects and no lists.
fn shown(object: &Value, field: &str) -> String {
    match object.pointer(&pointer(field)) {
        Some(Value::String(text)) => format!("{text:?}: "),
        Some(value @ (Value::Bool(_) | Value::Number(_))) => format!("{value}: "),
        _ => String::new(),
    }
}

/// The JSON pointer of a field.
fn pointer(field: &str) -> String {
    format!("/{}", field.replace(['.', '['], "/").replace(']', ""))
}

/// Forgives what was wrong before and did not change, as the real server does for custom resources.
fn ratchet(causes: &mut Vec<Cause>, object: &Value, old: Option<&Value>) {
    let Some(old) = old else { return };
    causes.retain(|cause| {
        let missing = cause.reason == "FieldValueRequired" && cause.message == "Required value";
        let place = match cause.field.rsplit_once('.') {
            Some((parent, _)) if missing => parent,
            _ => cause.field.as_str(),
        };
        let pointer = pointer(place);
        let now = object.pointer(&pointer);
        now.is_none() || now != old.pointer(&pointer)
    });
}

/// What is wrong with a definition, as far as tests get it wrong.
fn definition(kind: &Kind, object: &Value) -> Vec<Cause> {
    if !kind.is("customresourcedefinitions.apiextensions.k8s.io") {
        return Vec::new();
    }
    let spec = &object["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let wanted = format!("{}.{}", text(&spec["names"]["plural"]), text(&spec["group"]));
    let name = text(&object["metadata"]["name"]);
    if name == wanted {
        return Vec::new();
    }
    let message = format!("{name:?}: must be spec.names.plural+\".\"+spec.group");
    vec![Cause::invalid("metadata.name", message)]
}
