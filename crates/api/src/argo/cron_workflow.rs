//! The Argo CronWorkflow that ARC makes for an artifact workflow with a schedule.

use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::ObjectReference,
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time},
};
use serde::{Deserialize, Serialize};

use super::{Metadata, WorkflowSpec};

/// Label that Argo puts on every workflow of a CronWorkflow: its name.
pub const CRON_WORKFLOW_LABEL: &str = "workflows.argoproj.io/cron-workflow";

/// An Argo workflow on a schedule.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CronWorkflow {
    /// Always `argoproj.io/v1alpha1`.
    #[serde(default = "api_version")]
    pub api_version: String,
    /// Always `CronWorkflow`.
    #[serde(default = "kind")]
    pub kind: String,
    /// Name, labels and owner.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// What to run, and when.
    #[serde(default)]
    pub spec: CronWorkflowSpec,
    /// What became of it; written by Argo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<CronWorkflowStatus>,
}

impl CronWorkflow {
    /// Builds a schedule that nothing has run yet.
    pub fn new(metadata: ObjectMeta, spec: CronWorkflowSpec) -> Self {
        Self { api_version: api_version(), kind: kind(), metadata, spec, status: None }
    }
}

impl Default for CronWorkflow {
    fn default() -> Self {
        Self::new(ObjectMeta::default(), CronWorkflowSpec::default())
    }
}

fn api_version() -> String {
    <CronWorkflow as k8s_openapi::Resource>::API_VERSION.to_owned()
}

fn kind() -> String {
    <CronWorkflow as k8s_openapi::Resource>::KIND.to_owned()
}

impl k8s_openapi::Resource for CronWorkflow {
    const API_VERSION: &'static str = "argoproj.io/v1alpha1";
    const GROUP: &'static str = super::GROUP;
    const KIND: &'static str = "CronWorkflow";
    const VERSION: &'static str = super::VERSION;
    const URL_PATH_SEGMENT: &'static str = "cronworkflows";
    type Scope = NamespaceResourceScope;
}

impl k8s_openapi::Metadata for CronWorkflow {
    type Ty = ObjectMeta;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn metadata_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

/// What a CronWorkflow runs, and when.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CronWorkflowSpec {
    /// When to run, as cron writes it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schedules: Vec<String>,
    /// IANA time zone of the schedules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// How many seconds late a missed run may still start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starting_deadline_seconds: Option<i64>,
    /// `Allow`, `Replace` or `Forbid` a run while the one before is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency_policy: Option<String>,
    /// `true` starts no run. Always written, because Argo itself writes it when somebody suspends the schedule.
    pub suspend: bool,
    /// How many workflows of runs that succeeded stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub successful_jobs_history_limit: Option<i32>,
    /// How many workflows of runs that failed stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_jobs_history_limit: Option<i32>,
    /// Expression that must hold for a run to start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Labels and annotations of every run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow_metadata: Option<Metadata>,
    /// What a run does.
    pub workflow_spec: WorkflowSpec,
}

/// What became of a CronWorkflow.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CronWorkflowStatus {
    /// Workflows of runs that are under way; Argo writes `null` for none.
    #[serde(
        deserialize_with = "crate::tolerant::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub active: Vec<ObjectReference>,
    /// When it last started a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_scheduled_time: Option<Time>,
    /// `SpecError` and `SubmissionError`, as far as there are any.
    #[serde(
        deserialize_with = "crate::tolerant::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub conditions: Vec<CronCondition>,
}

/// What is wrong with a CronWorkflow.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CronCondition {
    /// `SpecError` or `SubmissionError`.
    #[serde(rename = "type")]
    pub type_: String,
    /// `True` while it is so.
    pub status: String,
    /// Why, in Argo's words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
}
