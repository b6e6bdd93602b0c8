//! Names of what is known: kind, namespace and name.

use std::sync::Arc;

use kube::{Resource, api::ObjectMeta};

/// The kinds that are watched, and what links two deliveries of the same thing.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Kind {
    Order,
    ArtifactWorkflow,
    Endpoint,
    ArtifactType,
    ClusterArtifactType,
    WorkflowTemplate,
    ClusterWorkflowTemplate,
    Workflow,
    CronWorkflow,
    Secret,
    /// No object: the hash of what is delivered, in the label of artifact workflows.
    Delivery,
}

impl Kind {
    /// The kind as Kubernetes calls it, for logs and metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "Order",
            Self::ArtifactWorkflow => "ArtifactWorkflow",
            Self::Endpoint => "Endpoint",
            Self::ArtifactType => "ArtifactType",
            Self::ClusterArtifactType => "ClusterArtifactType",
            Self::WorkflowTemplate => "WorkflowTemplate",
            Self::ClusterWorkflowTemplate => "ClusterWorkflowTemplate",
            Self::Workflow => "Workflow",
            Self::CronWorkflow => "CronWorkflow",
            Self::Secret => "Secret",
            Self::Delivery => "Delivery",
        }
    }

    /// Tells whether a reconciler looks after objects of this kind.
    pub(crate) const fn is_reconciled(self) -> bool {
        matches!(self, Self::Order | Self::ArtifactWorkflow | Self::Endpoint)
    }
}

/// Namespace and name; the namespace of cluster-wide objects is empty.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Key {
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
}

impl Key {
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    /// The key of an object.
    pub(crate) fn of(object: &impl Resource) -> Self {
        Self::of_meta(object.meta())
    }

    /// The key of the object that has this metadata.
    pub(crate) fn of_meta(meta: &ObjectMeta) -> Self {
        let namespace = meta.namespace.as_deref().unwrap_or_default();
        Self::new(namespace, meta.name.as_deref().unwrap_or_default())
    }

    /// The key of another object in the same namespace.
    pub(crate) fn beside(&self, name: &str) -> Self {
        Self { namespace: Arc::clone(&self.namespace), name: name.into() }
    }
}

/// One object, whether it exists or not.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Subject {
    pub(crate) kind: Kind,
    pub(crate) key: Key,
}

impl Subject {
    pub(crate) fn new(kind: Kind, key: Key) -> Self {
        Self { kind, key }
    }
}
