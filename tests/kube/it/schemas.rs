//! Defaults, pruning and the causes of refusals, for schemas of every kind.

use arc_kube_fake::{ApiServer, Options};
use serde_json::{Value, json};

const THINGS: &str = "/apis/example.arc/v1/things";

/// The definition of things with this schema of their spec.
fn definition(schema: &Value) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": "things.example.arc" },
        "spec": {
            "group": "example.arc",
            "scope": "Cluster",
            "names": { "plural": "things", "kind": "Thing" },
            "versions": [{
                "name": "v1",
                "served": true,
                "storage": true,
                "schema": { "openAPIV3Schema": { "type": "object", "properties": { "spec": schema } } },
            }],
        },
    })
}

/// Defines things and creates one with this spec.
fn created(schema: &Value, spec: &Value) -> Value {
    let server = ApiServer::new(Options::default());
    let defined = server.define(&definition(schema));
    assert_eq!(defined["kind"], "CustomResourceDefinition", "{defined}");
    server.call("POST", THINGS, &json!({ "metadata": { "name": "a" }, "spec": spec }))
}

#[tokio::test]
async fn specs_are_completed_and_pruned() {
    let text = json!({ "type": "string" });
    let inner =
        json!({ "type": "object", "properties": { "a": { "type": "integer", "default": 1 } } });
    let cases = [
        (
            json!({ "type": "object", "properties": { "i": inner } }),
            json!({ "i": {} }),
            json!({ "i": { "a": 1 } }),
        ),
        (json!({ "type": "object", "properties": { "i": inner } }), json!({}), json!({})),
        (
            json!({ "type": "object", "properties": { "l": { "type": "array", "items": inner } } }),
            json!({ "l": [{ "b": 1 }, { "a": 2 }] }),
            json!({ "l": [{ "a": 1 }, { "a": 2 }] }),
        ),
        (
            json!({ "type": "object", "additionalProperties": inner }),
            json!({ "x": { "c": 1 } }),
            json!({ "x": { "a": 1 } }),
        ),
        (
            json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": { "i": inner } }),
            json!({ "i": { "x": 1 }, "free": { "y": 1 } }),
            json!({ "i": { "a": 1 }, "free": { "y": 1 } }),
        ),
        (
            json!({ "type": "object", "properties": { "t": { "type": "string", "default": "d" }, "n": { "type": "string", "nullable": true, "default": "d" } } }),
            json!({ "t": null, "n": null }),
            json!({ "t": "d", "n": null }),
        ),
        (json!({ "type": "object", "properties": { "t": text } }), json!({ "t": null }), json!({})),
    ];
    for (schema, spec, expected) in cases {
        assert_eq!(created(&schema, &spec)["spec"], expected, "{schema} {spec}");
    }
}

/// Checks what the server says of a wrong value of the field `f`.
fn refuses(schema: &Value, value: &Value, expected: &str) {
    let schema = json!({ "type": "object", "properties": { "f": schema } });
    let refused = created(&schema, &json!({ "f": value }));
    assert_eq!(refused["message"], format!("Thing.example.arc \"a\" is invalid: {expected}"));
}

#[tokio::test]
async fn wrong_strings_and_numbers_are_told_in_the_words_of_the_real_server() {
    let text = |name: &str, limit: Value| json!({ "type": "string", name: limit });
    for (schema, value, expected) in [
        (
            json!({ "type": "string" }),
            json!(1),
            "spec.f: Invalid value: \"integer\": spec.f in body must be of type string: \"integer\"",
        ),
        (
            json!({ "type": "integer" }),
            json!("x"),
            "spec.f: Invalid value: \"string\": spec.f in body must be of type integer: \"string\"",
        ),
        (
            json!({ "type": "integer", "maximum": 2 }),
            json!(3),
            "spec.f: Invalid value: 3: spec.f in body should be less than or equal to 2",
        ),
        (
            text("minLength", json!(1)),
            json!(""),
            "spec.f: Invalid value: \"\": spec.f in body should be at least 1 chars long",
        ),
        (
            text("maxLength", json!(1)),
            json!("xx"),
            "spec.f: Too long: may not be more than 1 bytes",
        ),
        (
            text("pattern", json!("^a$")),
            json!("b"),
            "spec.f: Invalid value: \"b\": spec.f in body should match '^a$'",
        ),
        (
            text("format", json!("date-time")),
            json!("x"),
            "spec.f: Invalid value: \"x\": spec.f in body must be of type date-time: \"x\"",
        ),
        (
            json!({ "x-kubernetes-int-or-string": true }),
            json!(true),
            "spec.f: Invalid value: \"boolean\": spec.f in body must be of type integer,string: \"boolean\"",
        ),
    ] {
        refuses(&schema, &value, expected);
    }
}

#[tokio::test]
async fn wrong_lists_are_told_in_the_words_of_the_real_server() {
    let named = json!({ "type": "object", "properties": { "n": { "type": "string" } } });
    let by_name = json!({
        "type": "array", "items": named,
        "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["n"],
    });
    let twice = json!([{ "n": "x" }, { "n": "x" }]);
    refuses(&by_name, &twice, "spec.f[1]: Duplicate value: {\"n\":\"x\"}");
    let short = json!({ "type": "array", "maxItems": 1, "items": { "type": "string" } });
    refuses(&short, &json!(["a", "b"]), "spec.f: Too many: 2: must have at most 1 items");
}

#[tokio::test]
async fn what_was_wrong_before_a_definition_changed_stays_until_it_is_touched() {
    let server = ApiServer::new(Options::default());
    let mut definition = definition(&json!({ "type": "object", "properties": {
        "a": { "type": "integer" }, "b": { "type": "integer" },
    } }));
    server.define(&definition);
    let thing = json!({ "metadata": { "name": "a" }, "spec": { "a": 5, "b": 1 } });
    server.call("POST", THINGS, &thing);
    let limited =
        &mut definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    limited["properties"]["a"]["maximum"] = 3.into();
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.example.arc";
    server.call("PATCH", path, &json!({ "spec": definition["spec"] }));
    let path = format!("{THINGS}/a");
    let other = server.call("PATCH", &path, &json!({ "spec": { "b": 2 } }));
    assert_eq!(other["spec"], json!({ "a": 5, "b": 2 }));
    let touched = server.call("PATCH", &path, &json!({ "spec": { "a": 6 } }));
    assert_eq!(touched["code"], 422, "{touched}");
}

#[tokio::test]
async fn rules_name_their_reason_and_their_place() {
    let schema = json!({
        "type": "object",
        "properties": { "l": { "type": "array", "items": {
            "type": "object",
            "properties": { "a": { "type": "integer" } },
            "x-kubernetes-validations": [{ "rule": "self.a > 0", "message": "a must be positive", "reason": "FieldValueForbidden" }],
        } } },
    });
    let refused = created(&schema, &json!({ "l": [{ "a": 1 }, { "a": 0 }] }));
    assert_eq!(
        refused["details"]["causes"],
        json!([{ "reason": "FieldValueForbidden", "message": "Forbidden: a must be positive", "field": "spec.l[1]" }])
    );
}

#[tokio::test]
async fn labels_that_are_too_long_are_refused() {
    let server = ApiServer::new(Options::default());
    let map = json!({ "metadata": { "name": "a", "labels": { "l": "x".repeat(64) } } });
    let refused = server.call("POST", "/api/v1/namespaces/default/configmaps", &map);
    let message = refused["message"].as_str().unwrap();
    assert!(message.ends_with("must be no more than 63 bytes"), "{message}");
}
