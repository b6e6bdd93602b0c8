//! The admission policies: compiled, type-checked and asked by a real API server.

use std::collections::BTreeMap;

use arc_chart::Chart;
use arc_kube_fake::real::{self, RealServer};
use serde_json::{Value, json};

use super::{apply, cluster, objects};
use crate::admission::{
    judge::{Judged, Request},
    questions,
};

const POLICIES: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
const GROUP: &str = "/apis/arc.opendefense.cloud/v1alpha1";
/// Refused by the policies with any values: an address that is written in another way.
const PROBE: &str = "http://0x7f.1";
/// The schema wants schemes in lower case, so the policy is not asked about others.
const SCHEME: &str = "must begin with https://";

fn policies(values: &Value) -> Vec<Value> {
    let mut all = objects(&Chart::open().render(values));
    all.retain(|object| object["kind"].as_str().unwrap().starts_with("ValidatingAdmissionPolicy"));
    all
}

#[tokio::test]
async fn policies_have_the_types_of_what_they_judge() {
    let Some(server) = cluster().await else { return };
    if !server.require_controllers() {
        return;
    }
    let ours = policies(&json!({}));
    apply(&server, &ours);
    for policy in ours.iter().filter(|one| one["kind"] == "ValidatingAdmissionPolicy") {
        let path = format!("{POLICIES}/{}", policy["metadata"]["name"].as_str().unwrap());
        let status = server
            .until("the policy is checked", async || {
                let (_, found) = server.call("GET", &path, &Value::Null).await;
                let status = found["status"].clone();
                (status["observedGeneration"] == found["metadata"]["generation"]).then_some(status)
            })
            .await;
        assert_eq!(status["typeChecking"]["expressionWarnings"], Value::Null, "{path}: {status}");
    }
}

/// Makes an object that the schema accepts out of one that a test of the policies asked about.
fn complete(resource: &str, name: &str, object: &Value) -> Value {
    let mut object = object.clone();
    object["apiVersion"] = json!("arc.opendefense.cloud/v1alpha1");
    let (kind, spec) = match resource {
        "endpoints" => ("Endpoint", json!({ "type": "oci", "remoteURL": "quay.io" })),
        "artifacttypes" => ("ArtifactType", json!({ "workflowTemplateRef": { "name": "t" } })),
        "clusterartifacttypes" => {
            ("ClusterArtifactType", json!({ "workflowTemplateRef": { "name": "t" } }))
        }
        "orders" => ("Order", json!({})),
        _ => {
            let parameter = json!({ "name": "a", "value": object["spec"]["a"].to_string() });
            let template = json!({ "name": "t" });
            let spec = json!({ "workflowTemplateRef": template, "parameters": [parameter] });
            ("ArtifactWorkflow", spec)
        }
    };
    object["kind"] = json!(kind);
    let mut whole = spec;
    for field in ["type", "remoteURL", "insecureSkipVerify"] {
        if kind == "Endpoint" && !object["spec"][field].is_null() {
            whole[field] = object["spec"][field].clone();
        }
    }
    object["spec"] = whole;
    if !matches!(kind, "ArtifactType" | "ClusterArtifactType") {
        object["metadata"]["name"] = json!(name);
    }
    object
}

fn path(resource: &str, object: &Value) -> String {
    match object["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("{GROUP}/namespaces/{namespace}/{resource}"),
        None => format!("{GROUP}/{resource}"),
    }
}

/// Does what a test asked about, without keeping what comes of it.
async fn ask(server: &RealServer, name: &str, request: &Request) -> (u16, Value) {
    let client = server.client_as(request.user, &["system:masters"]).await;
    let mut object = complete(request.resource, name, &request.new);
    let path = path(request.resource, &object);
    if request.old.is_none() {
        return real::call(&client, "POST", &format!("{path}?dryRun=All"), &object).await;
    }
    let (_, old) = server.call("GET", &format!("{path}/{name}"), &Value::Null).await;
    object["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"].clone();
    if request.subresource.is_empty() {
        return real::call(&client, "PUT", &format!("{path}/{name}?dryRun=All"), &object).await;
    }
    object["status"] = json!({ "phase": "Failed" });
    let path = format!("{path}/{name}/{}?dryRun=All", request.subresource);
    real::call(&client, "PUT", &path, &object).await
}

/// Whether the real answer is the one that is expected; what the schema already refuses does not reach a policy.
fn fits(expected: Option<&str>, status: u16, answer: &Value) -> bool {
    let message = answer["message"].as_str().unwrap_or_default();
    match expected {
        None => matches!(status, 200 | 201) || message.contains(SCHEME),
        Some(expected) if message.contains("denied request") => message.contains(expected),
        Some(_) => status == 422,
    }
}

/// Asks everything that was asked with one set of values; gives what is answered differently.
async fn ask_all(server: &RealServer, values: &Value, all: &[Judged]) -> Vec<String> {
    let name = |number: usize| format!("case-{number}");
    for (number, judged) in all.iter().enumerate() {
        if let Some(old) = &judged.request.old {
            let object = complete(judged.request.resource, &name(number), old);
            let path = path(judged.request.resource, &object);
            let (status, made) = server.call("POST", &path, &object).await;
            assert_eq!(status, 201, "{made}");
        }
    }
    let policies = policies(values);
    apply(server, &policies);
    let probe = json!({ "metadata": { "name": "p", "namespace": "team-a" }, "spec": { "type": "oci", "remoteURL": PROBE } });
    let probe = Request::new("endpoints", "jane", probe);
    server
        .until("the policies are asked", async || {
            (ask(server, "probe", &probe).await.0 == 422).then_some(())
        })
        .await;
    let mut wrong = Vec::new();
    for (number, judged) in all.iter().enumerate() {
        let types = format!("{GROUP}/clusterartifacttypes");
        for one in &judged.types {
            let one = complete("clusterartifacttypes", "", one);
            server.call("POST", &types, &one).await;
        }
        let expected = judged.refusal.as_deref();
        let (mut status, mut answer) = ask(server, &name(number), &judged.request).await;
        // What a policy is asked with is a moment old.
        for _ in 0..50 {
            if judged.request.resource != "artifacttypes" || fits(expected, status, &answer) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            (status, answer) = ask(server, &name(number), &judged.request).await;
        }
        if !fits(expected, status, &answer) {
            let asked = (&judged.request.user, &judged.request.new);
            wrong.push(format!("{asked:?}:\n    expected {expected:?}\n    real {answer}"));
        }
        server.call("DELETE", &types, &Value::Null).await;
    }
    let file = server.folder().join("objects.yaml");
    server.kubectl(&["delete", "-f", file.to_str().unwrap()]).ok();
    server
        .until("the policies are gone", async || {
            (ask(server, "probe", &probe).await.0 == 201).then_some(())
        })
        .await;
    for resource in ["endpoints", "artifactworkflows", "orders"] {
        let path = format!("{GROUP}/namespaces/team-a/{resource}");
        server.call("DELETE", &path, &Value::Null).await;
    }
    wrong
}

#[tokio::test]
async fn whatever_the_policies_refuse_a_real_server_refuses_in_the_same_words() {
    let Some(server) = cluster().await else { return };
    let mut by_values: BTreeMap<String, (Value, Vec<Judged>)> = BTreeMap::new();
    for judged in questions() {
        let key = judged.values.to_string();
        by_values.entry(key).or_insert_with(|| (judged.values.clone(), Vec::new())).1.push(judged);
    }
    let mut wrong = Vec::new();
    for (values, all) in by_values.values() {
        wrong.extend(ask_all(&server, values, all).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
