//! The pods of a Workflow, for those who look for their logs.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Client,
    api::{DeleteParams, ListParams, PostParams},
};
use serde_json::{Value, json};

use super::{performance::texts, rewrite::fnv};

/// A pod that Argo would have made.
#[derive(Debug)]
pub(super) struct OnePod {
    pub(super) name: String,
    node: Value,
    containers: Vec<String>,
}

/// The pods of all nodes that have one and no longer wait for it.
pub(super) fn of(workflow: &Value) -> Vec<OnePod> {
    let name = workflow["metadata"]["name"].as_str().unwrap_or_default();
    let nodes = workflow["status"]["nodes"].as_object();
    let nodes = nodes.into_iter().flat_map(|nodes| nodes.values());
    nodes
        .filter(|node| node["type"] == "Pod" && node["phase"] != "Pending")
        .map(|node| OnePod {
            name: pod_name(name, node),
            node: node.clone(),
            containers: containers(workflow, node),
        })
        .collect()
}

/// As Argo names pods in its format `v2`.
fn pod_name(workflow: &str, node: &Value) -> String {
    let node_name = node["name"].as_str().unwrap_or_default();
    if node_name == workflow {
        return workflow.to_owned();
    }
    let template = node["templateName"].as_str().unwrap_or_default();
    format!("{workflow}-{template}-{}", fnv(node_name))
}

/// The containers of the node's template, and Argo's own.
fn containers(workflow: &Value, node: &Value) -> Vec<String> {
    let templates = workflow["status"]["storedTemplates"].as_object();
    let mut templates = templates.into_iter().flat_map(|templates| templates.values());
    let template = templates.find(|template| template["name"] == node["templateName"]);
    let set = template.map(|template| texts(&template["containerSet"]["containers"], "name"));
    let mut names: BTreeSet<&str> = set.unwrap_or_default().into_iter().collect();
    names.extend(["main", "wait"]);
    names.into_iter().map(str::to_owned).collect()
}

/// Creates a pod; one that is there stays.
pub(super) async fn create(client: &Client, workflow: &Value, pod: &OnePod) {
    let metadata = &workflow["metadata"];
    let namespace = metadata["namespace"].as_str().unwrap_or_default();
    let containers: Vec<Value> =
        pod.containers.iter().map(|name| json!({ "name": name, "image": "arc" })).collect();
    let value = json!({
        "metadata": {
            "name": pod.name,
            "labels": {
                "workflows.argoproj.io/workflow": metadata["name"],
                "workflows.argoproj.io/completed": "false",
            },
            "annotations": {
                "workflows.argoproj.io/node-id": pod.node["id"],
                "workflows.argoproj.io/node-name": pod.node["name"],
            },
            "ownerReferences": [{
                "apiVersion": "argoproj.io/v1alpha1",
                "kind": "Workflow",
                "name": metadata["name"],
                "uid": metadata["uid"],
                "controller": true,
                "blockOwnerDeletion": true,
            }],
        },
        "spec": { "containers": containers },
    });
    let Ok(object) = serde_json::from_value::<Pod>(value) else { return };
    // Already there is as good as created; anything else shows in the test that looks for the log.
    let _ = Api::<Pod>::namespaced(client.clone(), namespace)
        .create(&PostParams::default(), &object)
        .await;
}

/// Deletes all pods of a Workflow, as `podGC` wishes.
pub(super) async fn delete(client: &Client, workflow: &Value) {
    let metadata = &workflow["metadata"];
    let namespace = metadata["namespace"].as_str().unwrap_or_default();
    let name = metadata["name"].as_str().unwrap_or_default();
    let selector = ListParams::default().labels(&format!("workflows.argoproj.io/workflow={name}"));
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    // A pod that stays is no matter to anybody: garbage collection takes it with its Workflow.
    let _ = pods.delete_collection(&DeleteParams::default(), &selector).await;
}
