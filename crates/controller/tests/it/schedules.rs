//! Artifacts that are repeated on a schedule.

use std::time::Duration;

use arc_kube_fake::player::{Play, Recording, fire};
use serde_json::{Value, json};

use crate::harness::{Cluster, Operator, Script, delivered, order, set};

fn nightly() -> Value {
    let mut order = order("nightly", &["a"]);
    order["spec"]["defaults"]["cron"] =
        json!({ "schedules": ["0 3 * * *"], "timezone": "Europe/Berlin" });
    order
}

/// The schedule of the only artifact.
async fn schedule(cluster: &Cluster) -> Value {
    cluster
        .until("there is a CronWorkflow", async || cluster.list("CronWorkflow").await.pop())
        .await
}

pub(crate) async fn runs_of_a_schedule_are_the_status_and_its_history(cluster: &Cluster) {
    set(cluster).await;
    let success = || Play::brief(Recording::Succeeded).result(&delivered("a"));
    let refused = Play::brief(Recording::RefusedByScan);
    let script = Script::new().play("a", &[success(), refused, success()]);
    let _argo = script.start(cluster);
    let operator = Operator::start(cluster);
    cluster.create(&nightly()).await;
    let cron = schedule(cluster).await;
    assert_eq!(cron["spec"]["schedules"], json!(["0 3 * * *"]));
    assert_eq!(cron["spec"]["timezone"], "Europe/Berlin");
    assert_eq!(cron["spec"]["concurrencyPolicy"], "Forbid");
    cluster.until_row(("nightly", "a"), ("Pending", "Scheduled")).await;
    let name = cron["metadata"]["name"].as_str().unwrap();
    let record = cluster.record("a").await.unwrap();
    assert_eq!(record["metadata"]["name"], name);
    assert_eq!(script.seen().len(), 0, "nothing runs before its time");
    let ends = [("Succeeded", "Succeeded"), ("Failed", "ScanRefused"), ("Succeeded", "Succeeded")];
    for (run, (phase, reason)) in ends.into_iter().enumerate() {
        let at = cluster.now();
        fire(&cluster.client, (&cluster.namespace, name), at).await.unwrap().unwrap();
        cluster
            .until("the run is the status", async || {
                let record = cluster.record("a").await?;
                let status = &record["status"];
                let past = status["history"].as_array().map_or(0, Vec::len);
                (past == run && status["phase"] == phase && status["reason"] == reason)
                    .then_some(())
            })
            .await;
        cluster.pass(Duration::from_secs(2)).await;
    }
    assert_eq!(script.seen().len(), 3, "nothing runs beside the schedule");
    operator.stop().await;
}

pub(crate) async fn a_suspended_order_suspends_its_schedules(cluster: &Cluster) {
    set(cluster).await;
    let script = Script::new();
    let _argo = script.start(cluster);
    let operator = Operator::start(cluster);
    cluster.create(&nightly()).await;
    let cron = schedule(cluster).await;
    let name = cron["metadata"]["name"].as_str().unwrap();
    assert_ne!(cron["spec"]["suspend"], true);
    for suspend in [true, false] {
        cluster.patch("Order", "nightly", &json!({ "spec": { "suspend": suspend } })).await;
        cluster
            .until("the schedule follows", async || {
                let cron = cluster.get("CronWorkflow", name).await?;
                (cron["spec"]["suspend"].as_bool().unwrap_or_default() == suspend).then_some(())
            })
            .await;
        let at = cluster.now();
        let fired = fire(&cluster.client, (&cluster.namespace, name), at).await.unwrap();
        assert_eq!(fired.is_none(), suspend);
    }
    operator.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_deletion_of_an_order_ends_its_schedules() {
    let cluster = Cluster::fake();
    set(&cluster).await;
    let _argo = Script::new().start(&cluster);
    let operator = Operator::start(&cluster);
    cluster.create(&nightly()).await;
    let cron = schedule(&cluster).await;
    let name = cron["metadata"]["name"].as_str().unwrap();
    fire(&cluster.client, (&cluster.namespace, name), cluster.now()).await.unwrap();
    cluster.pass(Duration::from_secs(60)).await;
    cluster.delete("Order", "nightly").await;
    cluster.pass(Duration::from_secs(30)).await;
    for kind in ["Order", "ArtifactWorkflow", "CronWorkflow", "Workflow"] {
        assert_eq!(cluster.list(kind).await, Vec::<Value>::new(), "{kind}");
    }
    operator.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_schedule_that_runs_too_often_is_held_with_a_reason() {
    let cluster = Cluster::fake();
    set(&cluster).await;
    let _argo = Script::new().start(&cluster);
    let operator = Operator::start(&cluster);
    let mut order = nightly();
    order["spec"]["defaults"]["cron"] = json!({ "schedules": ["* * * * *"] });
    cluster.create(&order).await;
    cluster.until_row(("nightly", "a"), ("Pending", "InvalidSchedule")).await;
    assert_eq!(cluster.list("CronWorkflow").await.len(), 0);
    operator.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_second_start_writes_nothing_with_schedules_either() {
    let cluster = Cluster::fake();
    set(&cluster).await;
    let _argo = Script::new().start(&cluster);
    let operator = Operator::start(&cluster);
    cluster.create(&nightly()).await;
    let cron = schedule(&cluster).await;
    let name = cron["metadata"]["name"].as_str().unwrap();
    fire(&cluster.client, (&cluster.namespace, name), cluster.now()).await.unwrap();
    cluster.until_row(("nightly", "a"), ("Succeeded", "Succeeded")).await;
    cluster.pass(Duration::from_secs(60)).await;
    operator.stop().await;
    let version = cluster.server().version();
    let operator = Operator::start(&cluster);
    cluster.pass(Duration::from_secs(60)).await;
    assert_eq!(cluster.server().version(), version, "{}", cluster.tell().await);
    operator.stop().await;
}
