//! Everything an order may refer to, as the shell read it: the input of [`crate::validate()`].

use std::collections::{BTreeMap, BTreeSet};

use arc_api::{ArtifactType, ClusterArtifactType, Endpoint};

use crate::limits::Limits;

/// What exists around an order: the objects of its namespace and of the cluster, by name.
///
/// It may hold more than the order refers to; what is missing here does not exist.
#[derive(Clone, Debug, Default)]
pub struct Fetched {
    /// Endpoints of the order's namespace.
    pub endpoints: BTreeMap<String, Endpoint>,
    /// Artifact types of the order's namespace.
    pub artifact_types: BTreeMap<String, ArtifactType>,
    /// Artifact types of the cluster.
    pub cluster_artifact_types: BTreeMap<String, ClusterArtifactType>,
    /// Names of the Secrets of the order's namespace; their contents never come here.
    pub secrets: BTreeSet<String>,
    /// Argo `WorkflowTemplate`s of the order's namespace.
    pub workflow_templates: BTreeMap<String, TemplateParameters>,
    /// Argo `ClusterWorkflowTemplate`s.
    pub cluster_workflow_templates: BTreeMap<String, TemplateParameters>,
    /// What the installation allows.
    pub limits: Limits,
}

/// The parameters that a workflow template declares in `spec.arguments`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateParameters {
    /// Declared name to default; without a default somebody must give the parameter, or Argo refuses the workflow.
    pub parameters: BTreeMap<String, Option<String>>,
}
