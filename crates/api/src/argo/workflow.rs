//! The Argo workflow that ARC makes for an artifact workflow.

use std::collections::BTreeMap;

use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::Volume,
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time},
};
use serde::{Deserialize, Serialize};

use super::{Arguments, NodeStatus, Outputs, Phase};

/// An Argo workflow.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Workflow {
    /// Always `argoproj.io/v1alpha1`.
    #[serde(default = "api_version")]
    pub api_version: String,
    /// Always `Workflow`.
    #[serde(default = "kind")]
    pub kind: String,
    /// Name, labels and owner.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// What to run.
    #[serde(default)]
    pub spec: WorkflowSpec,
    /// What became of it; written by Argo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<WorkflowStatus>,
}

impl Workflow {
    /// Builds a workflow that nothing has run yet.
    pub fn new(metadata: ObjectMeta, spec: WorkflowSpec) -> Self {
        Self { api_version: api_version(), kind: kind(), metadata, spec, status: None }
    }
}

impl Default for Workflow {
    fn default() -> Self {
        Self::new(ObjectMeta::default(), WorkflowSpec::default())
    }
}

fn api_version() -> String {
    <Workflow as k8s_openapi::Resource>::API_VERSION.to_owned()
}

fn kind() -> String {
    <Workflow as k8s_openapi::Resource>::KIND.to_owned()
}

impl k8s_openapi::Resource for Workflow {
    const API_VERSION: &'static str = "argoproj.io/v1alpha1";
    const GROUP: &'static str = super::GROUP;
    const KIND: &'static str = "Workflow";
    const VERSION: &'static str = super::VERSION;
    const URL_PATH_SEGMENT: &'static str = "workflows";
    type Scope = NamespaceResourceScope;
}

impl k8s_openapi::Metadata for Workflow {
    type Ty = ObjectMeta;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn metadata_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

/// What an Argo workflow runs.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WorkflowSpec {
    /// Template that does the work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow_template_ref: Option<WorkflowTemplateRef>,
    /// What the template is started with.
    pub arguments: Arguments,
    /// Volumes in addition to those of the template.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<Volume>,
    /// Labels and annotations that Argo puts on the workflow in addition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow_metadata: Option<Metadata>,
    /// Labels and annotations of every pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_metadata: Option<Metadata>,
    /// Service account of the pods; the template's own where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,
    /// Seconds after which the workflow is stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_deadline_seconds: Option<i64>,
    /// `true` holds the workflow back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// `Stop` or `Terminate` ends a running workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shutdown: Option<String>,
    /// When the workflow is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_strategy: Option<TtlStrategy>,
    /// When the pods are deleted.
    #[serde(rename = "podGC", skip_serializing_if = "Option::is_none")]
    pub pod_gc: Option<PodGC>,
}

/// Names the template of an Argo workflow.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WorkflowTemplateRef {
    /// Name of the template.
    pub name: String,
    /// `true` names a ClusterWorkflowTemplate.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cluster_scope: bool,
}

impl From<crate::WorkflowTemplateRef> for WorkflowTemplateRef {
    fn from(reference: crate::WorkflowTemplateRef) -> Self {
        let crate::WorkflowTemplateRef { name, cluster_scope } = reference;
        Self { name, cluster_scope }
    }
}

/// Labels and annotations that Argo copies.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    /// Labels to set.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Annotations to set.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// When Argo deletes a workflow, in seconds after its end; never where all are missing.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TtlStrategy {
    /// After any end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_after_completion: Option<i32>,
    /// After success, instead of `seconds_after_completion`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_after_success: Option<i32>,
    /// After failure, instead of `seconds_after_completion`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_after_failure: Option<i32>,
}

/// When Argo deletes the pods of a workflow.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodGC {
    /// `OnPodCompletion`, `OnPodSuccess`, `OnWorkflowCompletion` or `OnWorkflowSuccess`; never where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
    /// How long to wait before the deletion, such as `30s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_delay_duration: Option<String>,
}

/// What became of an Argo workflow.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WorkflowStatus {
    /// Where it stands.
    #[serde(skip_serializing_if = "Phase::is_unknown")]
    pub phase: Phase,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// How many of its pods are done, of how many, such as `1/4`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub progress: String,
    /// Why it stands there; the last node's message rather than the cause.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Its nodes by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub nodes: BTreeMap<String, NodeStatus>,
    /// What it gives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Outputs>,
}
