//! The status of one node of a running workflow.

use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde::{Deserialize, Serialize};

use super::Parameter;

/// Where a workflow or a node of it stands.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
pub enum Phase {
    /// Waits, for instance for its image.
    Pending,
    /// At work.
    Running,
    /// Done.
    Succeeded,
    /// Left out by its `when`; nodes only.
    Skipped,
    /// Ended with an exit code other than 0.
    Failed,
    /// Could not be run or judged.
    Error,
    /// Left out because of its dependencies; nodes only.
    Omitted,
    /// Not said, or said in a word that is not in this list.
    #[default]
    #[serde(rename = "", other)]
    Unknown,
}

impl Phase {
    /// Returns Argo's word, which is empty for [`Phase::Unknown`].
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Skipped => "Skipped",
            Self::Failed => "Failed",
            Self::Error => "Error",
            Self::Omitted => "Omitted",
            Self::Unknown => "",
        }
    }

    /// Tells whether nothing more will happen.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Skipped | Self::Failed | Self::Error | Self::Omitted)
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
    pub(super) fn is_unknown(&self) -> bool {
        *self == Self::Unknown
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a node stands for.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum NodeType {
    /// One pod; also a containerSet as a whole.
    Pod,
    /// One container of a containerSet.
    Container,
    /// A list of step groups.
    Steps,
    /// Steps that run side by side.
    StepGroup,
    /// Tasks with dependencies.
    #[serde(rename = "DAG")]
    Dag,
    /// The items of one expanded task.
    TaskGroup,
    /// A node that is tried several times; its children are the tries.
    Retry,
    /// A node that was left out.
    Skipped,
    /// A pause.
    Suspend,
    /// An HTTP request.
    #[serde(rename = "HTTP")]
    Http,
    /// Work of a plugin.
    Plugin,
    /// Not said, or said in a word that is not in this list.
    #[default]
    #[serde(rename = "", other)]
    Unknown,
}

/// The status of one node.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeStatus {
    /// Key of the node within the workflow.
    pub id: String,
    /// Full name, such as `workflow[0].scan(1)`.
    pub name: String,
    /// Short name, such as `scan(1)`.
    pub display_name: String,
    /// What the node stands for.
    #[serde(rename = "type")]
    pub type_: NodeType,
    /// Template that the node runs.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub template_name: String,
    /// Where the node stands.
    #[serde(skip_serializing_if = "Phase::is_unknown")]
    pub phase: Phase,
    /// Id of the node that encloses it.
    #[serde(rename = "boundaryID", skip_serializing_if = "String::is_empty")]
    pub boundary_id: String,
    /// Why it stands there.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// How many of its pods are done, of how many, such as `1/4`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub progress: String,
    /// Ids of the nodes that follow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<String>,
    /// What it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Inputs>,
    /// What it gives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Outputs>,
}

/// What a node was given.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Inputs {
    /// The parameters, unique by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
}

/// What a node or a workflow gives.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Outputs {
    /// The parameters, unique by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
    /// What a script wrote to its standard output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Exit code of the container, which Argo writes as a string.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<String>,
}
