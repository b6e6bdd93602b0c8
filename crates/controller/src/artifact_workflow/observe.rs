//! What is around a delivery, as the tables show it at one moment.

use std::{collections::BTreeMap, sync::Arc};

use arc_api::{
    ArtifactWorkflow, ArtifactWorkflowStatus, Order,
    argo::{CronWorkflow, Workflow},
};
use arc_core::attempt::{Observed, rival};
use kube::{Resource, ResourceExt};

use crate::world::{Key, Kind, State, Subject, controller, delivery, parent};

/// What is around a delivery, and what was asked for beyond the tables.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) key: Key,
    pub(super) artifact_workflow: Arc<ArtifactWorkflow>,
    pub(super) log: Option<String>,
    pub(super) gone: Option<String>,
    pub(super) is_forbidden: bool,
    order: Option<Arc<Order>>,
    workflows: Vec<Arc<Workflow>>,
    cron_workflow: Option<Arc<CronWorkflow>>,
    secrets: BTreeMap<String, String>,
    rival: Option<String>,
}

impl Seen {
    pub(super) fn read(state: &State, key: &Key) -> Option<Self> {
        let artifact_workflow = state.artifact_workflows.get(key)?;
        let of = &*artifact_workflow;
        let uid = of.meta().uid.as_deref();
        let is_ours = |object: &ArtifactWorkflow, order: &Order| {
            controller(object).map(|owner| owner.uid.as_str()) == order.meta().uid.as_deref()
        };
        let order = parent(of).and_then(|owner| state.orders.get(&owner.key));
        let order = order.filter(|order| is_ours(of, order));
        let owned_by = |object: &OwnerUid<'_>| object.0 == uid;
        let cron_workflow = state.cron_workflows.get(key);
        let cron_workflow = cron_workflow.filter(|cron| owned_by(&OwnerUid::of(&**cron)));
        let schedule = cron_workflow.as_ref().and_then(|cron| cron.meta().uid.clone());
        let this = Subject::new(Kind::ArtifactWorkflow, key.clone());
        let workflows = state
            .links
            .to(&this)
            .filter(|from| from.kind == Kind::Workflow)
            .filter_map(|from| state.workflows.get(&from.key))
            .filter(|workflow| {
                let owner = OwnerUid::of(&**workflow);
                owned_by(&owner) || (schedule.is_some() && owner.0 == schedule.as_deref())
            })
            .collect();
        let rival = rival_of(state, &this, of);
        let secrets = secrets(state, key, of);
        Some(Self {
            key: key.clone(),
            log: None,
            gone: None,
            is_forbidden: false,
            order,
            workflows,
            cron_workflow,
            secrets,
            rival,
            artifact_workflow,
        })
    }

    /// Calls the rules with all of it.
    pub(super) fn with<T>(&self, rules: impl FnOnce(&Observed<'_>) -> T) -> T {
        let workflows: Vec<&Workflow> = self.workflows.iter().map(|one| &**one).collect();
        rules(&Observed {
            artifact_workflow: &self.artifact_workflow,
            order: self.order.as_deref(),
            workflows: &workflows,
            cron_workflow: self.cron_workflow.as_deref(),
            secrets: &self.secrets,
            rival: self.rival.as_deref(),
            log: self.log.as_deref(),
            gone: self.gone.as_deref(),
            is_forbidden: self.is_forbidden,
        })
    }

    /// One of the attempts.
    pub(super) fn workflow(&self, name: &str) -> Option<&Workflow> {
        self.workflows.iter().map(|one| &**one).find(|one| one.meta().name.as_deref() == Some(name))
    }

    /// The attempts whose end is in the status.
    pub(super) fn recorded(
        &self,
        status: &ArtifactWorkflowStatus,
    ) -> impl Iterator<Item = &Workflow> {
        let current =
            status.phase.filter(|phase| phase.is_terminal()).and(status.workflow.as_deref());
        let earlier = status.history.iter().filter_map(|attempt| attempt.workflow.as_deref());
        let names: Vec<&str> = current.into_iter().chain(earlier).collect();
        let workflows = self.workflows.iter().map(|one| &**one);
        workflows.filter(move |workflow| {
            let has_nodes = workflow.status.as_ref().is_some_and(|status| !status.nodes.is_empty());
            let name = workflow.meta().name.as_deref().unwrap_or_default();
            has_nodes && names.contains(&name)
        })
    }
}

/// The uid of the controlling owner.
struct OwnerUid<'a>(Option<&'a str>);

impl<'a> OwnerUid<'a> {
    fn of(object: &'a impl Resource) -> Self {
        Self(controller(object).map(|owner| owner.uid.as_str()))
    }
}

/// Versions of the secrets that the delivery names, as far as they exist.
fn secrets(state: &State, key: &Key, of: &ArtifactWorkflow) -> BTreeMap<String, String> {
    let references = [of.spec.src_secret_ref.as_ref(), of.spec.dst_secret_ref.as_ref()];
    let names = references.into_iter().flatten().map(|reference| &reference.name);
    let found = names.filter_map(|name| {
        let secret = state.secrets.get(&key.beside(name))?;
        Some((name.clone(), secret.resource_version().unwrap_or_default()))
    });
    found.collect()
}

/// Another delivery of the same thing that goes first.
fn rival_of(state: &State, this: &Subject, of: &ArtifactWorkflow) -> Option<String> {
    let delivery = delivery(of)?;
    let others: Vec<Arc<ArtifactWorkflow>> = state
        .links
        .to(&delivery)
        .filter(|from| *from != this)
        .filter_map(|from| state.artifact_workflows.get(&from.key))
        .collect();
    rival(of, others.iter().map(|other| &**other)).map(str::to_owned)
}
