//! The typed model of a `WorkflowTemplate`: what is supported, and nothing else.
//!
//! Reading is done in the submodules; each refuses by name and line what it does not know.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::expression::Expression;
use crate::problem::Position;
use crate::text::Text;

mod ignored;
mod read;
mod read_container;
mod read_retry;
mod read_step;
mod read_volume;

pub use ignored::IGNORED_FIELDS;
pub(crate) use ignored::hint;
pub(crate) use read::read;
pub(crate) use read_container::MAIN;
pub(crate) use read_retry::MAX_RETRIES;
pub(crate) use read_volume::{from_kubernetes, is_safe_path};

/// The `spec` of a `WorkflowTemplate` or `ClusterWorkflowTemplate`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spec {
    pub(crate) entrypoint: Option<Name>,
    pub(crate) on_exit: Option<Name>,
    pub(crate) arguments: Vec<Parameter>,
    pub(crate) templates: BTreeMap<String, Arc<Template>>,
    pub(crate) volumes: Vec<Volume>,
    pub(crate) retry: Option<Retry>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) parallelism: Option<usize>,
}

/// A name and where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) at: Position,
}

/// A declared parameter: of the workflow, or an input of a template.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) at: Position,
    pub(crate) default: Option<String>,
    pub(crate) allowed: Vec<String>,
}

/// One template.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub(crate) name: String,
    pub(crate) at: Position,
    pub(crate) inputs: Vec<Parameter>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) kind: Kind,
    pub(crate) retry: Option<Retry>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) parallelism: Option<usize>,
    pub(crate) fail_fast: Option<bool>,
    pub(crate) volumes: Vec<Volume>,
}

/// What a template does.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// Lists of steps that run side by side.
    Steps(Vec<Vec<Step>>),
    /// Tasks with dependencies.
    Dag { tasks: Vec<Step>, fail_fast: bool },
    /// One pod.
    Pod(Pod),
}

/// The containers of one pod; a `container` or `script` is one of them, called `main`.
#[derive(Clone, Debug)]
pub(crate) struct Pod {
    pub(crate) is_set: bool,
    pub(crate) containers: Vec<Container>,
    pub(crate) mounts: Vec<Mount>,
}

/// One container.
#[derive(Clone, Debug)]
pub(crate) struct Container {
    pub(crate) name: String,
    pub(crate) at: Position,
    pub(crate) image: Text,
    pub(crate) command: Vec<Text>,
    pub(crate) args: Vec<Text>,
    pub(crate) env: Vec<(String, Text)>,
    pub(crate) working_dir: Option<String>,
    pub(crate) source: Option<Text>,
    pub(crate) dependencies: Vec<Name>,
}

/// Where a pod sees a volume.
#[derive(Clone, Debug)]
pub(crate) struct Mount {
    pub(crate) volume: String,
    pub(crate) path: String,
    pub(crate) read_only: bool,
    pub(crate) at: Position,
}

/// A step of a group or a task of a DAG.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) at: Position,
    pub(crate) template: Name,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) when: Option<When>,
    pub(crate) depends: Option<Expression>,
}

/// A `when` and its text, which is part of Argo's message.
#[derive(Clone, Debug)]
pub(crate) struct When {
    pub(crate) text: Text,
    pub(crate) expression: Expression,
}

/// An argument given to a template.
#[derive(Clone, Debug)]
pub(crate) struct Argument {
    pub(crate) name: String,
    pub(crate) at: Position,
    pub(crate) value: Text,
}

/// An output parameter of a template.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    pub(crate) name: String,
    pub(crate) at: Position,
    pub(crate) source: OutputSource,
    pub(crate) default: Option<String>,
}

/// Where the value of an output parameter comes from.
#[derive(Clone, Debug)]
pub(crate) enum OutputSource {
    /// A file of the container.
    Path(String),
    /// A text, usually one reference to a step's output.
    Parameter(Text),
}

/// When a failed node is tried again.
#[derive(Clone, Debug)]
pub(crate) struct Retry {
    pub(crate) limit: Option<u32>,
    pub(crate) policy: RetryPolicy,
    pub(crate) backoff: Option<Backoff>,
    pub(crate) expression: Option<Expression>,
}

/// Which ends of a node are tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetryPolicy {
    Always,
    OnFailure,
    OnError,
    OnTransientError,
}

/// How long to wait between tries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Backoff {
    pub(crate) duration: Duration,
    pub(crate) factor: f64,
    pub(crate) cap: Option<Duration>,
    pub(crate) max_duration: Option<Duration>,
}

/// A volume of a workflow or of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Volume {
    pub(crate) name: String,
    pub(crate) at: Position,
    pub(crate) source: VolumeSource,
}

/// What a volume holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum VolumeSource {
    /// An empty folder of each pod.
    EmptyDir,
    /// A folder that all pods of the workflow share.
    Claim,
    /// The keys of a secret or config map as files.
    Keys(Keys),
}

/// The keys of a secret or config map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) secret: bool,
    pub(crate) object: String,
    pub(crate) optional: bool,
    /// Key and path of each file; `None` means every key under its own name.
    pub(crate) items: Option<Vec<(String, String)>>,
}

impl Spec {
    /// Whether a template has a retry strategy of its own or of the workflow.
    pub(crate) fn retry_of<'spec>(&'spec self, template: &'spec Template) -> Option<&'spec Retry> {
        template.retry.as_ref().or(self.retry.as_ref())
    }
}
