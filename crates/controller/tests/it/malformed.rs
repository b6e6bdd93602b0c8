//! Objects that are not what their kind says: whoever wrote them has a problem, and nobody else.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Cluster, Operator, Script, order, set};

/// Objects of Argo's kinds have no schema here, as with the minimal definitions of a real one.
fn junk() -> Vec<Value> {
    let argo = |kind: &str, name: &str, spec: Value, status: Value| {
        json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": kind,
            "metadata": {
                "name": name,
                "labels": { "workflows.argoproj.io/cron-workflow": "nothing" },
            },
            "spec": spec,
            "status": status,
        })
    };
    vec![
        argo("Workflow", "junk-1", json!({ "arguments": 7 }), json!({})),
        argo("Workflow", "junk-2", json!({}), json!({ "nodes": ["x"], "phase": 3 })),
        argo("Workflow", "junk-3", json!({ "shutdown": {} }), json!({ "startedAt": "yesterday" })),
        argo("CronWorkflow", "junk-4", json!({ "schedules": "x" }), json!({ "active": 1 })),
        argo(
            "ClusterWorkflowTemplate",
            "junk-5",
            json!({ "arguments": { "parameters": 1 } }),
            json!({}),
        ),
        argo("WorkflowTemplate", "junk-6", json!({ "arguments": [] }), json!({})),
    ]
}

#[tokio::test(start_paused = true)]
async fn malformed_objects_wedge_nothing() {
    let cluster = Cluster::fake();
    set(&cluster).await;
    for object in junk() {
        cluster.create(&object).await;
    }
    let script = Script::new();
    let _argo = script.start(&cluster);
    let operator = Operator::start(&cluster);
    cluster.create(&order("one", &["a"])).await;
    cluster.until_phase("one", "Succeeded").await;
    // And once more while the watches run.
    for mut object in junk() {
        object["metadata"]["name"] =
            format!("{}-late", object["metadata"]["name"].as_str().unwrap()).into();
        cluster.create(&object).await;
    }
    cluster.create(&order("two", &["b"])).await;
    cluster.until_phase("two", "Succeeded").await;
    operator.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_malformed_order_wedges_nothing_and_is_looked_at_once_it_is_mended() {
    let cluster = Cluster::fake();
    set(&cluster).await;
    loosen(&cluster, "orders");
    loosen(&cluster, "endpoints");
    let junk = json!({
        "apiVersion": "arc.opendefense.cloud/v1alpha1",
        "kind": "Order",
        "metadata": { "name": "junk" },
        "spec": { "artifacts": "all of them" },
    });
    cluster.create(&junk).await;
    let mut bad = junk.clone();
    (bad["kind"], bad["spec"]) = ("Endpoint".into(), json!({ "type": 1 }));
    cluster.create(&bad).await;
    let _argo = Script::new().start(&cluster);
    let operator = Operator::start(&cluster);
    cluster.create(&order("one", &["a"])).await;
    cluster.until_phase("one", "Succeeded").await;
    cluster.patch("Order", "junk", &json!({ "spec": order("x", &["b"])["spec"] })).await;
    cluster.until_phase("junk", "Succeeded").await;
    cluster.pass(Duration::from_secs(10)).await;
    operator.stop().await;
}

/// As an older or newer definition would, it lets everything in.
fn loosen(cluster: &Cluster, plural: &str) {
    let server = cluster.server();
    let name = format!("{plural}.arc.opendefense.cloud");
    let table = "customresourcedefinitions.apiextensions.k8s.io";
    let mut definition = server.object(table, "", &name).unwrap();
    let anything = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = anything;
    let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
    let answer = server.call("PUT", &path, &definition);
    assert_ne!(answer["kind"], "Status", "{answer}");
}
