//! Writes down what happens: the nodes of the status, and an event for each change.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use arc_api::argo::{Inputs, NodeStatus, NodeType, Outputs, Phase};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use tokio::sync::mpsc::UnboundedSender;

use crate::Event;
use crate::prepare::MAX_NODES;

/// Bytes of log lines and progress of one run; the receiver may be slow, and the channel has no bound of its own.
const MAX_LOG_BYTES: usize = 64 * 1024 * 1024;
/// What an event takes besides its text.
const EVENT_BYTES: usize = 128;

/// The nodes of a run so far.
#[derive(Debug)]
pub(super) struct Recorder {
    nodes: Mutex<BTreeMap<String, NodeStatus>>,
    events: UnboundedSender<Event>,
    log_bytes: AtomicUsize,
}

/// A node that begins.
#[derive(Debug, Default)]
pub(super) struct NewNode<'call> {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) type_: NodeType,
    pub(super) template_name: &'call str,
    pub(super) boundary: Option<&'call str>,
    pub(super) inputs: Option<Inputs>,
}

impl Recorder {
    pub(super) fn new(events: UnboundedSender<Event>) -> Self {
        Self { nodes: Mutex::default(), events, log_bytes: AtomicUsize::new(0) }
    }

    /// Begins a node in phase `Running`.
    pub(super) fn begin(&self, node: NewNode<'_>) -> Result<(), String> {
        let status = NodeStatus {
            id: node.id.clone(),
            name: node.name,
            display_name: node.display_name,
            type_: node.type_,
            template_name: node.template_name.to_owned(),
            phase: Phase::Running,
            boundary_id: node.boundary.unwrap_or_default().to_owned(),
            started_at: Some(now()),
            progress: if is_leaf(node.type_) { "0/1".to_owned() } else { String::new() },
            inputs: node.inputs,
            ..NodeStatus::default()
        };
        let mut nodes = self.lock();
        if nodes.len() >= MAX_NODES {
            return Err(format!("the workflow has more than {MAX_NODES} nodes"));
        }
        // The id is Argo's 32-bit hash of the name; two names of one hash would share a status and a folder.
        if let Some(other) = nodes.get(&node.id) {
            return Err(format!("nodes {:?} and {:?} have the same id", other.name, status.name));
        }
        nodes.insert(node.id, status.clone());
        drop(nodes);
        self.send(Event::Node(Box::new(status)));
        Ok(())
    }

    /// Says that `child` follows `parent`.
    pub(super) fn connect(&self, parent: &str, child: &str) {
        if let Some(node) = self.lock().get_mut(parent)
            && !node.children.iter().any(|known| known == child)
        {
            node.children.push(child.to_owned());
        }
    }

    /// Ends a node.
    pub(super) fn end(&self, id: &str, phase: Phase, message: &str, outputs: Option<Outputs>) {
        let mut nodes = self.lock();
        let Some(node) = nodes.get_mut(id) else { return };
        node.phase = phase;
        message.clone_into(&mut node.message);
        node.outputs = outputs;
        node.finished_at = Some(now());
        if is_leaf(node.type_) && phase == Phase::Succeeded {
            "1/1".clone_into(&mut node.progress);
        }
        let status = node.clone();
        drop(nodes);
        self.send(Event::Node(Box::new(status)));
    }

    /// Passes on a line or a progress record, unless the run has written too much already.
    pub(super) fn log(&self, event: Event, bytes: usize) {
        let before = self.log_bytes.fetch_add(bytes + EVENT_BYTES, Ordering::Relaxed);
        if before < MAX_LOG_BYTES {
            self.send(event);
        }
    }

    /// Returns the nodes and how many of the pods and containers succeeded.
    pub(super) fn finish(&self) -> (BTreeMap<String, NodeStatus>, String) {
        let nodes = std::mem::take(&mut *self.lock());
        let leaves = nodes.values().filter(|node| is_leaf(node.type_));
        let (done, all) = leaves.fold((0, 0), |(done, all), node| {
            (done + usize::from(node.phase == Phase::Succeeded), all + 1)
        });
        (nodes, format!("{done}/{all}"))
    }

    fn send(&self, event: Event) {
        // Nobody has to listen.
        let _unheard = self.events.send(event);
    }

    /// A poisoned lock still holds whole nodes: each change is one assignment.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, NodeStatus>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns Argo's id of a node: the workflow's name, and the FNV-1a hash of the node's name.
pub(super) fn id_of(workflow: &str, node: &str) -> String {
    if node == workflow {
        return workflow.to_owned();
    }
    let hash = node
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{workflow}-{hash}")
}

fn is_leaf(type_: NodeType) -> bool {
    matches!(type_, NodeType::Pod | NodeType::Container)
}

fn now() -> Time {
    Time(Timestamp::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_a_real_argo() {
        let cases = [
            ("succeeded", "succeeded", "succeeded"),
            ("succeeded", "succeeded.main", "succeeded-2971931441"),
            ("retries-exhausted", "retries-exhausted(0)", "retries-exhausted-1426181750"),
            ("steps-three-pods", "steps-three-pods[0].fetch", "steps-three-pods-2487523096"),
        ];
        for (workflow, node, expected) in cases {
            assert_eq!(id_of(workflow, node), expected);
        }
    }
}
