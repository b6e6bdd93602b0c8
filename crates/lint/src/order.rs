//! Orders: what the core says about them, and what of their text would be lost.

use std::collections::{BTreeMap, BTreeSet};

use arc_api::{Order, OrderArtifact, Reason};
use arc_core::flatten::flatten;
use arc_core::{Fetched, Problem, validate};
use arc_engine::yaml::{Node, Value};
use serde_json::Map;

use crate::finding::{Findings, say};
use crate::object::{Kind, Object};
use crate::place::{Prefer, place};
use crate::rules::{self, Severity};
use crate::world::World;
use crate::{artifact_type, endpoint, schema};

/// Judges one order.
pub(crate) fn check(object: &Object<'_>, world: &World<'_>, findings: &mut Findings) {
    if let Some(artifacts) = object.node.get("spec").and_then(|spec| spec.get("artifacts"))
        && let Value::List(artifacts) = &artifacts.value
    {
        for artifact in artifacts {
            if let Some(spec) = artifact.get("spec") {
                numbers(object, spec, findings);
            }
        }
    }
    let Some(mut order) = schema::read::<Order>(object).filter(|_| !object.name.is_empty()) else {
        return;
    };
    order.metadata.namespace = Some(object.namespace.to_owned());
    let fetched = world.fetched(object.namespace);
    let mut judged =
        Judged { object, order: &order, fetched: &fetched, world, elsewhere: BTreeMap::new() };
    for problem in validate(&order, &fetched).all_problems() {
        if let Some(rule) = severity(object, problem, world)
            && !schema::is_about_mended(&problem.message)
            && !judged.is_said_elsewhere(problem)
        {
            let at = object.value(&judged.path(problem));
            let elsewhere = "give the file that holds it as well, or ask the cluster with `--live`";
            let is_doubtful = rule.1 != rule.0.severity;
            let hint = problem.hint.clone().filter(|_| !is_doubtful);
            let text = say(judged.message(problem), hint.unwrap_or_else(|| elsewhere.to_owned()));
            findings.add_as(object.source, rule, at, text);
        }
    }
    for (index, artifact) in order.spec.artifacts.iter().enumerate() {
        if let Some(spec) = &artifact.spec {
            let path = format!("spec.artifacts[{index}].spec");
            unknown_parameters(object, (&artifact.type_, spec), &path, world, findings);
        }
    }
}

/// An order whose problems are being told.
struct Judged<'a> {
    object: &'a Object<'a>,
    order: &'a Order,
    fetched: &'a Fetched,
    world: &'a World<'a>,
    /// What is said about a type or an endpoint where that stands, by whether it is a type, and its name.
    elsewhere: BTreeMap<(bool, String), BTreeSet<String>>,
}

impl Judged<'_> {
    fn artifact(&self, problem: &Problem) -> Option<&OrderArtifact> {
        let index = problem.path.strip_prefix("spec.artifacts[")?.split_once(']')?.0;
        self.order.spec.artifacts.get(index.parse::<usize>().ok()?)
    }

    /// Whether this is said about the type or the endpoint itself: once, and not for each artifact.
    fn is_said_elsewhere(&mut self, problem: &Problem) -> bool {
        let (is_type, name) = match problem.path.rsplit('.').next() {
            Some("type") => (true, self.artifact(problem).map(|artifact| artifact.type_.clone())),
            Some("srcRef" | "dstRef") => {
                // Messages about endpoints themselves begin with `endpoint "name": `.
                let rest = problem.message.strip_prefix("endpoint \"");
                let name = rest.and_then(|rest| rest.split_once("\": "));
                (false, name.map(|(name, _)| name.to_owned()))
            }
            _ => return false,
        };
        let Some(name) = name else { return false };
        let is_judged = if is_type {
            self.world.is_judged(Kind::ArtifactType, self.object.namespace, &name)
                || self.world.is_judged(Kind::ClusterArtifactType, "", &name)
        } else {
            self.world.is_judged(Kind::Endpoint, self.object.namespace, &name)
        };
        // What only the cluster holds is judged nowhere else.
        if !is_judged {
            return false;
        }
        let (namespace, fetched) = (self.object.namespace, self.fetched);
        let said = self.elsewhere.entry((is_type, name)).or_insert_with_key(|(is_type, name)| {
            let problems = if *is_type {
                artifact_type::of_core(namespace, name, fetched)
            } else {
                endpoint::of_core(namespace, name, fetched)
            };
            problems.into_iter().map(|problem| problem.message).collect()
        });
        said.contains(&problem.message)
    }

    /// The field to point at: an endpoint that comes from the defaults is named there.
    fn path(&self, problem: &Problem) -> String {
        let defaults = self.order.spec.defaults.clone().unwrap_or_default();
        if let Some(artifact) = self.artifact(problem) {
            for (field, own, default) in [
                ("srcRef", &artifact.src_ref, defaults.src_ref),
                ("dstRef", &artifact.dst_ref, defaults.dst_ref),
            ] {
                let is_here = problem.path.ends_with(&format!(".{field}"));
                if is_here && own.is_none() && default.is_some() {
                    return format!("spec.defaults.{field}");
                }
            }
        }
        problem.path.clone()
    }

    fn message(&self, problem: &Problem) -> String {
        if self.path(problem) != problem.path {
            return problem.message.clone();
        }
        match self.artifact(problem).and_then(|artifact| artifact.name.as_deref()) {
            Some(name) => format!("artifact {name:?}: {}", problem.message),
            None => problem.to_string(),
        }
    }
}

/// The rule and how sure it is: what may exist outside the given files is a warning.
fn severity(
    object: &Object<'_>,
    problem: &Problem,
    world: &World<'_>,
) -> Option<(&'static rules::Rule, Severity)> {
    let rule = rules::of_reason(problem.reason);
    let namespace = object.namespace;
    let is_given = match problem.reason {
        Reason::EndpointNotFound => world.is_given(Kind::Endpoint, namespace),
        Reason::ArtifactTypeNotFound => {
            world.is_given(Kind::ArtifactType, namespace)
                || world.is_given(Kind::ClusterArtifactType, "")
        }
        Reason::WorkflowTemplateNotFound => {
            world.is_given(Kind::WorkflowTemplate, namespace)
                || world.is_given(Kind::ClusterWorkflowTemplate, "")
        }
        _ => return Some((rule, rule.severity)),
    };
    if world.is_about_unreadable(&problem.message) {
        return None;
    }
    let severity = if is_given || world.is_complete { rule.severity } else { Severity::Warning };
    Some((rule, severity))
}

/// Keys of an artifact's spec that the template ignores.
fn unknown_parameters(
    object: &Object<'_>,
    (type_name, spec): (&str, &Map<String, serde_json::Value>),
    path: &str,
    world: &World<'_>,
    findings: &mut Findings,
) {
    let Some(artifact_type) = world.artifact_type(object.namespace, type_name) else { return };
    // A schema refuses what it does not know, and is itself compared with the template.
    if artifact_type.spec_schema.is_some() {
        return;
    }
    let Some(template) = world.template(object.namespace, &artifact_type) else { return };
    for (name, flat) in flatten(spec, path).parameters {
        if template.knows(&name) {
            continue;
        }
        let near = arc_core::nearest(&name, template.names().filter(|n| n.starts_with("spec")));
        let hint = near.map(|near| format!("did you mean `{}`?", key_of(near)));
        let hint = hint.unwrap_or_else(|| {
            let known: Vec<_> =
                template.names().filter(|n| n.starts_with("spec")).map(key_of).collect();
            format!("remove it; the template reads {}", known.join(", "))
        });
        let message = format!(
            "workflow template {:?} does not declare the parameter {name:?}, and this has no effect",
            artifact_type.workflow_template_ref.name
        );
        let at = place(object.node, &flat.path, Prefer::Key);
        let rule = (rules::UNKNOWN_PARAMETER, Severity::Warning);
        findings.add_as(object.source, rule, at, say(message, hint));
    }
}

/// `specOverride` is written `override`.
pub(crate) fn key_of(parameter: &str) -> String {
    let key = parameter.strip_prefix("spec").unwrap_or(parameter);
    let mut letters = key.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

/// Numbers that arrive with other digits than they were written with.
fn numbers(object: &Object<'_>, node: &Node, findings: &mut Findings) {
    match &node.value {
        Value::Null => {}
        Value::List(items) => {
            for item in items {
                numbers(object, item, findings);
            }
        }
        Value::Map(entries) => {
            for entry in entries {
                numbers(object, &entry.value, findings);
            }
        }
        Value::Scalar(written) => {
            let Some(literal @ serde_json::Value::Number(_)) = &node.literal else { return };
            let spec = Map::from_iter([("x".to_owned(), literal.clone())]);
            let flat = flatten(&spec, "").parameters;
            let Some(arrives) = flat.get("specX").filter(|flat| flat.value != *written) else {
                return;
            };
            let message =
                format!("{written} is read as a number and arrives as {:?}", arrives.value);
            let hint = format!("write \"{written}\" in quotes");
            findings.add(object.source, rules::NUMBER_REWRITTEN, node.at, say(message, hint));
        }
    }
}
