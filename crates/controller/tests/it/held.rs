//! What is missing or unfit holds the artifact that needs it, and no other, until the very moment it is there.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::harness::{Cluster, Operator, Script, endpoint, order_of, secret, set, template};

/// What a story changes.
enum Mend {
    Create(Value),
    Patch(&'static str, &'static str, Value),
}

struct Missing {
    what: &'static str,
    reason: &'static str,
    /// What is there before.
    before: Vec<Value>,
    artifact: Value,
    mend: Mend,
}

fn artifact(name: &str, over: &Value) -> Value {
    let mut artifact = json!({ "name": name, "type": "oci", "spec": { "repository": name } });
    for (field, value) in over.as_object().unwrap() {
        artifact[field] = value.clone();
    }
    artifact
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn missing() -> Vec<Missing> {
    let from = |name: &str| artifact("held", &json!({ "srcRef": { "name": name } }));
    let of = |kind: &str| artifact("held", &json!({ "type": kind }));
    let spec = |kind: &str, template: &str| {
        json!({
            "apiVersion": "arc.opendefense.cloud/v1alpha1",
            "kind": "ArtifactType",
            "metadata": { "name": kind },
            "spec": {
                "rules": { "srcTypes": ["oci"], "dstTypes": ["oci"] },
                "workflowTemplateRef": { "name": template, "clusterScope": true },
            },
        })
    };
    let unfit = |field: &str, value: &str| {
        let mut endpoint = endpoint("unfit", None);
        endpoint["spec"][field] = value.into();
        endpoint
    };
    vec![
        Missing {
            what: "an endpoint",
            reason: "EndpointNotFound",
            before: Vec::new(),
            artifact: from("elsewhere"),
            mend: Mend::Create(endpoint("elsewhere", None)),
        },
        Missing {
            what: "a type",
            reason: "ArtifactTypeNotFound",
            before: Vec::new(),
            artifact: of("helm"),
            mend: Mend::Create(spec("helm", "pipeline")),
        },
        Missing {
            what: "a template",
            reason: "WorkflowTemplateNotFound",
            before: vec![spec("chart", "late")],
            artifact: of("chart"),
            mend: Mend::Create(template("late")),
        },
        Missing {
            what: "a secret",
            reason: "SecretNotFound",
            before: vec![endpoint("private", Some("login"))],
            artifact: from("private"),
            mend: Mend::Create(secret("login", "a")),
        },
        Missing {
            what: "the right usage",
            reason: "EndpointUsageMismatch",
            before: vec![unfit("usage", "PushOnly")],
            artifact: from("unfit"),
            mend: Mend::Patch("Endpoint", "unfit", json!({ "spec": { "usage": "All" } })),
        },
        Missing {
            what: "the right kind of endpoint",
            reason: "EndpointTypeNotAllowed",
            before: vec![unfit("type", "s3")],
            artifact: from("unfit"),
            mend: Mend::Patch("Endpoint", "unfit", json!({ "spec": { "type": "oci" } })),
        },
    ]
}

pub(crate) async fn what_is_missing_holds_one_artifact_and_releases_it_within_a_second(
    cluster: &Cluster,
) {
    set(cluster).await;
    let _argo = Script::new().start(cluster);
    let operator = Operator::start(cluster);
    for (index, case) in missing().into_iter().enumerate() {
        let Missing { what, reason, before, artifact: held, mend } = case;
        for object in &before {
            cluster.ensure(object).await;
        }
        let name = format!("order-{index}");
        let free = artifact(&format!("free-{index}"), &json!({}));
        let mut held = held;
        held["name"] = format!("held-{index}").into();
        held["spec"]["repository"] = format!("held-{index}").into();
        let (free_name, held_name) = (format!("free-{index}"), format!("held-{index}"));
        cluster.create(&order_of(&name, &[held, free])).await;
        let row = cluster.until_row((&name, &held_name), ("Pending", reason)).await;
        let message = row["message"].as_str().unwrap();
        assert!(message.len() > 10, "{what}: {message}");
        cluster.until_row((&name, &free_name), ("Succeeded", "Succeeded")).await;
        // What waits does so without being looked at.
        cluster.pass(Duration::from_secs(if cluster.is_real() { 0 } else { 100 })).await;
        assert!(
            !cluster.has_workflow(&held_name).await,
            "{what}: nothing begins before it is there"
        );
        let start = Instant::now();
        match mend {
            Mend::Create(object) => drop(cluster.create(&object).await),
            Mend::Patch(kind, name, patch) => drop(cluster.patch(kind, name, &patch).await),
        }
        cluster
            .until(&format!("{held_name} has a Workflow"), async || {
                cluster.has_workflow(&held_name).await.then_some(())
            })
            .await;
        let took = start.elapsed();
        assert!(took < Duration::from_secs(1), "{what}: {took:?}");
        cluster.until_row((&name, &held_name), ("Succeeded", "Succeeded")).await;
        cluster.until_phase(&name, "Succeeded").await;
        // The next story begins with nothing that helps it.
        for object in before {
            let (kind, name) = (object["kind"].as_str(), object["metadata"]["name"].as_str());
            cluster.delete(kind.unwrap(), name.unwrap()).await;
        }
    }
    operator.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_moves_makes_a_new_delivery_and_keeps_the_old_record() {
    let cluster = Cluster::fake();
    set(&cluster).await;
    let script = Script::new();
    let _argo = script.start(&cluster);
    let operator = Operator::start(&cluster);
    cluster.create(&crate::harness::order("one", &["a"])).await;
    cluster.until_phase("one", "Succeeded").await;
    let old = cluster.record("a").await.unwrap();
    cluster.pass(Duration::from_secs(2)).await;
    let patch = json!({ "spec": { "remoteURL": "moved.example.com" } });
    cluster.patch("Endpoint", "internal", &patch).await;
    cluster
        .until("there is a second record", async || {
            (cluster.list("ArtifactWorkflow").await.len() == 2).then_some(())
        })
        .await;
    cluster.pass(Duration::from_secs(10)).await;
    cluster.until_phase("one", "Succeeded").await;
    assert_eq!(script.counts()["a"], 2);
    let name = old["metadata"]["name"].as_str().unwrap();
    let kept = cluster.get("ArtifactWorkflow", name).await.unwrap();
    assert_eq!(kept["status"], old["status"]);
    operator.stop().await;
}
