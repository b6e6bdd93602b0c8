//! Very many artifacts in one order.

use std::time::Duration;

use arc_kube_fake::{
    Verb,
    player::{Play, Recording},
};
use serde_json::{Value, json};

use crate::harness::{Cluster, OPERATOR, Operator, Script, order, set};

const MANY: usize = 1000;
/// Bytes of an object that etcd takes by default.
const OBJECT_MAX: usize = 1_500_000;

fn writes(cluster: &Cluster, resource: &str) -> usize {
    let requests = cluster.server().requests();
    let own = requests.iter().filter(|request| request.user == OPERATOR);
    own.filter(|request| request.verb.is_write() && request.resource == resource).count()
}

#[tokio::test(start_paused = true)]
async fn an_order_of_a_thousand_artifacts_costs_what_changes() {
    let cluster = Cluster::fake();
    set(&cluster).await;
    let script = Script::new().play("a500", &[Play::brief(Recording::RefusedByScan)]);
    let _argo = script.start_at(&cluster, f64::INFINITY);
    let operator = Operator::start(&cluster);
    let names: Vec<String> = (0..MANY).map(|index| format!("a{index}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    cluster.create(&order("many", &names)).await;
    let done = cluster.until_phase("many", "Failed").await;
    assert_eq!(done["status"]["counts"]["succeeded"], MANY - 1);
    assert_eq!(done["status"]["artifacts"].as_array().unwrap().len(), MANY);
    assert!(done.to_string().len() < OBJECT_MAX, "{}", done.to_string().len());
    cluster.pass(Duration::from_secs(10)).await;
    assert_eq!(script.seen().len(), MANY);
    assert_eq!(writes(&cluster, "workflows"), MANY);
    assert_eq!(writes(&cluster, "artifactworkflows"), MANY);
    assert!(writes(&cluster, "artifactworkflows/status") <= 2 * MANY);
    // However the thousand ends come, the order is not written for each.
    assert!(writes(&cluster, "orders/status") < 60, "{}", writes(&cluster, "orders/status"));

    cluster.server().forget_requests();
    let mut changed: Vec<Value> = done["spec"]["artifacts"].as_array().unwrap().clone();
    changed[7]["spec"]["tag"] = "2".into();
    cluster.patch("Order", "many", &json!({ "spec": { "artifacts": changed } })).await;
    cluster.pass(Duration::from_secs(30)).await;
    cluster.until_phase("many", "Failed").await;
    let requests = cluster.server().requests();
    let own: Vec<String> = requests
        .iter()
        .filter(|request| request.user == OPERATOR)
        .filter(|request| !matches!(request.verb, Verb::List | Verb::Watch))
        .map(|request| format!("{} {}", request.verb, request.resource))
        .collect();
    assert!(own.len() <= 6, "{own:?}");
    operator.stop().await;
}
