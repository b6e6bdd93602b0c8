//! Prints a plan: tables for people, YAML to apply or compare, JSON for machines.

use arc_core::{PlannedParameter, Problem};
use comfy_table::{Table, presets};
use serde_json::{Value, json};

use super::{Held, Planned, Wish};
use crate::report::Failure;

/// Most characters of a value in a table; the whole value is in YAML and JSON.
const SHOWN_CHARS: usize = 60;

/// Prints every order with its deliveries and what is held.
#[expect(clippy::print_stdout, reason = "this is the outcome")]
pub(super) fn text(plans: &[Planned]) {
    let blocks: Vec<_> = plans.iter().map(of_order).collect();
    println!("{}", blocks.join("\n\n"));
}

fn of_order(plan: &Planned) -> String {
    let Planned { order, wishes, held } = plan;
    let number = |count: usize, one: &str, many: &str| {
        format!("{count} {}", if count == 1 { one } else { many })
    };
    let mut blocks = vec![format!(
        "order {order}: {}, {} held",
        number(wishes.len(), "workflow", "workflows"),
        held.len()
    )];
    blocks.extend(wishes.iter().map(of_wish));
    blocks.extend(held.iter().map(of_held));
    blocks.join("\n\n")
}

fn of_wish(wish: &Wish) -> String {
    let (kind, name) = wish.object.called();
    let (scope, template) = wish.object.template();
    let mut lines =
        vec![format!("artifact {:?}: {kind} {name} from {scope} {template}", wish.artifact)];
    if !wish.also_for.is_empty() {
        lines.push(format!("  also for {}", wish.also_for.join(", ")));
    }
    lines.extend(wish.note.iter().map(|note| format!("  not at once: {note}")));
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header([" PARAMETER", "VALUE", "FROM", "INSTEAD OF"]);
    for parameter in &wish.parameters {
        table.add_row([
            format!(" {}", parameter.name),
            shown(&parameter.value),
            parameter.layer.as_str().to_owned(),
            overridden(parameter),
        ]);
    }
    for (name, value) in &wish.defaults {
        let from = "template's default".to_owned();
        table.add_row([format!(" {name}"), shown(value), from, String::new()]);
    }
    lines.extend(table.lines().map(|line| line.trim_end().to_owned()));
    lines.join("\n")
}

/// What the weaker layers said, the strongest first.
fn overridden(parameter: &PlannedParameter) -> String {
    let weaker = parameter.overridden.iter().rev();
    weaker
        .map(|(layer, value)| format!("{} ({})", shown(value), layer.as_str()))
        .collect::<Vec<_>>()
        .join(", ")
}

/// A value on one line.
fn shown(value: &str) -> String {
    let line = value.lines().next().unwrap_or_default();
    let cut: String = line.chars().take(SHOWN_CHARS).collect();
    match (value.is_empty(), cut == value) {
        (true, _) => "\"\"".to_owned(),
        (_, true) => cut,
        _ => format!("{cut}…"),
    }
}

fn of_held(held: &Held) -> String {
    let mut lines = vec![match &held.artifact {
        Some(artifact) => format!("artifact {artifact:?} is held:"),
        None => "the order is held:".to_owned(),
    }];
    for Problem { path, message, hint, reason } in &held.problems {
        lines.push(format!("  {path}: {message} [{reason}]"));
        lines.extend(hint.iter().map(|hint| format!("  hint: {hint}")));
    }
    lines.join("\n")
}

/// Prints the objects as they would be created; what is held goes to standard error.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "this is the outcome")]
pub(super) fn yaml(plans: &[Planned]) -> Result<(), Failure> {
    let mut documents = Vec::new();
    for plan in plans {
        for wish in &plan.wishes {
            let text = crate::yaml::write(&wish.object);
            documents
                .push(text.map_err(|message| Failure::new(crate::report::Exit::Failed, message))?);
        }
        for held in &plan.held {
            eprintln!("order {}: {}", plan.order, of_held(held));
        }
    }
    print!("{}", documents.join("---\n"));
    Ok(())
}

/// Prints everything as one document.
#[expect(clippy::print_stdout, reason = "this is the outcome")]
pub(super) fn json(plans: &[Planned]) {
    let orders: Vec<_> = plans.iter().map(as_json).collect();
    println!("{:#}", json!({"orders": orders}));
}

fn as_json(plan: &Planned) -> Value {
    let workflows: Vec<_> = plan
        .wishes
        .iter()
        .map(|wish| {
            let given = wish.parameters.iter().map(|parameter| {
                let weaker = parameter.overridden.iter().rev();
                let instead_of: Vec<_> = weaker
                    .map(|(layer, value)| json!({"from": layer.as_str(), "value": value}))
                    .collect();
                json!({
                    "name": parameter.name,
                    "value": parameter.value,
                    "from": parameter.layer.as_str(),
                    "insteadOf": instead_of,
                })
            });
            let defaults = wish.defaults.iter().map(|(name, value)| {
            json!({"name": name, "value": value, "from": "template's default", "insteadOf": []})
        });
            json!({
                "artifact": wish.artifact,
                "alsoFor": wish.also_for,
                "notAtOnce": wish.note,
                "workflow": wish.object,
                "parameters": given.chain(defaults).collect::<Vec<_>>(),
            })
        })
        .collect();
    let held: Vec<_> = plan
        .held
        .iter()
        .map(|held| {
            let problems = held.problems.iter().map(|problem| {
                json!({
                    "path": problem.path,
                    "reason": problem.reason,
                    "message": problem.message,
                    "hint": problem.hint,
                })
            });
            json!({"artifact": held.artifact, "problems": problems.collect::<Vec<_>>()})
        })
        .collect();
    json!({"order": plan.order, "workflows": workflows, "held": held})
}
