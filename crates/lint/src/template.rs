//! Workflow templates: whether they work, whether one machine can run them, and what their containers may do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use arc_api::argo::Workflow;
use arc_engine::yaml::{Node, Position, Value};
use arc_engine::{Library, Objects, Problem, Programs, prepare};
use serde_json::json;

use crate::finding::Findings;
use crate::object::{Kind, Object};
use crate::{policy, rules};

mod containers;
mod hardening;
mod images;
mod secrets;
mod shell;

use containers::Container;

/// What a message of the engine says when a cluster could not run the template either.
const BROKEN: [&str; 10] = [
    "calls itself",
    "does not exist",
    "does more than one thing",
    "expected one of steps",
    "is declared twice",
    "is given twice",
    "there is another template",
    "`templates` is missing",
    "wait for each other",
    "was not supplied",
];

/// Judges one template document.
pub(crate) fn check(object: &Object<'_>, findings: &mut Findings) {
    runs(object, findings);
    default_gate(object, findings);
    let secret_volumes = secrets::volumes(object.node);
    for container in containers::all(object.node) {
        shell::check(object, &container, findings);
        secrets::check(object, &container, &secret_volumes, findings);
        images::check(object, &container, findings);
        hardening::check(object, &container, findings);
    }
    hardening::check_spec(object, findings);
}

/// What the engine says about the template when somebody gives everything that it wants.
fn runs(object: &Object<'_>, findings: &mut Findings) {
    let file = &object.source.source.name;
    let mut library = Library::default();
    if let Err(problem) = library.add(file, object.node) {
        return add(object, problem, findings);
    }
    let is_cluster = object.kind == Kind::ClusterWorkflowTemplate;
    let parameters = library.parameters(object.name, is_cluster).unwrap_or_default();
    let given: Vec<_> = parameters
        .into_iter()
        .map(|(name, default)| json!({"name": name, "value": default.unwrap_or_default()}))
        .collect();
    let workflow = serde_json::from_value::<Workflow>(json!({
        "metadata": {"name": "lint", "namespace": "lint"},
        "spec": {
            "workflowTemplateRef": {"name": object.name, "clusterScope": is_cluster},
            "arguments": {"parameters": given},
            "volumes": [
                {"name": arc_core::SOURCE_SECRET_VOLUME, "emptyDir": {}},
                {"name": arc_core::DESTINATION_SECRET_VOLUME, "emptyDir": {}},
            ],
        },
    }));
    let Ok(workflow) = workflow else { return };
    let programs =
        Programs { arc: PathBuf::from("/arc"), container_runtime: Some(PathBuf::from("/podman")) };
    let objects = mounted(object.node);
    for problem in prepare(&workflow, &library, &objects, &programs).err().unwrap_or_default() {
        // What is wrong with the workflow made here says nothing about the template.
        if problem.file == *file {
            add(object, problem, findings);
        }
    }
}

fn add(object: &Object<'_>, problem: Problem, findings: &mut Findings) {
    let is_broken = BROKEN.iter().any(|words| problem.message.contains(words))
        && !problem.message.contains("not supported");
    let is_unnamed = problem.message.ends_with("is missing") && !problem.message.contains(": ");
    let is_headless = ["`metadata.name` is missing", ": `spec` is missing"]
        .iter()
        .any(|words| problem.message.ends_with(words));
    let rule =
        if is_broken || is_unnamed || is_headless { rules::TEMPLATE } else { rules::ARC_RUN };
    let at = if problem.line == 0 {
        object.node.at
    } else {
        Position { line: problem.line, column: problem.column }
    };
    let hint = problem.hint.unwrap_or_else(|| {
        let general = if rule == rules::TEMPLATE {
            "correct the name, or add what is missing"
        } else {
            "write it in another way, or run this template on clusters only"
        };
        general.to_owned()
    });
    findings.add(object.source, rule, at, (problem.message, Some(hint)));
}

/// Every secret and config map that the template mounts, as if it existed.
fn mounted(node: &Node) -> Objects {
    let mut objects = Objects::default();
    for volume in volumes(node) {
        let sources = [
            ("secret", "secretName", &mut objects.secrets),
            ("configMap", "name", &mut objects.config_maps),
        ];
        for (field, name, into) in sources {
            let Some(source) = volume.get(field) else { continue };
            let Some(name) = source.get(name).and_then(Node::text) else { continue };
            let keys: &mut BTreeMap<String, Vec<u8>> = into.entry(name.to_owned()).or_default();
            for item in items(source, "items") {
                let key = item.get("key").and_then(Node::text);
                keys.extend(key.map(|key| (key.to_owned(), Vec::new())));
            }
        }
    }
    objects
}

/// The volumes of the workflow and of its templates.
fn volumes(node: &Node) -> Vec<&Node> {
    let Some(spec) = node.get("spec") else { return Vec::new() };
    let of_templates = items(spec, "templates").iter().flat_map(|node| items(node, "volumes"));
    items(spec, "volumes").iter().chain(of_templates).collect()
}

/// The items of a list that is a field, or none.
fn items<'n>(node: &'n Node, field: &str) -> &'n [Node] {
    match node.get(field).map(|list| &list.value) {
        Some(Value::List(items)) => items,
        _ => &[],
    }
}

/// A gate that the template has for types that set none.
fn default_gate(object: &Object<'_>, findings: &mut Findings) {
    let arguments = object.node.get("spec").and_then(|spec| spec.get("arguments"));
    let Some(arguments) = arguments else { return };
    for parameter in items(arguments, "parameters") {
        let name = parameter.get("name").and_then(Node::text);
        if name != Some(policy::SCAN_SEVERITY) {
            continue;
        }
        if let Some(value) = parameter.get("value").or_else(|| parameter.get("default"))
            && let Some(text) = value.text()
        {
            policy::gate(object.source, value.at, text, findings);
        }
    }
}

/// The names of the mounts and environment of a container that hold secrets.
fn names(set: &BTreeSet<String>) -> String {
    set.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
