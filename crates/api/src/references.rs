//! References from one object to another, always by name and never across namespaces.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::tolerant;

/// Names an object of the same namespace.
#[derive(
    Clone, Debug, Default, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "camelCase")]
pub struct LocalObjectReference {
    /// Name of the object, in the namespace of the object that refers to it. Empty is the same as no reference.
    /// Example: `quay`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 253))]
    pub name: String,
}

impl LocalObjectReference {
    /// Refers to the object called `name`.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

/// Names the Argo template that does the work.
#[derive(
    Clone, Debug, Default, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "camelCase")]
pub struct WorkflowTemplateRef {
    /// Name of the Argo WorkflowTemplate or ClusterWorkflowTemplate. Example: `oci-image-pipeline`.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// `true` names a ClusterWorkflowTemplate, `false` or empty a WorkflowTemplate of the same namespace.
    /// A ClusterArtifactType always means a ClusterWorkflowTemplate, whatever is written here.
    #[serde(
        default,
        deserialize_with = "tolerant::or_default",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub cluster_scope: bool,
}
