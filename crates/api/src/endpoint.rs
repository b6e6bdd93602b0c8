//! A place artifacts come from or go to, with the way to sign in there.

#![expect(unreachable_pub, reason = "KubeSchema puts a hidden copy of each struct into a function")]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{LocalObjectReference, rules, tolerant};

/// What a user says about an endpoint.
#[derive(
    Clone, CustomResource, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize,
)]
#[kube(
    group = "arc.opendefense.cloud",
    version = "v1alpha1",
    kind = "Endpoint",
    namespaced,
    status = "EndpointStatus",
    derive = "Default",
    derive = "PartialEq",
    shortname = "arcep",
    category = "arc",
    doc = "A place artifacts come from or go to, such as an OCI registry, and the Secret to sign in there with.",
    printcolumn(name = "Type", type_ = "string", json_path = ".spec.type"),
    printcolumn(name = "Remote URL", type_ = "string", json_path = ".spec.remoteURL"),
    printcolumn(name = "Usage", type_ = "string", json_path = ".spec.usage"),
    printcolumn(name = "Secret", type_ = "string", json_path = ".spec.secretRef.name"),
    printcolumn(name = "Used By", type_ = "integer", json_path = ".status.usedBy"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct EndpointSpec {
    /// Kind of endpoint, a free word that the rules of artifact types are compared with.
    /// Examples: `oci`, `helm`, `s3`, `http`.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 63))]
    pub type_: String,
    /// Address of the endpoint, with a path when everything in it starts with the same prefix.
    /// Without a scheme HTTPS is used. User names and passwords do not belong here, see `secretRef`.
    /// Examples: `https://registry.example.com/team-a`, `quay.io`, `oci://localhost:5000`.
    #[serde(rename = "remoteURL")]
    #[schemars(length(min = 1, max = 2048))]
    #[x_kube(validation = rules::known_scheme(), validation = rules::no_user_info(), validation = rules::no_white_space())]
    pub remote_url: String,
    /// Secret of the same namespace to sign in with: `username` and `password`, or `.dockerconfigjson`.
    /// Empty means to sign in nowhere. Example: `{name: quay-credentials}`.
    #[serde(
        default,
        deserialize_with = "tolerant::reference",
        skip_serializing_if = "Option::is_none"
    )]
    pub secret_ref: Option<LocalObjectReference>,
    /// What orders may use the endpoint for: `PullOnly` as source, `PushOnly` as destination, `All` as both.
    /// Empty means `All`.
    #[serde(default, deserialize_with = "tolerant::or_default")]
    pub usage: Usage,
    /// Certificates of the authorities that vouch for this endpoint, in PEM, in addition to those of the system.
    /// Empty means that the system's authorities decide alone.
    /// Example: `-----BEGIN CERTIFICATE-----` and so on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65_536))]
    #[x_kube(validation = rules::certificates_only())]
    pub ca_bundle: Option<String>,
    /// `true` accepts any certificate, and with it any impostor: for experiments only. Empty means `false`.
    #[serde(
        default,
        deserialize_with = "tolerant::or_default",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub insecure_skip_verify: bool,
}

/// What orders may use an endpoint for.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    Deserialize,
    Eq,
    Hash,
    JsonSchema,
    Ord,
    PartialEq,
    PartialOrd,
    Serialize,
)]
pub enum Usage {
    /// Only as source.
    PullOnly,
    /// Only as destination.
    PushOnly,
    /// As source and as destination.
    #[default]
    All,
}

impl Usage {
    /// Returns the word that stands in a manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PullOnly => "PullOnly",
            Self::PushOnly => "PushOnly",
            Self::All => "All",
        }
    }

    /// Tells whether an order may take the endpoint as source.
    pub const fn allows_pull(self) -> bool {
        matches!(self, Self::PullOnly | Self::All)
    }

    /// Tells whether an order may take the endpoint as destination.
    pub const fn allows_push(self) -> bool {
        matches!(self, Self::PushOnly | Self::All)
    }
}

/// What ARC found out about an endpoint.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointStatus {
    /// Generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// How many orders of the namespace name it as source or destination; refreshed at leisure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_by: Option<u32>,
    /// The moment in the annotation `arc.opendefense.cloud/probe-at` that the last probe answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probed_at: Option<Time>,
    /// `Ready` sums up; `Validated` and `InUse` are what the cluster knows, `Reachable` and `Authenticated` say how far
    /// the last probe came and are absent while nobody probed.
    #[serde(
        default,
        deserialize_with = "tolerant::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}

/// What a probe reports: the output parameter `result` of its workflow, as JSON.
///
/// The step ends with exit code 0 whenever it could look, whatever it found: Argo passes on outputs of successes only.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProbeResult {
    /// Whether the endpoint answered.
    pub reachable: bool,
    /// Whether it accepted the credentials; empty where it was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authenticated: Option<bool>,
    /// Why, as one of [`crate::Reason`]: `Unreachable`, `CertificateNotTrusted`, `AddressNotAllowed`, `Unauthorized`,
    /// `NoCredentials`, `CredentialsNotSent`; empty where all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why, in one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}
