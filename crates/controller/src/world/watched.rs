//! What is kept of each kind, and what it refers to.

use std::fmt;

use arc_api::{
    ArtifactType, ArtifactWorkflow, ClusterArtifactType, Endpoint, LocalObjectReference, Order,
    argo,
    argo::{CronWorkflow, Workflow},
    labels,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::{Resource, ResourceExt};

use super::{
    secret::SecretName,
    state::State,
    subject::{Key, Kind, Subject},
    table::{Change, Table},
    template::{ClusterWorkflowTemplate, WorkflowTemplate},
    wakes,
};
use crate::queue::Wake;

/// Written by `kubectl apply`, as large as the object, and read by nobody here.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A kind that has a table.
pub(crate) trait Watched:
    Resource<DynamicType = ()> + Clone + fmt::Debug + Send + Sync + 'static
{
    /// The kind.
    const KIND: Kind;

    /// Its table.
    fn table(state: &State) -> &Table<Self>;

    /// Its table.
    fn table_mut(state: &mut State) -> &mut Table<Self>;

    /// Drops what nobody reads.
    fn strip(&mut self) {}

    /// The object as text if nothing happens to it any more, see [`Watched::unpack`].
    fn pack(&self) -> Option<Box<str>> {
        None
    }

    /// Reads what [`Watched::pack`] wrote.
    fn unpack(_: &str) -> Option<Self> {
        None
    }

    /// Whether the object concerns ARC at all.
    fn is_ours(&self) -> bool {
        true
    }

    /// What it refers to, owners included.
    fn refers_to(&self) -> Vec<Subject> {
        Vec::new()
    }

    /// Whether the change may change the meaning of an order that refers to the object.
    fn is_meant_by_orders(_: &Change<Self>) -> bool {
        false
    }

    /// Who should be looked at because of the change.
    fn wakes(change: &Change<Self>, state: &State) -> Vec<Wake>;
}

/// Drops what nobody reads of any object.
pub(crate) fn strip<K: Watched>(object: &mut K) {
    let meta = object.meta_mut();
    meta.managed_fields = None;
    if let Some(annotations) = &mut meta.annotations {
        annotations.remove(LAST_APPLIED);
    }
    object.strip();
}

/// The owner that controls an object.
pub(crate) fn controller(object: &impl Resource) -> Option<&OwnerReference> {
    let owners = object.meta().owner_references.as_deref().unwrap_or_default();
    owners.iter().find(|owner| owner.controller == Some(true))
}

/// The controlling owner of an object as far as it is of a kind of ours.
pub(crate) fn parent(object: &impl Resource) -> Option<Subject> {
    let owner = controller(object)?;
    let kind = match owner.kind.as_str() {
        "Order" => Kind::Order,
        // A CronWorkflow has the name of its artifact workflow.
        "ArtifactWorkflow" | "CronWorkflow" => Kind::ArtifactWorkflow,
        "Endpoint" => Kind::Endpoint,
        _ => return None,
    };
    Some(Subject::new(kind, Key::of(object).beside(&owner.name)))
}

fn beside(key: &Key, kind: Kind, reference: Option<&LocalObjectReference>) -> Option<Subject> {
    reference.map(|reference| Subject::new(kind, key.beside(&reference.name)))
}

macro_rules! table {
    ($kind:ident, $field:ident) => {
        const KIND: Kind = Kind::$kind;

        fn table(state: &State) -> &Table<Self> {
            &state.$field
        }

        fn table_mut(state: &mut State) -> &mut Table<Self> {
            &mut state.$field
        }
    };
}

/// Objects whose status has a phase are packed once that is the last one.
macro_rules! packed {
    () => {
        fn pack(&self) -> Option<Box<str>> {
            let phase = self.status.as_ref().and_then(|status| status.phase);
            phase.filter(|phase| phase.is_terminal())?;
            serde_json::to_string(self).ok().map(String::into_boxed_str)
        }

        fn unpack(text: &str) -> Option<Self> {
            serde_json::from_str(text).ok()
        }
    };
}

impl Watched for Order {
    table!(Order, orders);
    packed!();

    fn refers_to(&self) -> Vec<Subject> {
        let key = Key::of(self);
        let defaults = self.spec.defaults.as_ref();
        let mut subjects: Vec<Subject> = Vec::new();
        for artifact in &self.spec.artifacts {
            let source =
                artifact.src_ref.as_ref().or(defaults.and_then(|all| all.src_ref.as_ref()));
            let destination =
                artifact.dst_ref.as_ref().or(defaults.and_then(|all| all.dst_ref.as_ref()));
            subjects.extend(beside(&key, Kind::Endpoint, source));
            subjects.extend(beside(&key, Kind::Endpoint, destination));
            subjects.push(Subject::new(Kind::ArtifactType, key.beside(&artifact.type_)));
            let everywhere = Key::new("", &artifact.type_);
            subjects.push(Subject::new(Kind::ClusterArtifactType, everywhere));
        }
        subjects.sort_unstable();
        subjects.dedup();
        subjects
    }

    fn wakes(change: &Change<Self>, state: &State) -> Vec<Wake> {
        wakes::of_order(change, state)
    }
}

impl Watched for ArtifactWorkflow {
    table!(ArtifactWorkflow, artifact_workflows);
    packed!();

    fn refers_to(&self) -> Vec<Subject> {
        let key = Key::of(self);
        let mut subjects: Vec<Subject> = parent(self).into_iter().collect();
        subjects.extend(beside(&key, Kind::Secret, self.spec.src_secret_ref.as_ref()));
        subjects.extend(beside(&key, Kind::Secret, self.spec.dst_secret_ref.as_ref()));
        subjects.extend(delivery(self));
        subjects
    }

    fn wakes(change: &Change<Self>, state: &State) -> Vec<Wake> {
        wakes::of_artifact_workflow(change, state)
    }
}

/// What stands for all artifact workflows that deliver the same as this one.
pub(crate) fn delivery(artifact_workflow: &ArtifactWorkflow) -> Option<Subject> {
    let hash = artifact_workflow.labels().get(labels::DELIVERY)?;
    Some(Subject::new(Kind::Delivery, Key::of(artifact_workflow).beside(hash)))
}

impl Watched for Endpoint {
    table!(Endpoint, endpoints);

    fn refers_to(&self) -> Vec<Subject> {
        beside(&Key::of(self), Kind::Secret, self.spec.secret_ref.as_ref()).into_iter().collect()
    }

    fn is_meant_by_orders(change: &Change<Self>) -> bool {
        wakes::differs(change, |endpoint| &endpoint.spec)
    }

    fn wakes(change: &Change<Self>, state: &State) -> Vec<Wake> {
        wakes::of_endpoint(change, state)
    }
}

fn template(key: &Key, reference: &arc_api::WorkflowTemplateRef) -> Subject {
    if reference.cluster_scope {
        Subject::new(Kind::ClusterWorkflowTemplate, Key::new("", &reference.name))
    } else {
        Subject::new(Kind::WorkflowTemplate, key.beside(&reference.name))
    }
}

impl Watched for ArtifactType {
    table!(ArtifactType, artifact_types);

    fn refers_to(&self) -> Vec<Subject> {
        vec![template(&Key::of(self), &self.spec.workflow_template_ref)]
    }

    fn is_meant_by_orders(change: &Change<Self>) -> bool {
        wakes::differs(change, |one| &one.spec)
    }

    fn wakes(change: &Change<Self>, state: &State) -> Vec<Wake> {
        wakes::of_reference(change, state)
    }
}

impl Watched for ClusterArtifactType {
    table!(ClusterArtifactType, cluster_artifact_types);

    fn refers_to(&self) -> Vec<Subject> {
        // A type of the cluster always means a template of the cluster.
        let name = &self.spec.workflow_template_ref.name;
        vec![Subject::new(Kind::ClusterWorkflowTemplate, Key::new("", name))]
    }

    fn is_meant_by_orders(change: &Change<Self>) -> bool {
        wakes::differs(change, |one| &one.spec)
    }

    fn wakes(change: &Change<Self>, state: &State) -> Vec<Wake> {
        wakes::of_reference(change, state)
    }
}

impl Watched for WorkflowTemplate {
    table!(WorkflowTemplate, workflow_templates);

    fn is_meant_by_orders(change: &Change<Self>) -> bool {
        wakes::differs(change, |one| &one.spec)
    }

    fn wakes(change: &Change<Self>, state: &State) -> Vec<Wake> {
        wakes::of_reference(change, state)
    }
}

impl Watched for ClusterWorkflowTemplate {
    table!(ClusterWorkflowTemplate, cluster_workflow_templates);

    fn is_meant_by_orders(change: &Change<Self>) -> bool {
        wakes::differs(change, |one| &one.spec)
    }

    fn wakes(change: &Change<Self>, state: &State) -> Vec<Wake> {
        wakes::of_reference(change, state)
    }
}

impl Watched for Workflow {
    table!(Workflow, workflows);

    fn strip(&mut self) {
        self.spec.arguments = argo::Arguments::default();
        self.spec.volumes = Vec::new();
        self.spec.workflow_metadata = None;
        self.spec.pod_metadata = None;
        let nodes = self.status.iter_mut().flat_map(|status| status.nodes.values_mut());
        nodes.for_each(|node| node.inputs = None);
    }

    fn is_ours(&self) -> bool {
        parent(self).is_some()
    }

    fn refers_to(&self) -> Vec<Subject> {
        parent(self).into_iter().collect()
    }

    fn wakes(change: &Change<Self>, _: &State) -> Vec<Wake> {
        wakes::of_child(change)
    }
}

impl Watched for CronWorkflow {
    table!(CronWorkflow, cron_workflows);

    fn is_ours(&self) -> bool {
        parent(self).is_some()
    }

    fn refers_to(&self) -> Vec<Subject> {
        parent(self).into_iter().collect()
    }

    fn wakes(change: &Change<Self>, _: &State) -> Vec<Wake> {
        wakes::of_child(change)
    }
}

impl Watched for SecretName {
    table!(Secret, secrets);

    fn strip(&mut self) {
        let meta = self.meta_mut();
        meta.labels = None;
        meta.annotations = None;
        meta.owner_references = None;
    }

    fn is_meant_by_orders(change: &Change<Self>) -> bool {
        change.before.is_none() != change.after.is_none()
    }

    fn wakes(change: &Change<Self>, state: &State) -> Vec<Wake> {
        wakes::of_secret(change, state)
    }
}
