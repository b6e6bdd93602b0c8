//! The stories on a real API server, where the machine has one: see `arc_kube_fake::real`.
//!
//! The operator is the chart's service account, with the chart's rights, under the chart's admission policies.

use std::{collections::BTreeMap, time::Duration};

use arc_kube_fake::{
    player::{Play, Recording},
    real::{self, RealServer},
};
use serde_json::{Value, json};
use tokio::{task::LocalSet, time::Instant};

use crate::{
    harness::{Cluster, Operator, Script, delivered, order, set},
    shared::STORIES,
};

/// What an installation has that says nothing.
const LEASE: Duration = Duration::from_secs(15);
const ACCOUNT: &str = "system:serviceaccount:arc-system:arc-controller";

/// A cluster with the chart's roles and policies.
async fn installed() -> Option<RealServer> {
    let programs = real::require()?;
    let mut server = RealServer::with_arc(&programs).await;
    let chart = arc_chart::Chart::open();
    let rendered = chart.render(&json!({ "rbac": { "allNamespaces": true } }));
    let namespace = json!({ "metadata": { "name": "arc-system" } });
    server.call("POST", "/api/v1/namespaces", &namespace).await;
    let wanted = |object: &&Value| {
        let kind = object["kind"].as_str().unwrap_or_default();
        kind.contains("Role") || kind.starts_with("ValidatingAdmissionPolicy")
    };
    let objects = rendered.values().flatten().filter(wanted);
    let texts: Vec<String> = objects.map(arc_chart::to_yaml).collect();
    let file = server.folder().join("chart.yaml");
    std::fs::write(&file, texts.join("---\n")).unwrap();
    server.kubectl(&["apply", "--server-side", "-f", file.to_str().unwrap()]).ok();
    // Garbage is collected where the machine has a controller for it; no story needs it.
    server.start_controllers();
    Some(server)
}

async fn cluster(server: &RealServer, namespace: &str) -> Cluster {
    let object = json!({ "metadata": { "name": namespace } });
    let (status, made) = server.call("POST", "/api/v1/namespaces", &object).await;
    assert_eq!(status, 201, "{made}");
    let groups = ["system:serviceaccounts", "system:authenticated"];
    Cluster::real(server.client(), server.client_as(ACCOUNT, &groups).await, namespace)
}

/// Removes what a story leaves behind, so that the next one's operator has nothing else to look at.
async fn clean(server: &RealServer, namespace: &str) {
    for path in [
        "arc.opendefense.cloud/v1alpha1 orders",
        "arc.opendefense.cloud/v1alpha1 artifactworkflows",
        "arc.opendefense.cloud/v1alpha1 endpoints",
        "argoproj.io/v1alpha1 cronworkflows",
        "argoproj.io/v1alpha1 workflows",
    ] {
        let (group, plural) = path.split_once(' ').unwrap();
        let path = format!("/apis/{group}/namespaces/{namespace}/{plural}");
        server.call("DELETE", &path, &Value::Null).await;
    }
    for plural in ["clusterartifacttypes", "clusterworkflowtemplates"] {
        let group =
            if plural.contains("workflow") { "argoproj.io" } else { "arc.opendefense.cloud" };
        server.call("DELETE", &format!("/apis/{group}/v1alpha1/{plural}"), &Value::Null).await;
    }
}

#[tokio::test]
async fn stories_end_the_same_on_a_real_api_server() {
    let Some(server) = installed().await else { return };
    let mut failed = Vec::new();
    for (number, (name, story)) in STORIES.iter().enumerate() {
        let namespace = format!("story-{number}");
        let cluster = cluster(&server, &namespace).await;
        let stage = LocalSet::new();
        let told = stage.spawn_local(async move { story(&cluster).await });
        if stage.run_until(told).await.is_err() {
            failed.push(*name);
        }
        clean(&server, &namespace).await;
    }
    assert_eq!(failed, Vec::<&str>::new(), "what was wrong is told above");
}

/// Writes that the server has done, by verb and resource; those that keep a lease, and what Argo and users do, aside.
async fn writes(server: &RealServer) -> BTreeMap<String, u64> {
    let (_, metrics) = server.call("GET", "/metrics", &Value::Null).await;
    let mut writes = BTreeMap::new();
    for line in metrics.as_str().unwrap().lines() {
        let Some(labels) = line.strip_prefix("apiserver_request_total{") else { continue };
        let label = |name: &str| {
            let (_, rest) = labels.split_once(&format!("{name}=\"")).unwrap_or_default();
            rest.split('"').next().unwrap_or_default().to_owned()
        };
        let (verb, group, resource) = (label("verb"), label("group"), label("resource"));
        let resource = [resource, label("subresource")].join("/");
        let resource = resource.trim_end_matches('/');
        let is_write = matches!(verb.as_str(), "POST" | "PUT" | "PATCH" | "APPLY" | "DELETE");
        let is_arcs = match resource {
            // Argo patches Workflows, and users post orders.
            "workflows" => verb == "POST",
            "orders" => verb != "POST",
            _ => true,
        };
        let is_known = ["arc.opendefense.cloud", "argoproj.io", "events.k8s.io"];
        if is_write && is_arcs && is_known.contains(&group.as_str()) {
            let count = line.rsplit(' ').next().unwrap().parse::<u64>().unwrap();
            *writes.entry(format!("{verb} {resource}")).or_default() += count;
        }
    }
    writes
}

/// What was written between two looks.
fn between(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> Vec<String> {
    let of = |name: &String| before.get(name).copied().unwrap_or_default();
    let more = after.iter().filter(|(name, count)| **count > of(name));
    more.map(|(name, count)| format!("{} × {name}", count - of(name))).collect()
}

#[tokio::test]
async fn an_order_of_one_artifact_costs_six_writes_and_a_restart_none() {
    let Some(server) = installed().await else { return };
    let cluster = cluster(&server, "team-a").await;
    set(&cluster).await;
    let play = Play::all(Recording::Succeeded).result(&delivered("a"));
    let _argo = Script::new().play("a", &[play]).start_at(&cluster, 20.0);
    let operator = Operator::start(&cluster);
    // What is known of endpoints is written at leisure.
    let used = |expected: &'static str| {
        let cluster = &cluster;
        async move {
            cluster
                .until("the endpoints tell", async || {
                    let endpoint = cluster.get("Endpoint", "upstream").await?;
                    let told = endpoint["status"]["conditions"].to_string();
                    told.contains(expected).then_some(())
                })
                .await;
        }
    };
    used("Ready").await;
    let before = writes(&server).await;
    cluster.create(&order("one", &["a"])).await;
    cluster.until_phase("one", "Succeeded").await;
    cluster.pass(Duration::from_secs(3)).await;
    let after = writes(&server).await;
    let mut written = between(&before, &after);
    written.retain(|line| !line.contains("endpoints/status"));
    assert_eq!(
        written,
        [
            "2 × APPLY artifactworkflows/status",
            "2 × APPLY orders/status",
            "1 × POST artifactworkflows",
            "1 × POST workflows",
        ]
    );
    operator.stop().await;
    let before = writes(&server).await;
    let operator = Operator::start(&cluster);
    cluster.pass(Duration::from_secs(5)).await;
    let mut written = between(&before, &writes(&server).await);
    written.retain(|line| !line.contains("endpoints/status"));
    assert_eq!(written, Vec::<String>::new());
    operator.stop().await;
}

#[tokio::test]
async fn a_killed_leader_is_followed_within_the_time_of_the_lease_and_nothing_is_twice() {
    let Some(server) = installed().await else { return };
    let cluster = cluster(&server, "team-a").await;
    set(&cluster).await;
    let script = Script::new().play("busy", &[Play::all(Recording::Succeeded).until(3)]);
    let _argo = script.start(&cluster);
    let one = Operator::elected(&cluster, cluster.operators_client(), "one");
    cluster.create(&order("first", &["a", "busy"])).await;
    cluster.until_row(("first", "a"), ("Succeeded", "Succeeded")).await;
    let two = Operator::elected(&cluster, cluster.operators_client(), "two");
    cluster.pass(Duration::from_secs(3)).await;
    one.kill().await;
    let start = Instant::now();
    cluster.create(&order("second", &["b"])).await;
    cluster.until_phase("second", "Succeeded").await;
    let took = start.elapsed();
    assert!(took < LEASE + Duration::from_secs(5), "{took:?}");
    cluster.pass(Duration::from_secs(3)).await;
    let counts = script.counts();
    assert_eq!(counts, ["a", "b", "busy"].map(|name| (name.to_owned(), 1)).into());
    two.stop().await;
}

/// Connections break in the middle of requests, and every watch with them.
#[tokio::test]
async fn an_api_server_that_dies_loses_nothing_and_makes_nothing_twice() {
    let Some(mut server) = installed().await else { return };
    let cluster = cluster(&server, "team-a").await;
    set(&cluster).await;
    let operator = Operator::start(&cluster);
    let names = ["a", "b", "c", "d", "e", "f"];
    for (round, moment) in [0, 20, 60, 150].into_iter().enumerate() {
        let artifacts = names.map(|name| format!("{name}{round}"));
        let artifacts: Vec<&str> = artifacts.iter().map(String::as_str).collect();
        cluster.create(&order(&format!("order-{round}"), &artifacts)).await;
        cluster.pass(Duration::from_millis(moment)).await;
        server.kill_api_server();
        server.restart_api_server().await;
    }
    let script = Script::new();
    let _argo = script.start(&cluster);
    for round in 0..4 {
        cluster.until_phase(&format!("order-{round}"), "Succeeded").await;
    }
    cluster.pass(Duration::from_secs(3)).await;
    let counts = script.counts();
    assert!(counts.len() == 24 && counts.values().all(|count| *count == 1), "{counts:?}");
    assert_eq!(cluster.list("ArtifactWorkflow").await.len(), 24);
    operator.stop().await;
}

/// The garbage collector is the real one; the envtest bundle has none.
#[tokio::test]
async fn a_deleted_order_leaves_nothing_behind() {
    let Some(server) = installed().await else { return };
    if !server.require_controllers() {
        return;
    }
    let cluster = cluster(&server, "team-a").await;
    set(&cluster).await;
    let script = Script::new().play("busy", &[Play::all(Recording::Succeeded).until(3)]);
    let _argo = script.start(&cluster);
    let operator = Operator::start(&cluster);
    cluster.create(&order("one", &["a", "busy"])).await;
    cluster.create(&order("other", &["b"])).await;
    cluster.until_row(("one", "a"), ("Succeeded", "Succeeded")).await;
    cluster.until_row(("one", "busy"), ("Running", "Running")).await;
    cluster.until_phase("other", "Succeeded").await;
    cluster.delete("Order", "one").await;
    cluster
        .until("only the other's are left", async || {
            let records = cluster.list("ArtifactWorkflow").await;
            (records.len() == 1 && cluster.workflows().await.len() == 1).then_some(())
        })
        .await;
    cluster.pass(Duration::from_secs(3)).await;
    assert_eq!(script.seen().len(), 3, "nothing is begun for what goes");
    let order = cluster.get("Order", "other").await.unwrap();
    assert_eq!(order["status"]["phase"], "Succeeded");
    operator.stop().await;
}
