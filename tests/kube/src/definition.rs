//! `CustomResourceDefinition`s: what the server adds to them, and the kinds that come of them.

use kube::core::cel::compile_schema;
use serde_json::{Value, json};

use crate::{
    kind::{Column, Kind, Origin},
    schema::Schema,
};

/// What the real server fills in before it stores a definition.
pub(crate) fn complete(object: &mut Value) {
    let spec = &mut object["spec"];
    let kind = spec["names"]["kind"].as_str().unwrap_or_default().to_owned();
    for (name, value) in [("singular", kind.to_lowercase()), ("listKind", format!("{kind}List"))] {
        if spec["names"][name].is_null() {
            spec["names"][name] = value.into();
        }
    }
    if spec["conversion"].is_null() {
        spec["conversion"] = json!({ "strategy": "None" });
    }
    let stored = stored_version(spec)["name"].clone();
    object["status"] = json!({
        "conditions": null,
        "acceptedNames": { "plural": "", "kind": "" },
        "storedVersions": [stored],
    });
}

/// What the controllers of the real server write into the status soon after.
pub(crate) fn established(object: &Value, now: &str) -> Value {
    let mut object = object.clone();
    let condition = |kind: &str, reason: &str, message: &str| {
        json!({
            "type": kind,
            "status": "True",
            "lastTransitionTime": now,
            "reason": reason,
            "message": message,
        })
    };
    object["status"]["conditions"] = json!([
        condition("NamesAccepted", "NoConflicts", "no conflicts found"),
        condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    ]);
    object["status"]["acceptedNames"] = object["spec"]["names"].clone();
    object
}

/// The version that is stored; of several versions the server serves this one.
fn stored_version(spec: &Value) -> &Value {
    let mut versions = spec["versions"].as_array().into_iter().flatten();
    versions.find(|version| version["storage"] == true).unwrap_or(&Value::Null)
}

/// The kind that a definition defines.
pub(crate) fn kind(object: &Value) -> Kind {
    let spec = &object["spec"];
    let names = &spec["names"];
    let version = stored_version(spec);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().map(text).collect()
    };
    let source = &version["schema"]["openAPIV3Schema"];
    let columns = version["additionalPrinterColumns"].as_array().into_iter().flatten().map(column);
    let selectable = version["selectableFields"].as_array().into_iter().flatten();
    Kind {
        group: text(&spec["group"]),
        version: text(&version["name"]),
        kind: text(&names["kind"]),
        list_kind: text(&names["listKind"]),
        plural: text(&names["plural"]),
        singular: text(&names["singular"]),
        short_names: texts(&names["shortNames"]),
        categories: texts(&names["categories"]),
        namespaced: spec["scope"] == "Namespaced",
        status: version["subresources"]["status"].is_object(),
        generation: true,
        create_on_update: false,
        unconditional_update: false,
        origin: Origin::Custom,
        schema: Schema::of_object(source),
        rules: has_rules(source).then(|| compile_schema(source)),
        blank: json!({}),
        columns: columns.collect(),
        selectable: selectable
            .map(|field| text(&field["jsonPath"]).trim_start_matches('.').to_owned())
            .collect(),
    }
}

fn column(source: &Value) -> Column {
    let text = |name: &str| source[name].as_str().unwrap_or_default().to_owned();
    let path = text("jsonPath");
    let description = match text("description") {
        none if none.is_empty() => {
            format!("Custom resource definition column (in JSONPath format): {path}")
        }
        some => some,
    };
    Column {
        name: text("name"),
        kind: text("type"),
        format: text("format"),
        description,
        priority: source["priority"].as_i64().unwrap_or_default(),
        path,
    }
}

fn has_rules(schema: &Value) -> bool {
    match schema {
        Value::Object(map) => {
            map.contains_key("x-kubernetes-validations") || map.values().any(has_rules)
        }
        Value::Array(items) => items.iter().any(has_rules),
        _ => false,
    }
}
