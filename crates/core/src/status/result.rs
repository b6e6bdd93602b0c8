//! What the steps report: the output parameter `result` of the workflow.

use arc_api::DeliveryResult;
use arc_api::argo::{NodeStatus, Outputs, WorkflowStatus};

/// Name of the output parameter.
const PARAMETER: &str = "result";

/// Longest report that is read, in bytes: Argo passes outputs through an annotation of at most 256 KiB.
const MAX_BYTES: usize = 256 * 1024;

/// Most findings that go into a status: the full list is in the scan attestation.
const MAX_FINDINGS: usize = 20;

/// What became of the report.
pub(super) enum Report {
    /// No step reported anything.
    Missing,
    /// It says something ARC understands.
    Readable(Box<DeliveryResult>),
    /// It is there and makes no sense, for this reason.
    Unreadable(String),
}

impl Report {
    pub(super) fn readable(&self) -> Option<&DeliveryResult> {
        match self {
            Self::Readable(result) => Some(result),
            Self::Missing | Self::Unreadable(_) => None,
        }
    }
}

/// Returns what the workflow reports, or its last step that wrote something.
pub(crate) fn text(workflow: &WorkflowStatus) -> Option<&str> {
    workflow.outputs.as_ref().and_then(value).or_else(|| of_nodes(workflow))
}

/// Reads the report of the workflow, or of its last step that wrote one.
pub(super) fn read(workflow: &WorkflowStatus) -> Report {
    let Some(text) = text(workflow) else { return Report::Missing };
    if text.len() > MAX_BYTES {
        return Report::Unreadable(format!(
            "it has {} bytes; at most {MAX_BYTES} are read",
            text.len()
        ));
    }
    match serde_json::from_str::<DeliveryResult>(text) {
        Ok(result) if result == DeliveryResult::default() => Report::Missing,
        Ok(mut result) => {
            if let Some(scan) = &mut result.scan {
                scan.findings.truncate(MAX_FINDINGS);
            }
            Report::Readable(Box::new(result))
        }
        Err(error) => Report::Unreadable(error.to_string()),
    }
}

/// Argo repeats the value on every enclosing node, so the last one to end has the latest word.
fn of_nodes(workflow: &WorkflowStatus) -> Option<&str> {
    let reporting =
        workflow.nodes.values().filter_map(|node| Some((node, value(node.outputs.as_ref()?)?)));
    let key = |node: &NodeStatus| {
        (node.finished_at.as_ref().map(|time| time.0), node.boundary_id.is_empty())
    };
    reporting.max_by_key(|(node, _)| key(node)).map(|(_, text)| text)
}

fn value(outputs: &Outputs) -> Option<&str> {
    let found = outputs.parameters.iter().find(|parameter| parameter.name == PARAMETER)?;
    found.value.as_deref().filter(|text| !text.trim().is_empty())
}
