//! All tables, and what is kept beside them to find things fast.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use arc_api::{
    ArtifactType, ArtifactWorkflow, ClusterArtifactType, Endpoint, Order,
    argo::{CronWorkflow, Workflow},
};
use arc_core::{Fetched, Limits};
use kube::Resource;

use super::{
    Epoch,
    links::Links,
    secret::SecretName,
    subject::{Key, Kind, Subject},
    table::{Change, Table},
    template::{ClusterWorkflowTemplate, WorkflowTemplate},
    watched::{self, Watched},
};

/// All tables.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) orders: Table<Order>,
    pub(crate) artifact_workflows: Table<ArtifactWorkflow>,
    pub(crate) endpoints: Table<Endpoint>,
    pub(crate) artifact_types: Table<ArtifactType>,
    pub(crate) cluster_artifact_types: Table<ClusterArtifactType>,
    pub(crate) workflow_templates: Table<WorkflowTemplate>,
    pub(crate) cluster_workflow_templates: Table<ClusterWorkflowTemplate>,
    pub(crate) workflows: Table<Workflow>,
    pub(crate) cron_workflows: Table<CronWorkflow>,
    pub(crate) secrets: Table<SecretName>,
    pub(crate) links: Links,
    cluster_epoch: u64,
    epochs: HashMap<Arc<str>, u64>,
}

impl State {
    /// Every object that has a reconciler.
    pub(crate) fn reconciled(&self) -> impl Iterator<Item = Subject> {
        let orders = self.orders.keys().map(|key| (Kind::Order, key));
        let deliveries = self.artifact_workflows.keys().map(|key| (Kind::ArtifactWorkflow, key));
        let endpoints = self.endpoints.keys().map(|key| (Kind::Endpoint, key));
        let all = deliveries.chain(orders).chain(endpoints);
        all.map(|(kind, key)| Subject::new(kind, key.clone()))
    }

    /// Objects of one kind that refer to `owner` and have it as their controller, by name.
    pub(crate) fn owned<K: Watched>(
        &self,
        owner: &Subject,
        object: &impl Resource,
    ) -> BTreeMap<String, Arc<K>> {
        let uid = object.meta().uid.as_deref();
        let referring = self.links.to(owner).filter(|subject| subject.kind == K::KIND);
        let children = referring.filter_map(|subject| K::table(self).get(&subject.key));
        let own = children
            .filter(|child| watched::controller(&**child).map(|one| one.uid.as_str()) == uid);
        own.map(|child| (child.meta().name.clone().unwrap_or_default(), child)).collect()
    }

    /// Whether every table was filled.
    pub(crate) fn is_synced(&self) -> bool {
        self.orders.is_synced()
            && self.artifact_workflows.is_synced()
            && self.endpoints.is_synced()
            && self.artifact_types.is_synced()
            && self.cluster_artifact_types.is_synced()
            && self.workflow_templates.is_synced()
            && self.cluster_workflow_templates.is_synced()
            && self.workflows.is_synced()
            && self.cron_workflows.is_synced()
            && self.secrets.is_synced()
    }

    pub(crate) fn epoch(&self, namespace: &str) -> Epoch {
        (self.cluster_epoch, self.epochs.get(namespace).copied().unwrap_or_default())
    }

    /// Everything that orders of a namespace may refer to.
    pub(crate) fn fetch(&self, namespace: &str, limits: Limits) -> Fetched {
        let everywhere = "";
        Fetched {
            endpoints: named(self.endpoints.named(namespace), Endpoint::clone),
            artifact_types: named(self.artifact_types.named(namespace), ArtifactType::clone),
            cluster_artifact_types: named(
                self.cluster_artifact_types.named(everywhere),
                ClusterArtifactType::clone,
            ),
            secrets: self.secrets.keys_of(namespace).map(|key| key.name.to_string()).collect(),
            workflow_templates: named(self.workflow_templates.named(namespace), |one| {
                one.spec.parameters()
            }),
            cluster_workflow_templates: named(
                self.cluster_workflow_templates.named(everywhere),
                |one| one.spec.parameters(),
            ),
            limits,
        }
    }

    /// Brings links and epochs up to date with a change.
    pub(crate) fn relink<K: Watched>(&mut self, change: &Change<K>) {
        let refers = |object: &Option<Arc<K>>| {
            object.as_ref().map(|object| object.refers_to()).unwrap_or_default()
        };
        let from = Subject::new(K::KIND, change.key.clone());
        self.links.replace(&from, &refers(&change.before), &refers(&change.after));
        if !K::is_meant_by_orders(change) {
            return;
        }
        if change.key.namespace.is_empty() {
            self.cluster_epoch += 1;
        } else {
            *self.epochs.entry(Arc::clone(&change.key.namespace)).or_default() += 1;
        }
    }

    /// Drops what is not needed of a workflow whose end is on record.
    pub(crate) fn slim(&mut self, workflow: &Workflow) {
        self.workflows.edit(&Key::of(workflow), |workflow| {
            if let Some(status) = &mut workflow.status {
                status.nodes.clear();
                status.outputs = None;
            }
        });
    }
}

fn named<K, T>(
    objects: impl Iterator<Item = (String, Arc<K>)>,
    view: impl Fn(&K) -> T,
) -> BTreeMap<String, T> {
    objects.map(|(name, object)| (name, view(&object))).collect()
}
