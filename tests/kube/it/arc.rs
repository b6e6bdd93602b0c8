//! ARC's own kinds and Argo's, as the controller will write them.

use arc_kube_fake::{ApiServer, Options};
use serde_json::{Value, json};

const ORDERS: &str = "/apis/arc.opendefense.cloud/v1alpha1/namespaces/default/orders";
const WORKFLOWS: &str = "/apis/argoproj.io/v1alpha1/namespaces/default/workflows";

fn order(artifacts: &Value) -> Value {
    json!({
        "apiVersion": "arc.opendefense.cloud/v1alpha1",
        "kind": "Order",
        "metadata": { "name": "a" },
        "spec": { "artifacts": artifacts },
    })
}

#[tokio::test]
async fn an_order_without_endpoints_is_refused_by_its_own_rules() {
    let server = ApiServer::with_arc(Options::default());
    let refused = server.call("POST", ORDERS, &order(&json!([{ "name": "x", "type": "oci" }])));
    assert_eq!(refused["code"], 422, "{refused}");
    let message = refused["message"].as_str().unwrap();
    assert!(message.contains("every artifact needs a srcRef"), "{message}");
    let endpoint = json!({ "name": "e" });
    let artifact = json!([{ "name": "x", "type": "oci", "srcRef": endpoint, "dstRef": endpoint }]);
    let made = server.call("POST", ORDERS, &order(&artifact));
    assert_eq!(made["metadata"]["generation"], 1, "{made}");
}

#[tokio::test]
async fn a_workflow_keeps_every_field_and_its_status_is_not_apart() {
    let server = ApiServer::with_arc(Options::default());
    let workflow = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": { "name": "w" },
        "spec": { "templates": [{ "name": "t", "container": { "image": "x" } }], "unheard": { "of": 1 } },
        "status": { "phase": "Running" },
    });
    let made = server.call("POST", WORKFLOWS, &workflow);
    assert_eq!((&made["spec"], &made["status"]), (&workflow["spec"], &workflow["status"]));
    let path = format!("{WORKFLOWS}/w");
    let done = server.call("PATCH", &path, &json!({ "status": { "phase": "Succeeded" } }));
    assert_eq!(
        (&done["status"]["phase"], &done["metadata"]["generation"]),
        (&json!("Succeeded"), &json!(2))
    );
    let cluster = "/apis/argoproj.io/v1alpha1/clusterworkflowtemplates";
    let template = json!({ "metadata": { "name": "t" }, "spec": {} });
    assert_eq!(server.call("POST", cluster, &template)["kind"], "ClusterWorkflowTemplate");
}
