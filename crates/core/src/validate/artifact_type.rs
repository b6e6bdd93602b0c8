//! Finds the type of an artifact and judges what it says.
//!
//! A type of the namespace never replaces one of the cluster: that would let a tenant replace the security team's
//! pipeline, so an order that uses such a name is refused.

use std::collections::{BTreeMap, BTreeSet};

use arc_api::reasons::Reason;
use arc_api::{ArtifactTypeSpec, Parameter};

use super::{Check, ResolvedType, value};
use crate::facts::{self, RESERVED_PARAMETERS};
use crate::fetched::TemplateParameters;
use crate::{duration, text};

/// A type, with the template that it names when that exists.
pub(super) struct Found<'a> {
    pub(super) resolved: ResolvedType,
    pub(super) template: Option<&'a TemplateParameters>,
}

/// Finds the artifact's type and its template.
pub(super) fn resolve<'a>(check: &mut Check<'a>) -> Option<Found<'a>> {
    let resolved = find(check)?;
    life_spans(check, &resolved);
    check_parameters(check, &resolved);
    let template = template(check, &resolved);
    Some(Found { resolved, template })
}

/// Returns the parameters of the type; of two with one name, which validation refuses, the last.
pub(super) fn parameters(resolved: &ResolvedType) -> BTreeMap<String, String> {
    let pairs = resolved.spec.parameters.iter();
    pairs.map(|Parameter { name, value }| (name.clone(), value.clone())).collect()
}

fn find(check: &mut Check<'_>) -> Option<ResolvedType> {
    let fetched = check.fetched;
    let name = check.artifact.type_.clone();
    let own = fetched.artifact_types.get(&name);
    let cluster = fetched.cluster_artifact_types.get(&name);
    let namespace = facts::namespace(check.order).to_owned();
    match (own, cluster) {
        (Some(_), Some(_)) => {
            let message = format!(
                "{name:?} is the name of both an ArtifactType in namespace {namespace:?} and a ClusterArtifactType, \
                 which it may not replace"
            );
            let hint = format!("rename or delete the ArtifactType in namespace {namespace:?}");
            check.refuse("type", Reason::ArtifactTypeShadowed, message).hint = Some(hint);
            None
        }
        (Some(own), None) => Some(ResolvedType { name, is_cluster: false, spec: own.spec.clone() }),
        (None, Some(cluster)) => {
            let spec = ArtifactTypeSpec::from(cluster.spec.clone());
            Some(ResolvedType { name, is_cluster: true, spec })
        }
        (None, None) => {
            let known: BTreeSet<&str> = fetched
                .artifact_types
                .keys()
                .chain(fetched.cluster_artifact_types.keys())
                .map(String::as_str)
                .collect();
            let message =
                format!("{name:?} is not an artifact type; known types are {}", text::list(known));
            let hint =
                "correct the name, or create a ClusterArtifactType or an ArtifactType of that name";
            check.refuse("type", Reason::ArtifactTypeNotFound, message).hint =
                Some(hint.to_owned());
            None
        }
    }
}

fn life_spans(check: &mut Check<'_>, resolved: &ResolvedType) {
    let fields = [
        ("ttlAfterFinished", &resolved.spec.ttl_after_finished),
        ("ttlAfterFailed", &resolved.spec.ttl_after_failed),
    ];
    for (field, ttl) in fields {
        if let Some(ttl) = ttl.as_deref().filter(|ttl| duration::parse(ttl).is_none()) {
            let message =
                format!("artifact type {:?}: {field} {ttl:?} is not a duration", resolved.name);
            let hint = "write it as Kubernetes does, such as `90m` or `72h`";
            check.refuse("type", Reason::InvalidDuration, message).hint = Some(hint.to_owned());
        }
    }
}

fn check_parameters(check: &mut Check<'_>, resolved: &ResolvedType) {
    let subject = |name: &str| format!("artifact type {:?}: parameter {name:?}", resolved.name);
    let mut seen = BTreeSet::new();
    for Parameter { name, value } in &resolved.spec.parameters {
        if !is_argo_name(name) {
            let hint = "use letters, digits, `_` and `-`";
            let message = format!("{} has a name that Argo does not take", subject(name));
            check.refuse("type", Reason::InvalidSpec, message).hint = Some(hint.to_owned());
        }
        if !seen.insert(name) {
            let message = format!("{} is given twice", subject(name));
            check.refuse("type", Reason::InvalidSpec, message).hint =
                Some("remove one of the two".to_owned());
        }
        if RESERVED_PARAMETERS.contains(&name.as_str()) {
            let message = format!("{} may only be set by ARC", subject(name));
            let hint = format!("remove it; reserved are {}", text::list(RESERVED_PARAMETERS));
            check.refuse("type", Reason::ReservedParameter, message).hint = Some(hint);
        }
        // Whoever writes a cluster type may write the cluster template too and gains nothing from an expression.
        if !resolved.is_cluster {
            let path = format!("{}.type", check.path);
            check.problems.extend(value::problem(&path, &format!("{}: ", subject(name)), value));
        }
    }
}

/// Tells whether Argo takes `name` for a parameter.
fn is_argo_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

fn template<'a>(check: &mut Check<'a>, resolved: &ResolvedType) -> Option<&'a TemplateParameters> {
    let reference = &resolved.spec.workflow_template_ref;
    let (kind, templates) = if reference.cluster_scope {
        ("ClusterWorkflowTemplate", &check.fetched.cluster_workflow_templates)
    } else {
        ("WorkflowTemplate", &check.fetched.workflow_templates)
    };
    let template = templates.get(&reference.name);
    if template.is_none() {
        let place = if reference.cluster_scope {
            String::new()
        } else {
            format!(" in namespace {:?}", facts::namespace(check.order))
        };
        let message = format!(
            "artifact type {:?}: {kind} {:?} does not exist{place}",
            resolved.name, reference.name
        );
        let hint =
            format!("create the {kind}, or correct workflowTemplateRef of the artifact type");
        check.refuse("type", Reason::WorkflowTemplateNotFound, message).hint = Some(hint);
    }
    template
}
