//! What users type, and what they see.

use arc_kube_fake::real::{self, RealServer};
use serde_json::{Value, json};

use super::{object, path};

/// The header of `kubectl get` and its lines, in words.
fn table(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split_whitespace().collect()).collect()
}

#[tokio::test]
async fn every_field_that_a_user_writes_is_explained() {
    let Some(programs) = real::require() else { return };
    let server = RealServer::with_arc(&programs).await;
    server
        .until("kubectl can read the documentation", async || {
            server.kubectl(&["explain", "orders"]).is_success.then_some(())
        })
        .await;
    for (field, sentence) in [
        ("order.spec.ttl", "FIELD: ttl <string>"),
        ("order.spec.artifacts.spec", "FIELD: spec <Object>"),
        ("arcep.spec.usage", "FIELD: usage <string>"),
        ("artifactworkflow.status.phase", "FIELD: phase <string>"),
        ("clusterartifacttype.spec.workflowTemplateRef", "FIELD: workflowTemplateRef <Object>"),
    ] {
        let said = server.kubectl(&["explain", field]).ok();
        assert!(said.contains(sentence), "{said}");
        let (_, description) = said.split_once("DESCRIPTION:").unwrap();
        assert!(!description.contains("<empty>"), "{said}");
    }
    for crd in arc_api::crds() {
        let kind = crd.spec.names.plural;
        let said = server.kubectl(&["explain", "--recursive", &kind]).ok();
        assert!(said.contains("DESCRIPTION:") && !said.contains("<empty>"), "{said}");
    }
}

#[tokio::test]
async fn columns_answer_what_is_done_what_is_stuck_and_why() {
    let Some(programs) = real::require() else { return };
    let server = RealServer::with_arc(&programs).await;
    let reference = json!({ "name": "quay" });
    let artifact = json!({ "name": "a", "type": "oci", "srcRef": reference, "dstRef": reference });
    let spec = json!({ "type": "oci", "remoteURL": "quay.io", "secretRef": { "name": "quay" } });
    for (kind, spec) in [
        ("Order", json!({ "artifacts": [artifact] })),
        ("Endpoint", spec),
        ("ArtifactType", json!({ "workflowTemplateRef": { "name": "t" } })),
        ("ClusterArtifactType", json!({ "workflowTemplateRef": { "name": "t" } })),
        ("ArtifactWorkflow", json!({ "workflowTemplateRef": { "name": "t" } })),
    ] {
        let (status, made) = server.call("POST", &path(kind), &object(kind, "one", &spec)).await;
        assert_eq!(status, 201, "{made}");
    }
    let status = json!({ "status": {
        "phase": "Pending",
        "progress": "0/1",
        "counts": { "total": 1, "blocked": 1 },
        "message": "no-endpoint",
    } });
    let (code, made) =
        server.call("PATCH", &format!("{}/one/status", path("Order")), &status).await;
    assert_eq!(code, 200, "{made}");

    let orders = server.kubectl(&["get", "arcorder"]).ok();
    let rows = table(&orders);
    assert_eq!(rows[0].first(), Some(&"NAME"), "{orders}");
    for word in ["one", "Pending", "0/1", "no-endpoint"] {
        assert!(rows[1].contains(&word), "{orders}");
    }
    let wide = server.kubectl(&["get", "arcaw", "-o", "wide"]).ok();
    assert!(table(&wide)[0].contains(&"DESTINATION"), "{wide}");

    let all = server.kubectl(&["get", "arc", "-o", "name"]).ok();
    let names: Vec<&str> = all.lines().collect();
    assert_eq!(
        names,
        [
            "artifacttype.arc.opendefense.cloud/one",
            "artifactworkflow.arc.opendefense.cloud/one",
            "clusterartifacttype.arc.opendefense.cloud/one",
            "endpoint.arc.opendefense.cloud/one",
            "order.arc.opendefense.cloud/one",
        ]
    );
    let table = server.kubectl(&["get", "arc"]);
    assert!(table.is_success && table.stdout.contains("REMOTE URL"), "{table:#?}");
}

/// What a user reads whose order is refused.
#[tokio::test]
async fn a_refusal_names_the_field_and_the_remedy() {
    let Some(programs) = real::require() else { return };
    let server = RealServer::with_arc(&programs).await;
    let artifact = json!({ "name": "a", "type": "oci", "srcRef": { "name": "quay" } });
    let order = object("Order", "one", &json!({ "artifacts": [artifact] }));
    let file = server.folder().join("order.json");
    std::fs::write(&file, order.to_string()).unwrap();
    let said = server.kubectl(&["create", "--validate=strict", "-f", file.to_str().unwrap()]);
    assert!(!said.is_success, "{said:#?}");
    let remedy = "every artifact needs a dstRef, unless spec.defaults.dstRef is set";
    assert!(said.stderr.contains(remedy), "{said:#?}");
}

/// A misspelt field is named by a strict client, and dropped with a warning for others.
#[tokio::test]
async fn an_unknown_field_is_named() {
    let Some(programs) = real::require() else { return };
    let server = RealServer::with_arc(&programs).await;
    let spec = json!({ "type": "oci", "remoteURL": "quay.io", "remoteUrl": "quay.io" });
    let strict = format!("{}?fieldValidation=Strict", path("Endpoint"));
    let (status, refused) = server.call("POST", &strict, &object("Endpoint", "one", &spec)).await;
    assert_eq!(status, 400, "{refused}");
    assert!(refused["message"].as_str().unwrap().contains("spec.remoteUrl"), "{refused}");
    let (status, made) =
        server.call("POST", &path("Endpoint"), &object("Endpoint", "one", &spec)).await;
    assert_eq!((status, &made["spec"]["remoteUrl"]), (201, &Value::Null), "{made}");
}
