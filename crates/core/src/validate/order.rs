//! What the order says about itself: its name, its life span, and the names of its artifacts.

use arc_api::Order;
use arc_api::reasons::Reason;
use kube::ResourceExt;

use super::{Check, value};
use crate::problem::Problem;
use crate::{duration, facts, label};

/// Most artifacts of one order, the limit of the CRD: all their rows stand in one status.
const MAX_ARTIFACTS: usize = 1000;

/// Returns the problems that concern the whole order.
pub(super) fn validate(order: &Order) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut refuse = |path: &str, reason, message: String, hint: &str| {
        problems.push(Problem::new(path, reason, message).hint(hint));
    };
    let name = order.name_any();
    if !label::is_object_name(&name) {
        let message = format!("{name:?} is not a name of a Kubernetes object");
        refuse(
            "metadata.name",
            Reason::InvalidName,
            message,
            "use lower case letters, digits, `-` and `.`",
        );
    }
    let namespace = facts::namespace(order);
    if !label::is_dns_label(namespace) {
        let message = format!("{namespace:?} is not a name of a namespace");
        refuse(
            "metadata.namespace",
            Reason::InvalidName,
            message,
            "use lower case letters, digits and `-`",
        );
    }
    if let Some(ttl) = order.spec.ttl.as_deref().filter(|ttl| duration::parse(ttl).is_none()) {
        let message = format!("{ttl:?} is not a duration");
        refuse(
            "spec.ttl",
            Reason::InvalidDuration,
            message,
            "write it as Kubernetes does, such as `90m` or `72h`",
        );
    }
    let count = order.spec.artifacts.len();
    if count > MAX_ARTIFACTS {
        let message = format!("{count} artifacts; at most {MAX_ARTIFACTS} are allowed");
        refuse("spec.artifacts", Reason::TooLarge, message, "spread them over several orders");
    }
    problems.extend(order.uid().and_then(|uid| value::problem("metadata.uid", "", &uid)));
    problems
}

/// Returns the name of every artifact: its own, or its place in the list.
pub(super) fn artifact_names(order: &Order) -> Vec<String> {
    let artifacts = order.spec.artifacts.iter().enumerate();
    artifacts
        .map(|(index, artifact)| artifact.name.clone().unwrap_or_else(|| index.to_string()))
        .collect()
}

/// Checks the name of one artifact: a DNS label that no earlier artifact has, and no unnamed one by its place.
pub(super) fn artifact_name(check: &mut Check<'_>, names: &[String], index: usize) {
    let Some(name) = check.artifact.name.clone() else { return };
    if !label::is_dns_label(&name) {
        let hint = "use at most 63 lower case letters, digits and `-`, with a letter or digit at both ends";
        let message = format!("{name:?} is not a DNS label");
        check.refuse("name", Reason::InvalidName, message).hint = Some(hint.to_owned());
    }
    let artifacts = &check.order.spec.artifacts;
    let other = names.iter().enumerate().position(|(other, other_name)| {
        *other_name == name && (other < index || other > index && artifacts[other].name.is_none())
    });
    if let Some(other) = other {
        let message = format!("{name:?} is already the name of spec.artifacts[{other}]");
        let hint = "give each artifact a name of its own; one without a name is called by its place in the list";
        check.refuse("name", Reason::DuplicateName, message).hint = Some(hint.to_owned());
    }
}
