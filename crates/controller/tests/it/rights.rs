//! What the operator does is what the chart lets it do, no less and no more.

use std::{collections::BTreeSet, time::Duration};

use arc_api::labels::{PROBE_AT, STOP_AT};
use arc_kube_fake::player::{Play, Recording, fire};
use serde_json::json;

use crate::harness::{
    Cluster, Operator, Script, endpoint, grant, order, order_of, permissions, secret, set, template,
};

#[expect(clippy::too_many_lines, reason = "one story in which everything happens once")]
#[tokio::test(start_paused = true)]
async fn the_rules_of_the_chart_are_what_is_used() {
    let cluster = Cluster::fake();
    let server = cluster.server();
    server.add_namespace("arc-system");
    grant(server, "replica");
    set(&cluster).await;
    let keep = json!({ "spec": { "ttlAfterFailed": "10m" } });
    cluster.patch("ClusterArtifactType", "oci", &keep).await;
    cluster.create(&template("endpoint-probe")).await;
    cluster.create(&secret("login", "a")).await;
    cluster.create(&endpoint("private", Some("login"))).await;
    let script = Script::new()
        .play("busy", &[Play::all(Recording::Succeeded).until(4)])
        .play("vanishes", &[Play::all(Recording::Succeeded).until(4)])
        .play("bad", &[Play::all(Recording::RefusedByScan).log("scan", "no\n")]);
    let _argo = script.start(&cluster);
    let operator = Operator::elected(&cluster, server.client_as("replica"), "replica");
    let held = json!({ "name": "held", "type": "x", "spec": { "repository": "held" } });
    cluster.create(&order_of("held", &[held])).await;
    cluster.create(&order("all", &["good", "bad", "busy", "vanishes"])).await;
    let mut nightly = order("nightly", &["scheduled"]);
    nightly["spec"]["defaults"]["cron"] = json!({ "schedules": ["0 3 * * *"] });
    cluster.create(&nightly).await;
    let mut short = order("short", &["short"]);
    short["spec"]["ttl"] = "20m".into();
    cluster.create(&short).await;
    cluster.until_row(("all", "bad"), ("Failed", "ScanRefused")).await;
    cluster.pass(Duration::from_secs(60)).await;
    // A schedule runs, is changed and switched off.
    let cron = cluster.list("CronWorkflow").await.remove(0);
    let name = cron["metadata"]["name"].as_str().unwrap();
    fire(&cluster.client, ("default", name), cluster.now()).await.unwrap();
    // A Workflow vanishes, another is stopped, an endpoint is probed.
    let seen = script.seen();
    let (_, gone) = seen.iter().find(|(artifact, _)| artifact == "vanishes").unwrap();
    cluster.delete("Workflow", gone).await;
    cluster.pass(Duration::from_secs(60)).await;
    let now = cluster.now().as_second().to_string();
    let stop = json!({ "metadata": { "annotations": { STOP_AT: now } } });
    cluster.patch("Order", "all", &stop).await;
    let probe = json!({ "metadata": { "annotations": { PROBE_AT: now } } });
    cluster.patch("Endpoint", "private", &probe).await;
    // What is no longer asked for goes, and so does what has lived long enough.
    cluster.pass(Duration::from_secs(60)).await;
    script.now("unwanted", Play::all(Recording::Succeeded).until(3));
    cluster.create(&order("change", &["unwanted"])).await;
    cluster.pass(Duration::from_secs(30)).await;
    let other = order("change", &["wanted"]);
    cluster.patch("Order", "change", &json!({ "spec": other["spec"] })).await;
    let cron_off = json!({ "spec": { "defaults": { "cron": null } } });
    cluster.patch("Order", "nightly", &cron_off).await;
    cluster.pass(Duration::from_secs(30 * 60)).await;
    operator.stop().await;

    let requests = server.requests();
    let own = requests.iter().filter(|request| request.user == "replica");
    let mut used = BTreeSet::new();
    for request in own {
        assert_ne!(request.status, Some(403), "{request}");
        let of = |verb: String| (request.group.clone(), request.resource.clone(), verb);
        used.insert(of(request.verb.to_string()));
        // Who makes something by applying it needs the right to create it too.
        if request.status == Some(201) {
            used.insert(of("create".to_owned()));
        }
    }
    let granted: BTreeSet<(String, String, String)> = permissions()
        .iter()
        .map(|one| (one.group.clone(), one.resource.clone(), one.verb.clone()))
        .collect();
    let unused: Vec<_> = granted.difference(&used).collect();
    let missing: Vec<_> = used.difference(&granted).collect();
    assert!(
        unused.is_empty() && missing.is_empty(),
        "granted and not used: {unused:?}\nused and not granted: {missing:?}"
    );
}

#[test]
fn the_chart_lets_nobody_write_a_secret_or_read_one_by_name() {
    let on_secrets: BTreeSet<String> = permissions()
        .iter()
        .filter(|one| one.resource.starts_with("secrets") || one.resource == "*")
        .map(|one| one.verb.clone())
        .collect();
    assert_eq!(on_secrets, BTreeSet::from(["list".to_owned(), "watch".to_owned()]));
}
