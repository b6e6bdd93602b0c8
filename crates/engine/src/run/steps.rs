//! Runs `steps`: groups one after the other, the steps of a group side by side.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_api::argo::{NodeType, Phase};
use futures::future::join_all;
use tokio::sync::Semaphore;

use super::execute::{Call, Ended, end, execute};
use super::is_failed;
use super::machine::Machine;
use super::outputs::{Shared, of_steps, publish};
use super::recorder::{NewNode, id_of};
use crate::expression::{Names, evaluate};
use crate::template::Step;
use crate::text::Scope;

/// Runs a `steps` template.
pub(super) async fn run(machine: &Machine, call: &Call<'_>, groups: &[Vec<Step>]) -> Ended {
    let id = match call.begin(machine, NodeType::Steps) {
        Ok(id) => id,
        Err(ended) => return *ended,
    };
    let scope = Shared::new(call.scope());
    let limits = Limits::of(call);
    let mut before = vec![id.clone()];
    for (index, group) in groups.iter().enumerate() {
        let name = format!("{}[{index}]", call.name);
        let group_id = id_of(&machine.ready.name, &name);
        for previous in &before {
            machine.recorder.connect(previous, &group_id);
        }
        let outer = Outer { call, id: &id, scope: &scope, limits: &limits };
        let (ended, steps) = run_group(machine, &outer, &name, group).await;
        if is_failed(ended.phase) {
            // The phase of the list is `Failed` even when a child is in phase `Error`.
            let phase = Phase::Failed;
            return end(machine, Ended { id, phase, message: ended.message, outputs: None });
        }
        for (step, ended) in group.iter().zip(&steps) {
            publish(&scope, &format!("steps.{}", step.name), ended);
        }
        before = steps.into_iter().map(|step| step.id).collect();
        if before.is_empty() {
            before.push(group_id);
        }
    }
    end(machine, of_steps(machine, call.template, id, &scope))
}

/// How many children of a template run at the same time, and whether one failure is enough.
pub(super) struct Limits {
    permits: Option<Semaphore>,
    fail_fast: bool,
    failed: AtomicBool,
}

impl Limits {
    pub(super) fn of(call: &Call<'_>) -> Self {
        Self {
            permits: call
                .template
                .parallelism
                .map(|number| Semaphore::new(number.min(Semaphore::MAX_PERMITS))),
            fail_fast: call.template.fail_fast.unwrap_or(false),
            failed: AtomicBool::new(false),
        }
    }
}

/// The template that a step or task belongs to.
#[derive(Clone, Copy)]
pub(super) struct Outer<'run> {
    pub(super) call: &'run Call<'run>,
    pub(super) id: &'run str,
    pub(super) scope: &'run Shared,
    pub(super) limits: &'run Limits,
}

async fn run_group(
    machine: &Machine,
    outer: &Outer<'_>,
    name: &str,
    group: &[Step],
) -> (Ended, Vec<Ended>) {
    let id = id_of(&machine.ready.name, name);
    let begun = machine.recorder.begin(NewNode {
        id: id.clone(),
        name: name.to_owned(),
        display_name: name.strip_prefix(&outer.call.name).unwrap_or(name).to_owned(),
        type_: NodeType::StepGroup,
        boundary: Some(outer.id),
        ..NewNode::default()
    });
    if let Err(message) = begun {
        return (Ended::error(id, message), Vec::new());
    }
    let steps = join_all(group.iter().map(|step| {
        let node = format!("{name}.{}", step.name);
        machine.recorder.connect(&id, &id_of(&machine.ready.name, &node));
        run_step(machine, *outer, step, node)
    }))
    .await;
    let failed = steps.iter().find(|step| is_failed(step.phase));
    let (phase, message) = match (outer.call.stop.cause(), failed) {
        (_, None) => (Phase::Succeeded, String::new()),
        (Some(cause), Some(_)) => (Phase::Failed, cause.message().to_owned()),
        (None, Some(step)) => (Phase::Failed, format!("child '{}' failed", step.id)),
    };
    (end(machine, Ended { id, phase, message, outputs: None }), steps)
}

/// Runs a step or task, or skips it.
pub(super) async fn run_step(
    machine: &Machine,
    outer: Outer<'_>,
    step: &Step,
    node: String,
) -> Ended {
    let _permit = match &outer.limits.permits {
        Some(permits) => permits.acquire().await.ok(),
        None => None,
    };
    let left = Left { machine, outer, step, node: &node };
    if let Some(cause) = outer.call.stop.cause() {
        return left.out(Phase::Failed, cause.message().to_owned());
    }
    if outer.limits.fail_fast && outer.limits.failed.load(Ordering::Relaxed) {
        return left.out(Phase::Skipped, "a step of the same list failed".to_owned());
    }
    match should_run(step, &outer.scope.read()) {
        Ok(None) => {}
        Ok(Some(why)) => return left.out(Phase::Skipped, why),
        Err(message) => return left.out(Phase::Error, message),
    }
    let arguments = match arguments(machine, step, &outer.scope.read()) {
        Ok(arguments) => arguments,
        Err(message) => return left.out(Phase::Error, message),
    };
    let Some(template) = machine.ready.spec().templates.get(&step.template.text) else {
        let message = format!("template {:?} does not exist", step.template.text);
        return left.out(Phase::Error, message);
    };
    let call = Call {
        name: node,
        display_name: step.name.clone(),
        template,
        arguments,
        boundary: Some(outer.id),
        workflow: outer.call.workflow,
        stop: outer.call.stop,
        attempt: None,
    };
    let ended = execute(machine, call).await;
    if is_failed(ended.phase) {
        outer.limits.failed.store(true, Ordering::Relaxed);
    }
    ended
}

/// A step that does not run.
pub(super) struct Left<'run> {
    pub(super) machine: &'run Machine,
    pub(super) outer: Outer<'run>,
    pub(super) step: &'run Step,
    pub(super) node: &'run str,
}

impl Left<'_> {
    /// Records why the step did not run.
    pub(super) fn out(&self, phase: Phase, message: String) -> Ended {
        let id = id_of(&self.machine.ready.name, self.node);
        let begun = self.machine.recorder.begin(NewNode {
            id: id.clone(),
            name: self.node.to_owned(),
            display_name: self.step.name.clone(),
            type_: NodeType::Skipped,
            template_name: &self.step.template.text,
            boundary: Some(self.outer.id),
            inputs: None,
        });
        match begun {
            Ok(()) => end(self.machine, Ended { id, phase, message, outputs: None }),
            Err(message) => Ended::error(id, message),
        }
    }
}

/// Returns why a step does not run, if its `when` says so.
fn should_run(step: &Step, scope: &Scope) -> Result<Option<String>, String> {
    let Some(when) = &step.when else { return Ok(None) };
    let text = when.text.render(scope).map_err(|error| error.to_string())?;
    match evaluate(&when.expression, &Names { scope, lookup: &|_| None }) {
        Ok(true) => Ok(None),
        Ok(false) => Ok(Some(format!("when '{text}' evaluated false"))),
        Err(error) => Err(format!("Invalid 'when' expression '{text}': {error}")),
    }
}

fn arguments(
    machine: &Machine,
    step: &Step,
    scope: &Scope,
) -> Result<BTreeMap<String, Arc<str>>, String> {
    let mut arguments = BTreeMap::new();
    for argument in &step.arguments {
        let value = argument.value.render(scope).map_err(|error| error.to_string())?;
        machine.keep(&value)?;
        arguments.insert(argument.name.clone(), Arc::from(value));
    }
    Ok(arguments)
}
