//! Endpoints: who uses them, and what a probe finds, once and on request.

use std::time::Duration;

use arc_kube_fake::player::{Play, Recording};
use serde_json::{Value, json};

use crate::harness::{Cluster, Operator, Script, endpoint, order, secret, set};

/// The status of a condition of an endpoint and its reason, as `True Reachable`.
async fn condition(cluster: &Cluster, name: &str, type_: &str) -> Option<String> {
    let endpoint = cluster.get("Endpoint", name).await?;
    let conditions = endpoint["status"]["conditions"].as_array()?.clone();
    let found = conditions.iter().find(|one| one["type"] == type_)?;
    let text = |field: &str| found[field].as_str().unwrap().to_owned();
    Some(format!("{} {}", text("status"), text("reason")))
}

async fn until(cluster: &Cluster, (name, type_): (&str, &str), expected: &str) {
    let what = format!("{type_} of {name} is {expected}");
    cluster
        .until(&what, async || {
            (condition(cluster, name, type_).await.as_deref() == Some(expected)).then_some(())
        })
        .await;
}

/// Asks for a probe so many seconds from now.
async fn wish(cluster: &Cluster, name: &str, seconds: i64) -> i64 {
    let at = cluster.now().as_second() + seconds;
    let annotations = json!({ arc_api::labels::PROBE_AT: at.to_string() });
    cluster.patch("Endpoint", name, &json!({ "metadata": { "annotations": annotations } })).await;
    at
}

fn answer(report: &Value) -> Play {
    Play::brief(Recording::Succeeded).result(&report.to_string())
}

#[tokio::test(start_paused = true)]
async fn a_probe_runs_once_is_recorded_and_leaves_nothing_behind() {
    let cluster = Cluster::fake();
    set(&cluster).await;
    let refused = json!({ "reachable": true, "authenticated": false, "reason": "Unauthorized", "message": "no" });
    let well = json!({ "reachable": true, "authenticated": true });
    // Workflows of probes have no artifact.
    let script = Script::new().play("", &[answer(&refused), answer(&well)]);
    let _argo = script.start(&cluster);
    let operator = Operator::start(&cluster);
    until(&cluster, ("upstream", "Validated"), "True Valid").await;
    assert_eq!(script.seen().len(), 0, "nobody asked");

    wish(&cluster, "upstream", 0).await;
    until(&cluster, ("upstream", "Authenticated"), "False Unauthorized").await;
    until(&cluster, ("upstream", "Ready"), "False Unauthorized").await;
    cluster
        .until("the workflow is gone", async || cluster.workflows().await.is_empty().then_some(()))
        .await;
    let events = cluster.list("Event").await;
    let reasons: Vec<&str> = events.iter().map(|one| one["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["Unauthorized"]);

    // The same wish is not answered twice, by this operator or the next.
    operator.kill().await;
    let operator = Operator::start(&cluster);
    cluster.patch("Endpoint", "upstream", &json!({ "metadata": { "labels": { "x": "y" } } })).await;
    cluster.pass(Duration::from_secs(300)).await;
    assert_eq!(script.seen().len(), 1);

    // A later one is, when its time has come.
    wish(&cluster, "upstream", 600).await;
    cluster.pass(Duration::from_secs(590)).await;
    assert_eq!(script.seen().len(), 1);
    until(&cluster, ("upstream", "Ready"), "True Valid").await;
    assert_eq!(
        condition(&cluster, "upstream", "Authenticated").await.unwrap(),
        "True Authenticated"
    );
    assert_eq!(script.seen().len(), 2);
    operator.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_probe_waits_for_its_secret() {
    let cluster = Cluster::fake();
    set(&cluster).await;
    cluster.create(&endpoint("quay", Some("quay"))).await;
    let script =
        Script::new().play("", &[answer(&json!({ "reachable": true, "authenticated": true }))]);
    let _argo = script.start(&cluster);
    let operator = Operator::start(&cluster);
    wish(&cluster, "quay", 0).await;
    until(&cluster, ("quay", "Validated"), "False SecretNotFound").await;
    cluster.pass(Duration::from_secs(60)).await;
    assert_eq!(script.seen().len(), 0);
    cluster.create(&secret("quay", "x")).await;
    until(&cluster, ("quay", "Authenticated"), "True Authenticated").await;
    assert_eq!(script.seen().len(), 1);
    operator.stop().await;
}

#[tokio::test(start_paused = true)]
async fn who_uses_an_endpoint_is_told_at_leisure() {
    let cluster = Cluster::fake();
    set(&cluster).await;
    let _argo = Script::new().start(&cluster);
    let operator = Operator::start(&cluster);
    until(&cluster, ("upstream", "InUse"), "False NotInUse").await;
    cluster.create(&order("one", &["a"])).await;
    cluster.until_phase("one", "Succeeded").await;
    let was = condition(&cluster, "upstream", "InUse").await.unwrap();
    assert_eq!(was, "False NotInUse", "not on the order's way");
    until(&cluster, ("upstream", "InUse"), "True InUse").await;
    let status = cluster.get("Endpoint", "upstream").await.unwrap()["status"].clone();
    assert_eq!(status["usedBy"], 1);
    cluster.delete("Order", "one").await;
    until(&cluster, ("upstream", "InUse"), "False NotInUse").await;
    operator.stop().await;
}
