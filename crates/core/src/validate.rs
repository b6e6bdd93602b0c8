//! Validates an order against what it refers to: order + [`Fetched`] → [`ValidatedOrder`].
//!
//! The one entry is [`validate`]. Every artifact is judged on its own and all its problems are collected.
//! An artifact without a name is called by its place in the list (`0`, `1`, …), as the status rows are.
//! Later steps see only what passed here.

use std::collections::BTreeMap;

use arc_api::reasons::Reason;
use arc_api::{ArtifactTypeSpec, Cron, EndpointSpec, Order, OrderArtifact};

use crate::fetched::Fetched;
use crate::flatten::flatten;
use crate::merge::{Layer, PlannedParameter, merge};
use crate::problem::{self, Problem};
use crate::{facts, facts::Side};

pub(crate) mod address;
mod artifact_type;
mod cron;
mod endpoint;
mod order;
mod spec;
mod template;
pub(crate) mod value;

#[cfg(test)]
mod tests;

/// An order whose artifacts have been judged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ValidatedOrder {
    /// Problems of the order as a whole (name, life span, size). While there is one, nothing is delivered.
    pub problems: Vec<Problem>,
    /// One verdict for each artifact, in the order's order.
    pub artifacts: Vec<ArtifactVerdict>,
}

impl ValidatedOrder {
    /// Returns every problem, sorted by path.
    pub fn all_problems(&self) -> Vec<&Problem> {
        let of_artifacts =
            self.artifacts.iter().filter_map(|verdict| verdict.outcome.as_ref().err()).flatten();
        self.problems.iter().chain(of_artifacts).collect()
    }
}

/// What validation says about one artifact.
#[derive(Clone, Debug, PartialEq)]
pub struct ArtifactVerdict {
    /// Place in the order's list, from 0.
    pub index: usize,
    /// The artifact's name, or its place in the list where it has none.
    pub name: String,
    /// The artifact with everything it refers to, or all its problems sorted by path.
    pub outcome: Result<ValidatedArtifact, Vec<Problem>>,
}

/// An artifact that can be delivered, with everything it refers to.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidatedArtifact {
    /// Where it comes from.
    pub source: ValidatedEndpoint,
    /// Where it goes to.
    pub destination: ValidatedEndpoint,
    /// How it is delivered.
    pub artifact_type: ResolvedType,
    /// The flattened `spec` of the artifact alone, before merging.
    pub flat_spec: BTreeMap<String, String>,
    /// All parameters, merged and sorted by name.
    pub parameters: Vec<PlannedParameter>,
    /// The schedule that holds for it, its own or the order's.
    pub cron: Option<Cron>,
}

/// An endpoint that fits its side of the delivery.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidatedEndpoint {
    /// Name of the endpoint.
    pub name: String,
    /// What it says.
    pub spec: EndpointSpec,
}

/// An artifact type, of the namespace or of the cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedType {
    /// Name of the type.
    pub name: String,
    /// `true` for a `ClusterArtifactType`.
    pub is_cluster: bool,
    /// What it says; the template of a cluster type is always one of the cluster.
    pub spec: ArtifactTypeSpec,
}

/// Judges every artifact of `order` against what exists.
pub fn validate(order: &Order, fetched: &Fetched) -> ValidatedOrder {
    let names = order::artifact_names(order);
    let schemas = spec::Schemas::of(order, fetched);
    let mut problems = order::validate(order);
    problem::sort(&mut problems);
    let artifacts =
        order.spec.artifacts.iter().zip(&names).enumerate().map(|(index, (artifact, name))| {
            let mut check = Check {
                order,
                fetched,
                schemas: &schemas,
                artifact,
                path: format!("spec.artifacts[{index}]"),
                problems: vec![],
            };
            order::artifact_name(&mut check, &names, index);
            let validated = check.artifact(name);
            let mut problems = check.problems;
            let outcome = match validated {
                Some(artifact) if problems.is_empty() => Ok(artifact),
                _ => {
                    problem::sort(&mut problems);
                    Err(problems)
                }
            };
            ArtifactVerdict { index, name: name.clone(), outcome }
        });
    ValidatedOrder { problems, artifacts: artifacts.collect() }
}

/// The judgement of one artifact under way.
struct Check<'a> {
    order: &'a Order,
    fetched: &'a Fetched,
    schemas: &'a spec::Schemas,
    artifact: &'a OrderArtifact,
    path: String,
    problems: Vec<Problem>,
}

impl Check<'_> {
    /// Goes through everything the artifact says; nothing where a part is missing, which is then among the problems.
    fn artifact(&mut self, name: &str) -> Option<ValidatedArtifact> {
        let found = artifact_type::resolve(self);
        let rules =
            found.as_ref().and_then(|found| found.resolved.spec.rules.clone()).unwrap_or_default();
        let type_name = found.as_ref().map(|found| found.resolved.name.clone());
        let source = endpoint::resolve(self, Side::Source);
        let destination = endpoint::resolve(self, Side::Destination);
        if let Some(type_name) = &type_name {
            endpoint::check_type(
                self,
                source.as_ref(),
                Side::Source,
                (type_name, &rules.src_types),
            );
            endpoint::check_type(
                self,
                destination.as_ref(),
                Side::Destination,
                (type_name, &rules.dst_types),
            );
        }
        let cron = cron::resolve(self);
        let flat_spec = self.flat_spec();
        // What became too much to flatten is not compared either.
        if let (Some(found), true) = (&found, flat_spec.is_some()) {
            spec::validate(self, &found.resolved);
        }
        let of_endpoint = |side, found: &Option<ValidatedEndpoint>| {
            found.as_ref().map(|found| facts::of_endpoint(side, &found.spec)).unwrap_or_default()
        };
        let of_type = found
            .as_ref()
            .map(|found| artifact_type::parameters(&found.resolved))
            .unwrap_or_default();
        let parameters = merge(vec![
            (Layer::Endpoint, of_endpoint(Side::Source, &source)),
            (Layer::Endpoint, of_endpoint(Side::Destination, &destination)),
            (Layer::Artifact, flat_spec.clone().unwrap_or_default()),
            (Layer::ArtifactType, of_type),
            (Layer::Order, facts::of_order(self.order, name)),
        ]);
        let found = found?;
        let known = template::Known {
            source: source.is_some(),
            destination: destination.is_some(),
            spec: flat_spec.is_some(),
        };
        template::validate(self, &found, &parameters, known);
        let (source, destination, flat_spec) = (source?, destination?, flat_spec?);
        Some(ValidatedArtifact {
            source,
            destination,
            artifact_type: found.resolved,
            flat_spec,
            parameters,
            cron,
        })
    }

    /// The artifact's spec as parameters; nothing when some of it cannot become one.
    fn flat_spec(&mut self) -> Option<BTreeMap<String, String>> {
        let Some(spec) = &self.artifact.spec else { return Some(BTreeMap::new()) };
        let flat = flatten(spec, &format!("{}.spec", self.path));
        let is_whole = flat.problems.is_empty();
        self.problems.extend(flat.problems);
        for written in flat.parameters.values() {
            self.problems.extend(value::problem(&written.path, "", &written.value));
        }
        let values = flat.parameters.into_iter().map(|(name, flat)| (name, flat.value)).collect();
        is_whole.then_some(values)
    }

    fn refuse(&mut self, field: &str, reason: Reason, message: impl Into<String>) -> &mut Problem {
        let path =
            if field.is_empty() { self.path.clone() } else { format!("{}.{field}", self.path) };
        self.problems.push(Problem::new(path, reason, message));
        let last = self.problems.len() - 1;
        &mut self.problems[last]
    }
}
