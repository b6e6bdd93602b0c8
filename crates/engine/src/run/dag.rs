//! Runs `dag`: each task as soon as its `depends` can be decided.

use std::collections::{BTreeMap, BTreeSet};

use arc_api::argo::{NodeType, Phase};
use futures::stream::{FuturesUnordered, StreamExt};

use super::execute::{Call, Ended, end};
use super::is_failed;
use super::machine::Machine;
use super::outputs::{Shared, of_steps, publish};
use super::recorder::id_of;
use super::steps::{Left, Limits, Outer, run_step};
use crate::expression::{Expression, Names, Value, evaluate};
use crate::prepare::task_of;
use crate::template::Step;
use crate::text::Scope;

/// Runs a `dag` template.
pub(super) async fn run(
    machine: &Machine,
    call: &Call<'_>,
    tasks: &[Step],
    fail_fast: bool,
) -> Ended {
    let id = match call.begin(machine, NodeType::Dag) {
        Ok(id) => id,
        Err(ended) => return *ended,
    };
    let limits = Limits::of(call);
    let mut board = Board::new(tasks);
    let scope = Shared::new(call.scope());
    let mut running = FuturesUnordered::new();
    loop {
        for task in board.startable(fail_fast) {
            let node = format!("{}.{}", call.name, task.name);
            connect(machine, call, &board, task, &id);
            board.started.insert(&task.name);
            let (wanted, id, limits, scope) = (board.is_wanted(task), id.as_str(), &limits, &scope);
            running.push(async move {
                let outer = Outer { call, id, scope, limits };
                let ended = if wanted {
                    run_step(machine, outer, task, node).await
                } else {
                    let message = "omitted: depends condition not met".to_owned();
                    Left { machine, outer, step: task, node: &node }.out(Phase::Omitted, message)
                };
                (task, ended)
            });
        }
        let Some((task, ended)) = running.next().await else { break };
        publish(&scope, &format!("tasks.{}", task.name), &ended);
        board.finish(task, ended.phase);
    }
    drop(running);
    match (board.failure(), call.stop.cause()) {
        (None, _) => end(machine, of_steps(machine, call.template, id, &scope)),
        (Some(phase), cause) => {
            let message = cause.map_or_else(String::new, |cause| cause.message().to_owned());
            end(machine, Ended { id, phase, message, outputs: None })
        }
    }
}

fn connect(machine: &Machine, call: &Call<'_>, board: &Board<'_>, task: &Step, id: &str) {
    let child = id_of(&machine.ready.name, &format!("{}.{}", call.name, task.name));
    if board.needed(task).next().is_none() {
        machine.recorder.connect(id, &child);
    }
    for name in board.needed(task) {
        let parent = id_of(&machine.ready.name, &format!("{}.{name}", call.name));
        machine.recorder.connect(&parent, &child);
    }
}

/// Which tasks began and ended, and how.
struct Board<'task> {
    tasks: &'task [Step],
    /// The tasks that each task waits for.
    needed: BTreeMap<&'task str, BTreeSet<&'task str>>,
    /// The tasks that others wait for.
    inner: BTreeSet<&'task str>,
    started: BTreeSet<&'task str>,
    ended: BTreeMap<&'task str, Phase>,
    /// The phase a task hands on: its own, or for a task that was left out the worst of those before it.
    branch: BTreeMap<&'task str, Phase>,
}

impl<'task> Board<'task> {
    fn new(tasks: &'task [Step]) -> Self {
        let needed: BTreeMap<&str, BTreeSet<&str>> = tasks
            .iter()
            .map(|task| {
                let names = task.depends.as_ref().map_or_else(Vec::new, Expression::names);
                (task.name.as_str(), names.into_iter().map(|name| task_of(name).0).collect())
            })
            .collect();
        Self {
            tasks,
            inner: needed.values().flatten().copied().collect(),
            needed,
            started: BTreeSet::new(),
            ended: BTreeMap::new(),
            branch: BTreeMap::new(),
        }
    }

    fn needed(&self, task: &Step) -> impl Iterator<Item = &'task str> {
        self.needed.get(task.name.as_str()).into_iter().flatten().copied()
    }

    /// Returns the tasks whose dependencies have ended.
    fn startable(&self, fail_fast: bool) -> Vec<&'task Step> {
        if fail_fast && self.failure().is_some() {
            return Vec::new();
        }
        self.tasks
            .iter()
            .filter(|task| !self.started.contains(task.name.as_str()))
            .filter(|task| self.needed(task).all(|name| self.ended.contains_key(name)))
            .collect()
    }

    fn is_wanted(&self, task: &Step) -> bool {
        let Some(depends) = &task.depends else { return true };
        if matches!(depends, Expression::All(operands) if operands.is_empty()) {
            return true;
        }
        let lookup = |name: &str| {
            let (task, result) = task_of(name);
            let phase = *self.ended.get(task)?;
            Some(Value::Boolean(match result {
                None => matches!(phase, Phase::Succeeded | Phase::Skipped),
                Some("Succeeded") => phase == Phase::Succeeded,
                Some("Failed") => phase == Phase::Failed,
                Some("Errored") => phase == Phase::Error,
                Some("Skipped") => phase == Phase::Skipped,
                Some("Omitted") => phase == Phase::Omitted,
                Some(_) => return None,
            }))
        };
        evaluate(depends, &Names { scope: &Scope::default(), lookup: &lookup }).unwrap_or(false)
    }

    fn finish(&mut self, task: &'task Step, phase: Phase) {
        let branch = if matches!(phase, Phase::Skipped | Phase::Omitted) {
            let failed = self.needed(task).filter_map(|name| self.branch.get(name).copied());
            failed.filter(|phase| is_failed(*phase)).max().unwrap_or(Phase::Succeeded)
        } else {
            phase
        };
        self.ended.insert(&task.name, phase);
        self.branch.insert(&task.name, branch);
    }

    /// Returns the phase of the first last task whose branch failed.
    fn failure(&self) -> Option<Phase> {
        self.tasks
            .iter()
            .filter(|task| !self.inner.contains(task.name.as_str()))
            .filter_map(|task| self.branch.get(task.name.as_str()).copied())
            .find(|phase| is_failed(*phase))
    }
}
