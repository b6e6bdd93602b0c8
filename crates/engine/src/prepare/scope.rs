//! Checks that every placeholder will be filled in.

use std::collections::{BTreeMap, BTreeSet};

use super::order::{ancestors, task_of};
use super::{InFile, Ready, steps_of};
use crate::expression::Expression;
use crate::template::{Kind, OutputSource, Step, Template};
use crate::text::{Scope, Text, sibling};

/// What `{{workflow.…}}` offers besides its parameters.
const WORKFLOW_FIELDS: [&str; 5] = [
    "workflow.name",
    "workflow.namespace",
    "workflow.uid",
    "workflow.creationTimestamp",
    "workflow.status",
];

/// What Argo fills in for the containers of a pod.
const POD_FIELDS: [&str; 3] = ["pod.name", "node.name", "retries"];

/// Checks the placeholders of every template.
pub(super) fn check(ready: &Ready, known: &Scope, file: &mut InFile<'_>) {
    for template in ready.spec().templates.values() {
        let checks = Checks { ready, known, template };
        checks.pod(file);
        checks.steps(file);
        checks.outputs(file);
    }
}

/// Returns every text of a template.
pub(super) fn texts(template: &Template) -> Vec<&Text> {
    let mut texts = Vec::new();
    if let Kind::Pod(pod) = &template.kind {
        for container in &pod.containers {
            texts.push(&container.image);
            texts.extend(container.command.iter().chain(&container.args));
            texts.extend(container.env.iter().map(|(_, value)| value));
            texts.extend(&container.source);
        }
    }
    for (_, step) in steps_of(template) {
        texts.extend(texts_of_step(step));
    }
    for output in &template.outputs {
        if let OutputSource::Parameter(text) = &output.source {
            texts.push(text);
        }
    }
    texts
}

fn texts_of_step(step: &Step) -> impl Iterator<Item = &Text> {
    step.arguments
        .iter()
        .map(|argument| &argument.value)
        .chain(step.when.iter().map(|when| &when.text))
}

struct Checks<'ready> {
    ready: &'ready Ready,
    known: &'ready Scope,
    template: &'ready Template,
}

impl Checks<'_> {
    fn pod(&self, file: &mut InFile<'_>) {
        let Kind::Pod(pod) = &self.template.kind else { return };
        for container in &pod.containers {
            let inner = container
                .command
                .iter()
                .chain(&container.args)
                .chain(&container.source)
                .chain(container.env.iter().map(|(_, value)| value));
            for text in inner {
                self.text(text, &BTreeSet::new(), file);
            }
            for text in std::iter::once(&container.image).chain(container.command.first()) {
                if super::known_before_run(text, self.known).is_none() {
                    file.refuse_with_hint(
                        text.at,
                        format!(
                            "container {:?}: image and program must be known before anything runs",
                            container.name
                        ),
                        "use {{workflow.parameters.…}} or the name itself",
                    );
                }
            }
        }
    }

    fn steps(&self, file: &mut InFile<'_>) {
        let steps = steps_of(self.template);
        let dependencies: BTreeMap<&str, BTreeSet<&str>> = steps
            .iter()
            .map(|(_, step)| {
                let names = step.depends.as_ref().map_or_else(Vec::new, Expression::names);
                (step.name.as_str(), names.into_iter().map(|name| task_of(name).0).collect())
            })
            .collect();
        for (group, step) in &steps {
            let before: BTreeSet<&str> = match &self.template.kind {
                Kind::Dag { .. } => ancestors(&step.name, &dependencies),
                Kind::Steps(_) | Kind::Pod(_) => steps
                    .iter()
                    .filter(|(other, _)| other < group)
                    .map(|(_, step)| step.name.as_str())
                    .collect(),
            };
            for text in texts_of_step(step) {
                self.text(text, &before, file);
            }
        }
    }

    fn outputs(&self, file: &mut InFile<'_>) {
        let steps = steps_of(self.template);
        let all: BTreeSet<&str> = steps.iter().map(|(_, step)| step.name.as_str()).collect();
        for output in &self.template.outputs {
            match (&output.source, &self.template.kind) {
                (OutputSource::Parameter(text), Kind::Steps(_) | Kind::Dag { .. }) => {
                    self.text(text, &all, file);
                }
                (OutputSource::Path(_), Kind::Pod(pod)) => {
                    if pod.containers.iter().all(|container| container.name != "main") {
                        file.refuse(
                            output.at,
                            format!(
                                "template {:?}: outputs are read from a container called \"main\", and there is none",
                                self.template.name
                            ),
                        );
                    }
                }
                (OutputSource::Path(_), _) => file.refuse(
                    output.at,
                    format!("output {:?}: only containers have files", output.name),
                ),
                (OutputSource::Parameter(_), Kind::Pod(_)) => file.refuse(
                    output.at,
                    format!(
                        "output {:?}: only steps and tasks have outputs to refer to",
                        output.name
                    ),
                ),
            }
        }
    }

    fn text(&self, text: &Text, siblings: &BTreeSet<&str>, file: &mut InFile<'_>) {
        for name in text.references() {
            if !self.is_known(name, siblings) {
                file.refuse_with_hint(
                    text.at,
                    format!("template {:?}: failed to resolve {{{{{name}}}}}", self.template.name),
                    "`arc run` knows inputs.parameters, workflow.parameters, workflow.name, namespace, uid, creationTimestamp and status, and status, exitCode, id and outputs of steps and tasks that ended before",
                );
            }
        }
    }

    fn is_known(&self, name: &str, siblings: &BTreeSet<&str>) -> bool {
        if WORKFLOW_FIELDS.contains(&name) {
            return true;
        }
        if POD_FIELDS.contains(&name) {
            return matches!(self.template.kind, Kind::Pod(_));
        }
        if let Some(input) = name.strip_prefix("inputs.parameters.") {
            return self.template.inputs.iter().any(|parameter| parameter.name == input);
        }
        if let Some(parameter) = name.strip_prefix("workflow.parameters.") {
            return self.ready.parameters.contains_key(parameter);
        }
        let Some((root, step, what)) = sibling(name) else { return false };
        let expected = match self.template.kind {
            Kind::Steps(_) => "steps",
            Kind::Dag { .. } => "tasks",
            Kind::Pod(_) => return false,
        };
        root == expected && siblings.contains(step) && self.gives(step, what)
    }

    /// Whether a step's status has `what`.
    fn gives(&self, step: &str, what: &str) -> bool {
        if matches!(what, "status" | "exitCode" | "id" | "outputs.result") {
            return true;
        }
        let steps = steps_of(self.template);
        let called = steps
            .iter()
            .find(|(_, other)| other.name == step)
            .and_then(|(_, step)| self.ready.spec().templates.get(&step.template.text));
        let Some(parameter) = what.strip_prefix("outputs.parameters.") else { return false };
        called.is_some_and(|template| template.outputs.iter().any(|one| one.name == parameter))
    }
}
