use std::collections::BTreeMap;

use arc_api::{Endpoint, EndpointSpec, LocalObjectReference, OrderArtifact, OrderSpec};
use serde_json::json;

use super::*;
use crate::fetched::{Fetched, TemplateParameters};
use crate::validate::validate;

/// One artifact `alpine` from `quay` to `harbor`, delivered as the cluster type `oci` says.
fn story() -> (Order, Fetched) {
    let artifact = OrderArtifact {
        name: Some("alpine".to_owned()),
        type_: "oci".to_owned(),
        src_ref: Some(LocalObjectReference::new("quay")),
        dst_ref: Some(LocalObjectReference::new("harbor")),
        spec: json!({"repository": "library/alpine", "tag": "3.18"}).as_object().cloned(),
        ..OrderArtifact::default()
    };
    let mut order =
        Order::new("demo", OrderSpec { artifacts: vec![artifact], ..OrderSpec::default() });
    order.metadata.uid = Some("uid-1".to_owned());
    let endpoint = |name: &str| {
        let remote_url = format!("{name}.example");
        (
            name.to_owned(),
            Endpoint::new(
                name,
                EndpointSpec { type_: "oci".to_owned(), remote_url, ..EndpointSpec::default() },
            ),
        )
    };
    let oci = json!({
        "apiVersion": "arc.opendefense.cloud/v1alpha1",
        "kind": "ClusterArtifactType",
        "metadata": {"name": "oci"},
        "spec": {"parameters": [{"name": "gate", "value": "HIGH"}], "workflowTemplateRef": {"name": "pipeline"}},
    });
    let oci = serde_json::from_value(oci).expect("the test writes a type");
    let template = TemplateParameters {
        parameters: BTreeMap::from([("dryRun".to_owned(), Some("false".to_owned()))]),
    };
    let fetched = Fetched {
        endpoints: [endpoint("quay"), endpoint("harbor")].into(),
        cluster_artifact_types: [("oci".to_owned(), oci)].into(),
        secrets: ["credentials".to_owned()].into(),
        cluster_workflow_templates: ["pipeline", "other"]
            .map(|name| (name.to_owned(), template.clone()))
            .into(),
        ..Fetched::default()
    };
    (order, fetched)
}

fn deliveries(order: &Order, fetched: &Fetched) -> Vec<Delivery> {
    let validated = validate(order, fetched);
    assert_eq!(validated.all_problems(), Vec::<&crate::Problem>::new());
    plan(order, &validated).deliveries
}

fn name_of(order: &Order, fetched: &Fetched) -> String {
    deliveries(order, fetched)[0].artifact_workflow.name_any()
}

#[track_caller]
fn check(what: &str, keeps_name: bool, change: impl FnOnce(&mut Order, &mut Fetched)) {
    let (mut order, mut fetched) = story();
    let before = name_of(&order, &fetched);
    change(&mut order, &mut fetched);
    assert_eq!(name_of(&order, &fetched) == before, keeps_name, "{what}");
}

fn quay(fetched: &mut Fetched) -> &mut EndpointSpec {
    &mut fetched.endpoints.get_mut("quay").expect("the story has it").spec
}

fn oci(fetched: &mut Fetched) -> &mut arc_api::ClusterArtifactTypeSpec {
    &mut fetched.cluster_artifact_types.get_mut("oci").expect("the story has it").spec
}

fn spec(order: &mut Order) -> &mut serde_json::Map<String, serde_json::Value> {
    order.spec.artifacts[0].spec.as_mut().expect("the story has one")
}

#[test]
fn what_decides_the_delivery_changes_its_name() {
    check("order uid", false, |order, _| order.metadata.uid = Some("uid-2".to_owned()));
    check("artifact spec", false, |order, _| {
        _ = spec(order).insert("tag".to_owned(), json!("3.19"));
    });
    check("large numbers", false, |order, _| {
        _ = spec(order).insert("n".to_owned(), json!(9_007_199_254_740_993_u64));
    });
    check("endpoint type", false, |_, fetched| quay(fetched).type_ = "other".to_owned());
    check("endpoint URL", false, |_, fetched| {
        quay(fetched).remote_url = "https://other.example".to_owned();
    });
    check("type parameter", false, |_, fetched| {
        oci(fetched).parameters[0].value = "LOW".to_owned();
    });
    check("template", false, |_, fetched| {
        oci(fetched).workflow_template_ref.name = "other".to_owned();
    });
    check("dry run", false, |order, _| order.spec.dry_run = true);
    check("source and destination", false, |order, _| {
        let artifact = &mut order.spec.artifacts[0];
        std::mem::swap(&mut artifact.src_ref, &mut artifact.dst_ref);
    });
}

#[test]
fn what_does_not_decide_the_delivery_keeps_its_name() {
    check("credentials", true, |_, fetched| {
        quay(fetched).secret_ref = Some(LocalObjectReference::new("credentials"));
    });
    check("certificates", true, |_, fetched| {
        quay(fetched).ca_bundle = Some("-----BEGIN CERTIFICATE-----".to_owned());
    });
    check("labels", true, |order, _| {
        order.labels_mut().insert("a".to_owned(), "b".to_owned());
    });
    check("generation", true, |order, _| order.metadata.generation = Some(7));
    check("artifact name", true, |order, _| order.spec.artifacts[0].name = None);
    check("spelling of keys", true, |order, _| {
        let tag = spec(order).remove("tag").expect("the story has one");
        spec(order).insert("Tag".to_owned(), tag);
    });
    check("null", true, |order, _| _ = spec(order).insert("nothing".to_owned(), json!(null)));
    check("an annotation", true, |order, _| {
        order.annotations_mut().insert(labels::FORCE_AT.to_owned(), "1700000000".to_owned());
    });
    check("default instead of own reference", true, |order, _| {
        let own = order.spec.artifacts[0].src_ref.take();
        order.spec.defaults =
            Some(arc_api::OrderDefaults { src_ref: own, ..arc_api::OrderDefaults::default() });
    });
    check("life spans", true, |_, fetched| oci(fetched).ttl_after_finished = Some("1h".to_owned()));
}

#[test]
fn two_artifacts_with_one_wish_share_one_delivery() {
    let (mut order, fetched) = story();
    let mut twin = order.spec.artifacts[0].clone();
    twin.name = Some("twin".to_owned());
    order.spec.artifacts.push(twin);
    let deliveries = deliveries(&order, &fetched);
    assert_eq!(deliveries.len(), 1);
    assert_eq!(deliveries[0].shared_with, [SharedArtifact { index: 1, name: "twin".to_owned() }]);
    assert!(deliveries[0].is_for(0) && deliveries[0].is_for(1) && !deliveries[0].is_for(2));
}

#[test]
fn a_problem_of_the_order_stops_everything() {
    let (mut order, fetched) = story();
    order.spec.ttl = Some("soon".to_owned());
    let validated = validate(&order, &fetched);
    assert_eq!(validated.problems[0].to_string(), "spec.ttl: \"soon\" is not a duration");
    assert!(validated.artifacts[0].outcome.is_ok());
    let held = ["alpine".to_owned()].into();
    assert_eq!(plan(&order, &validated), Plan { held, ..Plan::default() });
}

#[test]
fn an_order_that_was_never_stored_owns_nothing() {
    let (mut order, fetched) = story();
    order.metadata.uid = None;
    let workflow = deliveries(&order, &fetched).remove(0).artifact_workflow;
    assert_eq!(workflow.metadata.owner_references, None);
    assert_eq!(workflow.metadata.namespace.as_deref(), Some("default"));
    assert_eq!(workflow.labels().get(labels::ORDER_UID), None);
    // Namespace and name stand in for the uid.
    let here = workflow.name_any();
    order.metadata.namespace = Some("elsewhere".to_owned());
    assert_ne!(deliveries(&order, &fetched)[0].artifact_workflow.name_any(), here);
}
