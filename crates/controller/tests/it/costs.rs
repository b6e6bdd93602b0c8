//! What things cost: requests.

use std::time::Duration;

use arc_kube_fake::{
    Verb,
    player::{Play, Recording},
};
use serde_json::json;

use crate::harness::{Cluster, OPERATOR, Operator, Script, delivered, order, set};

/// The operator's requests, without those that keep its stores.
fn asked(cluster: &Cluster) -> Vec<String> {
    let requests = cluster.server().requests();
    let own = requests.iter().filter(|request| request.user == OPERATOR);
    own.filter(|request| !matches!(request.verb, Verb::List | Verb::Watch))
        .map(|request| format!("{} {}", request.verb, request.resource))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn an_order_of_one_artifact_costs_six_writes_and_nothing_when_it_is_done() {
    let cluster = Cluster::fake();
    set(&cluster).await;
    let play = Play::all(Recording::Succeeded).result(&delivered("a"));
    let _argo = Script::new().play("a", &[play]).start(&cluster);
    let operator = Operator::start(&cluster);
    cluster.pass(Duration::from_secs(5)).await;
    cluster.server().forget_requests();
    cluster.create(&order("one", &["a"])).await;
    cluster.until_phase("one", "Succeeded").await;
    cluster.pass(Duration::from_secs(5)).await;
    let mut writes = asked(&cluster);
    writes.sort();
    assert_eq!(
        writes,
        [
            "create artifactworkflows",
            "create workflows",
            "patch artifactworkflows/status",
            "patch artifactworkflows/status",
            "patch orders/status",
            "patch orders/status",
        ]
    );
    assert_eq!(cluster.list("Event").await, Vec::<serde_json::Value>::new());
    // Who uses the endpoints is written down now and then, and never for an order's sake.
    cluster.pass(Duration::from_secs(120)).await;
    cluster.server().forget_requests();
    cluster.pass(Duration::from_secs(120)).await;
    let all = cluster.server().requests();
    let all: Vec<_> = all.iter().filter(|request| request.user == OPERATOR).collect();
    assert_eq!(all.len(), 0, "an idle operator asks nothing: {all:?}");
    operator.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_second_start_writes_nothing() {
    let cluster = Cluster::fake();
    set(&cluster).await;
    let script = Script::new()
        .play("bad", &[Play::brief(Recording::RefusedByScan)])
        .play("busy", &[Play::all(Recording::Succeeded).until(3)]);
    let _argo = script.start(&cluster);
    let operator = Operator::start(&cluster);
    cluster.create(&order("all", &["good", "bad", "busy"])).await;
    let held = json!({ "name": "held", "type": "nothing", "spec": { "repository": "x" } });
    cluster.create(&crate::harness::order_of("held", &[held])).await;
    cluster.until_row(("all", "good"), ("Succeeded", "Succeeded")).await;
    cluster.until_row(("all", "bad"), ("Failed", "ScanRefused")).await;
    cluster.until_row(("held", "held"), ("Pending", "ArtifactTypeNotFound")).await;
    cluster.pass(Duration::from_secs(120)).await;
    operator.stop().await;
    cluster.server().forget_requests();
    let version = cluster.server().version();
    let operator = Operator::start(&cluster);
    cluster.pass(Duration::from_secs(60)).await;
    assert_eq!(asked(&cluster), Vec::<String>::new());
    assert_eq!(cluster.server().version(), version);
    operator.stop().await;
}

#[tokio::test(start_paused = true)]
async fn progress_of_the_steps_writes_nothing() {
    let cluster = Cluster::fake();
    set(&cluster).await;
    let play = Play::all(Recording::Succeeded).until(7);
    let _argo = Script::new().play("a", &[play]).start(&cluster);
    let operator = Operator::start(&cluster);
    cluster.create(&order("one", &["a"])).await;
    cluster.pass(Duration::from_secs(60)).await;
    let mut writes = asked(&cluster);
    writes.retain(|write| write != "patch endpoints/status");
    assert_eq!(writes.len(), 4, "{writes:?}");
    operator.stop().await;
}
