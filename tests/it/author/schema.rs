//! Schemas for editors: they take what is right, refuse what is wrong, and know the specs of types.

use serde_json::{Value, json};

use super::{Desk, TYPE};

async fn schema(args: &[&str]) -> Value {
    let desk = Desk::new(&[("types/b.yaml", TYPE)]);
    let said = desk.arc(&[&["schema"], args].concat(), 0).await.stdout;
    serde_json::from_str(&said).unwrap()
}

#[tokio::test]
async fn a_kind_has_a_schema_that_refuses_unknown_fields() {
    for (name, kind) in [("Order", "Order"), ("orders", "Order"), ("endpoint", "Endpoint")] {
        let schema = schema(&[name]).await;
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
        assert_eq!(schema["properties"]["kind"], json!({"const": kind}));
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["properties"]["spec"]["additionalProperties"], false);
        assert!(!schema.to_string().contains("x-kubernetes"), "{name}");
    }
    let desk = Desk::new(&[]);
    let said = desk.arc(&["schema", "Ordre"], 2).await.stderr;
    assert_eq!(said, "error: \"Ordre\" is not a kind of ARC\nhint: did you mean Order?\n");
}

#[tokio::test]
async fn one_schema_tells_the_kinds_apart() {
    let schema = schema(&[]).await;
    let kinds: Vec<_> = schema["allOf"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| {
            assert_eq!(case["then"]["properties"]["kind"], case["if"]["properties"]["kind"]);
            case["if"]["properties"]["kind"]["const"].as_str().unwrap()
        })
        .collect();
    assert_eq!(
        kinds,
        ["ArtifactType", "ArtifactWorkflow", "ClusterArtifactType", "Endpoint", "Order"]
    );
}

#[tokio::test]
async fn an_order_s_schema_knows_what_the_types_of_the_files_want() {
    let order = schema(&["Order", "-f", "types", "--type", "oci"]).await;
    let artifact = &order["properties"]["spec"]["properties"]["artifacts"]["items"];
    assert_eq!(
        artifact["allOf"],
        json!([{
            "if": {"required": ["type"], "properties": {"type": {"const": "oci"}}},
            "then": {
                "required": ["spec"],
                "properties": {"spec": {
                    "type": "object",
                    "required": ["repository", "tag"],
                    "properties": {
                        "repository": {"type": "string"},
                        "tag": {"type": "string"},
                        "override": {"type": "string"},
                    },
                    "additionalProperties": false,
                }},
            },
        }])
    );
    let plain = schema(&["Order"]).await;
    assert_eq!(
        plain["properties"]["spec"]["properties"]["artifacts"]["items"]["allOf"],
        Value::Null
    );
    let desk = Desk::new(&[("types/b.yaml", TYPE)]);
    let said = desk.arc(&["schema", "Order", "-f", "types", "--type", "helm"], 2).await.stderr;
    assert_eq!(said, "error: the files hold no artifact type \"helm\"\nhint: the types are oci\n");
}

#[tokio::test]
async fn a_schema_may_be_yaml() {
    let desk = Desk::new(&[]);
    let yaml = desk.arc(&["schema", "Endpoint", "-o", "yaml"], 0).await.stdout;
    let read: Value = serde_saphyr::from_str(&yaml).unwrap();
    assert_eq!(read, schema(&["Endpoint"]).await);
}
