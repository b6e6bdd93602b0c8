//! The built-in kinds: as many as a controller of ours touches.

use serde_json::{Map, Value, json};

use crate::{
    kind::{Kind, Origin},
    schema::Schema,
};

/// Namespaces that every cluster has.
pub(crate) const NAMESPACES: [&str; 4] =
    ["default", "kube-system", "kube-public", "kube-node-lease"];

/// Kind, group, version, plural, short names, namespaced.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str], bool);

const ROWS: [Row; 8] = [
    ("Namespace", "", "v1", "namespaces", &["ns"], false),
    ("Secret", "", "v1", "secrets", &[], true),
    ("ConfigMap", "", "v1", "configmaps", &["cm"], true),
    ("Pod", "", "v1", "pods", &["po"], true),
    ("ServiceAccount", "", "v1", "serviceaccounts", &["sa"], true),
    ("Lease", "coordination.k8s.io", "v1", "leases", &[], true),
    ("Event", "events.k8s.io", "v1", "events", &["ev"], true),
    (
        "CustomResourceDefinition",
        "apiextensions.k8s.io",
        "v1",
        "customresourcedefinitions",
        &["crd", "crds"],
        false,
    ),
];

/// All built-in kinds.
pub(crate) fn kinds() -> Vec<Kind> {
    ROWS.iter().map(kind).collect()
}

fn kind((kind, group, version, plural, short, namespaced): &Row) -> Kind {
    let definition = *kind == "CustomResourceDefinition";
    Kind {
        group: (*group).to_owned(),
        version: (*version).to_owned(),
        kind: (*kind).to_owned(),
        list_kind: format!("{kind}List"),
        plural: (*plural).to_owned(),
        singular: kind.to_lowercase(),
        short_names: short.iter().map(|name| (*name).to_owned()).collect(),
        categories: Vec::new(),
        namespaced: *namespaced,
        status: definition || matches!(*kind, "Namespace" | "Pod"),
        generation: definition || *kind == "Pod",
        create_on_update: matches!(*kind, "Lease" | "Event"),
        unconditional_update: matches!(*kind, "Secret" | "ConfigMap" | "Namespace" | "Event"),
        origin: Origin::BuiltIn,
        schema: Schema::of_object(&schema(kind)),
        rules: None,
        blank: blank(kind),
        columns: Vec::new(),
        selectable: match *kind {
            "Secret" => vec!["type".to_owned()],
            "Namespace" => vec!["status.phase".to_owned()],
            "Pod" => ["spec.nodeName", "status.phase"].map(str::to_owned).to_vec(),
            "Event" => {
                ["reason", "type", "reportingController", "regarding.name", "regarding.kind"]
                    .map(str::to_owned)
                    .to_vec()
            }
            _ => Vec::new(),
        },
    }
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn texts() -> Value {
    json!({ "type": "object", "additionalProperties": { "type": "string" } })
}

fn open() -> Value {
    json!({ "x-kubernetes-preserve-unknown-fields": true })
}

fn object(fields: &[(&str, Value)]) -> Value {
    let properties: Map<String, Value> =
        fields.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({ "type": "object", "properties": properties })
}

fn list_by(key: &str, item: &Value) -> Value {
    json!({
        "type": "array",
        "items": item,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": [key],
    })
}

fn atomic_list(item: &Value) -> Value {
    json!({ "type": "array", "items": item })
}

fn reference() -> Value {
    let mut reference = object(&[
        ("apiVersion", text()),
        ("kind", text()),
        ("name", text()),
        ("namespace", text()),
        ("uid", text()),
        ("resourceVersion", text()),
        ("fieldPath", text()),
    ]);
    reference["x-kubernetes-map-type"] = "atomic".into();
    reference
}

fn schema(kind: &str) -> Value {
    let integer = json!({ "type": "integer" });
    let flag = json!({ "type": "boolean" });
    match kind {
        "Namespace" => object(&[
            ("spec", object(&[("finalizers", atomic_list(&text()))])),
            ("status", object(&[("phase", text()), ("conditions", list_by("type", &open()))])),
        ]),
        "Secret" => object(&[
            ("data", texts()),
            ("stringData", texts()),
            ("type", text()),
            ("immutable", flag),
        ]),
        "Pod" => object(&[("spec", open()), ("status", open())]),
        "ConfigMap" => object(&[("data", texts()), ("binaryData", texts()), ("immutable", flag)]),
        "ServiceAccount" => object(&[
            ("secrets", list_by("name", &reference())),
            ("imagePullSecrets", list_by("name", &object(&[("name", text())]))),
            ("automountServiceAccountToken", flag),
        ]),
        "Lease" => object(&[(
            "spec",
            object(&[
                ("holderIdentity", text()),
                ("leaseDurationSeconds", integer.clone()),
                ("acquireTime", text()),
                ("renewTime", text()),
                ("leaseTransitions", integer),
                ("strategy", text()),
                ("preferredHolder", text()),
            ]),
        )]),
        "Event" => event(),
        _ => definition(),
    }
}

fn event() -> Value {
    let integer = json!({ "type": "integer" });
    let series = object(&[("count", integer.clone()), ("lastObservedTime", text())]);
    object(&[
        ("eventTime", text()),
        ("series", series),
        ("reportingController", text()),
        ("reportingInstance", text()),
        ("action", text()),
        ("reason", text()),
        ("regarding", reference()),
        ("related", reference()),
        ("note", text()),
        ("type", text()),
        ("deprecatedSource", object(&[("component", text()), ("host", text())])),
        ("deprecatedFirstTimestamp", json!({ "type": "string", "nullable": true })),
        ("deprecatedLastTimestamp", json!({ "type": "string", "nullable": true })),
        ("deprecatedCount", integer),
    ])
}

fn definition() -> Value {
    let names = object(&[
        ("plural", text()),
        ("singular", text()),
        ("shortNames", atomic_list(&text())),
        ("kind", text()),
        ("listKind", text()),
        ("categories", atomic_list(&text())),
    ]);
    let conversion = object(&[("strategy", text()), ("webhook", open())]);
    let spec = object(&[
        ("group", text()),
        ("names", names.clone()),
        ("scope", text()),
        ("versions", atomic_list(&open())),
        ("conversion", conversion),
        ("preserveUnknownFields", json!({ "type": "boolean" })),
    ]);
    let mut conditions = list_by("type", &open());
    conditions["nullable"] = true.into();
    let status = object(&[
        ("conditions", conditions),
        ("acceptedNames", names),
        ("storedVersions", atomic_list(&text())),
        ("observedGeneration", json!({ "type": "integer" })),
    ]);
    object(&[("spec", spec), ("status", status)])
}

/// What Go writes for a value of the type in which nothing is set.
fn blank(kind: &str) -> Value {
    match kind {
        "Namespace" => json!({ "spec": {}, "status": {} }),
        "Lease" => json!({ "spec": {} }),
        "Event" => json!({
            "deprecatedSource": {},
            "deprecatedFirstTimestamp": null,
            "deprecatedLastTimestamp": null,
            "eventTime": null,
            "regarding": {},
        }),
        "CustomResourceDefinition" => json!({
            "spec": { "group": "", "names": { "plural": "", "kind": "" }, "scope": "", "versions": null },
            "status": {
                "conditions": null,
                "acceptedNames": { "plural": "", "kind": "" },
                "storedVersions": null,
            },
        }),
        _ => json!({}),
    }
}

/// What the real server fills in before it stores a new object of the kind.
pub(crate) fn complete(kind: &Kind, object: &mut Value) {
    if let (Some(blank), Some(map)) = (kind.blank.as_object(), object.as_object_mut()) {
        for (name, value) in blank {
            map.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    match kind.kind.as_str() {
        "Namespace" => {
            object["spec"] = json!({ "finalizers": ["kubernetes"] });
            object["status"] = json!({ "phase": "Active" });
            let name = object["metadata"]["name"].clone();
            object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
        }
        "Secret" => complete_secret(object),
        "CustomResourceDefinition" => crate::definition::complete(object),
        _ => {}
    }
}

/// Moves `stringData` into `data`, and names the usual type.
pub(crate) fn complete_secret(object: &mut Value) {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let Some(map) = object.as_object_mut() else { return };
    map.entry("type").or_insert_with(|| "Opaque".into());
    if let Some(Value::Object(plain)) = map.remove("stringData") {
        let data = map.entry("data").or_insert_with(|| json!({}));
        for (name, value) in plain {
            data[name] = BASE64_STANDARD.encode(value.as_str().unwrap_or_default()).into();
        }
    }
}
