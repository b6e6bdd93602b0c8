//! Plans what should exist for an order: one artifact workflow for each delivery.
//!
//! Two artifacts of one order that would deliver the same thing share one artifact workflow: it carries the first
//! one's name, and both have a row in the order's status.
//! An artifact workflow that exists is never written again: its spec cannot change, and facts such as the order's
//! generation are those of the moment it was made.

use std::collections::{BTreeMap, BTreeSet};

use arc_api::{ArtifactWorkflow, ArtifactWorkflowSpec, Order, Parameter, labels};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::{Resource, ResourceExt};

use crate::merge::PlannedParameter;
use crate::validate::{ArtifactVerdict, ValidatedArtifact, ValidatedOrder};
use crate::{facts, label, name};

/// What should exist for an order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The deliveries, in the order of their first artifacts.
    pub deliveries: Vec<Delivery>,
    /// Names of the artifacts that are held by a problem: what was made for them before stays as it is.
    pub held: BTreeSet<String>,
}

/// One artifact workflow that should exist.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Place of the artifact in the order's list.
    pub artifact_index: usize,
    /// Name of the artifact.
    pub artifact_name: String,
    /// Other artifacts of the order that wish for exactly the same delivery.
    pub shared_with: Vec<SharedArtifact>,
    /// The object.
    pub artifact_workflow: ArtifactWorkflow,
    /// Its parameters with where they come from, sorted by name.
    pub parameters: Vec<PlannedParameter>,
}

impl Delivery {
    /// Returns the name of its artifact workflow.
    pub fn name(&self) -> &str {
        self.artifact_workflow.metadata.name.as_deref().unwrap_or_default()
    }

    /// Returns whether the artifact at `index` of the order gets what it wants from this delivery.
    pub fn is_for(&self, index: usize) -> bool {
        self.artifact_index == index || self.shared_with.iter().any(|other| other.index == index)
    }
}

/// An artifact that another artifact's delivery delivers too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedArtifact {
    /// Place in the order's list.
    pub index: usize,
    /// Name of the artifact.
    pub name: String,
}

/// Plans the deliveries of every artifact that passed validation; none while the order itself has a problem.
pub fn plan(order: &Order, validated: &ValidatedOrder) -> Plan {
    let mut plan = Plan::default();
    let is_held =
        |verdict: &&ArtifactVerdict| !validated.problems.is_empty() || verdict.outcome.is_err();
    plan.held = validated.artifacts.iter().filter(is_held).map(|held| held.name.clone()).collect();
    if !validated.problems.is_empty() {
        return plan;
    }
    let mut place_by_name: BTreeMap<String, usize> = BTreeMap::new();
    for verdict in &validated.artifacts {
        let Ok(artifact) = &verdict.outcome else { continue };
        let name = name::artifact_workflow_name(order, artifact);
        if let Some(place) = place_by_name.get(&name) {
            let other = SharedArtifact { index: verdict.index, name: verdict.name.clone() };
            plan.deliveries[*place].shared_with.push(other);
            continue;
        }
        place_by_name.insert(name.clone(), plan.deliveries.len());
        plan.deliveries.push(Delivery {
            artifact_index: verdict.index,
            artifact_name: verdict.name.clone(),
            shared_with: Vec::new(),
            artifact_workflow: artifact_workflow(order, verdict, artifact, name),
            parameters: artifact.parameters.clone(),
        });
    }
    plan
}

fn artifact_workflow(
    order: &Order,
    verdict: &ArtifactVerdict,
    artifact: &ValidatedArtifact,
    name: String,
) -> ArtifactWorkflow {
    let parameters = artifact.parameters.iter();
    let of_type = &artifact.artifact_type.spec;
    let mut workflow = ArtifactWorkflow::new(
        &name,
        ArtifactWorkflowSpec {
            workflow_template_ref: of_type.workflow_template_ref.clone(),
            parameters: parameters
                .map(|parameter| Parameter::new(&parameter.name, &parameter.value))
                .collect(),
            src_secret_ref: artifact.source.spec.secret_ref.clone(),
            dst_secret_ref: artifact.destination.spec.secret_ref.clone(),
            cron: artifact.cron.clone(),
            ttl_after_finished: of_type.ttl_after_finished.clone(),
            ttl_after_failed: of_type.ttl_after_failed.clone(),
        },
    );
    workflow.metadata = ObjectMeta {
        name: Some(name),
        namespace: Some(facts::namespace(order).to_owned()),
        labels: Some(labels(order, verdict, artifact)),
        owner_references: owner(order).map(|owner| vec![owner]),
        ..ObjectMeta::default()
    };
    workflow
}

fn labels(
    order: &Order,
    verdict: &ArtifactVerdict,
    artifact: &ValidatedArtifact,
) -> BTreeMap<String, String> {
    let order_name = order.name_any();
    let order_uid = order.uid().filter(|uid| label::is_value(uid));
    let artifact_type = &artifact.artifact_type.name;
    let delivery = name::delivery(order, artifact);
    let values = [
        (labels::DELIVERY, Some(delivery.as_str())),
        (labels::ORDER, label::cut(&order_name)),
        (labels::ORDER_UID, order_uid.as_deref()),
        (labels::ARTIFACT, Some(verdict.name.as_str())),
        // Left out rather than cut: two types must not look like one.
        (labels::ARTIFACT_TYPE, Some(artifact_type.as_str()).filter(|name| label::is_value(name))),
    ];
    values
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned())))
        .collect()
}

/// An order on a laptop has no uid, and nothing there collects garbage.
fn owner(order: &Order) -> Option<OwnerReference> {
    order.metadata.uid.as_ref()?;
    order.controller_owner_ref(&())
}

#[cfg(test)]
mod tests;
