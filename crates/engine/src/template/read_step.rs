//! Reads `steps` and `dag`: who runs what, after whom, with which arguments.

use std::collections::BTreeSet;

use super::read::{name, names};
use super::{Argument, Kind, Step, When};
use crate::expression::{self, Dialect, Expression};
use crate::fields::{Fields, Reader};
use crate::text::Text;
use crate::yaml::Node;

/// Steps or tasks of one template; Argo itself fails near a thousand nodes.
const MAX_STEPS: usize = 1000;
/// Dependencies between the tasks of one template, which are followed once for each task.
const MAX_DEPENDENCIES: usize = 10_000;

/// Reads a `steps` template.
pub(super) fn steps(reader: &mut Reader<'_>, node: &Node) -> Vec<Vec<Step>> {
    let mut seen = BTreeSet::new();
    let mut groups = Vec::new();
    for group in reader.list(node, "steps") {
        let mut steps = Vec::new();
        for node in reader.list(group, "steps") {
            let mut fields = reader.map(node, "step");
            let step = step(reader, &mut fields);
            reader.finish(fields);
            steps.extend(step.filter(|step| is_new(reader, step, &mut seen)));
        }
        groups.push(steps);
    }
    limit(reader, node, seen.len().max(groups.len()), MAX_STEPS);
    groups
}

/// Reads a `dag` template.
pub(super) fn dag(reader: &mut Reader<'_>, node: &Node) -> Kind {
    let mut fields = reader.map(node, "dag");
    let fail_fast = fields.take("failFast").and_then(|node| reader.boolean(node, "failFast"));
    let mut seen = BTreeSet::new();
    let mut tasks = Vec::new();
    if let Some(list) = fields.require(reader, "tasks") {
        for node in reader.list(list, "tasks") {
            let mut fields = reader.map(node, "task");
            let task = step(reader, &mut fields);
            let depends = depends(reader, &mut fields);
            reader.finish(fields);
            let task = task.map(|task| Step { depends, ..task });
            tasks.extend(task.filter(|task| is_new(reader, task, &mut seen)));
        }
    }
    reader.finish(fields);
    limit(reader, node, tasks.len(), MAX_STEPS);
    let names = tasks.iter().filter_map(|task: &Step| task.depends.as_ref());
    limit(reader, node, names.map(|depends| depends.names().len()).sum(), MAX_DEPENDENCIES);
    Kind::Dag { tasks, fail_fast: fail_fast.unwrap_or(true) }
}

fn limit(reader: &mut Reader<'_>, node: &Node, number: usize, most: usize) {
    if number > most {
        reader.refuse(node.at, format!("more than {most} steps or dependencies in one template"));
    }
}

fn is_new(reader: &mut Reader<'_>, step: &Step, seen: &mut BTreeSet<String>) -> bool {
    let new = seen.insert(step.name.clone());
    if !new {
        reader.refuse(step.at, format!("there is another step {:?}", step.name));
    }
    new
}

fn step(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> Option<Step> {
    let step_name = fields.require(reader, "name").and_then(|node| name(reader, node, "name"));
    if let Some(name) = &step_name {
        fields.what = format!("{} {:?}", fields.what, name.text);
    }
    // A step with `templateRef` or `inline` is refused under that name, not for its missing `template`.
    let template = if fields.has("templateRef") || fields.has("inline") {
        None
    } else {
        fields.require(reader, "template").and_then(|node| name(reader, node, "template"))
    };
    let arguments = fields
        .take("arguments")
        .map_or_else(Vec::new, |node| arguments(reader, node, &fields.what.clone()));
    let when = fields.take("when").and_then(|node| when(reader, node));
    let step_name = step_name?;
    Some(Step {
        name: step_name.text,
        at: step_name.at,
        template: template?,
        arguments,
        when,
        depends: None,
    })
}

fn arguments(reader: &mut Reader<'_>, node: &Node, what: &str) -> Vec<Argument> {
    let mut fields = reader.map(node, format!("{what}: arguments"));
    let mut arguments = Vec::new();
    if let Some(list) = fields.take("parameters") {
        for node in reader.list(list, what) {
            let mut fields = reader.map(node, format!("{what}: arguments"));
            let name = fields.require(reader, "name").and_then(|node| name(reader, node, what));
            if !fields.has("valueFrom") && !fields.has("value") {
                reader.refuse(node.at, format!("{what}: an argument has no `value`"));
            }
            let value = fields.take("value").and_then(|node| reader.text(node, what));
            reader.finish(fields);
            arguments.extend(name.zip(value).map(|(name, value)| Argument {
                name: name.text,
                at: name.at,
                value,
            }));
        }
    }
    reader.finish(fields);
    arguments
}

fn when(reader: &mut Reader<'_>, node: &Node) -> Option<When> {
    let text = reader.text(node, "when")?;
    let expression = expression(reader, &text, Dialect::When, "when")?;
    Some(When { text, expression })
}

/// `dependencies: [a, b]` is `depends: a && b`.
fn depends(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> Option<Expression> {
    let dependencies = fields.take("dependencies");
    let depends = fields.take("depends");
    match (dependencies, depends) {
        (Some(_), Some(node)) => {
            reader.refuse(node.at, "cannot use both `depends` and `dependencies`");
            None
        }
        (Some(node), None) => {
            let names = names(reader, node, "dependencies");
            Some(Expression::All(
                names.into_iter().map(|name| Expression::Name(name.text)).collect(),
            ))
        }
        (None, Some(node)) => {
            let text = reader.text(node, "depends")?;
            expression(reader, &text, Dialect::Depends, "depends")
        }
        (None, None) => None,
    }
}

/// Parses an expression; an error is a problem at the text's place.
pub(super) fn expression(
    reader: &mut Reader<'_>,
    text: &Text,
    dialect: Dialect,
    what: &str,
) -> Option<Expression> {
    match expression::parse(text, dialect) {
        Ok(expression) => Some(expression),
        Err(error) => {
            reader.refuse_with_hint(
                text.at,
                format!("{what}: {error}"),
                match dialect {
                    Dialect::When => {
                        "`arc run` knows ==, !=, <, <=, >, >=, =~, in (…), &&, ||, !, words, numbers and quoted text"
                    }
                    Dialect::Depends => "`arc run` knows task, task.Succeeded, &&, ||, ! and brackets",
                    Dialect::Retry => {
                        "`arc run` knows comparisons of lastRetry.exitCode, lastRetry.status and lastRetry.message, asInt(…), &&, || and !"
                    }
                },
            );
            None
        }
    }
}
