//! The delivery of one artifact, made by ARC out of an order.

#![expect(unreachable_pub, reason = "KubeSchema puts a hidden copy of each struct into a function")]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use crate::tolerant;

use crate::{
    Cron, DeliveryResult, LocalObjectReference, Parameter, Phase, WorkflowTemplateRef, rules,
};

/// Everything that decides one delivery.
#[derive(
    Clone, CustomResource, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize,
)]
#[kube(
    group = "arc.opendefense.cloud",
    version = "v1alpha1",
    kind = "ArtifactWorkflow",
    namespaced,
    status = "ArtifactWorkflowStatus",
    derive = "Default",
    derive = "PartialEq",
    shortname = "arcaw",
    category = "arc",
    doc = "The delivery of one artifact, made by ARC out of an Order. Its spec never changes: another order means another ArtifactWorkflow.",
    printcolumn(
        name = "Artifact",
        type_ = "string",
        json_path = ".metadata.labels.arc\\.opendefense\\.cloud/artifact"
    ),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.reason"),
    printcolumn(name = "Attempt", type_ = "integer", json_path = ".status.attempt"),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.message"),
    printcolumn(
        name = "Order",
        type_ = "string",
        json_path = ".metadata.labels.arc\\.opendefense\\.cloud/order",
        priority = 1
    ),
    printcolumn(name = "Workflow", type_ = "string", json_path = ".status.workflow", priority = 1),
    printcolumn(
        name = "Destination",
        type_ = "string",
        json_path = ".status.result.destination.reference",
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[x_kube(validation = rules::immutable())]
#[serde(rename_all = "camelCase")]
pub struct ArtifactWorkflowSpec {
    /// Argo template that does the work. Example: `{name: oci-image-pipeline, clusterScope: true}`.
    pub workflow_template_ref: WorkflowTemplateRef,
    /// All parameters of the workflow template, merged and sorted by name. Empty means none.
    #[serde(
        default,
        deserialize_with = "tolerant::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 1000))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub parameters: Vec<Parameter>,
    /// Secret to sign in at the source with, mounted as a volume. Empty means none is needed.
    #[serde(
        default,
        deserialize_with = "tolerant::reference",
        skip_serializing_if = "Option::is_none"
    )]
    pub src_secret_ref: Option<LocalObjectReference>,
    /// Secret to sign in at the destination with, mounted as a volume. Empty means none is needed.
    #[serde(
        default,
        deserialize_with = "tolerant::reference",
        skip_serializing_if = "Option::is_none"
    )]
    pub dst_secret_ref: Option<LocalObjectReference>,
    /// Schedule on which the controller repeats the delivery; `arc run` runs it once. Empty means once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<Cron>,
    /// How long its Argo workflow with pods and logs stays after success; this record stays as long as its order.
    /// Empty means what the controller is set to, 10 minutes by default; `0` means to delete it once its end is recorded.
    /// Example: `24h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    #[x_kube(validation = rules::duration())]
    pub ttl_after_finished: Option<String>,
    /// How long its Argo workflow with pods and logs stays after failure; this record stays as long as its order.
    /// Empty means what the controller is set to, 24 hours by default; `0` means to delete it once its end is recorded.
    /// Example: `168h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    #[x_kube(validation = rules::duration())]
    pub ttl_after_failed: Option<String>,
}

/// What became of a delivery.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactWorkflowStatus {
    /// Generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Where the delivery stands.
    #[serde(
        default,
        deserialize_with = "tolerant::known",
        skip_serializing_if = "Option::is_none"
    )]
    pub phase: Option<Phase>,
    /// Why it stands there, as one word. Examples: `StepFailed`, `ScanRefused`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why it stands there, in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The attempt that this status is about, from 1; of a schedule, its run. 0 or empty before the first.
    #[serde(default, deserialize_with = "tolerant::or_default", skip_serializing_if = "is_zero")]
    pub attempt: u32,
    /// Argo workflow of that attempt. It may be gone already, see `ttlAfterFinished` and `ttlAfterFailed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// When that Argo workflow was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<Time>,
    /// Hash of the names and versions of the Secrets that the attempt was started with; empty where it needed none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
    /// When the first step began; empty until the attempt has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When the last step ended; empty until the attempt has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Time>,
    /// The steps in the order of their beginning; empty until the attempt has ended.
    #[serde(
        default,
        deserialize_with = "tolerant::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub steps: Vec<StepStatus>,
    /// What was delivered, as the steps report it; empty until they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<DeliveryResult>,
    /// Last lines that the failed step wrote, at most 2 KiB, without what looks like a secret; empty after success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub log: Option<String>,
    /// Up to ten earlier attempts, the oldest first.
    #[serde(
        default,
        deserialize_with = "tolerant::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub history: Vec<AttemptStatus>,
    /// `Ready`; see its reason and message.
    #[serde(
        default,
        deserialize_with = "tolerant::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}

/// What became of an earlier attempt of a delivery, or of an earlier run of its schedule.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AttemptStatus {
    /// Which attempt it was, from 1.
    #[serde(default)]
    pub attempt: u32,
    /// Its Argo workflow, which may be gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// How it ended.
    #[serde(
        default,
        deserialize_with = "tolerant::known",
        skip_serializing_if = "Option::is_none"
    )]
    pub phase: Option<Phase>,
    /// Why it ended so, as one word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Time>,
    /// Digest at the destination; empty where nothing was delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What became of one step of a delivery.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepStatus {
    /// Name of the step as the workflow template calls it. Example: `scan`.
    pub name: String,
    /// Where the step stands.
    #[serde(default)]
    pub phase: Phase,
    /// When the step began; empty while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When the step ended; empty while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Time>,
    /// Exit code of the step's program: 0 done, 1 failed, 2 wrong input, 3 refused by policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// What the step said last; empty where it said nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}
