//! Secrets: who sees them, how, and whether it needs to.

use std::collections::{BTreeMap, BTreeSet};

use arc_core::{DESTINATION_SECRET_VOLUME, SOURCE_SECRET_VOLUME};
use arc_engine::yaml::Node;

use super::{Container, items, names, shell};
use crate::finding::{Findings, say};
use crate::object::Object;
use crate::rules;

/// The volumes that hold secrets: those of the template, and the two that ARC adds to every workflow.
pub(super) fn volumes(document: &Node) -> BTreeMap<String, &'static str> {
    let mut volumes = BTreeMap::from([
        (SOURCE_SECRET_VOLUME.to_owned(), "the credentials of the source"),
        (DESTINATION_SECRET_VOLUME.to_owned(), "the credentials of the destination"),
    ]);
    for volume in super::volumes(document) {
        let Some(name) = volume.get("name").and_then(Node::text) else { continue };
        let is_projected = volume.get("projected").is_some_and(|projected| {
            items(projected, "sources").iter().any(|source| source.get("secret").is_some())
        });
        if volume.get("secret").is_some() || is_projected {
            volumes.insert(name.to_owned(), "a secret");
        }
    }
    volumes
}

/// Judges one container.
pub(super) fn check(
    object: &Object<'_>,
    container: &Container<'_>,
    volumes: &BTreeMap<String, &'static str>,
    findings: &mut Findings,
) {
    let mut seen = in_environment(object, container, findings);
    let mounted: BTreeSet<String> = container
        .mounts()
        .iter()
        .filter_map(|mount| mount.get("name").and_then(Node::text))
        .filter(|name| volumes.contains_key(*name))
        .map(str::to_owned)
        .collect();
    unneeded(object, container, volumes, findings);
    seen.extend(mounted);
    if !seen.is_empty() && shell::runs_shell(container) {
        let message =
            format!("{} runs a script and sees secrets: {}", container.called(), names(&seen));
        let hint = "mount secrets only where no script runs, in a template of its own";
        let field = if container.is_script { "source" } else { "command" };
        let at = container.node.get(field).map_or(container.node.at, |node| node.at);
        findings.add(object.source, rules::SHELL_WITH_SECRETS, at, say(message, hint));
    }
}

/// Reports secrets in environment variables, and returns what they are called.
fn in_environment(
    object: &Object<'_>,
    container: &Container<'_>,
    findings: &mut Findings,
) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut found = |node: &Node, name: String| {
        let message =
            format!("{}: the secret {name} is an environment variable", container.called());
        let hint = "mount the secret as a file and let the program read it";
        findings.add(object.source, rules::SECRET_IN_ENVIRONMENT, node.at, say(message, hint));
        seen.insert(name);
    };
    for variable in items(container.node, "env") {
        let reference = variable.get("valueFrom").and_then(|from| from.get("secretKeyRef"));
        if let Some(reference) = reference {
            let name = variable.get("name").and_then(Node::text).unwrap_or_default();
            found(reference, format!("{name:?}"));
        }
    }
    for source in items(container.node, "envFrom") {
        if let Some(reference) = source.get("secretRef") {
            let name = reference.get("name").and_then(Node::text).unwrap_or_default();
            found(reference, format!("{name:?}"));
        }
    }
    seen
}

/// Secrets that a step of ARC does not read. A pod's containers share its mounts, so sets are left alone.
fn unneeded(
    object: &Object<'_>,
    container: &Container<'_>,
    volumes: &BTreeMap<String, &'static str>,
    findings: &mut Findings,
) {
    let arguments: Vec<&str> =
        container.arguments().iter().filter_map(|node| node.text()).collect();
    let step = match arguments.as_slice() {
        ["arc", "step", step, ..] if container.set.is_none() => *step,
        _ => return,
    };
    for mount in items(container.node, "volumeMounts") {
        let Some(name) = mount.get("name").and_then(Node::text) else { continue };
        let Some(what) = volumes.get(name) else { continue };
        let is_needed = match step {
            "scan" => false,
            "publish" => name != SOURCE_SECRET_VOLUME,
            _ => true,
        };
        if !is_needed {
            let message =
                format!("{}: `arc step {step}` does not need {what} ({name})", container.called());
            findings.add(
                object.source,
                rules::UNNEEDED_SECRET,
                mount.at,
                say(message, "remove this mount"),
            );
        }
    }
}
