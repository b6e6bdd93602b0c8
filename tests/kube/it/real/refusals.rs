//! Every case of the rules' own tests, asked again.

use std::collections::BTreeSet;

use arc_kube_fake::{
    ApiServer, Options,
    real::{self, RealServer},
};
use serde_json::{Value, json};

use super::{object, path};

/// What the tests of `arc-api` checked, one case a line; a test there keeps it.
const CASES: &str = include_str!("../../../../crates/api/src/fixtures/rules.jsonl");

/// Fills in what the schema wants, so that only the rules speak.
fn complete(kind: &str, spec: &Value) -> Value {
    let mut complete = match kind {
        "Endpoint" => json!({ "type": "oci", "remoteURL": "example.com" }),
        "Order" => json!({}),
        _ => json!({ "workflowTemplateRef": { "name": "t" } }),
    };
    for (name, value) in spec.as_object().unwrap() {
        complete[name] = value.clone();
    }
    for artifact in complete["artifacts"].as_array_mut().into_iter().flatten() {
        artifact["type"] = json!("oci");
    }
    if complete["artifacts"].is_null() {
        complete.as_object_mut().unwrap().remove("artifacts");
    }
    complete
}

/// The causes of a refusal as `path: message`.
fn causes(answer: &Value) -> BTreeSet<String> {
    let causes = answer["details"]["causes"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let said = |cause: &Value| format!("{}: {}", text(&cause["field"]), text(&cause["message"]));
    causes.iter().map(said).collect()
}

#[tokio::test]
async fn whatever_the_rules_refuse_a_real_server_refuses_in_the_same_words() {
    let Some(programs) = real::require() else { return };
    let server = RealServer::with_arc(&programs).await;
    let fake = ApiServer::with_arc(Options::default());
    let mut wrong = Vec::new();
    for (number, line) in CASES.lines().enumerate() {
        let case: Value = serde_json::from_str(line).unwrap();
        let kind = case["kind"].as_str().unwrap();
        let (path, name) = (path(kind), format!("case-{number}"));
        let new = object(kind, &name, &complete(kind, &case["spec"]));
        let (method, path) = if case["old"].is_null() {
            ("POST", path)
        } else {
            let old = object(kind, &name, &complete(kind, &case["old"]));
            let (status, made) = server.call("POST", &path, &old).await;
            assert_eq!(status, 201, "{made}");
            fake.call("POST", &path, &old);
            ("PATCH", format!("{path}/{name}"))
        };
        let (status, answer) = server.call(method, &path, &new).await;
        let said = causes(&answer);
        let expected: Vec<&str> =
            case["says"].as_array().unwrap().iter().map(|said| said.as_str().unwrap()).collect();
        // What the schema itself has to say is not a rule's.
        let ruled: Vec<&String> = said.iter().filter(|said| !said.contains(" in body ")).collect();
        let fits = ruled.len() == expected.len()
            && expected.iter().all(|expected| {
                let (field, message) = expected.split_once(": ").unwrap();
                let field = format!("{field}: ");
                ruled.iter().any(|said| said.starts_with(&field) && said.ends_with(message))
            });
        if !fits || (status == 422) == expected.is_empty() {
            wrong.push(format!("{line}\n    real: {status} {said:?}"));
        }
        let faked = causes(&fake.call(method, &path, &new));
        if faked != said {
            wrong.push(format!("{line}\n    real: {said:?}\n    fake: {faked:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
