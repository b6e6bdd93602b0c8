//! Runs one template: its retries, and then what it does.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_api::argo::{Inputs, NodeType, Outputs, Parameter, Phase};
use futures::FutureExt;
use futures::future::BoxFuture;

use super::machine::Machine;
use super::recorder::{NewNode, id_of};
use super::stop::Stop;
use super::{dag, pod, retry, steps};
use crate::template::{Kind, Template};
use crate::text::Scope;

/// A template to run, as which node, with what.
#[derive(Clone, Debug)]
pub(super) struct Call<'run> {
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) template: &'run Arc<Template>,
    pub(super) arguments: BTreeMap<String, Arc<str>>,
    /// Id of the node that encloses it.
    pub(super) boundary: Option<&'run str>,
    pub(super) workflow: &'run Scope,
    pub(super) stop: &'run Stop,
    /// Which try this is, where there is a retry strategy.
    pub(super) attempt: Option<u32>,
}

/// What became of a node.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) id: String,
    pub(super) phase: Phase,
    pub(super) message: String,
    pub(super) outputs: Option<Outputs>,
}

impl Ended {
    pub(super) fn error(id: String, message: String) -> Self {
        Self { id, phase: Phase::Error, message, outputs: None }
    }
}

impl Call<'_> {
    /// Returns the id of the call's node.
    pub(super) fn id(&self, machine: &Machine) -> String {
        id_of(&machine.ready.name, &self.name)
    }

    /// Returns the values the template's texts may use: the workflow's and its own inputs.
    pub(super) fn scope(&self) -> Scope {
        let mut scope = self.workflow.clone();
        for input in &self.template.inputs {
            let value = self.arguments.get(&input.name).cloned();
            let value = value.or_else(|| input.default.as_deref().map(Arc::from));
            if let Some(value) = value {
                scope.insert(format!("inputs.parameters.{}", input.name), value);
            }
        }
        scope
    }

    /// Begins the call's node.
    pub(super) fn begin(&self, machine: &Machine, type_: NodeType) -> Result<String, Box<Ended>> {
        let id = self.id(machine);
        let scope = self.scope();
        let mut parameters = Vec::new();
        for input in &self.template.inputs {
            let Some(value) = scope.get(&format!("inputs.parameters.{}", input.name)) else {
                continue;
            };
            if let Err(message) = machine.keep(value) {
                return Err(Box::new(Ended::error(id, message)));
            }
            parameters.push(Parameter::new(input.name.clone(), value.to_string()));
        }
        let node = NewNode {
            id: id.clone(),
            name: self.name.clone(),
            display_name: self.display_name.clone(),
            type_,
            template_name: &self.template.name,
            boundary: self.boundary,
            inputs: (!parameters.is_empty()).then_some(Inputs { parameters }),
        };
        match machine.recorder.begin(node) {
            Ok(()) => Ok(id),
            Err(message) => Err(Box::new(Ended::error(id, message))),
        }
    }
}

/// Runs a template to its end, including its retries.
pub(super) fn execute<'run>(machine: &'run Machine, call: Call<'run>) -> BoxFuture<'run, Ended> {
    async move {
        match machine.ready.spec().retry_of(call.template) {
            Some(retry) => retry::run(machine, call, retry).await,
            None => once(machine, call).await,
        }
    }
    .boxed()
}

/// Runs a template once.
pub(super) fn once<'run>(machine: &'run Machine, call: Call<'run>) -> BoxFuture<'run, Ended> {
    async move {
        match &call.template.kind {
            Kind::Steps(groups) => steps::run(machine, &call, groups).await,
            Kind::Dag { tasks, fail_fast } => dag::run(machine, &call, tasks, *fail_fast).await,
            Kind::Pod(pod) => pod::run(machine, &call, pod).await,
        }
    }
    .boxed()
}

/// Ends a node and returns what became of it.
pub(super) fn end(machine: &Machine, ended: Ended) -> Ended {
    machine.recorder.end(&ended.id, ended.phase, &ended.message, ended.outputs.clone());
    ended
}
