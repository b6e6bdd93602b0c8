//! Golden cases: `golden/<case>/` holds what a user wrote, and what ARC makes of it in `expected.yaml`.
//!
//! `UPDATE_GOLDEN=1 cargo test -p arc-core` rewrites the expectations; the review reads the difference.
//! A case without its own `templates.yaml` uses the one of the folder above.
#![expect(
    clippy::disallowed_methods,
    reason = "the cases are files; only the core itself may not read any"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arc_api::{ArtifactWorkflow, argo::Workflow};
use arc_core::{Delivery, Fetched, Problem, TemplateParameters, hydrate, plan, validate};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// The uid that the API server would give the artifact workflow before its Argo workflow is made.
const STORED_UID: &str = "00000000-0000-0000-0000-0000000000aa";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn documents(path: &Path) -> Vec<Value> {
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    // Without it a tag such as `on` would be read as a boolean.
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_multiple_with_options(&text, options)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn typed<T: DeserializeOwned>(document: &Value) -> T {
    serde_json::from_value(document.clone()).unwrap_or_else(|error| panic!("{error} in {document}"))
}

fn name(document: &Value) -> String {
    document["metadata"]["name"].as_str().unwrap().to_owned()
}

fn template(document: &Value) -> TemplateParameters {
    let declared =
        document["spec"]["arguments"]["parameters"].as_array().cloned().unwrap_or_default();
    let parameters = declared.iter().map(|parameter| {
        let text = |key: &str| parameter[key].as_str().map(str::to_owned);
        (text("name").unwrap(), text("value"))
    });
    TemplateParameters { parameters: parameters.collect() }
}

fn fetched(case: &Path) -> Fetched {
    let mut fetched = Fetched::default();
    let own = case.join("templates.yaml");
    let templates = if own.exists() { own } else { folder().join("templates.yaml") };
    for path in [case.join("endpoints.yaml"), case.join("artifact-types.yaml"), templates] {
        for document in documents(&path) {
            let name = name(&document);
            match document["kind"].as_str().unwrap() {
                "Endpoint" => _ = fetched.endpoints.insert(name, typed(&document)),
                "Secret" => _ = fetched.secrets.insert(name),
                "ArtifactType" => _ = fetched.artifact_types.insert(name, typed(&document)),
                "ClusterArtifactType" => {
                    _ = fetched.cluster_artifact_types.insert(name, typed(&document));
                }
                "WorkflowTemplate" => {
                    _ = fetched.workflow_templates.insert(name, template(&document));
                }
                "ClusterWorkflowTemplate" => {
                    _ = fetched.cluster_workflow_templates.insert(name, template(&document));
                }
                other => panic!("{}: unknown kind {other}", path.display()),
            }
        }
    }
    fetched
}

#[derive(Serialize)]
struct Expected {
    problems: Vec<ExpectedProblem>,
    deliveries: Vec<ExpectedDelivery>,
}

#[derive(Serialize)]
struct ExpectedProblem {
    path: String,
    reason: &'static str,
    message: String,
    hint: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExpectedDelivery {
    artifact: String,
    also_for: Vec<String>,
    overridden: BTreeMap<String, String>,
    artifact_workflow: ArtifactWorkflow,
    workflow: Workflow,
}

fn problem(problem: &Problem) -> ExpectedProblem {
    let Problem { path, reason, message, hint } = problem.clone();
    ExpectedProblem { path, reason: reason.as_str(), message, hint }
}

fn delivery(delivery: Delivery) -> ExpectedDelivery {
    let mut stored = delivery.artifact_workflow.clone();
    stored.metadata.uid = Some(STORED_UID.to_owned());
    let overridden =
        delivery.parameters.into_iter().filter(|parameter| !parameter.overridden.is_empty());
    let overridden = overridden.map(|parameter| {
        let lost = parameter
            .overridden
            .iter()
            .map(|(layer, value)| format!("{} said {value:?}", layer.as_str()));
        let lost: Vec<String> = lost.collect();
        (parameter.name, format!("{} wins; {}", parameter.layer.as_str(), lost.join(", ")))
    });
    ExpectedDelivery {
        artifact: delivery.artifact_name,
        also_for: delivery.shared_with.into_iter().map(|other| other.name).collect(),
        overridden: overridden.collect(),
        artifact_workflow: delivery.artifact_workflow,
        workflow: hydrate(&stored),
    }
}

fn actual(case: &Path) -> Expected {
    let order = typed(&documents(&case.join("order.yaml"))[0]);
    let validated = validate(&order, &fetched(case));
    Expected {
        problems: validated.all_problems().into_iter().map(problem).collect(),
        deliveries: plan(&order, &validated).deliveries.into_iter().map(delivery).collect(),
    }
}

fn check(case: &Path) {
    let actual = actual(case);
    let text = serde_saphyr::to_string(&actual).unwrap();
    let path = case.join("expected.yaml");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let expected = documents(&path).remove(0);
    assert!(
        expected == serde_json::to_value(&actual).unwrap(),
        "{} differs; ARC now says:\n{text}",
        path.display()
    );
}

#[test]
fn every_case_gives_what_is_expected() {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    cases.sort();
    assert!(cases.len() >= 10, "only {} cases were found", cases.len());
    for case in cases {
        check(&case);
    }
}
