//! What a user asks for: artifacts, where they come from and where they go.

#![expect(unreachable_pub, reason = "KubeSchema puts a hidden copy of each struct into a function")]

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::schema::free_form_object;
use crate::{Cron, LocalObjectReference, OrderStatus, rules, tolerant};

/// What a user asks for.
#[derive(Clone, CustomResource, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "arc.opendefense.cloud",
    version = "v1alpha1",
    kind = "Order",
    namespaced,
    status = "OrderStatus",
    derive = "Default",
    derive = "PartialEq",
    shortname = "arcorder",
    category = "arc",
    doc = "A request to copy artifacts from one endpoint to another, scanned, signed and attested on the way.",
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Progress", type_ = "string", json_path = ".status.progress"),
    printcolumn(name = "Failed", type_ = "integer", json_path = ".status.counts.failed"),
    printcolumn(name = "Held", type_ = "integer", json_path = ".status.counts.blocked"),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.message"),
    printcolumn(
        name = "Running",
        type_ = "integer",
        json_path = ".status.counts.running",
        priority = 1
    ),
    printcolumn(name = "Suspended", type_ = "boolean", json_path = ".spec.suspend", priority = 1),
    printcolumn(name = "Expires", type_ = "string", json_path = ".status.expiresAt", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[x_kube(validation = rules::has_source(), validation = rules::has_destination())]
#[serde(rename_all = "camelCase")]
pub struct OrderSpec {
    /// What holds for every artifact that does not say otherwise. Empty means that each artifact says all itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defaults: Option<OrderDefaults>,
    /// The artifacts to deliver, up to 1,000. Each is delivered on its own: one that fails stops no other.
    /// Empty means that there is nothing to do.
    #[serde(
        default,
        deserialize_with = "tolerant::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 1000))]
    pub artifacts: Vec<OrderArtifact>,
    /// How long after its creation the order is deleted, finished or not, with everything made for it.
    /// Empty or `0` means to keep it. Example: `72h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    #[x_kube(validation = rules::duration())]
    pub ttl: Option<String>,
    /// `true` starts nothing new and suspends the schedules; what already runs comes to its end. To end that too,
    /// annotate with `arc.opendefense.cloud/stop-at`. Empty means `false`.
    #[serde(
        default,
        deserialize_with = "tolerant::or_default",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub suspend: bool,
    /// `true` resolves tags, digests and sizes and reports them, and writes nothing anywhere. Empty means `false`.
    #[serde(
        default,
        deserialize_with = "tolerant::or_default",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub dry_run: bool,
}

/// What holds for every artifact of an order that does not say otherwise.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderDefaults {
    /// Endpoint to take artifacts from. Empty means that each artifact names its own. Example: `{name: quay}`.
    #[serde(
        default,
        deserialize_with = "tolerant::reference",
        skip_serializing_if = "Option::is_none"
    )]
    pub src_ref: Option<LocalObjectReference>,
    /// Endpoint to bring artifacts to. Empty means that each artifact names its own. Example: `{name: harbor}`.
    #[serde(
        default,
        deserialize_with = "tolerant::reference",
        skip_serializing_if = "Option::is_none"
    )]
    pub dst_ref: Option<LocalObjectReference>,
    /// Schedule on which the controller repeats every artifact; `arc run` runs each once. Empty means once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<Cron>,
}

/// One thing to deliver.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderArtifact {
    /// Name by which status and messages call the artifact: a DNS label, unique within the order; an artifact whose
    /// name was given before is held. Empty means that its place in the list is used instead. Example: `alpine`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = rules::dns_label())]
    pub name: Option<String>,
    /// Name of the ArtifactType or ClusterArtifactType that says how it is delivered. Example: `oci`.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 253))]
    pub type_: String,
    /// Endpoint to take the artifact from. Empty means `spec.defaults.srcRef`. Example: `{name: quay}`.
    #[serde(
        default,
        deserialize_with = "tolerant::reference",
        skip_serializing_if = "Option::is_none"
    )]
    pub src_ref: Option<LocalObjectReference>,
    /// Endpoint to bring the artifact to. Empty means `spec.defaults.dstRef`. Example: `{name: harbor}`.
    #[serde(
        default,
        deserialize_with = "tolerant::reference",
        skip_serializing_if = "Option::is_none"
    )]
    pub dst_ref: Option<LocalObjectReference>,
    /// What the artifact type wants to know, handed on as parameters with the prefix `spec`: `repository` arrives as
    /// `specRepository`, `config.port` as `specConfigPort`, `tags[0]` as `specTags0`.
    /// Empty means no such parameter. Example: `{repository: library/alpine, tag: ">3.18.0 < 3.19.0"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "free_form_object")]
    pub spec: Option<Map<String, Value>>,
    /// Schedule on which the controller repeats this artifact; `arc run` runs it once.
    /// Empty means `spec.defaults.cron`; `{enabled: false}` switches that off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<Cron>,
}
