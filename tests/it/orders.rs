//! `arc order` as a platform engineer types it, against the API server in memory, with `arc controller` at work and
//! Argo's part played from recordings.

use std::path::PathBuf;

use arc_kube_fake::player::{Argo, Play, Playing, Recording};
use arc_kube_fake::{ApiServer, Options, Running};
use arc_tests::arc::{Arc, Finished, Process};
use kube::api::DynamicObject;
use serde_json::{Value, json};

/// How many times as fast as recorded Argo works here.
const SPEED: f64 = 20.0;

/// A cluster, and somebody who has a kubeconfig for it.
struct Desk {
    server: ApiServer,
    arc: Arc,
    _running: Running,
    _argo: Playing,
    _controller: Process,
}

impl Desk {
    /// Every Workflow is played as `play` says.
    async fn new(play: fn(&DynamicObject) -> Play) -> Self {
        let server = ApiServer::with_arc(Options::default());
        let running = server.serve().await.unwrap();
        let argo = Argo::on(&server).playing(play).at_speed(SPEED).start();
        let arc = Arc::new(env!("CARGO_BIN_EXE_arc-under-test"));
        let path = kubeconfig(&arc, &running.addr.to_string());
        let arc = arc.env("KUBECONFIG", path);
        for object in objects() {
            create(&server, &object);
        }
        let free = "127.0.0.1:0";
        let controller = arc.spawn(&[
            "controller",
            "--no-leader-election",
            "--health-address",
            free,
            "--metrics-address",
            free,
        ]);
        Self { server, arc, _running: running, _argo: argo, _controller: controller }
    }

    async fn order(&self, args: &[&str]) -> Finished {
        self.arc.run(&[&["order"], args].concat()).await
    }

    fn get(&self, name: &str) -> Value {
        self.server.object("orders.arc.opendefense.cloud", "default", name).unwrap()
    }
}

fn kubeconfig(arc: &Arc, address: &str) -> PathBuf {
    let path = arc.home().join("kubeconfig");
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "fake",
        "clusters": [{ "name": "fake", "cluster": { "server": format!("http://{address}") } }],
        "users": [{ "name": "fake", "user": {} }],
        "contexts": [{ "name": "fake", "context": { "cluster": "fake", "user": "fake", "namespace": "default" } }],
    });
    std::fs::write(&path, config.to_string()).unwrap();
    path
}

fn create(server: &ApiServer, object: &Value) {
    let group = object["apiVersion"].as_str().unwrap();
    let path = match object["kind"].as_str().unwrap() {
        "Endpoint" => format!("/apis/{group}/namespaces/default/endpoints"),
        "ClusterArtifactType" => format!("/apis/{group}/clusterartifacttypes"),
        _ => format!("/apis/{group}/clusterworkflowtemplates"),
    };
    let made = server.call("POST", &path, object);
    assert_eq!(made["kind"], object["kind"], "{made}");
}

fn objects() -> Vec<Value> {
    let ours = |kind: &str, name: &str, spec: Value| {
        json!({
            "apiVersion": "arc.opendefense.cloud/v1alpha1", "kind": kind,
            "metadata": { "name": name }, "spec": spec,
        })
    };
    let template = include_str!("../../workflow-templates/oci-image-pipeline.yaml");
    vec![
        serde_saphyr::from_str(template).unwrap(),
        ours(
            "ClusterArtifactType",
            "oci",
            json!({ "workflowTemplateRef": { "name": "oci-image-pipeline" } }),
        ),
        ours("Endpoint", "hub", json!({ "type": "oci", "remoteURL": "https://hub.example" })),
        ours(
            "Endpoint",
            "internal",
            json!({ "type": "oci", "remoteURL": "https://internal.example" }),
        ),
    ]
}

const ALPINE: [&str; 7] =
    ["--type", "oci", "--from", "hub", "--to", "internal", "library/alpine:>3.18 <3.20"];

fn name_in(created: &Finished) -> String {
    let line = created.stdout.lines().next().unwrap();
    line.split('/').nth(1).unwrap().split(' ').next().unwrap().to_owned()
}

#[tokio::test]
async fn an_order_is_typed_followed_and_listed() {
    let desk = Desk::new(|_| Play::all(Recording::Succeeded)).await;
    let created = desk.order(&[&["create"], &ALPINE[..]].concat()).await.expect_code(0);
    let name = name_in(&created);
    assert!(
        created.stderr.contains(&format!("hint: `arc order watch {name}")),
        "{}",
        created.stderr
    );
    let watched = desk.order(&["watch", &name, "--timeout", "2m"]).await.expect_code(0);
    assert!(watched.stdout.contains("1/1 delivered"), "{}", watched.stdout);
    assert!(watched.stdout.contains("✔ alpine"), "{}", watched.stdout);
    assert!(!watched.stdout.contains('\x1b'), "colours are for terminals only");

    let again = desk.order(&[&["create"], &ALPINE[..]].concat()).await.expect_code(0);
    assert!(again.stdout.contains("exists already, unchanged"), "{}", again.stdout);
    let other =
        ["create", "--name", &name, "--type", "oci", "--from", "hub", "--to", "internal", "a:2"];
    desk.order(&other).await.expect_code(2);

    let list = desk.order(&["list", "-A"]).await.expect_code(0);
    let row = list.stdout.lines().nth(1).unwrap();
    assert!(row.contains(&name) && row.contains("Succeeded") && row.contains("1/1"), "{row}");
    let wide = desk.order(&["status", &name, "-o", "wide"]).await.expect_code(0);
    assert!(wide.stdout.contains(&format!("workflow {name}-")), "{}", wide.stdout);
    let json = desk.order(&["status", &name, "-o", "json"]).await.expect_code(0);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["artifactWorkflows"][0]["status"]["attempt"], 1);
    let yaml = desk.order(&["list", "-o", "yaml"]).await.expect_code(0);
    assert!(yaml.stdout.contains("phase: Succeeded"), "{}", yaml.stdout);
}

#[tokio::test]
async fn a_refusal_is_the_exit_code_and_its_log_can_be_read_and_retried() {
    let desk = Desk::new(|_| {
        Play::all(Recording::RefusedByScan).log("scan", "CRITICAL CVE-2022-37434 zlib1g\n")
    })
    .await;
    let created = desk.order(&[&["create", "--watch"], &ALPINE[..]].concat()).await.expect_code(3);
    let name = name_in(&created);
    assert!(created.stdout.contains("ScanRefused"), "{}", created.stdout);
    let logs = desk.order(&["logs", &name, "--step", "scan"]).await.expect_code(0);
    assert!(logs.stdout.contains("alpine/scan: CRITICAL CVE-2022-37434 zlib1g"), "{}", logs.stdout);
    desk.order(&["logs", &name, "--step", "none"]).await.expect_code(1);

    desk.order(&["retry", &name, "--artifact", "alpina"]).await.expect_code(2);
    desk.order(&["retry", &name]).await.expect_code(0);
    let is_second = async || {
        let seen = desk.order(&["status", &name]).await.expect_code(0).stdout;
        seen.contains("attempt 2")
    };
    let mut tries = 0;
    while !is_second().await {
        tries += 1;
        assert!(tries < 100, "there is no second attempt");
    }
    desk.order(&["watch", &name, "--timeout", "2m"]).await.expect_code(3);
}

#[tokio::test]
async fn a_held_order_is_told_and_a_cancelled_one_stops() {
    let desk = Desk::new(|_| Play::all(Recording::Succeeded).until(2)).await;
    let held = [
        "create", "--name", "held", "--type", "oci", "--from", "nowhere", "--to", "internal", "a:1",
    ];
    desk.order(&held).await.expect_code(0);
    let watched = desk.order(&["watch", "held", "--timeout", "3s"]).await.expect_code(2);
    assert!(watched.stdout.contains("EndpointNotFound"), "{}", watched.stdout);
    assert!(watched.stderr.contains("arc order status held"), "{}", watched.stderr);

    desk.order(&[
        "create", "--name", "slow", "--type", "oci", "--from", "hub", "--to", "internal", "a:1",
    ])
    .await
    .expect_code(0);
    desk.order(&["watch", "slow", "--timeout", "2s"]).await.expect_code(1);
    desk.order(&["cancel", "slow"]).await.expect_code(0);
    assert_eq!(desk.get("slow")["spec"]["suspend"], true);
    let stopped = || {
        let workflows = desk.server.objects("workflows.argoproj.io");
        workflows.iter().any(|workflow| workflow["spec"]["shutdown"] == "Terminate")
    };
    for _ in 0..100 {
        if stopped() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(stopped());
}

#[tokio::test]
async fn what_cannot_be_done_is_said_with_what_to_do() {
    let arc = Arc::new(env!("CARGO_BIN_EXE_arc-under-test"));
    let printed =
        arc.run(&[&["order", "create", "--dry-run", "-n", "team-a"], &ALPINE[..]].concat()).await;
    let manifest: Value = serde_saphyr::from_str(&printed.expect_code(0).stdout).unwrap();
    assert_eq!(manifest["spec"]["artifacts"][0]["spec"]["tag"], ">3.18 <3.20");
    assert_eq!(manifest["metadata"]["namespace"], "team-a");
    let lost = arc.run(&["order", "list"]).await.expect_code(2);
    assert!(lost.stderr.contains("hint: name a kubeconfig"), "{}", lost.stderr);

    let desk = Desk::new(|_| Play::all(Recording::Succeeded)).await;
    let none = desk.order(&["status", "nothing"]).await.expect_code(2);
    assert!(
        none.stderr.contains("namespace \"default\" has no order \"nothing\""),
        "{}",
        none.stderr
    );
    assert_eq!(desk.order(&["list"]).await.expect_code(0).stdout, "no orders\n");
}
