//! Rights: what a container may do on its node and in the cluster.

use arc_engine::yaml::Node;

use super::{Container, items};
use crate::finding::{Findings, say};
use crate::object::Object;
use crate::rules;

/// Judges the security context of one container.
pub(super) fn check(object: &Object<'_>, container: &Container<'_>, findings: &mut Findings) {
    let is = |field: &str, expected: &str| {
        container.security(field).and_then(Node::text) == Some(expected)
    };
    for (field, value) in [("privileged", "true"), ("runAsUser", "0"), ("runAsNonRoot", "false")] {
        if is(field, value)
            && let Some(node) = container.security(field)
        {
            let message = format!("{}: `{field}: {value}`", container.called());
            let hint = "remove it: copying and scanning need no rights on the node";
            findings.add(object.source, rules::PRIVILEGED, node.at, say(message, hint));
        }
    }
    let drops_all = container.security("capabilities").is_some_and(|capabilities| {
        items(capabilities, "drop").iter().any(|name| name.text() == Some("ALL"))
    });
    let has_profile =
        container.security("seccompProfile").is_some_and(|profile| profile.get("type").is_some());
    let wanted = [
        (is("runAsNonRoot", "true"), "runAsNonRoot: true"),
        (has_profile, "seccompProfile: {type: RuntimeDefault}"),
        (is("allowPrivilegeEscalation", "false"), "allowPrivilegeEscalation: false"),
        (drops_all, "capabilities: {drop: [ALL]}"),
    ];
    let missing: Vec<&str> =
        wanted.iter().filter(|(is_there, _)| !is_there).map(|(_, text)| *text).collect();
    if !missing.is_empty() {
        let message = format!("{} has more rights than it needs", container.called());
        let hint = format!("add to securityContext: {}", missing.join(", "));
        findings.add(object.source, rules::NO_HARDENING, container.node.at, say(message, hint));
    }
}

/// Judges what holds for all pods of a template document.
pub(super) fn check_spec(object: &Object<'_>, findings: &mut Findings) {
    let Some(spec) = object.node.get("spec") else { return };
    let token = |node: &Node| {
        node.get("automountServiceAccountToken").and_then(Node::text) == Some("false")
    };
    let pods = items(spec, "templates").iter().filter(|template| {
        ["container", "script", "containerSet"].iter().any(|kind| template.get(kind).is_some())
    });
    if !token(spec) && pods.clone().any(|template| !token(template)) {
        let text = say(
            "the containers see a token of the cluster's API",
            "set `automountServiceAccountToken: false`, and `executor.serviceAccountName` for Argo's own container",
        );
        findings.add(object.source, rules::SERVICE_ACCOUNT_TOKEN, object.key("spec"), text);
    }
    for volume in super::volumes(object.node) {
        if let Some(node) = volume.get("hostPath") {
            let text = say("a path of the node is mounted", "use emptyDir or a claim");
            findings.add(object.source, rules::PRIVILEGED, node.at, text);
        }
    }
    for field in ["hostNetwork", "hostPID", "hostIPC"] {
        if let Some(node) = spec.get(field).filter(|node| node.text() == Some("true")) {
            let text = say(format!("`{field}: true`"), "remove it");
            findings.add(object.source, rules::PRIVILEGED, node.at, text);
        }
    }
}
