//! Follows who calls whom: every template exists, gets its inputs, and the calls end.

use std::collections::{BTreeMap, BTreeSet};

use super::order::{stuck, task_of};
use super::{InFile, Ready, steps_of};
use crate::expression::Expression;
use crate::template::{Kind, Name, Template};

/// Calls inside calls; every level is a recursion of the engine.
pub(crate) const MAX_TEMPLATE_DEPTH: usize = 32;
/// Nodes of one workflow's status; Argo itself fails near a thousand, because an object must fit into etcd.
pub(crate) const MAX_NODES: usize = 10_000;

/// What `depends` may ask about a task.
const RESULTS: [&str; 5] = ["Succeeded", "Failed", "Errored", "Skipped", "Omitted"];

/// Checks the calls of a workflow.
pub(super) fn check(ready: &Ready, file: &mut InFile<'_>) {
    let spec = ready.spec();
    for template in spec.templates.values() {
        check_tasks(template, file);
        check_inputs(ready, template, file);
    }
    if spec.entrypoint.is_none() {
        file.refuse(
            crate::problem::Position::default(),
            "spec: `entrypoint` is missing".to_owned(),
        );
    }
    let mut walk = Walk { ready, file, known: BTreeMap::new(), path: Vec::new() };
    let mut nodes = 0_usize;
    for entry in [&spec.entrypoint, &spec.on_exit].into_iter().flatten() {
        walk.entry(entry);
        nodes = nodes.saturating_add(walk.known.get(&entry.text).map_or(0, |size| size.nodes));
    }
    if nodes > MAX_NODES {
        file.refuse(
            crate::problem::Position::default(),
            format!("the workflow has more than {MAX_NODES} nodes"),
        );
    }
}

/// How big a template's calls are.
#[derive(Clone, Copy, Default)]
struct Size {
    depth: usize,
    nodes: usize,
}

struct Walk<'ready, 'file, 'problems> {
    ready: &'ready Ready,
    file: &'problems mut InFile<'file>,
    known: BTreeMap<String, Size>,
    path: Vec<String>,
}

impl Walk<'_, '_, '_> {
    fn entry(&mut self, name: &Name) {
        let template = self.ready.spec().templates.get(&name.text).cloned();
        let Some(template) = template else {
            self.file.refuse(name.at, format!("template {:?} does not exist", name.text));
            return;
        };
        for input in &template.inputs {
            if input.default.is_none() && !self.ready.parameters.contains_key(&input.name) {
                let message = format!(
                    "template {:?}: inputs.parameters.{} was not supplied",
                    name.text, input.name
                );
                self.file.refuse(name.at, message);
            }
        }
        self.size(&template, name);
    }

    /// Returns the size of a template's calls; `name` is where it is called.
    fn size(&mut self, template: &Template, name: &Name) -> Size {
        if let Some(size) = self.known.get(&template.name) {
            return *size;
        }
        if self.path.contains(&template.name) {
            let circle = format!("{} → {}", self.path.join(" → "), template.name);
            self.file
                .refuse(name.at, format!("template {:?} calls itself: {circle}", template.name));
            return Size::default();
        }
        if self.path.len() >= MAX_TEMPLATE_DEPTH {
            self.file.refuse(name.at, format!("calls nest deeper than {MAX_TEMPLATE_DEPTH}"));
            return Size::default();
        }
        self.path.push(template.name.clone());
        let mut size = Size { depth: 1, nodes: own_nodes(template) };
        for (_, step) in steps_of(template) {
            let called = self.ready.spec().templates.get(&step.template.text).cloned();
            let Some(called) = called else { continue };
            let inner = self.size(&called, &step.template);
            size.depth = size.depth.max(inner.depth.saturating_add(1));
            size.nodes = size.nodes.saturating_add(inner.nodes);
        }
        self.path.pop();
        if size.depth + self.path.len() > MAX_TEMPLATE_DEPTH {
            self.file.refuse(name.at, format!("calls nest deeper than {MAX_TEMPLATE_DEPTH}"));
        }
        self.known.insert(template.name.clone(), size);
        size
    }
}

fn own_nodes(template: &Template) -> usize {
    match &template.kind {
        Kind::Steps(groups) => 1 + groups.len(),
        Kind::Pod(pod) if pod.is_set => 1 + pod.containers.len(),
        Kind::Pod(_) | Kind::Dag { .. } => 1,
    }
}

/// Every call names a template that exists and gives it what it needs.
fn check_inputs(ready: &Ready, template: &Template, file: &mut InFile<'_>) {
    for (_, step) in steps_of(template) {
        let Some(called) = ready.spec().templates.get(&step.template.text) else {
            let message =
                format!("step {:?}: template {:?} does not exist", step.name, step.template.text);
            file.refuse(step.template.at, message);
            continue;
        };
        for input in &called.inputs {
            let given = step.arguments.iter().any(|argument| argument.name == input.name);
            if input.default.is_none() && !given {
                let message = format!(
                    "step {:?}: inputs.parameters.{} was not supplied",
                    step.name, input.name
                );
                file.refuse(step.at, message);
            }
        }
        let mut seen = BTreeSet::new();
        for argument in &step.arguments {
            if !seen.insert(&argument.name) {
                file.refuse(argument.at, format!("argument {:?} is given twice", argument.name));
            }
        }
    }
}

/// Tasks and containers depend on things that exist, and not on themselves.
fn check_tasks(template: &Template, file: &mut InFile<'_>) {
    let mut dependencies: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut uses = Vec::new();
    match &template.kind {
        Kind::Steps(_) => return,
        Kind::Dag { tasks, .. } => {
            for task in tasks {
                let names = task.depends.as_ref().map_or_else(Vec::new, Expression::names);
                for name in &names {
                    check_result(name, task.at, file);
                }
                let names: BTreeSet<&str> = names.into_iter().map(|name| task_of(name).0).collect();
                uses.extend(names.iter().map(|name| (*name, task.at)));
                dependencies.insert(&task.name, names);
            }
        }
        Kind::Pod(pod) => {
            for container in &pod.containers {
                let names: BTreeSet<&str> =
                    container.dependencies.iter().map(|name| name.text.as_str()).collect();
                uses.extend(
                    container.dependencies.iter().map(|name| (name.text.as_str(), name.at)),
                );
                dependencies.insert(&container.name, names);
            }
        }
    }
    for (name, at) in uses {
        if !dependencies.contains_key(name) {
            file.refuse(
                at,
                format!("template {:?}: dependency {name:?} does not exist", template.name),
            );
        }
    }
    let stuck = stuck(&dependencies);
    if !stuck.is_empty() {
        let names: Vec<String> = stuck.into_iter().collect();
        let message =
            format!("template {:?}: {} wait for each other", template.name, names.join(", "));
        file.refuse(template.at, message);
    }
}

fn check_result(name: &str, at: crate::problem::Position, file: &mut InFile<'_>) {
    if let (_, Some(result)) = task_of(name)
        && !RESULTS.contains(&result)
    {
        file.refuse_with_hint(
            at,
            format!("depends: `{name}` is not supported by `arc run`"),
            "ask for Succeeded, Failed, Errored, Skipped or Omitted",
        );
    }
}
