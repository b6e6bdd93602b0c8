//! Artifact types: what the core says about them, their schema, their parameters, their policy.

use std::collections::BTreeMap;

use arc_api::{
    ArtifactType, ArtifactTypeSpec, ClusterArtifactType, Order, OrderArtifact, OrderSpec, Reason,
};
use arc_core::flatten::flatten;
use arc_core::spec_schema::Schema;
use arc_core::{Fetched, Problem, validate};
use arc_evidence::verify::PREFIX;
use serde_json::{Map, Value};

use crate::finding::{Findings, say};
use crate::object::{Kind, Object};
use crate::order::key_of;
use crate::rules::{self, Severity};
use crate::world::{Template, World};
use crate::{policy, rules::Rule, schema};

/// Judges one type, of a namespace or of the cluster.
pub(crate) fn check(object: &Object<'_>, world: &World<'_>, findings: &mut Findings) {
    let spec = match object.kind {
        Kind::ArtifactType => schema::read::<ArtifactType>(object).map(|own| own.spec),
        _ => schema::read::<ClusterArtifactType>(object).map(|all| all.spec.into()),
    };
    let Some(mut spec) = spec else { return };
    spec.workflow_template_ref.cluster_scope |= object.kind == Kind::ClusterArtifactType;
    for problem in of_core(object.namespace, object.name, &world.fetched(object.namespace)) {
        if schema::is_about_mended(&problem.message) {
            continue;
        }
        add(object, &spec, &problem, world, findings);
    }
    satisfiable(object, &spec, world, findings);
    spec_schema(object, &spec, world, findings);
    let template = world.template(object.namespace, &spec);
    for parameter in &spec.parameters {
        let path = parameter_path(&spec, &parameter.name);
        if let Some(template) = template {
            let reference = &spec.workflow_template_ref.name;
            undeclared(object, (&parameter.name, &path), (reference, template), findings);
        }
        if parameter.name == policy::SCAN_SEVERITY {
            let at = object.value(&format!("{path}.value"));
            policy::gate(object.source, at, &parameter.value, findings);
        }
    }
    let parameters: BTreeMap<String, String> = spec
        .parameters
        .iter()
        .map(|parameter| (parameter.name.clone(), parameter.value.clone()))
        .collect();
    for problem in policy::of_type(&parameters) {
        let at = object.value(&format!("{}.name", parameter_path(&spec, &problem.name)));
        findings.add(object.source, rules::POLICY, at, policy::told(&problem));
    }
}

/// What the core says about a type, whoever uses it: asked by an order that does nothing else.
pub(crate) fn of_core(namespace: &str, name: &str, fetched: &Fetched) -> Vec<Problem> {
    let artifact = OrderArtifact { type_: name.to_owned(), ..OrderArtifact::default() };
    let mut order =
        Order::new("lint", OrderSpec { artifacts: vec![artifact], ..OrderSpec::default() });
    order.metadata.namespace = Some(namespace.to_owned());
    let validated = validate(&order, fetched);
    let all = validated.all_problems().into_iter();
    all.filter(|problem| {
        problem.path == "spec.artifacts[0].type" && problem.reason != Reason::ArtifactTypeNotFound
    })
    .cloned()
    .collect()
}

fn add(
    object: &Object<'_>,
    spec: &ArtifactTypeSpec,
    problem: &Problem,
    world: &World<'_>,
    findings: &mut Findings,
) {
    // Said with its own rule and place.
    if problem.message.contains(": specSchema") {
        return;
    }
    let mut rule = (rules::of_reason(problem.reason), Severity::Error);
    let path = match problem.reason {
        Reason::ArtifactTypeShadowed => "metadata.name".to_owned(),
        Reason::WorkflowTemplateNotFound => {
            let kind = if spec.workflow_template_ref.cluster_scope {
                Kind::ClusterWorkflowTemplate
            } else {
                Kind::WorkflowTemplate
            };
            let namespace =
                if spec.workflow_template_ref.cluster_scope { "" } else { object.namespace };
            if world.is_about_unreadable(&problem.message) {
                return;
            }
            if !world.is_given(kind, namespace) && !world.is_complete {
                rule.1 = Severity::Warning;
            }
            "spec.workflowTemplateRef.name".to_owned()
        }
        Reason::InvalidDuration if problem.message.contains(": ttlAfterFailed ") => {
            "spec.ttlAfterFailed".to_owned()
        }
        Reason::InvalidDuration => "spec.ttlAfterFinished".to_owned(),
        Reason::MissingParameter => "spec.parameters".to_owned(),
        _ => {
            // `artifact type "x": parameter "y" …`; of two with one name the last is the one too many.
            let named = spec.parameters.iter().rev().find(|parameter| {
                problem.message.contains(&format!("parameter {:?}", parameter.name))
            });
            named.map_or_else(
                || "metadata.name".to_owned(),
                |parameter| format!("{}.name", parameter_path(spec, &parameter.name)),
            )
        }
    };
    let text = (problem.message.clone(), problem.hint.clone());
    findings.add_as(object.source, rule, object.value(&path), text);
}

/// Where a parameter stands; the last of its name.
fn parameter_path(spec: &ArtifactTypeSpec, name: &str) -> String {
    let index = spec.parameters.iter().rposition(|parameter| parameter.name == name);
    index.map_or_else(|| "spec.parameters".to_owned(), |index| format!("spec.parameters[{index}]"))
}

/// A parameter that the template does not declare; what only `arc verify` reads is fine.
fn undeclared(
    object: &Object<'_>,
    (name, path): (&str, &str),
    (reference, template): (&str, &Template),
    findings: &mut Findings,
) {
    let is_of_verify = name.starts_with(PREFIX) && !name.starts_with(policy::SOURCE_PREFIX);
    let is_reserved = arc_core::RESERVED_PARAMETERS.contains(&name);
    if template.knows(name) || is_of_verify || is_reserved {
        return;
    }
    let hint = match arc_core::nearest(name, template.names()) {
        Some(near) => format!("did you mean {near:?}?"),
        None => "remove it, or declare it in the template".to_owned(),
    };
    let message = format!(
        "workflow template {reference:?} does not declare the parameter {name:?}, and it has no effect"
    );
    let at = object.value(&format!("{path}.name"));
    findings.add(object.source, rules::UNKNOWN_PARAMETER, at, say(message, hint));
}

/// The schema of the spec, and whether the template reads what it allows.
fn spec_schema(
    object: &Object<'_>,
    spec: &ArtifactTypeSpec,
    world: &World<'_>,
    findings: &mut Findings,
) {
    let Some(written) = &spec.spec_schema else { return };
    let parsed = match Schema::parse(written) {
        Ok(parsed) => parsed,
        Err(flaws) => {
            for flaw in flaws {
                let dot = if flaw.path.is_empty() { "" } else { "." };
                let path = format!("spec.specSchema{dot}{}", flaw.path);
                let at = object.key(&path);
                let text = say(format!("{path}: {}", flaw.message), flaw.hint);
                findings.add(object.source, rules::SPEC_SCHEMA, at, text);
            }
            return;
        }
    };
    let Some(template) = world.template(object.namespace, spec) else { return };
    for (field, _) in parsed.fields() {
        let Some(properties) = written.get("properties").and_then(|all| all.get(field)) else {
            continue;
        };
        // Objects and lists become several parameters, whose names depend on the order.
        if !matches!(properties["type"].as_str(), Some("string" | "integer" | "number" | "boolean"))
        {
            continue;
        }
        let example = Map::from_iter([(field.to_owned(), Value::Bool(true))]);
        let names = flatten(&example, "").parameters;
        for name in names.keys().filter(|name| !template.knows(name)) {
            let near = arc_core::nearest(name, template.names().filter(|n| n.starts_with("spec")));
            let hint = near.map_or_else(
                || format!("remove the field, or declare {name:?} in the template"),
                |near| format!("did you mean `{}`?", key_of(near)),
            );
            let message = format!(
                "the field {field:?} becomes the parameter {name:?}, which workflow template {:?} does not declare",
                spec.workflow_template_ref.name
            );
            let at = object.key(&format!("spec.specSchema.properties.{field}"));
            findings.add(object.source, rules::UNKNOWN_PARAMETER, at, say(message, hint));
        }
    }
}

/// Whether there is an endpoint for either side, where there are endpoints at all.
fn satisfiable(
    object: &Object<'_>,
    spec: &ArtifactTypeSpec,
    world: &World<'_>,
    findings: &mut Findings,
) {
    let endpoints: Vec<_> = world.endpoints_for(object.namespace).collect();
    let Some(type_rules) = spec.rules.as_ref().filter(|_| !endpoints.is_empty()) else { return };
    let sides: [(&str, &str, &[String]); 2] = [
        ("srcTypes", "source", &type_rules.src_types),
        ("dstTypes", "destination", &type_rules.dst_types),
    ];
    for (field, side, allowed) in sides {
        let fits = endpoints.iter().any(|endpoint| {
            let usage = endpoint.spec.usage;
            let is_usable =
                if side == "source" { usage.allows_pull() } else { usage.allows_push() };
            is_usable && allowed.contains(&endpoint.spec.type_)
        });
        if allowed.is_empty() || fits {
            continue;
        }
        let rule: &'static Rule = rules::TYPE_UNSATISFIABLE;
        let message = format!(
            "no endpoint can be the {side}: none has type {} and a usage that allows it",
            allowed.join(" or ")
        );
        let hint = "correct the types, or give the file that holds such an endpoint";
        findings.add(
            object.source,
            rule,
            object.key(&format!("spec.rules.{field}")),
            say(message, hint),
        );
    }
}
