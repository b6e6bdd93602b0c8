//! Who owns which field of our kinds: the same conversation with the fake and with a real server.

use std::collections::BTreeSet;

use arc_kube_fake::{
    ApiServer, Options,
    real::{self, RealServer},
};
use kube::Client;
use serde_json::{Map, Value, json};

use super::{object, path};

const APPLY: (&str, &str) = ("PATCH", "application/apply-patch+yaml");
const MERGE: (&str, &str) = ("PATCH", "application/merge-patch+json");
const POST: (&str, &str) = ("POST", "application/json");
const PUT: (&str, &str) = ("PUT", "application/json");
const GET: (&str, &str) = ("GET", "application/json");
const DELETE: (&str, &str) = ("DELETE", "application/json");

type Asked = (&'static str, (&'static str, &'static str), String, Value);

fn condition(kind: &str, status: &str) -> Value {
    json!({
        "type": kind,
        "status": status,
        "reason": "Because",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    })
}

fn row(name: &str, phase: &str) -> Value {
    json!({ "name": name, "phase": phase })
}

fn order(spec: &Value) -> Value {
    object("Order", "one", spec)
}

fn status(status: &Value) -> Value {
    json!({
        "apiVersion": "arc.opendefense.cloud/v1alpha1",
        "kind": "Order",
        "metadata": { "name": "one" },
        "status": status,
    })
}

fn named(name: &str) -> Value {
    json!({ "name": name })
}

fn artifact(name: &str) -> Value {
    json!({ "name": name, "type": "oci" })
}

fn spec(artifacts: &Value) -> Value {
    let defaults = json!({ "srcRef": named("a"), "dstRef": named("b") });
    json!({ "defaults": defaults, "artifacts": artifacts })
}

fn one() -> String {
    format!("{}/one", path("Order"))
}

/// What a user, a deployment tool and the controller do to one order.
fn conversation() -> Vec<Asked> {
    let mut conversation = applies();
    conversation.extend(merges());
    conversation.extend(others());
    conversation
}

fn applies() -> Vec<Asked> {
    let user = |title, artifacts: &Value| {
        (title, APPLY, format!("{}?fieldManager=user", one()), order(&spec(artifacts)))
    };
    let controller = |title, said: &Value| {
        (title, APPLY, format!("{}/status?fieldManager=arc&force=true", one()), status(said))
    };
    let other = |title, said: &Value| {
        (title, APPLY, format!("{}/status?fieldManager=other", one()), status(said))
    };
    let two = json!([artifact("x"), artifact("y")]);
    let deep = json!({ "image": "alpine", "deep": { "n": [1, { "b": null }] } });
    let free = json!({ "name": "x", "type": "oci", "spec": deep });
    let first = json!({
        "observedGeneration": 1,
        "phase": "Running",
        "artifacts": [row("x", "Running"), row("y", "Pending")],
        "conditions": [condition("Ready", "False"), condition("Accepted", "True")],
    });
    let second = json!({
        "observedGeneration": 1,
        "phase": "Running",
        "artifacts": [row("y", "Succeeded")],
        "conditions": [condition("Ready", "True")],
    });
    vec![
        user("a user applies", &two),
        user("… the same again", &two),
        controller("the controller applies a status", &first),
        controller("… the same again", &first),
        controller("… rows and conditions that it leaves out go", &second),
        other("another manager claims a row", &json!({ "artifacts": [row("y", "Failed")] })),
        other("… and adds one", &json!({ "artifacts": [row("z", "Failed")] })),
        user("the user applies fewer artifacts", &json!([artifact("y")])),
        user("… and one with a free form", &json!([free])),
    ]
}

fn merges() -> Vec<Asked> {
    let merge = |title, body: Value| (title, MERGE, one(), body);
    let status =
        |title, body: Value| (title, MERGE, format!("{}/status", one()), json!({ "status": body }));
    let twice = json!([row("x", "Failed"), row("x", "Failed")]);
    vec![
        merge("an annotation", json!({ "metadata": { "annotations": { "a": "b" } } })),
        merge("a status through the main resource", json!({ "status": { "phase": "Failed" } })),
        merge("a number where a text belongs", json!({ "spec": { "ttl": 5 } })),
        merge("a null where a list belongs", json!({ "spec": { "artifacts": null } })),
        status("a row without its key", json!({ "artifacts": [{ "phase": "Failed" }] })),
        status("a row twice", json!({ "artifacts": twice })),
        status("a phase that there is not", json!({ "phase": "Odd" })),
    ]
}

fn others() -> Vec<Asked> {
    let made = |name: &str| {
        let mut made = order(&spec(&json!([artifact("x")])));
        made["metadata"]["name"] = json!(name);
        made
    };
    let mut stale = made("one");
    stale["metadata"]["resourceVersion"] = json!("1");
    let mut with_status = made("two");
    with_status["status"] = json!({ "phase": "Failed" });
    vec![
        ("replaced with a stale version", PUT, one(), stale),
        ("created again", POST, path("Order"), made("one")),
        ("created with a status", POST, path("Order"), with_status),
        ("created with a wrong name", POST, path("Order"), made("Two")),
        ("read", GET, one(), Value::Null),
        ("deleted", DELETE, one(), Value::Null),
        ("deleted again", DELETE, one(), Value::Null),
    ]
}

/// Takes out what differs from run to run; managers are in the order of their times.
fn settled(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let Some(Value::Array(managers)) = map.get_mut("managedFields") {
                managers.sort_by_key(|entry| entry["manager"].to_string());
            }
            for (name, value) in map {
                match name.as_str() {
                    "uid" | "creationTimestamp" | "time" | "resourceVersion" => {
                        *value = json!("…");
                    }
                    _ => settled(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(settled),
        _ => {}
    }
}

/// Every answer, and whether the object's version is a new one.
async fn answers(client: &Client) -> Vec<(String, u16, bool, Value)> {
    let mut version = Value::Null;
    let mut answers = Vec::new();
    for (title, kind, path, body) in conversation() {
        let (status, mut answer) = real::send(client, kind, &path, &body).await;
        let now = answer["metadata"]["resourceVersion"].clone();
        let is_new = !now.is_null() && now != version;
        if !now.is_null() {
            version = now;
        }
        settled(&mut answer);
        answers.push((title.to_owned(), status, is_new, answer));
    }
    answers
}

#[tokio::test]
async fn fields_of_an_order_have_the_same_owners_on_the_fake_and_on_a_real_server() {
    let Some(programs) = real::require() else { return };
    let server = RealServer::with_arc(&programs).await;
    let fake = ApiServer::with_arc(Options::default());
    let (faked, real) = (answers(&fake.client()).await, answers(&server.client()).await);
    let mut differences = Vec::new();
    for ((title, faked_status, faked_is_new, faked), (_, status, is_new, real)) in
        faked.iter().zip(&real)
    {
        if (faked_status, faked_is_new) != (status, is_new) {
            differences.push(format!(
                "{title}: fake {faked_status} (new: {faked_is_new}), real {status} (new: {is_new})"
            ));
        }
        compare(title, faked, real, &mut differences);
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Adds a line for everything that differs.
fn compare(path: &str, faked: &Value, real: &Value, out: &mut Vec<String>) {
    match (faked, real) {
        (Value::Object(faked), Value::Object(real)) => {
            let names: BTreeSet<&String> = faked.keys().chain(real.keys()).collect();
            for name in names {
                let of = |map: &Map<String, Value>| map.get(name).cloned().unwrap_or_default();
                compare(&format!("{path} .{name}"), &of(faked), &of(real), out);
            }
        }
        (Value::Array(faked), Value::Array(real)) if faked.len() == real.len() => {
            for (index, (faked, real)) in faked.iter().zip(real).enumerate() {
                compare(&format!("{path} [{index}]"), faked, real, out);
            }
        }
        _ if faked == real => {}
        _ => out.push(format!("{path}:\n    fake {faked}\n    real {real}")),
    }
}

#[tokio::test]
async fn a_status_without_its_namesake_conditions_keeps_those_of_others() {
    let Some(programs) = real::require() else { return };
    let server = RealServer::with_arc(&programs).await;
    let (code, made) = server.call("POST", &path("Order"), &order(&json!({}))).await;
    assert_eq!(code, 201, "{made}");
    let client = server.client();
    for (manager, kind) in [("arc", "Ready"), ("somebody", "Audited"), ("arc", "Accepted")] {
        let path = format!("{}/one/status?fieldManager={manager}", path("Order"));
        let body = status(&json!({ "conditions": [condition(kind, "True")] }));
        let (code, answer) = real::send(&client, APPLY, &path, &body).await;
        assert_eq!(code, 200, "{answer}");
    }
    let (_, found) = server.call("GET", &format!("{}/one", path("Order")), &Value::Null).await;
    let mut kinds: Vec<&str> = found["status"]["conditions"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|condition| condition["type"].as_str())
        .collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["Accepted", "Audited"]);
}
