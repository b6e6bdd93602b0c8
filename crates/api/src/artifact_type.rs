//! How artifacts of one type are delivered: by which workflow template, between which endpoints.

#![expect(unreachable_pub, reason = "KubeSchema puts a hidden copy of each struct into a function")]

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::schema::free_form_object;
use crate::{Parameter, WorkflowTemplateRef, rules, tolerant};

/// How artifacts of one type are delivered in one namespace.
#[derive(
    Clone, CustomResource, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize,
)]
#[kube(
    group = "arc.opendefense.cloud",
    version = "v1alpha1",
    kind = "ArtifactType",
    namespaced,
    derive = "Default",
    derive = "PartialEq",
    shortname = "arcat",
    category = "arc",
    doc = "How artifacts of one type are delivered, for orders of the same namespace. It may not have the name of a ClusterArtifactType: orders that use such a name are refused.",
    printcolumn(name = "Template", type_ = "string", json_path = ".spec.workflowTemplateRef.name"),
    printcolumn(
        name = "Cluster Scope",
        type_ = "boolean",
        json_path = ".spec.workflowTemplateRef.clusterScope"
    ),
    printcolumn(name = "Sources", type_ = "string", json_path = ".spec.rules.srcTypes"),
    printcolumn(name = "Destinations", type_ = "string", json_path = ".spec.rules.dstTypes"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactTypeSpec {
    /// Which endpoints the type works with. Empty means any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Rules>,
    /// What the `spec` of an order's artifact of this type must look like, as an OpenAPI v3 schema. Empty means that it
    /// may say anything. Example: `{type: object, required: [repository], properties: {repository: {type: string}}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "free_form_object")]
    pub spec_schema: Option<Map<String, Value>>,
    /// Parameters for the workflow template. They win over what the order's artifact says, so this is the place for
    /// policy. Empty means none. Example: `[{name: scanSeverity, value: "HIGH,CRITICAL"}]`.
    #[serde(
        default,
        deserialize_with = "tolerant::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 200))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub parameters: Vec<Parameter>,
    /// Argo template that does the work. Example: `{name: oci-image-pipeline, clusterScope: true}`.
    pub workflow_template_ref: WorkflowTemplateRef,
    /// How long the Argo workflow of a delivery that succeeded stays, with pods and logs; the record in the
    /// ArtifactWorkflow stays as long as its order. Empty means what the controller is set to, 10 minutes by default;
    /// `0` means to delete it once its end is recorded. Example: `24h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    #[x_kube(validation = rules::duration())]
    pub ttl_after_finished: Option<String>,
    /// How long the Argo workflow of a delivery that failed stays, with pods and logs; the record in the
    /// ArtifactWorkflow stays as long as its order. Empty means what the controller is set to, 24 hours by default;
    /// `0` means to delete it once its end is recorded. Example: `168h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    #[x_kube(validation = rules::duration())]
    pub ttl_after_failed: Option<String>,
}

/// How artifacts of one type are delivered in every namespace.
#[derive(
    Clone, CustomResource, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize,
)]
#[kube(
    group = "arc.opendefense.cloud",
    version = "v1alpha1",
    kind = "ClusterArtifactType",
    derive = "Default",
    derive = "PartialEq",
    shortname = "arccat",
    category = "arc",
    doc = "How artifacts of one type are delivered, for orders of every namespace.",
    printcolumn(name = "Template", type_ = "string", json_path = ".spec.workflowTemplateRef.name"),
    printcolumn(name = "Sources", type_ = "string", json_path = ".spec.rules.srcTypes"),
    printcolumn(name = "Destinations", type_ = "string", json_path = ".spec.rules.dstTypes"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct ClusterArtifactTypeSpec {
    /// Which endpoints the type works with. Empty means any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Rules>,
    /// What the `spec` of an order's artifact of this type must look like, as an OpenAPI v3 schema. Empty means that it
    /// may say anything. Example: `{type: object, required: [repository], properties: {repository: {type: string}}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "free_form_object")]
    pub spec_schema: Option<Map<String, Value>>,
    /// Parameters for the workflow template. They win over what the order's artifact says, so this is the place for
    /// policy. Empty means none. Example: `[{name: scanSeverity, value: "HIGH,CRITICAL"}]`.
    #[serde(
        default,
        deserialize_with = "tolerant::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 200))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub parameters: Vec<Parameter>,
    /// Argo ClusterWorkflowTemplate that does the work. Example: `{name: oci-image-pipeline}`.
    pub workflow_template_ref: WorkflowTemplateRef,
    /// How long the Argo workflow of a delivery that succeeded stays, with pods and logs; the record in the
    /// ArtifactWorkflow stays as long as its order. Empty means what the controller is set to, 10 minutes by default;
    /// `0` means to delete it once its end is recorded. Example: `24h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    #[x_kube(validation = rules::duration())]
    pub ttl_after_finished: Option<String>,
    /// How long the Argo workflow of a delivery that failed stays, with pods and logs; the record in the
    /// ArtifactWorkflow stays as long as its order. Empty means what the controller is set to, 24 hours by default;
    /// `0` means to delete it once its end is recorded. Example: `168h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    #[x_kube(validation = rules::duration())]
    pub ttl_after_failed: Option<String>,
}

impl From<ClusterArtifactTypeSpec> for ArtifactTypeSpec {
    /// Says the same as a type of one namespace; the template is always one of the cluster.
    fn from(cluster: ClusterArtifactTypeSpec) -> Self {
        let ClusterArtifactTypeSpec {
            rules,
            spec_schema,
            parameters,
            workflow_template_ref,
            ttl_after_finished,
            ttl_after_failed,
        } = cluster;
        let workflow_template_ref =
            WorkflowTemplateRef { cluster_scope: true, ..workflow_template_ref };
        Self {
            rules,
            spec_schema,
            parameters,
            workflow_template_ref,
            ttl_after_finished,
            ttl_after_failed,
        }
    }
}

/// Which endpoints an artifact type works with.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rules {
    /// Types of endpoints that may be the source. Empty means any. Example: `[oci]`.
    #[serde(
        default,
        deserialize_with = "tolerant::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 64), inner(length(min = 1, max = 63)))]
    pub src_types: Vec<String>,
    /// Types of endpoints that may be the destination. Empty means any. Example: `[oci]`.
    #[serde(
        default,
        deserialize_with = "tolerant::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 64), inner(length(min = 1, max = 63)))]
    pub dst_types: Vec<String>,
}
