//! `values.schema.json` takes every good set of values and refuses typing errors, with the few keywords it uses.

use std::collections::BTreeSet;
use std::fs;

use arc_chart::Chart;
use regex::Regex;
use serde_json::{Value, json};

use crate::objects::value_sets;
use crate::values::documented;

fn schema(chart: &Chart) -> Value {
    let text = fs::read_to_string(chart.folder().join("values.schema.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// What the schema says of values that are laid over the defaults.
pub(crate) fn problems_of(chart: &Chart, values: &Value) -> Vec<String> {
    problems(&schema(chart), &chart.values_with(values), "")
}

/// Problems of a value, by path; a keyword that is not known here ends the test.
fn problems(schema: &Value, value: &Value, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (keyword, rule) in schema.as_object().unwrap() {
        if !holds(keyword, rule, value) {
            found.push(format!("{path}: {keyword}"));
        }
    }
    if let Some(map) = value.as_object() {
        for (key, value) in map {
            found.extend(member(schema, key, value, &format!("{path}/{key}")));
        }
    }
    for (place, item) in value.as_array().into_iter().flatten().enumerate() {
        if let Some(items) = schema.get("items") {
            found.extend(problems(items, item, &format!("{path}/{place}")));
        }
    }
    found
}

fn member(schema: &Value, key: &str, value: &Value, path: &str) -> Vec<String> {
    let mut found = match (schema["properties"].get(key), &schema["additionalProperties"]) {
        (Some(property), _) => problems(property, value, path),
        (None, Value::Bool(false)) => vec![format!("{path}: unknown")],
        (None, others @ Value::Object(_)) => problems(others, value, path),
        (None, _) => Vec::new(),
    };
    if let Some(names) = schema.get("propertyNames") {
        found.extend(problems(names, &json!(key), path));
    }
    found
}

/// Whether a keyword's rule holds; what is not of the rule's type is the business of `type`.
fn holds(keyword: &str, rule: &Value, value: &Value) -> bool {
    let size = match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(map) => map.len(),
        Value::Number(number) => usize::try_from(number.as_i64().unwrap()).unwrap(),
        Value::Null | Value::Bool(_) => return keyword != "type" || has_type(rule, value),
    };
    let bound = || usize::try_from(rule.as_u64().unwrap()).unwrap();
    match keyword {
        "$schema" | "title" | "properties" | "additionalProperties" | "items" | "propertyNames" => {
            true
        }
        "type" => has_type(rule, value),
        "enum" => rule.as_array().unwrap().contains(value),
        "pattern" => value
            .as_str()
            .is_none_or(|text| Regex::new(rule.as_str().unwrap()).unwrap().is_match(text)),
        "minLength" | "minItems" | "minProperties" | "minimum" => {
            !speaks_of(keyword, value) || size >= bound()
        }
        "maxLength" | "maximum" => !speaks_of(keyword, value) || size <= bound(),
        "uniqueItems" => {
            let items = value.as_array().into_iter().flatten().map(ToString::to_string);
            items.collect::<BTreeSet<_>>().len() == size
        }
        "required" => {
            rule.as_array().unwrap().iter().all(|key| value.get(key.as_str().unwrap()).is_some())
        }
        other => panic!("the schema uses {other:?}, which this test does not know"),
    }
}

fn speaks_of(keyword: &str, value: &Value) -> bool {
    match &keyword[3..] {
        "Length" => value.is_string(),
        "Items" => value.is_array(),
        "Properties" => value.is_object(),
        _ => value.is_number(),
    }
}

fn has_type(rule: &Value, value: &Value) -> bool {
    let Value::String(name) = rule else {
        return rule.as_array().unwrap().iter().any(|one| has_type(one, value));
    };
    match name.as_str() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("unknown type {other:?}"),
    }
}

#[test]
fn good_values_are_accepted() {
    let chart = Chart::open();
    for (name, values) in value_sets() {
        assert_eq!(problems_of(&chart, &values), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn bad_values_are_refused_with_their_path() {
    let chart = Chart::open();
    let cases = [
        (json!({"tennants": ["team-a"]}), "/tennants: unknown"),
        (json!({"tenants": ["Team_A"]}), "/tenants/0: pattern"),
        (json!({"tenants": ["*"]}), "/tenants/0: pattern"),
        (json!({"tenants": ["a", "a"]}), "/tenants: uniqueItems"),
        (json!({"image": {"digest": "latest"}}), "/image/digest: pattern"),
        (json!({"image": {"pullPolicy": "Sometimes"}}), "/image/pullPolicy: enum"),
        (json!({"controller": {"replicas": "two"}}), "/controller/replicas: type"),
        (
            json!({"controller": {"options": {"--keep-failed": "1h"}}}),
            "/controller/options/--keep-failed: pattern",
        ),
        (json!({"admission": {"actions": ["deny"]}}), "/admission/actions/0: enum"),
        (
            json!({"admission": {"endpointRules": [{"deny": ["x\"].exists(y, true)"]}]}}),
            "/admission/endpointRules/0/deny/0: pattern",
        ),
        (
            json!({"admission": {"endpointRules": [{"hosts": ["a"]}]}}),
            "/admission/endpointRules/0/hosts: unknown",
        ),
        (
            json!({"pipelines": {"types": {"oci": {"srcTypes": []}}}}),
            "/pipelines/types/oci/srcTypes: minItems",
        ),
        (
            json!({"networkPolicy": {"apiServerPorts": []}}),
            "/networkPolicy/apiServerPorts: minItems",
        ),
        (json!({"rbac": {"allNamespaces": "no"}}), "/rbac/allNamespaces: type"),
    ];
    for (values, expected) in cases {
        let found = problems_of(&chart, &values);
        assert_eq!(found, [expected], "{values}");
    }
}

#[test]
fn schema_and_values_speak_of_the_same() {
    let chart = Chart::open();
    let text = fs::read_to_string(chart.folder().join("values.yaml")).unwrap();
    let documented: BTreeSet<_> = documented(&text).into_keys().collect();
    let schema = schema(&chart);
    let mut described = BTreeSet::new();
    for (name, property) in schema["properties"].as_object().unwrap() {
        describe(property, name, &documented, &mut described);
    }
    // Helm hands `global` to every chart.
    described.remove("global");
    assert_eq!(described, documented);
}

/// Collects the paths of the schema down to those that are documented as one value.
fn describe(
    schema: &Value,
    path: &str,
    documented: &BTreeSet<String>,
    found: &mut BTreeSet<String>,
) {
    match schema.get("properties").and_then(Value::as_object) {
        Some(properties) if !documented.contains(path) => {
            for (name, property) in properties {
                describe(property, &format!("{path}.{name}"), documented, found);
            }
        }
        _ => {
            found.insert(path.to_owned());
        }
    }
}
