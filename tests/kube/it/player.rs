//! Argo's part: what was recorded, and rewritten for other Workflows.

use std::time::Duration;

use arc_kube_fake::{
    ApiServer, Effect, Fault, Matching, Options, Times,
    player::{Argo, CRON_WORKFLOW, Play, Recording, fire},
};
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::LogParams};
use serde_json::{Value, json};

const WORKFLOWS: &str = "/apis/argoproj.io/v1alpha1/namespaces/default/workflows";

fn server() -> ApiServer {
    // The second in which the recorded Workflow `succeeded` was created.
    let starts_at = Some("2026-11-20T19:27:21Z".parse().unwrap());
    ApiServer::with_arc(Options { starts_at, ..Options::default() })
}

fn create(server: &ApiServer, name: &str) {
    let made = server.call("POST", WORKFLOWS, &workflow(name));
    assert_eq!(made["kind"], "Workflow", "{made}");
}

fn workflow(name: &str) -> Value {
    json!({
        "metadata": { "name": name, "labels": { "of": "the-test" } },
        "spec": {
            "arguments": { "parameters": [{ "name": "specTag", "value": "v1" }] },
            "workflowTemplateRef": { "clusterScope": true, "name": name },
        },
    })
}

fn get(server: &ApiServer, name: &str) -> Value {
    server.object("workflows.argoproj.io", "default", name).unwrap()
}

fn recorded(recording: Recording) -> Value {
    let path =
        format!("{}/recordings/argo-4.1/{}.jsonl", env!("CARGO_MANIFEST_DIR"), recording.name());
    let mut object = json!({});
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if line["type"] != "DELETED" {
            merge(&mut object, &line["change"]);
        }
    }
    object
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, value) in patch {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(name);
        } else {
            merge(&mut target[name], value);
        }
    }
}

async fn a_while(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_workflow_of_the_recorded_name_and_time_gets_the_recorded_status() {
    let server = server();
    create(&server, "succeeded");
    let argo = Argo::on(&server).start();
    a_while(60).await;
    let expected = recorded(Recording::Succeeded);
    let found = get(&server, "succeeded");
    assert_eq!(found["status"], expected["status"]);
    for (label, value) in expected["metadata"]["labels"].as_object().unwrap() {
        assert_eq!(found["metadata"]["labels"][label], *value, "{label}");
    }
    assert_eq!(found["metadata"]["labels"]["of"], "the-test");
    drop(argo);
    let writes = server.writes();
    create(&server, "another");
    a_while(60).await;
    assert_eq!(server.writes(), writes, "nobody plays any more");
}

#[tokio::test(start_paused = true)]
async fn every_recording_plays_under_another_name() {
    let server = server();
    let _argo = Argo::on(&server)
        .playing(|workflow| {
            let name = workflow.metadata.name.as_deref().unwrap();
            let wanted =
                Recording::ALL.into_iter().find(|one| name == format!("x-{}-y", one.name()));
            Play::all(wanted.unwrap())
        })
        .start();
    for recording in Recording::ALL {
        create(&server, &format!("x-{}-y", recording.name()));
    }
    a_while(120).await;
    for recording in Recording::ALL {
        let name = format!("x-{}-y", recording.name());
        let found = get(&server, &name);
        let expected = recorded(recording);
        for field in ["phase", "message", "progress", "conditions"] {
            assert_eq!(found["status"][field], expected["status"][field], "{name} {field}");
        }
        assert_eq!(found["status"]["phase"], recording.last_phase());
        let empty = serde_json::Map::new();
        let nodes = found["status"]["nodes"].as_object().unwrap_or(&empty);
        let count = expected["status"]["nodes"].as_object().map_or(0, serde_json::Map::len);
        assert_eq!(nodes.len(), count, "{name}");
        for (id, node) in nodes {
            assert_eq!(node["id"], *id);
            assert!(node["name"].as_str().unwrap().starts_with(&name), "{node}");
            let others = ["children", "outboundNodes"].map(|field| node[field].as_array());
            let others = others.into_iter().flatten().flatten();
            let others = others.chain(node.get("boundaryID"));
            for other in others {
                assert!(nodes.contains_key(other.as_str().unwrap()), "{other} of {node}");
            }
        }
        assert!(!found.to_string().contains(&format!("\"{}\"", recording.name())), "{found}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_workflow_that_shall_stop_stops_as_recorded() {
    let server = server();
    let _argo = Argo::on(&server).playing(|_| Play::all(Recording::RefusedByScan).until(4)).start();
    create(&server, "a");
    a_while(60).await;
    assert_eq!(get(&server, "a")["status"]["phase"], "Running");
    let path = format!("{WORKFLOWS}/a");
    server.call("PATCH", &path, &json!({ "spec": { "shutdown": "Terminate" } }));
    a_while(30).await;
    let found = get(&server, "a");
    let expected = recorded(Recording::Stopped);
    for field in ["phase", "message", "progress"] {
        assert_eq!(found["status"][field], expected["status"][field]);
    }
    assert_eq!(found["status"]["startedAt"], "2026-11-20T19:27:21Z");
    let finished = found["status"]["finishedAt"].as_str().unwrap();
    assert!(finished > "2026-11-20T19:28:20Z", "{finished}");
}

#[tokio::test(start_paused = true)]
async fn the_result_and_the_log_are_what_the_test_says() {
    let server = server();
    let _argo = Argo::on(&server)
        .playing(|_| Play::all(Recording::Succeeded).result("{}").log("scan", "one\ntwo\nthree\n"))
        .start();
    create(&server, "a");
    a_while(60).await;
    let found = get(&server, "a");
    assert_eq!(found["status"]["nodes"]["a"]["outputs"]["parameters"][0]["value"], "{}");
    let pods: Api<Pod> = Api::default_namespaced(server.client());
    let pod = pods.get("a").await.unwrap();
    assert_eq!(pod.metadata.labels.unwrap()["workflows.argoproj.io/workflow"], "a");
    let of = |container: &str| LogParams {
        container: Some(container.to_owned()),
        tail_lines: Some(2),
        ..LogParams::default()
    };
    assert_eq!(pods.logs("a", &of("scan")).await.unwrap(), "two\nthree\n");
    assert_eq!(pods.logs("a", &of("fetch")).await.unwrap(), "");
    assert!(pods.logs("a", &of("other")).await.is_err());
    assert!(pods.logs("a", &LogParams::default()).await.is_err());
    assert!(pods.logs("b", &of("scan")).await.is_err());
    server.call("DELETE", &format!("{WORKFLOWS}/a"), &Value::Null);
    assert!(pods.get("a").await.is_err(), "a pod goes with its Workflow");
}

#[tokio::test(start_paused = true)]
async fn a_schedule_runs_when_the_test_says_so_and_keeps_its_limits() {
    let server = server();
    let client = server.client();
    let argo = Argo::on(&server).at_speed(f64::INFINITY).start();
    let path = "/apis/argoproj.io/v1alpha1/namespaces/default/cronworkflows";
    let cron = json!({
        "metadata": { "name": "nightly" },
        "spec": {
            "schedules": ["0 3 * * *"],
            "concurrencyPolicy": "Forbid",
            "successfulJobsHistoryLimit": 2,
            "workflowMetadata": { "labels": { "a": "b" } },
            "workflowSpec": workflow("x")["spec"],
        },
    });
    let cron = server.call("POST", path, &cron);
    for second in 100..104 {
        let at = jiff::Timestamp::from_second(second).unwrap();
        let name = fire(&client, ("default", "nightly"), at).await.unwrap();
        assert_eq!(name, Some(format!("nightly-{second}")));
        let run = get(&server, &name.unwrap());
        assert_eq!(run["metadata"]["labels"]["a"], "b");
        assert_eq!(run["metadata"]["labels"][CRON_WORKFLOW], "nightly");
        assert_eq!(run["metadata"]["ownerReferences"][0]["uid"], cron["metadata"]["uid"]);
        a_while(10).await;
    }
    drop(argo);
    let at = jiff::Timestamp::from_second(104).unwrap();
    fire(&client, ("default", "nightly"), at).await.unwrap();
    let second = fire(&client, ("default", "nightly"), at).await.unwrap();
    assert_eq!(second, None, "two at once are forbidden");
    server.call("DELETE", &format!("{WORKFLOWS}/nightly-104"), &Value::Null);
    let left = server.objects("workflows.argoproj.io");
    let left: Vec<_> = left.iter().map(|run| run["metadata"]["name"].as_str().unwrap()).collect();
    assert_eq!(left, ["nightly-102", "nightly-103"]);
}

#[tokio::test(start_paused = true)]
async fn a_request_hangs_before_or_after_it_is_done() {
    for (effect, done) in [(Effect::Hang, false), (Effect::HangAfter, true)] {
        let server = server();
        server.inject(Fault::new(Matching::writes(), Times::Nth(1), effect));
        let client = server.client();
        let asking = tokio::spawn(async move {
            let mut object = workflow("a");
            object["apiVersion"] = "argoproj.io/v1alpha1".into();
            object["kind"] = "Workflow".into();
            let object = serde_json::from_value(object).unwrap();
            let resource = kube::api::ApiResource::from_gvk(&kube::api::GroupVersionKind::gvk(
                "argoproj.io",
                "v1alpha1",
                "Workflow",
            ));
            let api: Api<kube::api::DynamicObject> =
                Api::default_namespaced_with(client, &resource);
            let _ = api.create(&kube::api::PostParams::default(), &object).await;
        });
        server.until_one_hangs().await;
        assert!(!asking.is_finished());
        asking.abort();
        assert_eq!(server.object("workflows.argoproj.io", "default", "a").is_some(), done);
        assert!(server.forget_hanging());
    }
}
