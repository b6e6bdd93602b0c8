//! `arc schema`: JSON Schemas of ARC's kinds, for editors.
//!
//! They are made of the definitions that a cluster gets, in the dialect that editors speak: JSON Schema draft 7, with
//! unknown fields refused. What artifact types say in `specSchema` is folded into the artifacts of an order.

use std::collections::BTreeMap;

use arc_steps::Exit;
use serde_json::{Map, Value, json};

use crate::cli::{Schema, SchemaOutput};
use crate::manifests::Manifests;
use crate::report::Failure;

/// The dialect that the YAML language server and its like know best.
const DIALECT: &str = "http://json-schema.org/draft-07/schema#";

/// The schema of an artifact's spec, by artifact type.
type SpecSchemas = BTreeMap<String, Value>;

/// Runs the command.
#[expect(clippy::print_stdout, reason = "the schema is the outcome")]
pub(crate) fn run(args: &Schema) -> Result<Exit, Failure> {
    let types = types(args)?;
    let mut kinds = kinds(&types);
    let schema = match &args.kind {
        None => all(&kinds),
        Some(wanted) => {
            let known: Vec<_> = kinds.keys().cloned().collect();
            let found = known.iter().find(|kind| {
                // `orders`, as kubectl takes it.
                kind.eq_ignore_ascii_case(wanted)
                    || wanted.strip_suffix('s').is_some_and(|one| kind.eq_ignore_ascii_case(one))
            });
            let Some(schema) = found.and_then(|kind| kinds.remove(kind)) else {
                let failure =
                    Failure::new(Exit::WrongInput, format!("{wanted:?} is not a kind of ARC"));
                let near = arc_core::nearest(wanted, known.iter().map(String::as_str));
                let hint = near.map(|near| format!("did you mean {near}?"));
                return Err(failure
                    .hint(hint.unwrap_or_else(|| format!("the kinds are {}", known.join(", ")))));
            };
            schema
        }
    };
    match args.output {
        SchemaOutput::Json => println!("{schema:#}"),
        SchemaOutput::Yaml => {
            let text = crate::yaml::write(&schema);
            print!("{}", text.map_err(|message| Failure::new(Exit::Failed, message))?);
        }
    }
    Ok(Exit::Done)
}

/// The schemas that the artifact types of the files have for the artifacts of an order.
fn types(args: &Schema) -> Result<SpecSchemas, Failure> {
    if args.files.is_empty() {
        return Ok(SpecSchemas::new());
    }
    let manifests = Manifests::read(&args.files).map_err(|error| Failure::input(&error))?;
    let own = manifests.artifact_types.iter().map(|((_, name), own)| (name, &own.spec.spec_schema));
    let cluster = manifests
        .cluster_artifact_types
        .iter()
        .map(|((_, name), all)| (name, &all.spec.spec_schema));
    let mut found = SpecSchemas::new();
    let mut names = Vec::new();
    for (name, schema) in own.chain(cluster) {
        names.push(name.clone());
        if let Some(schema) = schema {
            arc_core::spec_schema::Schema::parse(schema).map_err(|flaws| {
                let flaws: Vec<_> =
                    flaws.iter().map(|flaw| format!("{}: {}", flaw.path, flaw.message)).collect();
                let message = format!("specSchema of {name:?}: {}", flaws.join("; "));
                Failure::new(Exit::WrongInput, message).hint("`arc lint` shows where")
            })?;
            found.insert(name.clone(), Value::Object(schema.clone()));
        }
    }
    for wanted in &args.types {
        if !found.contains_key(wanted) {
            let message = if names.contains(wanted) {
                format!("artifact type {wanted:?} has no specSchema")
            } else {
                format!("the files hold no artifact type {wanted:?}")
            };
            return Err(Failure::new(Exit::WrongInput, message)
                .hint(format!("the types are {}", names.join(", "))));
        }
    }
    found.retain(|name, _| args.types.is_empty() || args.types.contains(name));
    Ok(found)
}

/// The schema of every kind.
fn kinds(types: &SpecSchemas) -> BTreeMap<String, Value> {
    let definitions = arc_api::crds().into_iter().filter_map(|definition| {
        let kind = definition.spec.names.kind;
        let version = definition.spec.versions.into_iter().next()?;
        let schema = serde_json::to_value(version.schema?.open_api_v3_schema?).ok()?;
        let mut schema = whole(&kind, editor(schema));
        if kind == "Order" {
            fold(&mut schema, types);
        }
        Some((kind, schema))
    });
    definitions.collect()
}

/// One schema for files of any of the kinds; other manifests pass.
fn all(kinds: &BTreeMap<String, Value>) -> Value {
    let cases: Vec<_> = kinds
        .iter()
        .map(|(kind, schema)| {
            let of_kind = json!({
                "required": ["apiVersion", "kind"],
                "properties": {
                    "apiVersion": {"const": api_version()},
                    "kind": {"const": kind},
                },
            });
            json!({"if": of_kind, "then": schema})
        })
        .collect();
    json!({"$schema": DIALECT, "title": api_version(), "type": "object", "allOf": cases})
}

fn api_version() -> String {
    format!("{}/{}", arc_api::GROUP, arc_api::VERSION)
}

/// Adds what is the same for every kind.
fn whole(kind: &str, schema: Value) -> Value {
    let mut properties = match schema {
        Value::Object(mut fields) => match fields.remove("properties") {
            Some(Value::Object(properties)) => properties,
            _ => Map::new(),
        },
        _ => Map::new(),
    };
    properties.insert("apiVersion".to_owned(), json!({"const": api_version()}));
    properties.insert("kind".to_owned(), json!({"const": kind}));
    let texts = json!({"type": "object", "additionalProperties": {"type": "string"}});
    let metadata = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 253},
            "namespace": {"type": "string", "maxLength": 63},
            "labels": texts,
            "annotations": texts,
        },
    });
    properties.insert("metadata".to_owned(), metadata);
    json!({
        "$schema": DIALECT,
        "title": kind,
        "type": "object",
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": properties,
        "additionalProperties": false,
    })
}

/// Rewrites a schema of Kubernetes for an editor.
fn editor(schema: Value) -> Value {
    let Value::Object(mut fields) = schema else { return schema };
    let is_free = fields.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
    if fields.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) {
        fields.insert("type".to_owned(), json!(["integer", "string"]));
    }
    fields.retain(|name, _| !name.starts_with("x-kubernetes-") && name != "nullable");
    if fields.get("format").is_some_and(|format| format != "date-time") {
        fields.remove("format");
    }
    bounds(&mut fields);
    for name in ["items", "additionalProperties"] {
        if let Some(inner) = fields.remove(name) {
            fields.insert(name.to_owned(), editor(inner));
        }
    }
    if let Some(Value::Object(properties)) = fields.remove("properties") {
        let properties: Map<_, _> =
            properties.into_iter().map(|(name, schema)| (name, editor(schema))).collect();
        fields.insert("properties".to_owned(), properties.into());
        if !is_free && !fields.contains_key("additionalProperties") {
            fields.insert("additionalProperties".to_owned(), false.into());
        }
    }
    Value::Object(fields)
}

/// `OpenAPI` v3 says with a boolean that a bound is outside, JSON Schema with the bound itself.
fn bounds(fields: &mut Map<String, Value>) {
    for (bound, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
        if fields.remove(exclusive) == Some(Value::Bool(true))
            && let Some(value) = fields.remove(bound)
        {
            fields.insert(exclusive.to_owned(), value);
        }
    }
}

/// Lets an artifact's spec be what its type says.
fn fold(order: &mut Value, types: &SpecSchemas) {
    if types.is_empty() {
        return;
    }
    let cases: Vec<_> = types
        .iter()
        .map(|(name, schema)| {
            let is_required =
                schema["required"].as_array().is_some_and(|required| !required.is_empty());
            let required = if is_required { json!(["spec"]) } else { json!([]) };
            json!({
                "if": {"required": ["type"], "properties": {"type": {"const": name}}},
                "then": {"required": required, "properties": {"spec": editor(schema.clone())}},
            })
        })
        .collect();
    if let Some(artifact) = order.pointer_mut("/properties/spec/properties/artifacts/items") {
        artifact["allOf"] = cases.into();
    }
}
