//! What became of an order.

#![expect(unreachable_pub, reason = "KubeSchema puts a hidden copy of each struct into a function")]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Phase, tolerant};

/// What became of an order.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderStatus {
    /// Generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Where the order stands as a whole.
    #[serde(
        default,
        deserialize_with = "tolerant::known",
        skip_serializing_if = "Option::is_none"
    )]
    pub phase: Option<Phase>,
    /// How many artifacts are delivered, of how many. Example: `3/4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<String>,
    /// The first thing a human should know, in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How many artifacts stand where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<OrderCounts>,
    /// When the order is deleted with everything made for it, see `spec.ttl`; empty means never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// `true` while `spec.suspend` holds back what has not begun.
    #[serde(
        default,
        deserialize_with = "tolerant::or_default",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub suspended: bool,
    /// `Accepted`, `Complete` and `Ready`; see the reason and the message of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// One row for each artifact.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub artifacts: Vec<OrderArtifactStatus>,
}

/// How many artifacts of an order stand where.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OrderCounts {
    /// All artifacts of the order.
    pub total: u32,
    /// Artifacts that wait for their turn, those of a suspended order included.
    pub pending: u32,
    /// Artifacts that are held because they refer to something missing or unfit. Their phase is `Pending`.
    pub blocked: u32,
    /// Artifacts at work.
    pub running: u32,
    /// Artifacts that are delivered.
    pub succeeded: u32,
    /// Artifacts that ended without delivery.
    pub failed: u32,
}

/// What became of one artifact of an order.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderArtifactStatus {
    /// Name of the artifact, unique in this list: where the order gives none, or one that is taken, its place in the
    /// order's list. Examples: `alpine`, `0`.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// Artifact type that the order names.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_: Option<String>,
    /// Where the artifact stands.
    #[serde(default)]
    pub phase: Phase,
    /// Why it stands there, as one word. Examples: `EndpointNotFound`, `ScanRefused`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why it stands there, in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// ArtifactWorkflow that delivers it; empty while there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_workflow: Option<String>,
    /// Reference under which the artifact is delivered; empty while it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// Digest that was delivered; empty while none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// When work on it was handed over: when its ArtifactWorkflow was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When work on it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Time>,
}
