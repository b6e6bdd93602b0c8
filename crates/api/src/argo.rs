//! The parts of Argo's objects that ARC writes and reads, under Argo's own names.
//!
//! Reading is tolerant: unknown fields are skipped, and a phase or node type that a later Argo invents is `Unknown`.

mod cron_workflow;
mod node;
mod parameter;
mod workflow;

pub use cron_workflow::{
    CRON_WORKFLOW_LABEL, CronCondition, CronWorkflow, CronWorkflowSpec, CronWorkflowStatus,
};
pub use node::{Inputs, NodeStatus, NodeType, Outputs, Phase};
pub use parameter::{Arguments, Parameter, ValueFrom};
pub use workflow::{
    Metadata, PodGC, TtlStrategy, Workflow, WorkflowSpec, WorkflowStatus, WorkflowTemplateRef,
};

/// The API group of Argo Workflows.
pub const GROUP: &str = "argoproj.io";
/// The only version of the API group.
pub const VERSION: &str = "v1alpha1";

#[cfg(test)]
mod tests;
