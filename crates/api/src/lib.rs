//! The kinds of `arc.opendefense.cloud/v1alpha1` and the Argo objects ARC writes.
//!
//! # Invariants
//!
//! No client, no async, no clock and no rules: what a field *means* is documented here, what follows from it is decided
//! in `arc-core`.
//! Field names are the JSON names of the Go project of the same API group, so its manifests apply unchanged; unknown
//! fields are tolerated.
//!
//! # Where to start
//!
//! [`Order`] is what a user writes, [`Endpoint`] and [`ClusterArtifactType`] are what it refers to, and
//! [`ArtifactWorkflow`] is what ARC makes of each of its artifacts.

#![expect(
    clippy::doc_markdown,
    reason = "`kubectl explain` prints these docs, and kinds stand in them as they are"
)]
#![expect(
    clippy::duplicated_attributes,
    reason = "printer columns of one kind have types in common"
)]

pub mod argo;
mod artifact_type;
mod artifact_workflow;
pub mod conditions;
mod cron;
mod endpoint;
pub mod labels;
mod order;
mod order_status;
mod parameter;
mod phase;
pub mod reasons;
mod references;
mod result;
mod rules;
mod schema;
mod tolerant;

pub use artifact_type::{
    ArtifactType, ArtifactTypeSpec, ClusterArtifactType, ClusterArtifactTypeSpec, Rules,
};
pub use artifact_workflow::{
    ArtifactWorkflow, ArtifactWorkflowSpec, ArtifactWorkflowStatus, AttemptStatus, StepStatus,
};
pub use cron::Cron;
pub use endpoint::{Endpoint, EndpointSpec, EndpointStatus, ProbeResult, Usage};
pub use order::{Order, OrderArtifact, OrderDefaults, OrderSpec};
pub use order_status::{OrderArtifactStatus, OrderCounts, OrderStatus};
pub use parameter::Parameter;
pub use phase::Phase;
pub use reasons::Reason;
pub use references::{LocalObjectReference, WorkflowTemplateRef};
pub use result::{
    AttestationResult, DeliveryResult, DestinationResult, FindingResult, Outcome, ScanResult,
    SignatureResult, SourceResult, StepResult,
};
pub use schema::crds;

/// The API group of every kind of ARC.
pub const GROUP: &str = "arc.opendefense.cloud";
/// The only version of the API group.
pub const VERSION: &str = "v1alpha1";

#[cfg(test)]
mod manifests_tests;
