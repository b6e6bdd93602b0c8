//! What the engine tells while a workflow runs.

use arc_api::argo::NodeStatus;

/// Which of a container's outputs a line comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Something that happened, in order of time within one node.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A node appeared or changed; the status is complete.
    Node(Box<NodeStatus>),
    /// A step told how far it is (`::progress <done> <total> <label>` on its standard error).
    Progress {
        /// Id of the container's node (of the pod's node where it has only one container).
        node_id: String,
        /// Work done, usually in bytes.
        done: u64,
        /// Work in all, in the same unit.
        total: u64,
        /// What the work is.
        label: String,
    },
    /// A line of output, at most 8 KiB long and without control characters.
    Log {
        /// Id of the container's node (of the pod's node where it has only one container).
        node_id: String,
        /// Name of the container.
        container: String,
        /// Where the line was written to.
        stream: Stream,
        /// The line without its end.
        line: String,
    },
}
