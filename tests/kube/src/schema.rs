//! Structural schemas: what a kind's objects look like, and what follows from it for defaulting, pruning and merging.

mod defaults;
mod prune;
mod validate;

use std::{collections::BTreeMap, sync::LazyLock};

use serde_json::Value;

pub(crate) use self::{defaults::fill_defaults, prune::prune, validate::validate};

/// How items of a list are told apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum ListKind {
    /// Not at all: the list is one value.
    #[default]
    Atomic,
    /// By their value.
    Set,
    /// By these fields.
    Map(Vec<String>),
}

/// One node of a structural schema.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "flags of the format")]
pub(crate) struct Schema {
    /// The JSON type; empty when anything goes.
    pub(crate) kind: String,
    pub(crate) properties: BTreeMap<String, Self>,
    pub(crate) additional: Option<Box<Self>>,
    pub(crate) items: Option<Box<Self>>,
    pub(crate) required: Vec<String>,
    pub(crate) preserve: bool,
    pub(crate) embedded: bool,
    pub(crate) int_or_string: bool,
    pub(crate) nullable: bool,
    pub(crate) list: ListKind,
    pub(crate) atomic_map: bool,
    pub(crate) default: Option<Value>,
    /// The document it was read from, for its limits.
    pub(crate) source: Value,
}

/// Of values that no schema describes: maps merge field by field, lists are one value.
static ANY: LazyLock<Schema> =
    LazyLock::new(|| Schema { preserve: true, nullable: true, ..Schema::default() });

impl Schema {
    /// Reads `openAPIV3Schema`.
    pub(crate) fn parse(source: &Value) -> Self {
        let flag = |name: &str| source[name].as_bool().unwrap_or_default();
        let texts = |name: &str| -> Vec<String> {
            let list = source[name].as_array().into_iter().flatten();
            list.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let list = match source["x-kubernetes-list-type"].as_str() {
            Some("set") => ListKind::Set,
            Some("map") => ListKind::Map(texts("x-kubernetes-list-map-keys")),
            _ => ListKind::Atomic,
        };
        let properties = source["properties"].as_object().into_iter().flatten();
        let boxed = |value: &Value| value.is_object().then(|| Box::new(Self::parse(value)));
        let additional = match &source["additionalProperties"] {
            Value::Bool(true) => Some(Box::new(ANY.clone())),
            other => boxed(other),
        };
        let mut limits = source.clone();
        if let Some(limits) = limits.as_object_mut() {
            limits
                .retain(|name, _| !matches!(name.as_str(), "properties" | "items" | "description"));
        }
        Self {
            kind: source["type"].as_str().unwrap_or_default().to_owned(),
            properties: properties
                .map(|(name, value)| (name.clone(), Self::parse(value)))
                .collect(),
            additional,
            items: boxed(&source["items"]),
            required: texts("required"),
            preserve: flag("x-kubernetes-preserve-unknown-fields"),
            embedded: flag("x-kubernetes-embedded-resource"),
            int_or_string: flag("x-kubernetes-int-or-string"),
            nullable: flag("nullable"),
            list,
            atomic_map: source["x-kubernetes-map-type"] == "atomic",
            default: source.get("default").cloned(),
            source: limits,
        }
    }

    /// The schema of a whole object: that of the kind with those of the type and object metadata.
    pub(crate) fn of_object(source: &Value) -> Self {
        let mut schema = Self::parse(source);
        schema.properties.insert("apiVersion".to_owned(), STRING.clone());
        schema.properties.insert("kind".to_owned(), STRING.clone());
        schema.properties.insert("metadata".to_owned(), METADATA.clone());
        schema
    }

    /// The schema of a field.
    pub(crate) fn child(&self, name: &str) -> &Self {
        self.properties.get(name).or(self.additional.as_deref()).unwrap_or(&ANY)
    }

    /// The schema of an item.
    pub(crate) fn item(&self) -> &Self {
        self.items.as_deref().unwrap_or(&ANY)
    }

    /// Tells whether the schema says something about the field.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.properties.contains_key(name) || self.additional.is_some()
    }
}

static STRING: LazyLock<Schema> =
    LazyLock::new(|| Schema { kind: "string".to_owned(), ..Schema::default() });

static METADATA: LazyLock<Schema> = LazyLock::new(|| {
    let text = serde_json::json!({ "type": "string" });
    let map = serde_json::json!({ "type": "object", "additionalProperties": text });
    Schema::parse(&serde_json::json!({
        "type": "object",
        "properties": {
            "name": text, "generateName": text, "namespace": text, "selfLink": text, "uid": text,
            "resourceVersion": text, "creationTimestamp": text, "deletionTimestamp": text,
            "generation": { "type": "integer" },
            "deletionGracePeriodSeconds": { "type": "integer" },
            "labels": map, "annotations": map,
            "finalizers": { "type": "array", "items": text, "x-kubernetes-list-type": "set" },
            "ownerReferences": {
                "type": "array",
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["uid"],
                "items": {
                    "type": "object",
                    "x-kubernetes-map-type": "atomic",
                    "properties": {
                        "apiVersion": text, "kind": text, "name": text, "uid": text,
                        "controller": { "type": "boolean" },
                        "blockOwnerDeletion": { "type": "boolean" },
                    },
                },
            },
            "managedFields": {
                "type": "array",
                "items": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
            },
        },
    }))
});
