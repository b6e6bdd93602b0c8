//! What does something once more, and what does not.

use std::time::Duration;

use arc_api::labels::{FORCE_AT, RETRY_FAILED, STOP_AT};
use arc_kube_fake::player::{Play, Recording};
use serde_json::{Value, json};

use crate::harness::{Cluster, Operator, Script, endpoint, order, order_of, secret, set};

fn annotation(name: &str, value: i64) -> Value {
    json!({ "metadata": { "annotations": { name: value.to_string() } } })
}

fn refused() -> Play {
    Play::brief(Recording::RefusedByScan)
}

fn failed() -> Play {
    Play::brief(Recording::RetriesExhausted)
}

async fn settle(cluster: &Cluster) {
    cluster.pass(Duration::from_secs(if cluster.is_real() { 3 } else { 60 })).await;
}

pub(crate) async fn force_at_does_everything_once_more_and_only_once(cluster: &Cluster) {
    set(cluster).await;
    let script = Script::new().play("bad", &[refused()]);
    let _argo = script.start(cluster);
    let operator = Operator::start(cluster);
    cluster.create(&order("one", &["good", "bad"])).await;
    cluster.until_phase("one", "Failed").await;
    settle(cluster).await;
    let now = cluster.now().as_second();
    cluster.patch("Order", "one", &annotation(FORCE_AT, now)).await;
    settle(cluster).await;
    let counts = script.counts();
    assert_eq!((counts["good"], counts["bad"]), (2, 2), "{}", cluster.tell().await);
    for artifact in ["good", "bad"] {
        let record = cluster.record(artifact).await.unwrap();
        assert_eq!(record["status"]["attempt"], 2, "{record:#}");
        assert_eq!(record["status"]["history"].as_array().unwrap().len(), 1);
        let name = record["metadata"]["name"].as_str().unwrap();
        assert_eq!(record["status"]["workflow"], format!("{name}-2"));
    }
    // The same annotation, touched again, means nothing new.
    cluster.patch("Order", "one", &annotation("note", now)).await;
    settle(cluster).await;
    assert_eq!(script.counts()["good"], 2);
    operator.stop().await;
}

#[tokio::test(start_paused = true)]
async fn force_at_in_the_future_waits_for_its_moment() {
    let cluster = Cluster::fake();
    set(&cluster).await;
    let script = Script::new();
    let _argo = script.start(&cluster);
    let operator = Operator::start(&cluster);
    cluster.create(&order("one", &["a"])).await;
    cluster.until_phase("one", "Succeeded").await;
    let then = cluster.now().as_second() + 3600;
    cluster.patch("Order", "one", &annotation(FORCE_AT, then)).await;
    cluster.pass(Duration::from_secs(3500)).await;
    assert_eq!(script.counts()["a"], 1, "too early");
    cluster.pass(Duration::from_secs(110)).await;
    assert_eq!(script.counts()["a"], 2);
    cluster.pass(Duration::from_secs(3600)).await;
    assert_eq!(script.counts()["a"], 2);
    operator.stop().await;
}

#[tokio::test(start_paused = true)]
async fn force_at_in_the_future_survives_a_restart() {
    let cluster = Cluster::fake();
    set(&cluster).await;
    let script = Script::new();
    let _argo = script.start(&cluster);
    let operator = Operator::start(&cluster);
    cluster.create(&order("one", &["a"])).await;
    cluster.until_phase("one", "Succeeded").await;
    let then = cluster.now().as_second() + 600;
    cluster.patch("Order", "one", &annotation(FORCE_AT, then)).await;
    cluster.pass(Duration::from_secs(60)).await;
    operator.kill().await;
    let operator = Operator::start(&cluster);
    cluster.pass(Duration::from_secs(500)).await;
    assert_eq!(script.counts()["a"], 1);
    cluster.pass(Duration::from_secs(60)).await;
    assert_eq!(script.counts()["a"], 2);
    operator.stop().await;
}

pub(crate) async fn one_artifact_can_be_forced_alone(cluster: &Cluster) {
    set(cluster).await;
    let script = Script::new();
    let _argo = script.start(cluster);
    let operator = Operator::start(cluster);
    cluster.create(&order("one", &["a", "b"])).await;
    cluster.until_phase("one", "Succeeded").await;
    settle(cluster).await;
    let record = cluster.record("a").await.unwrap();
    let name = record["metadata"]["name"].as_str().unwrap();
    let now = cluster.now().as_second();
    cluster.patch("ArtifactWorkflow", name, &annotation(FORCE_AT, now)).await;
    settle(cluster).await;
    let counts = script.counts();
    assert_eq!((counts["a"], counts["b"]), (2, 1));
    cluster.until_phase("one", "Succeeded").await;
    operator.stop().await;
}

pub(crate) async fn retry_failed_does_once_more_what_failed_and_nothing_else(cluster: &Cluster) {
    set(cluster).await;
    let again = Play::brief(Recording::Succeeded).result(&crate::harness::delivered("bad"));
    let script = Script::new().play("bad", &[failed(), again]);
    let _argo = script.start(cluster);
    let operator = Operator::start(cluster);
    cluster.create(&order("one", &["good", "bad"])).await;
    cluster.until_phase("one", "Failed").await;
    settle(cluster).await;
    let now = cluster.now().as_second();
    cluster.patch("Order", "one", &annotation(RETRY_FAILED, now)).await;
    cluster.until_phase("one", "Succeeded").await;
    settle(cluster).await;
    let counts = script.counts();
    assert_eq!((counts["good"], counts["bad"]), (1, 2));
    operator.stop().await;
}

pub(crate) async fn stop_at_ends_what_runs(cluster: &Cluster) {
    set(cluster).await;
    let script = Script::new().play("busy", &[Play::all(Recording::Succeeded).until(3)]);
    let _argo = script.start(cluster);
    let operator = Operator::start(cluster);
    cluster.create(&order("one", &["good", "busy"])).await;
    cluster.until_row(("one", "good"), ("Succeeded", "Succeeded")).await;
    settle(cluster).await;
    let now = cluster.now().as_second();
    cluster.patch("Order", "one", &annotation(STOP_AT, now)).await;
    cluster.until_row(("one", "busy"), ("Failed", "Stopped")).await;
    settle(cluster).await;
    let counts = script.counts();
    assert_eq!((counts["good"], counts["busy"]), (1, 1));
    let workflows = cluster.list("Workflow").await;
    let asked = workflows.iter().filter(|one| one["spec"]["shutdown"] == "Terminate").count();
    assert_eq!(asked, 1);
    operator.stop().await;
}

/// An order of two artifacts from a place that one signs in to.
async fn private(cluster: &Cluster) {
    set(cluster).await;
    cluster.ensure(&secret("login", "old")).await;
    cluster.ensure(&endpoint("private", Some("login"))).await;
    let from = |name: &str| {
        json!({
            "name": name,
            "type": "oci",
            "srcRef": { "name": "private" },
            "spec": { "repository": name },
        })
    };
    cluster.create(&order_of("one", &[from("good"), from("bad")])).await;
}

pub(crate) async fn a_rotated_credential_retries_a_failure_and_never_a_success(cluster: &Cluster) {
    private(cluster).await;
    let script = Script::new().play("bad", &[failed()]);
    let _argo = script.start(cluster);
    let operator = Operator::start(cluster);
    cluster.until_phase("one", "Failed").await;
    settle(cluster).await;
    let rotate = |password: &str| json!({ "stringData": { "password": password } });
    cluster.patch("Secret", "login", &rotate("new")).await;
    settle(cluster).await;
    let counts = script.counts();
    assert_eq!((counts["good"], counts["bad"]), (1, 2), "{}", cluster.tell().await);
    // It failed again, with the credential that it has now: nothing more until the next one.
    let again = Play::brief(Recording::Succeeded).result(&crate::harness::delivered("bad"));
    script.now("bad", again);
    settle(cluster).await;
    assert_eq!(script.counts()["bad"], 2);
    cluster.patch("Secret", "login", &rotate("newest")).await;
    cluster.until_phase("one", "Succeeded").await;
    settle(cluster).await;
    cluster.patch("Secret", "login", &rotate("even newer")).await;
    settle(cluster).await;
    let counts = script.counts();
    assert_eq!((counts["good"], counts["bad"]), (1, 3));
    operator.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_credential_that_was_rotated_while_nobody_looked_is_noticed() {
    let cluster = Cluster::fake();
    private(&cluster).await;
    let script = Script::new().play("bad", &[failed()]);
    let _argo = script.start(&cluster);
    let operator = Operator::start(&cluster);
    cluster.until_phase("one", "Failed").await;
    operator.kill().await;
    let rotate = json!({ "stringData": { "password": "new" } });
    cluster.patch("Secret", "login", &rotate).await;
    let operator = Operator::start(&cluster);
    cluster.pass(Duration::from_secs(60)).await;
    let counts = script.counts();
    assert_eq!((counts["good"], counts["bad"]), (1, 2));
    operator.stop().await;
}

pub(crate) async fn the_same_delivery_of_two_orders_runs_one_after_the_other(cluster: &Cluster) {
    set(cluster).await;
    let script = Script::new().play("first", &[Play::all(Recording::Succeeded).until(3)]);
    let _argo = script.start(cluster);
    let operator = Operator::start(cluster);
    let same = |name: &str| json!({ "name": name, "type": "oci", "spec": { "repository": "x" } });
    cluster.create(&order_of("one", &[same("first")])).await;
    cluster.until_row(("one", "first"), ("Running", "Running")).await;
    cluster.create(&order_of("two", &[same("second")])).await;
    cluster.until_row(("two", "second"), ("Pending", "SameDeliveryRunning")).await;
    settle(cluster).await;
    assert_eq!(script.seen().len(), 1);
    let first = cluster.record("first").await.unwrap();
    let row = cluster.row("two", "second").await.unwrap();
    let name = first["metadata"]["name"].as_str().unwrap();
    assert!(row["message"].as_str().unwrap().contains(name), "{row}");
    cluster.patch("Order", "one", &annotation(STOP_AT, cluster.now().as_second())).await;
    cluster.until_phase("two", "Succeeded").await;
    assert_eq!(script.counts()["second"], 1);
    operator.stop().await;
}
