//! The steps of a workflow: containers and pods of the latest tries, in the order they began.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use arc_api::argo::{self, NodeStatus, NodeType, WorkflowStatus};
use arc_api::{Phase, StepStatus};

use super::MAX_MESSAGE_CHARS;
use crate::text::shorten;

/// What Argo calls the container of a pod that has but one of its own.
const MAIN_CONTAINER: &str = "main";

/// One step with what Argo says about it.
pub(super) struct Step<'a> {
    id: &'a str,
    pub(super) node: &'a NodeStatus,
    pub(super) name: String,
    pub(super) exit_code: Option<i32>,
}

impl Step<'_> {
    pub(super) fn has_failed(&self) -> bool {
        matches!(self.node.phase, argo::Phase::Failed | argo::Phase::Error)
    }

    /// Returns the id of the node that is its pod, and the container in it.
    pub(super) fn container(&self) -> (String, String) {
        match self.node.type_ {
            NodeType::Container => (self.node.boundary_id.clone(), self.node.display_name.clone()),
            _ => (self.id.to_owned(), MAIN_CONTAINER.to_owned()),
        }
    }

    /// Returns the row of the status.
    pub(super) fn status(&self) -> StepStatus {
        StepStatus {
            name: self.name.clone(),
            phase: phase(self.node.phase),
            started_at: self.node.started_at.clone(),
            completed_at: self.node.finished_at.clone(),
            exit_code: self.exit_code,
            message: Some(shorten(self.node.message.trim(), MAX_MESSAGE_CHARS))
                .filter(|text| !text.is_empty()),
        }
    }
}

/// Returns the steps of the latest tries.
pub(super) fn latest(workflow: &WorkflowStatus) -> Vec<Step<'_>> {
    let nodes = &workflow.nodes;
    let superseded = superseded(nodes);
    let with_containers: BTreeSet<&str> = nodes
        .values()
        .filter(|node| node.type_ == NodeType::Container)
        .map(|node| node.boundary_id.as_str())
        .collect();
    let depths = depths(nodes);
    let mut found: Vec<(&String, &NodeStatus)> = nodes
        .iter()
        .filter(|(id, node)| {
            is_step(node)
                && !with_containers.contains(id.as_str())
                && !superseded.contains(id.as_str())
        })
        .collect();
    found.sort_by_key(|(id, node)| {
        let depth = depths.get(id.as_str()).copied().unwrap_or(usize::MAX);
        (node.started_at.as_ref().map(|time| time.0), depth, id.as_str())
    });
    found
        .into_iter()
        .map(|(id, node)| Step { id, node, name: name(node), exit_code: exit_code(node) })
        .collect()
}

/// Returns how often the step was tried, alone or with what encloses it; 1 where nothing is tried again.
pub(super) fn tries(workflow: &WorkflowStatus, step: &Step<'_>) -> usize {
    let nodes = &workflow.nodes;
    let retries = nodes.values().filter(|node| node.type_ == NodeType::Retry);
    let attempts: Vec<Vec<&str>> = retries.map(|node| attempts(node, nodes)).collect();
    let of = |id: &str| attempts.iter().find(|attempts| attempts.contains(&id)).map(Vec::len);
    enclosing(step.id, nodes).find_map(of).unwrap_or(1)
}

/// Reads the exit code out of a message such as `scan: Error (exit code 3): `.
pub(super) fn exit_code_in(message: &str) -> Option<i32> {
    let (_, rest) = message.split_once("(exit code ")?;
    rest.split_once(')')?.0.parse().ok()
}

fn exit_code(node: &NodeStatus) -> Option<i32> {
    let written =
        node.outputs.as_ref().and_then(|outputs| outputs.exit_code.as_ref()?.parse().ok());
    // Containers of a containerSet have no exit code of their own but in the message.
    let succeeded = (node.phase == argo::Phase::Succeeded).then_some(0);
    written.or_else(|| exit_code_in(&node.message)).or(succeeded)
}

fn is_step(node: &NodeStatus) -> bool {
    match node.type_ {
        NodeType::Pod
        | NodeType::Container
        | NodeType::Skipped
        | NodeType::Http
        | NodeType::Plugin => true,
        NodeType::Steps
        | NodeType::StepGroup
        | NodeType::Dag
        | NodeType::TaskGroup
        | NodeType::Retry
        | NodeType::Suspend
        | NodeType::Unknown => false,
    }
}

/// The word the template uses: a workflow of one pod has the workflow's name on its only node.
fn name(node: &NodeStatus) -> String {
    let is_whole_workflow = node.boundary_id.is_empty() && !node.template_name.is_empty();
    let shown = if is_whole_workflow { &node.template_name } else { &node.display_name };
    let without_try = shown
        .strip_suffix(')')
        .and_then(|text| text.rsplit_once('('))
        .filter(|(_, digits)| is_number(digits));
    without_try.map_or(shown.as_str(), |(name, _)| name).to_owned()
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Ids of all tries but the last, and of everything inside them.
fn superseded(nodes: &BTreeMap<String, NodeStatus>) -> BTreeSet<&str> {
    let mut earlier: BTreeSet<&str> = BTreeSet::new();
    for node in nodes.values().filter(|node| node.type_ == NodeType::Retry) {
        let mut attempts = attempts(node, nodes);
        attempts.pop();
        earlier.extend(attempts);
    }
    let is_inside = |id: &str| enclosing(id, nodes).any(|id| earlier.contains(id));
    nodes.keys().map(String::as_str).filter(|id| is_inside(id)).collect()
}

/// The node and what encloses it, from the inside out.
fn enclosing<'a>(
    id: &'a str,
    nodes: &'a BTreeMap<String, NodeStatus>,
) -> impl Iterator<Item = &'a str> {
    let outer = |id: &&str| {
        nodes.get(*id).map(|node| node.boundary_id.as_str()).filter(|id| !id.is_empty())
    };
    // A chain of boundaries is never longer than the nodes there are; a longer one is a cycle.
    std::iter::successors(Some(id), outer).take(nodes.len() + 1)
}

/// Ids of the tries of a retry node, the first one first: `scan(0)`, `scan(1)`, ….
fn attempts<'a>(retry: &NodeStatus, nodes: &'a BTreeMap<String, NodeStatus>) -> Vec<&'a str> {
    let number = |node: &NodeStatus| -> Option<u64> {
        node.name.strip_prefix(&retry.name)?.strip_prefix('(')?.strip_suffix(')')?.parse().ok()
    };
    let children = retry.children.iter().filter_map(|id| nodes.get_key_value(id));
    let mut attempts: Vec<(u64, &str)> =
        children.filter_map(|(id, node)| Some((number(node)?, id.as_str()))).collect();
    attempts.sort_unstable();
    attempts.into_iter().map(|(_, id)| id).collect()
}

/// Distance of every node from a beginning of the graph: containers of one pod begin in the same second.
fn depths(nodes: &BTreeMap<String, NodeStatus>) -> BTreeMap<&str, usize> {
    let children: BTreeSet<&str> =
        nodes.values().flat_map(|node| &node.children).map(String::as_str).collect();
    let roots = nodes.keys().map(String::as_str).filter(|id| !children.contains(id));
    let mut depths: BTreeMap<&str, usize> = roots.map(|id| (id, 0)).collect();
    let mut queue: VecDeque<&str> = depths.keys().copied().collect();
    while let Some(id) = queue.pop_front() {
        let next = depths[id] + 1;
        for child in nodes.get(id).map(|node| node.children.as_slice()).unwrap_or_default() {
            if nodes.contains_key(child) && !depths.contains_key(child.as_str()) {
                depths.insert(child, next);
                queue.push_back(child);
            }
        }
    }
    depths
}

/// Argo's word as ours.
pub(super) fn phase(phase: argo::Phase) -> Phase {
    match phase {
        argo::Phase::Unknown | argo::Phase::Pending => Phase::Pending,
        argo::Phase::Running => Phase::Running,
        argo::Phase::Succeeded => Phase::Succeeded,
        argo::Phase::Skipped | argo::Phase::Omitted => Phase::Skipped,
        argo::Phase::Failed => Phase::Failed,
        argo::Phase::Error => Phase::Error,
    }
}
