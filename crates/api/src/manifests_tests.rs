//! Manifests of the Go project of the same API group, and what else writers leave behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    ArtifactType, ArtifactWorkflow, ClusterArtifactType, Endpoint, Order, OrderSpec, Phase, Reason,
    Usage,
};

/// Reads an object as its kind and writes it again.
fn through<T: DeserializeOwned + Serialize>(object: &Value) -> Value {
    let read: T = serde_json::from_value(object.clone()).unwrap();
    serde_json::to_value(read).unwrap()
}

fn through_its_kind(object: &Value) -> Value {
    match object["kind"].as_str().unwrap() {
        "ArtifactType" => through::<ArtifactType>(object),
        "ArtifactWorkflow" => through::<ArtifactWorkflow>(object),
        "ClusterArtifactType" => through::<ClusterArtifactType>(object),
        "Endpoint" => through::<Endpoint>(object),
        "Order" => through::<Order>(object),
        other => panic!("{other} is no kind of ours"),
    }
}

fn check<T: DeserializeOwned + Serialize>(object: &Value, expected: &Value) {
    assert_eq!(&through::<T>(object), expected);
}

#[test]
fn manifests_of_the_go_project_mean_the_same_here() {
    let options = serde_saphyr::options! { strict_booleans: true };
    let objects: Vec<Value> =
        serde_saphyr::from_multiple_with_options(include_str!("fixtures/go-project.yaml"), options)
            .unwrap();
    assert_eq!(objects.len(), 6);
    for object in objects {
        assert_eq!(through_its_kind(&object), object);
    }
}

#[test]
fn objects_read_back_from_the_go_project_lose_only_their_empty_values() {
    let meta = json!({ "name": "a", "creationTimestamp": null });
    check::<Order>(
        &json!({
            "apiVersion": "arc.opendefense.cloud/v1alpha1", "kind": "Order", "metadata": meta,
            "spec": {
                "defaults": { "srcRef": { "name": "a" }, "dstRef": {} },
                "artifacts": [{ "type": "oci", "srcRef": {}, "dstRef": { "name": "b" }, "spec": null }],
            },
            "status": { "lastReconcileAt": null, "artifactWorkflows": { "0123456789abcdef": { "artifactIndex": 0 } } },
        }),
        &json!({
            "apiVersion": "arc.opendefense.cloud/v1alpha1", "kind": "Order", "metadata": { "name": "a" },
            "spec": {
                "defaults": { "srcRef": { "name": "a" } },
                "artifacts": [{ "type": "oci", "dstRef": { "name": "b" } }],
            },
            "status": {},
        }),
    );
    check::<ArtifactType>(
        &json!({
            "apiVersion": "arc.opendefense.cloud/v1alpha1", "kind": "ArtifactType", "metadata": meta,
            "spec": { "rules": { "srcTypes": null }, "parameters": null, "workflowTemplateRef": { "name": "t" } },
            "status": {},
        }),
        &json!({
            "apiVersion": "arc.opendefense.cloud/v1alpha1", "kind": "ArtifactType", "metadata": { "name": "a" },
            "spec": { "rules": {}, "workflowTemplateRef": { "name": "t" } },
        }),
    );
    check::<ArtifactWorkflow>(
        &json!({
            "apiVersion": "arc.opendefense.cloud/v1alpha1", "kind": "ArtifactWorkflow", "metadata": meta,
            "spec": { "workflowTemplateRef": { "name": "t" }, "srcSecretRef": {}, "dstSecretRef": { "name": "" } },
            "status": { "phase": "Active", "succeeded": 3, "completionTime": null },
        }),
        &json!({
            "apiVersion": "arc.opendefense.cloud/v1alpha1", "kind": "ArtifactWorkflow", "metadata": { "name": "a" },
            "spec": { "workflowTemplateRef": { "name": "t" } },
            "status": {},
        }),
    );
}

#[test]
fn an_endpoint_without_usage_may_be_used_both_ways() {
    let read: Endpoint = serde_json::from_value(json!({
        "apiVersion": "arc.opendefense.cloud/v1alpha1", "kind": "Endpoint", "metadata": { "name": "a" },
        "spec": { "type": "oci", "remoteURL": "quay.io", "secretRef": {}, "proxy": "of a later version" },
    }))
    .unwrap();
    assert_eq!(read.spec.usage, Usage::All);
    assert_eq!(read.spec.secret_ref, None);
    assert!(Usage::All.allows_pull() && Usage::All.allows_push());
    assert!(Usage::PullOnly.allows_pull() && !Usage::PullOnly.allows_push());
    assert!(!Usage::PushOnly.allows_pull() && Usage::PushOnly.allows_push());
}

#[test]
fn keys_without_a_value_count_as_missing() {
    let spec: OrderSpec = serde_json::from_value(
        json!({ "artifacts": null, "suspend": null, "dryRun": null, "ttl": null }),
    )
    .unwrap();
    assert_eq!(spec, OrderSpec::default());
}

#[test]
fn an_artifact_without_a_type_is_refused_by_name() {
    let error = serde_json::from_value::<OrderSpec>(json!({ "artifacts": [{}] })).unwrap_err();
    assert_eq!(error.to_string(), "missing field `type`");
}

#[test]
fn words_are_written_as_they_are_read() {
    for reason in Reason::ALL {
        assert_eq!(serde_json::to_value(reason).unwrap(), json!(reason.as_str()));
        assert!(reason.as_str().chars().next().unwrap().is_ascii_uppercase());
    }
    for phase in [Phase::Pending, Phase::Suspended, Phase::Running].into_iter().chain([
        Phase::Succeeded,
        Phase::Failed,
        Phase::Error,
        Phase::Skipped,
    ]) {
        assert_eq!(serde_json::to_value(phase).unwrap(), json!(phase.as_str()));
        assert_eq!(phase.to_string(), phase.as_str());
    }
    for usage in [Usage::PullOnly, Usage::PushOnly, Usage::All] {
        assert_eq!(serde_json::to_value(usage).unwrap(), json!(usage.as_str()));
    }
}
