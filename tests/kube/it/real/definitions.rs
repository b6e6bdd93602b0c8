//! The definitions of our kinds, as they are in `crds/`.

use arc_kube_fake::real::{self, RealServer};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::{Value, json};

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// Structural schemas, estimated costs of rules, names: what is refused or warned about here is refused in clusters.
#[tokio::test]
async fn definitions_are_accepted_without_a_warning_and_a_condition_against_them() {
    let Some(programs) = real::require() else { return };
    let server = RealServer::start(&programs).await;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../crds");
    let said = server.kubectl(&["apply", "--server-side", "--validate=strict", "-f", folder]).ok();
    assert_eq!(said.lines().count(), arc_api::crds().len(), "{said}");
    for ours in arc_api::crds() {
        let name = ours.metadata.name.unwrap();
        let found = server
            .until("the definition is established", async || {
                let (_, found) =
                    server.call("GET", &format!("{DEFINITIONS}/{name}"), &Value::Null).await;
                let conditions = found["status"]["conditions"].as_array()?;
                let is_established = conditions.iter().any(|condition| {
                    condition["type"] == "Established" && condition["status"] == "True"
                });
                is_established.then(|| found.clone())
            })
            .await;
        let conditions = found["status"]["conditions"].as_array().unwrap().iter();
        let conditions: Vec<_> =
            conditions.map(|condition| (&condition["type"], &condition["status"])).collect();
        let holds = json!("True");
        assert_eq!(
            conditions,
            [(&json!("NamesAccepted"), &holds), (&json!("Established"), &holds)],
            "{name}"
        );
    }
}

/// Nothing of a schema may be dropped or filled in by the server, or users would see a difference for ever.
#[tokio::test]
async fn definitions_are_stored_as_they_are_written() {
    let Some(programs) = real::require() else { return };
    let server = RealServer::with_arc(&programs).await;
    for ours in arc_api::crds() {
        let name = ours.metadata.name.as_deref().unwrap();
        let path = format!("{DEFINITIONS}/{name}");
        let (_, found) = server.call("GET", &path, &Value::Null).await;
        let generation = found["metadata"]["generation"].clone();
        let found: CustomResourceDefinition = serde_json::from_value(found).unwrap();
        assert_eq!(found.spec.versions, ours.spec.versions, "{name}");
        let kind = ("PATCH", "application/apply-patch+yaml");
        let path = format!("{path}?fieldManager=test&force=true");
        let mut ours = serde_json::to_value(&ours).unwrap();
        ours["apiVersion"] = json!("apiextensions.k8s.io/v1");
        let (status, applied) = real::send(&server.client(), kind, &path, &ours).await;
        assert_eq!((status, &applied["metadata"]["generation"]), (200, &generation), "{applied}");
    }
}
