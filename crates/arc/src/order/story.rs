//! Everything that is known of one order: the order, its deliveries and their Argo workflows.

use std::collections::BTreeMap;

use arc_api::argo::Workflow;
use arc_api::{
    ArtifactWorkflow, ArtifactWorkflowStatus, Order, OrderArtifactStatus, Phase, labels,
};
use arc_steps::Exit;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use super::cluster::{Cluster, failed};
use crate::report::Failure;

/// One order with what was made for it, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Story {
    pub(super) order: Order,
    pub(super) deliveries: BTreeMap<String, ArtifactWorkflow>,
    pub(super) workflows: BTreeMap<String, Workflow>,
}

impl Story {
    /// Reads it from the cluster.
    pub(super) async fn read(cluster: &Cluster, name: &str) -> Result<Self, Failure> {
        let orders: Api<Order> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
        let order = orders.get_opt(name).await;
        let order = order.map_err(|error| failed("read the order", &error))?.ok_or_else(|| {
            let message = format!("namespace {:?} has no order {name:?}", cluster.namespace);
            Failure::new(Exit::WrongInput, message).hint("`arc order list` shows those it has")
        })?;
        let deliveries: Api<ArtifactWorkflow> =
            Api::namespaced(cluster.client.clone(), &cluster.namespace);
        let of_order = of_order(&order);
        let deliveries = deliveries.list(&of_order).await;
        let deliveries = deliveries.map_err(|error| failed("read its deliveries", &error))?;
        let workflows: Api<Workflow> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
        // Who may not see Argo's objects still sees ARC's.
        let workflows = workflows.list(&of_order).await.map(|list| list.items).unwrap_or_default();
        Ok(Self {
            order,
            deliveries: deliveries.into_iter().map(|one| (one.name_any(), one)).collect(),
            workflows: workflows
                .into_iter()
                .map(|one| (one.metadata.name.clone().unwrap_or_default(), one))
                .collect(),
        })
    }

    /// The rows of the order's status.
    pub(super) fn rows(&self) -> &[OrderArtifactStatus] {
        self.order.status.as_ref().map_or(&[], |status| &status.artifacts)
    }

    /// The record of a row; while its attempt runs, the steps are those that Argo tells of.
    pub(super) fn record(&self, row: &OrderArtifactStatus) -> Option<ArtifactWorkflowStatus> {
        let delivery = self.deliveries.get(row.artifact_workflow.as_deref()?)?;
        let record = delivery.status.clone().unwrap_or_default();
        let running = record.workflow.as_ref().and_then(|name| self.workflows.get(name));
        let live = running.filter(|_| !record.phase.is_some_and(Phase::is_terminal));
        let live = live.and_then(|workflow| workflow.status.as_ref());
        Some(match live {
            Some(of_argo) => {
                let seen = arc_core::derive_status(of_argo, Some(&record));
                ArtifactWorkflowStatus {
                    steps: seen.steps,
                    started_at: seen.started_at,
                    result: seen.result,
                    ..record
                }
            }
            None => record,
        })
    }

    /// Whether the controller has spoken about this spec and every artifact came to an end.
    pub(super) fn has_ended(&self) -> bool {
        let is_current = self
            .order
            .status
            .as_ref()
            .is_some_and(|status| status.observed_generation == self.order.metadata.generation);
        is_current && self.rows().iter().all(|row| row.phase.is_terminal())
    }

    /// How it ended, for the exit code of a command that waited.
    pub(super) fn exit(&self) -> Exit {
        let reasons = |row: &OrderArtifactStatus| match row.reason.as_deref() {
            _ if row.phase == Phase::Succeeded || row.phase == Phase::Skipped => Exit::Done,
            Some("ScanRefused" | "PolicyRefused") => Exit::Refused,
            Some("WrongInput") => Exit::WrongInput,
            _ => Exit::Failed,
        };
        // A policy's no is what a pipeline must hear first, then what a retry cannot mend.
        let all: Vec<Exit> = self.rows().iter().map(reasons).collect();
        [Exit::Refused, Exit::WrongInput, Exit::Failed]
            .into_iter()
            .find(|exit| all.contains(exit))
            .unwrap_or(Exit::Done)
    }

    /// The objects, for machines.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "order": self.order,
            "artifactWorkflows": self.deliveries.values().collect::<Vec<_>>(),
            "workflows": self.workflows.values().collect::<Vec<_>>(),
        })
    }
}

/// Selects what was made for this order and not for an earlier one of its name.
pub(super) fn of_order(order: &Order) -> ListParams {
    let uid = order.uid().unwrap_or_default();
    ListParams::default().labels(&format!("{}={uid}", labels::ORDER_UID))
}
