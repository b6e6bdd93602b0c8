//! How long things live, and what is left of them.

use std::time::Duration;

use arc_kube_fake::player::{Play, Recording};
use serde_json::{Value, json};

use crate::harness::{Cluster, Operator, Script, delivered, order, order_of, set};

/// What an order leaves behind if it leaves something.
async fn left(cluster: &Cluster) -> Vec<Value> {
    let mut left = Vec::new();
    for kind in ["Order", "ArtifactWorkflow", "Workflow", "CronWorkflow", "Pod"] {
        left.extend(cluster.list(kind).await);
    }
    left
}

#[tokio::test(start_paused = true)]
async fn the_deletion_of_an_order_stops_what_runs_and_leaves_nothing() {
    let cluster = Cluster::fake();
    set(&cluster).await;
    let script = Script::new()
        .play("busy", &[Play::all(Recording::Succeeded).until(4).log("main", "x")])
        .play("bad", &[Play::brief(Recording::RefusedByScan)]);
    let _argo = script.start(&cluster);
    let operator = Operator::start(&cluster);
    cluster.create(&order("one", &["good", "bad", "busy"])).await;
    cluster.until_row(("one", "bad"), ("Failed", "ScanRefused")).await;
    cluster.pass(Duration::from_secs(30)).await;
    cluster.delete("Order", "one").await;
    cluster.pass(Duration::from_secs(30)).await;
    assert_eq!(left(&cluster).await, Vec::<Value>::new());
    assert_eq!(script.seen().len(), 3, "nothing is made again");
    operator.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_order_with_a_life_span_goes_when_it_is_over() {
    let cluster = Cluster::fake();
    set(&cluster).await;
    let script = Script::new().play("busy", &[Play::all(Recording::Succeeded).until(4)]);
    let _argo = script.start(&cluster);
    let operator = Operator::start(&cluster);
    let mut one = order("one", &["good", "busy"]);
    one["spec"]["ttl"] = "1h".into();
    cluster.create(&one).await;
    cluster.create(&order("other", &["else"])).await;
    cluster.pass(Duration::from_secs(3590)).await;
    let found = cluster.get("Order", "one").await.unwrap();
    assert!(found["status"]["expiresAt"].is_string(), "{found}");
    cluster.pass(Duration::from_secs(30)).await;
    assert_eq!(cluster.get("Order", "one").await, None);
    let left: Vec<Value> = left(&cluster).await.iter().map(|one| one["kind"].clone()).collect();
    assert_eq!(left, ["Order", "ArtifactWorkflow"], "only the other order is left");
    operator.stop().await;
}

#[tokio::test(start_paused = true)]
async fn workflows_go_early_and_the_record_stays() {
    let cluster = Cluster::fake();
    set(&cluster).await;
    let patch = json!({ "spec": { "ttlAfterFinished": "5m", "ttlAfterFailed": "2h" } });
    cluster.patch("ClusterArtifactType", "oci", &patch).await;
    let script = Script::new().play("bad", &[Play::brief(Recording::RefusedByScan)]);
    let _argo = script.start(&cluster);
    let operator = Operator::start(&cluster);
    cluster.create(&order("one", &["good", "bad"])).await;
    cluster.until_phase("one", "Failed").await;
    let record = cluster.record("good").await.unwrap();
    cluster.pass(Duration::from_secs(240)).await;
    assert_eq!(cluster.workflows().await.len(), 2);
    cluster.pass(Duration::from_secs(120)).await;
    assert_eq!(cluster.workflows().await.len(), 1, "the success is gone");
    cluster.pass(Duration::from_secs(7200)).await;
    assert_eq!(cluster.workflows().await, Vec::<String>::new());
    let kept = cluster.record("good").await.unwrap();
    assert_eq!(kept["status"], record["status"]);
    assert_eq!(kept["status"]["result"]["outcome"], "Delivered");
    assert_eq!(cluster.get("Order", "one").await.unwrap()["status"]["phase"], "Failed");
    // Neither its absence nor a new operator is a reason to do it again.
    operator.kill().await;
    let operator = Operator::start(&cluster);
    cluster.pass(Duration::from_secs(120)).await;
    assert_eq!(script.seen().len(), 2);
    operator.stop().await;
}

#[tokio::test(start_paused = true)]
async fn workflows_go_after_the_usual_time_where_the_type_says_nothing() {
    let cluster = Cluster::fake();
    set(&cluster).await;
    let script = Script::new().play("bad", &[Play::brief(Recording::RefusedByScan)]);
    let _argo = script.start(&cluster);
    let operator = Operator::start(&cluster);
    cluster.create(&order("one", &["good", "bad"])).await;
    cluster.until_phase("one", "Failed").await;
    cluster.pass(Duration::from_secs(9 * 60)).await;
    assert_eq!(cluster.workflows().await.len(), 2);
    cluster.pass(Duration::from_secs(2 * 60)).await;
    assert_eq!(cluster.workflows().await.len(), 1);
    cluster.pass(Duration::from_secs(24 * 3600)).await;
    assert_eq!(cluster.workflows().await.len(), 0);
    operator.stop().await;
}

pub(crate) async fn a_suspended_order_begins_nothing_and_goes_on_when_it_is_let(cluster: &Cluster) {
    set(cluster).await;
    let script = Script::new();
    let _argo = script.start(cluster);
    let operator = Operator::start(cluster);
    let mut one = order("one", &["a"]);
    one["spec"]["suspend"] = true.into();
    cluster.create(&one).await;
    cluster
        .until("the order says that it is suspended", async || {
            let order = cluster.get("Order", "one").await?;
            (order["status"]["phase"] == "Suspended").then_some(())
        })
        .await;
    cluster.pass(Duration::from_secs(3)).await;
    assert_eq!(cluster.workflows().await, Vec::<String>::new());
    cluster.patch("Order", "one", &json!({ "spec": { "suspend": false } })).await;
    cluster.until_phase("one", "Succeeded").await;
    assert_eq!(script.counts()["a"], 1);
    operator.stop().await;
}

pub(crate) async fn a_dry_run_reports_and_is_told_to_the_steps(cluster: &Cluster) {
    set(cluster).await;
    let mut report: Value = serde_json::from_str(&delivered("a")).unwrap();
    report["outcome"] = "DryRun".into();
    let play = Play::brief(Recording::Succeeded).result(&report.to_string());
    let script = Script::new().play("a", &[play]);
    let _argo = script.start(cluster);
    let operator = Operator::start(cluster);
    let mut one = order("one", &["a"]);
    one["spec"]["dryRun"] = true.into();
    cluster.create(&one).await;
    cluster.until_phase("one", "Succeeded").await;
    let workflow = cluster.list("Workflow").await.remove(0);
    let parameters = workflow["spec"]["arguments"]["parameters"].as_array().unwrap();
    let dry = parameters.iter().find(|parameter| parameter["name"] == "dryRun").unwrap();
    assert_eq!(dry["value"], "true");
    let row = cluster.row("one", "a").await.unwrap();
    assert_eq!(row["reason"], "DryRun", "{row}");
    operator.stop().await;
}

pub(crate) async fn a_workflow_deleted_by_hand_is_reported_and_replaced(cluster: &Cluster) {
    set(cluster).await;
    let busy = Play::all(Recording::Succeeded).until(3);
    let script = Script::new().play("a", &[busy]);
    let _argo = script.start(cluster);
    let operator = Operator::start(cluster);
    cluster.create(&order("one", &["a"])).await;
    cluster.until_row(("one", "a"), ("Running", "Running")).await;
    let name = cluster.workflows().await.remove(0);
    cluster.delete("Workflow", &name).await;
    let again =
        cluster.until("there is another one", async || cluster.workflows().await.pop()).await;
    assert_eq!(again, format!("{name}-2"));
    cluster.pass(Duration::from_secs(2)).await;
    assert_eq!(cluster.workflows().await.len(), 1);
    let events = cluster.list("Event").await;
    let reasons: Vec<_> = events.iter().map(|event| event["reason"].as_str().unwrap()).collect();
    assert!(reasons.contains(&"WorkflowReplaced"), "{reasons:?}");
    // Somebody who deletes every one gets his way.
    for _ in 0..8 {
        if let Some(name) = cluster.workflows().await.pop() {
            cluster.delete("Workflow", &name).await;
        }
        cluster.pass(Duration::from_secs(3)).await;
    }
    let row = cluster.until_row(("one", "a"), ("Failed", "WorkflowNotFound")).await;
    assert!(row["message"].as_str().is_some(), "{row}");
    assert!(script.seen().len() <= 5, "{:?}", script.seen());
    operator.stop().await;
}

pub(crate) async fn what_an_order_no_longer_asks_for_is_stopped_or_kept_as_a_record(
    cluster: &Cluster,
) {
    set(cluster).await;
    let script = Script::new().play("busy", &[Play::all(Recording::Succeeded).until(3)]);
    let _argo = script.start(cluster);
    let operator = Operator::start(cluster);
    cluster.create(&order("one", &["done", "busy"])).await;
    cluster.until_row(("one", "done"), ("Succeeded", "Succeeded")).await;
    cluster.until_row(("one", "busy"), ("Running", "Running")).await;
    let other = order_of(
        "one",
        &[json!({
            "name": "new", "type": "oci", "spec": { "repository": "new" },
        })],
    );
    cluster.patch("Order", "one", &json!({ "spec": other["spec"] })).await;
    cluster.until_phase("one", "Succeeded").await;
    cluster
        .until("what was busy is gone", async || {
            cluster.record("busy").await.is_none().then_some(())
        })
        .await;
    assert!(cluster.record("done").await.is_some());
    let order = cluster.get("Order", "one").await.unwrap();
    assert_eq!(order["status"]["counts"]["total"], 1);
    operator.stop().await;
}

#[tokio::test(start_paused = true)]
async fn only_the_newest_records_of_the_past_are_kept() {
    let cluster = Cluster::fake();
    set(&cluster).await;
    let script = Script::new();
    let _argo = script.start(&cluster);
    let operator = Operator::start(&cluster);
    cluster.create(&order("one", &["a"])).await;
    cluster.until_phase("one", "Succeeded").await;
    for tag in 0..15 {
        cluster.pass(Duration::from_secs(5)).await;
        let artifact = json!({ "name": "a", "type": "oci", "spec": { "repository": "a", "tag": tag.to_string() } });
        let spec = order_of("one", &[artifact]);
        cluster.patch("Order", "one", &json!({ "spec": spec["spec"] })).await;
        cluster.pass(Duration::from_secs(10)).await;
        cluster.until_phase("one", "Succeeded").await;
    }
    assert_eq!(script.seen().len(), 16);
    assert_eq!(cluster.list("ArtifactWorkflow").await.len(), 11, "the present one and ten");
    operator.stop().await;
}
