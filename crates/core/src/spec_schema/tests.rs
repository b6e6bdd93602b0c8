//! What schemas take and refuse, as tables.

use serde_json::json;

use super::*;

fn image() -> Value {
    json!({
        "type": "object",
        "description": "One image.",
        "required": ["repository"],
        "properties": {
            "repository": {"type": "string", "minLength": 1, "maxLength": 20, "pattern": "^[a-z/]+$"},
            "tag": {"type": "string"},
            "level": {"type": "string", "enum": ["low", "high"]},
            "replicas": {"type": "integer", "minimum": 1, "maximum": 5},
            "ratio": {"type": "number", "minimum": 0, "exclusiveMinimum": true, "maximum": 1, "exclusiveMaximum": true},
            "force": {"type": "boolean"},
            "port": {"x-kubernetes-int-or-string": true},
            "platforms": {
                "type": "array", "uniqueItems": true, "minItems": 1, "maxItems": 2, "items": {"type": "string"},
            },
            "labels": {"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 1},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "nested": {"type": "object", "required": ["a b"], "properties": {"a b": {"type": "boolean"}}},
        },
    })
}

fn parse(schema: &Value) -> Result<Schema, Vec<Flaw>> {
    Schema::parse(schema.as_object().expect("an object"))
}

#[track_caller]
fn check(value: &Value, expected: &[&str]) {
    let schema = parse(&image()).expect("the schema is fine");
    let found: Vec<String> = schema
        .check(value, "spec")
        .into_iter()
        .map(|one| format!("{}: {} ({})", one.path, one.message, one.hint))
        .collect();
    assert_eq!(found, expected, "{value}");
}

#[test]
fn what_fits_passes() {
    check(&json!({"repository": "library/alpine"}), &[]);
    check(
        &json!({
            "repository": "a", "tag": "3.18", "level": "low", "replicas": 2.0, "ratio": 0.5, "force": true, "port": 80,
            "platforms": ["a", "b"], "labels": {"x": "y"}, "free": {"a": [1]}, "nested": {"a b": false},
        }),
        &[],
    );
    check(
        &json!({"repository": "a", "tag": null, "unheard-of": null, "port": "http"}),
        &[
            "spec.unheard-of: \"unheard-of\" is not a field that is known here (remove it; known fields are \"force\", \"free\", \"labels\", \"level\", \"nested\", \"platforms\", \"port\", \"ratio\", \"replicas\", \"repository\", …)",
        ],
    );
}

#[test]
fn a_field_that_is_unknown_or_missing_is_said_with_its_path() {
    check(
        &json!({"repositry": "a"}),
        &[
            "spec: `repository` is missing (add `repository`)",
            "spec.repositry: \"repositry\" is not a field that is known here (did you mean `repository`?)",
        ],
    );
    check(&json!({"repository": null}), &["spec: `repository` is missing (add `repository`)"]);
    check(
        &json!({"repository": "a", "nested": {}}),
        &["spec.nested: `a b` is missing (add `a b`)"],
    );
}

#[test]
fn values_of_the_wrong_kind_are_said_with_what_was_found() {
    for (field, value, expected) in [
        ("tag", json!(3.1), "expected text, found the number 3.1 (put it in quotes)"),
        ("tag", json!(true), "expected text, found the boolean true (put it in quotes)"),
        ("tag", json!(["a"]), "expected text, found a list (write text)"),
        (
            "force",
            json!("true"),
            "expected true or false, found the text \"true\" (write it without quotes)",
        ),
        (
            "replicas",
            json!("2"),
            "expected a whole number, found the text \"2\" (write it without quotes)",
        ),
        ("replicas", json!(1.5), "expected a whole number, found 1.5 (write a whole number)"),
        ("replicas", json!(0), "0 is not at least 1 (write a larger number)"),
        ("replicas", json!(6), "6 is not at most 5 (write a smaller number)"),
        ("ratio", json!(0), "0 is not above 0 (write a larger number)"),
        ("ratio", json!(1), "1 is not below 1 (write a smaller number)"),
        (
            "level",
            json!("hihg"),
            "\"hihg\" is not one of \"low\", \"high\" (did you mean \"high\"?)",
        ),
        ("level", json!("x"), "\"x\" is not one of \"low\", \"high\" (use one of these)"),
        (
            "port",
            json!(1.5),
            "expected a whole number or text, found the number 1.5 (write a whole number or text)",
        ),
        ("platforms", json!("a"), "expected a list, found the text \"a\" (write a list)"),
        ("platforms", json!([]), "0 items; at least 1 are needed (write more)"),
        ("platforms", json!(["a", "b", "c"]), "3 items; at most 2 are allowed (write less)"),
        ("labels", json!({"a": "1", "b": "2"}), "2 fields; at most 1 are allowed (write less)"),
        ("free", json!(1), "expected fields, found the number 1 (write fields)"),
    ] {
        check(&json!({"repository": "a", field: value}), &[&format!("spec.{field}: {expected}")]);
    }
    check(
        &json!({"repository": "a", "platforms": ["a", "a"]}),
        &["spec.platforms[1]: \"a\" is there twice (remove one of the two)"],
    );
    check(
        &json!({"repository": "a", "labels": {"x": 1}}),
        &["spec.labels.x: expected text, found the number 1 (put it in quotes)"],
    );
    check(
        &json!({"repository": "A"}),
        &["spec.repository: \"A\" does not match the pattern \"^[a-z/]+$\" (correct the value)"],
    );
    check(&json!("x"), &["spec: expected fields, found the text \"x\" (write fields)"]);
}

#[test]
fn a_keyword_that_would_not_be_applied_is_refused_by_name() {
    for (schema, expected) in [
        (json!({"type": "string"}), "type: an artifact's spec is an object"),
        (json!({"type": "object", "properties": {"a": []}}), "properties.a: a schema is an object"),
        (json!({}), ": `type` is missing"),
        (json!({"type": "file"}), "type: \"file\" is not a type"),
        (
            json!({"type": "object", "oneOf": []}),
            "oneOf: the keyword \"oneOf\" is not supported here",
        ),
        (
            json!({"type": "object", "minLength": 1}),
            "minLength: the keyword \"minLength\" is not supported here",
        ),
        (
            json!({"type": "object", "properties": {"a": {"type": "string", "default": "x"}}}),
            "properties.a.default: the keyword \"default\" is not supported here",
        ),
        (
            json!({"type": "object", "properties": {"a": {"type": "string", "pattern": "("}}}),
            "properties.a.pattern: \"(\" is not a pattern: unclosed group",
        ),
        (
            json!({"type": "object", "properties": {"a": {"type": "string", "pattern": "(\\w{1000}){1000}"}}}),
            "properties.a.pattern: \"(\\\\w{1000}){1000}\" is not a pattern: Compiled regex exceeds size limit of 1048576 bytes.",
        ),
        (
            json!({"type": "object", "properties": {"a": {"type": "array"}}}),
            "properties.a: `items` is missing",
        ),
        (
            json!({"type": "object", "required": ["a"]}),
            "required: \"a\" is required and not allowed",
        ),
        (json!({"type": "object", "required": "a"}), "required: expected a list of names"),
        (json!({"type": "object", "minProperties": -1}), "minProperties: -1 is not a length"),
        (json!({"type": "object", "enum": []}), "enum: expected a list that is not empty"),
    ] {
        let flaws = parse(&schema).expect_err("a flaw");
        let found: Vec<_> =
            flaws.iter().map(|flaw| format!("{}: {}", flaw.path, flaw.message)).collect();
        assert_eq!(found, [expected], "{schema}");
    }
    let flaws = parse(&json!({"$ref": "#/x"})).expect_err("flaws");
    let paths: Vec<_> = flaws.iter().map(|flaw| flaw.path.as_str()).collect();
    assert_eq!(paths, ["$ref", ""]);
}

#[test]
fn hostile_schemas_and_values_end() {
    let mut deep = json!({"type": "string"});
    for _ in 0..100 {
        deep = json!({"type": "array", "items": deep});
    }
    let schema = json!({"type": "object", "properties": {"a": deep}});
    assert!(parse(&schema).is_err());
    let many: serde_json::Map<_, _> =
        (0..1000).map(|n| (format!("f{n}"), json!({"type": "string"}))).collect();
    assert!(parse(&json!({"type": "object", "properties": many})).is_err());
    let schema = parse(&json!({"type": "object"})).expect("an object without fields");
    let many: serde_json::Map<_, _> = (0..1000).map(|n| (format!("f{n}"), json!(1))).collect();
    assert_eq!(schema.check(&Value::Object(many), "spec").len(), 50);
}

#[test]
fn the_fields_of_a_schema_are_known_to_others() {
    let schema = parse(&image()).expect("the schema is fine");
    let required: Vec<_> = schema.fields().filter(|(_, is_required)| *is_required).collect();
    assert_eq!(required, [("repository", true)]);
    assert_eq!(schema.fields().count(), 11);
}
