//! What must hold for any input.

use std::collections::BTreeMap;

use arc_api::{Endpoint, EndpointSpec, Order};
use arc_core::{Fetched, TemplateParameters, expansion, flatten, plan, validate};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Enough to meet the edges, few enough to stay under a second.
const CASES: u32 = 96;

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-zA-Z0-9_.-]{0,4}|.{0,3}", inner, 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn any_object() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map("[a-zA-Z0-9_.-]{0,6}", any_json(), 0..5)
        .prop_map(|entries| entries.into_iter().collect())
}

fn plain_object() -> impl Strategy<Value = BTreeMap<String, String>> {
    prop::collection::btree_map("[a-z]{1,6}", "[a-z0-9./:]{0,12}", 0..6)
}

fn fetched() -> Fetched {
    let endpoint = |name: &str| {
        let spec = EndpointSpec {
            type_: "oci".into(),
            remote_url: format!("{name}.example"),
            ..Default::default()
        };
        (name.to_owned(), Endpoint::new(name, spec))
    };
    let oci = json!({
        "apiVersion": "arc.opendefense.cloud/v1alpha1", "kind": "ClusterArtifactType", "metadata": {"name": "oci"},
        "spec": {"workflowTemplateRef": {"name": "pipeline"}},
    });
    Fetched {
        endpoints: [endpoint("a"), endpoint("b")].into(),
        cluster_artifact_types: [("oci".to_owned(), serde_json::from_value(oci).unwrap())].into(),
        cluster_workflow_templates: [("pipeline".to_owned(), TemplateParameters::default())].into(),
        ..Fetched::default()
    }
}

/// The name of the only delivery of an order that is written as this text.
fn planned_name(order: &str) -> String {
    let order: Order = serde_json::from_str(order).unwrap();
    let validated = validate(&order, &fetched());
    let plan = plan(&order, &validated);
    assert_eq!(plan.deliveries.len(), 1, "{:?}", validated.all_problems());
    plan.deliveries[0].artifact_workflow.metadata.name.clone().unwrap()
}

/// Writes the order with the keys of the artifact's spec in this order and this white space between them.
fn order_text(spec: &[(&String, &String)], space: &str) -> String {
    let entries: Vec<String> = spec
        .iter()
        .map(|(key, value)| format!("{}{space}:{space}{}", json!(key), json!(value)))
        .collect();
    let spec = entries.join(&format!("{space},{space}"));
    format!(
        r#"{{"apiVersion":"arc.opendefense.cloud/v1alpha1","kind":"Order","metadata":{{"name":"demo","uid":"u"}},
            "spec":{{"artifacts":[{{"type":"oci","srcRef":{{"name":"a"}},"dstRef":{{"name":"b"}},"spec":{{{spec}}}}}]}}}}"#
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn names_do_not_depend_on_key_order_or_white_space(spec in plain_object(), space in "[ \n\t]{0,3}") {
        let forward: Vec<_> = spec.iter().collect();
        let backward: Vec<_> = spec.iter().rev().collect();
        prop_assert_eq!(planned_name(&order_text(&forward, "")), planned_name(&order_text(&backward, &space)));
    }

    #[test]
    fn another_value_gives_another_name(spec in plain_object(), key in "[a-z]{1,6}", value in "[a-z]{1,6}") {
        let mut changed = spec.clone();
        changed.insert(key.clone(), value.clone());
        let (before, after): (Vec<_>, Vec<_>) = (spec.iter().collect(), changed.iter().collect());
        let same = spec.get(&key) == Some(&value);
        prop_assert_eq!(planned_name(&order_text(&before, "")) == planned_name(&order_text(&after, "")), same);
    }

    #[test]
    fn flatten_never_panics_and_its_names_are_argo_names(spec in any_object()) {
        let flat = flatten::flatten(&spec, "spec");
        for (name, value) in &flat.parameters {
            prop_assert!(name.starts_with("spec") && name.bytes().all(|b| b.is_ascii_alphanumeric()), "{}", name);
            prop_assert!(value.path.starts_with("spec"));
        }
    }

    #[test]
    fn an_accepted_value_stays_accepted_beside_another(
        a in r"[{}$().= a~|]{0,8}|\{\{[ .a-z]{0,6}\}\}",
        b in r"[{}$().= a~|]{0,8}|\{\{[ .a-z]{0,6}\}\}",
    ) {
        if expansion::second_order(&a).is_none() && expansion::second_order(&b).is_none() {
            prop_assert_eq!(expansion::second_order(&format!("{a}{b}")), None);
        }
    }

    #[test]
    fn second_order_never_panics(value in "\\PC{0,24}") {
        let _ = expansion::second_order(&value);
        let _ = arc_core::duration::parse(&value);
    }
}
