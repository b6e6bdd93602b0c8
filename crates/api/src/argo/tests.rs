use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::json;

use super::*;

#[test]
fn a_workflow_is_written_in_argos_words() {
    let spec = WorkflowSpec {
        workflow_template_ref: Some(WorkflowTemplateRef {
            name: "oci-image-pipeline".to_owned(),
            cluster_scope: true,
        }),
        arguments: Arguments { parameters: vec![Parameter::new("srcType", "oci")] },
        volumes: serde_json::from_value(
            json!([{ "name": "src-secret-vol", "secret": { "secretName": "a" } }]),
        )
        .unwrap(),
        ttl_strategy: Some(TtlStrategy {
            seconds_after_success: Some(60),
            ..TtlStrategy::default()
        }),
        pod_gc: Some(PodGC { strategy: Some("OnPodSuccess".to_owned()), ..PodGC::default() }),
        ..WorkflowSpec::default()
    };
    let metadata =
        ObjectMeta { name: Some("a-0123456789abcdef".to_owned()), ..ObjectMeta::default() };
    let written = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": { "name": "a-0123456789abcdef" },
        "spec": {
            "workflowTemplateRef": { "name": "oci-image-pipeline", "clusterScope": true },
            "arguments": { "parameters": [{ "name": "srcType", "value": "oci" }] },
            "volumes": [{ "name": "src-secret-vol", "secret": { "secretName": "a" } }],
            "ttlStrategy": { "secondsAfterSuccess": 60 },
            "podGC": { "strategy": "OnPodSuccess" },
        },
    });
    let workflow = Workflow::new(metadata, spec);
    assert_eq!(serde_json::to_value(&workflow).unwrap(), written);
    assert_eq!(serde_json::from_value::<Workflow>(written).unwrap(), workflow);
}

#[test]
fn a_workflow_is_found_where_argo_serves_it() {
    let path = <Workflow as kube::Resource>::url_path(&(), Some("team-a"));
    assert_eq!(path, "/apis/argoproj.io/v1alpha1/namespaces/team-a/workflows");
}

/// In the shape of what Argo 4.1 writes when the scan of a containerSet exits with 3.
#[test]
fn the_status_of_a_refused_delivery_is_read_completely() {
    let written = json!({
        "phase": "Failed",
        "startedAt": "2026-11-20T19:27:21Z",
        "finishedAt": "2026-11-20T19:27:27Z",
        "progress": "1/4",
        "message": "main: Error (exit code 64): dependency \"scan\" exited with non-zero code: 3",
        "nodes": {
            "refused": {
                "id": "refused", "name": "refused", "displayName": "refused", "type": "Pod", "phase": "Failed",
                "templateName": "pipeline", "progress": "0/1", "children": ["refused-2023477650"],
                "startedAt": "2026-11-20T19:27:21Z", "finishedAt": "2026-11-20T19:27:25Z",
                "outputs": {
                    "exitCode": "64",
                    "parameters": [{ "name": "result", "valueFrom": { "path": "/work/result.json" } }],
                },
            },
            "refused-2023477650": {
                "id": "refused-2023477650", "name": "refused.scan", "displayName": "scan", "type": "Container",
                "templateName": "pipeline", "boundaryID": "refused", "phase": "Failed", "progress": "0/1",
                "message": "scan: Error (exit code 3): ",
                "inputs": { "parameters": [{ "name": "tag", "value": "v1", "default": "v0" }] },
            },
        },
    });
    let read: WorkflowStatus = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(read.nodes["refused-2023477650"].type_, NodeType::Container);
    assert_eq!(serde_json::to_value(read).unwrap(), written);
}

#[test]
fn what_a_running_argo_leaves_open_is_empty() {
    let read: WorkflowStatus = serde_json::from_value(
        json!({ "startedAt": null, "finishedAt": null, "conditions": [{ "type": "PodRunning" }] }),
    )
    .unwrap();
    assert_eq!(read, WorkflowStatus::default());
    assert!(!read.phase.is_terminal());
}

#[test]
fn words_of_a_later_argo_are_unknown() {
    let read: NodeStatus = serde_json::from_value(
        json!({ "phase": "Paused", "type": "Wasm", "memoizationStatus": {} }),
    )
    .unwrap();
    assert_eq!(
        read,
        NodeStatus { phase: Phase::Unknown, type_: NodeType::Unknown, ..NodeStatus::default() }
    );
}

#[test]
fn every_phase_is_written_as_it_is_read() {
    for phase in [Phase::Pending, Phase::Running, Phase::Succeeded, Phase::Skipped]
        .into_iter()
        .chain([Phase::Failed, Phase::Error, Phase::Omitted, Phase::Unknown])
    {
        let word = json!(phase.as_str());
        assert_eq!(serde_json::to_value(phase).unwrap(), word);
        assert_eq!(serde_json::from_value::<Phase>(word).unwrap(), phase);
    }
}

#[test]
fn values_may_be_numbers_and_booleans() {
    for (value, expected) in [
        (json!("a"), Some("a")),
        (json!(""), Some("")),
        (json!(1_000_000), Some("1000000")),
        (json!(1.5), Some("1.5")),
        (json!(true), Some("true")),
        (json!(null), None),
    ] {
        let read: Parameter =
            serde_json::from_value(json!({ "name": "a", "value": value })).unwrap();
        assert_eq!(read.value.as_deref(), expected, "{value}");
    }
}
