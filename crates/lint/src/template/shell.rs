//! Shells and other interpreters: values of an order must never become part of what they run.

use arc_engine::yaml::{Node, Position};

use super::Container;
use crate::finding::{Findings, say};
use crate::object::Object;
use crate::rules;
use crate::world::placeholders;

/// Programs that run the text after `-c`.
const SHELLS: [&str; 13] = [
    "ash", "bash", "busybox", "dash", "fish", "ksh", "mksh", "pwsh", "python", "python2",
    "python3", "sh", "zsh",
];
/// Programs that run the text after `-e`.
const INTERPRETERS: [&str; 3] = ["node", "perl", "ruby"];
/// How far into a command line a shell may hide, behind `env` or an init program.
const MAX_WRAPPERS: usize = 4;

/// Judges one container.
pub(super) fn check(object: &Object<'_>, container: &Container<'_>, findings: &mut Findings) {
    let Some(script) = script(container) else { return };
    for (whole, name) in placeholders(script.text().unwrap_or_default()) {
        if !is_of_somebody(name) {
            continue;
        }
        let message = format!("{}: {whole} becomes part of a script", container.called());
        let hint = "put it into `env` and read it there as \"$NAME\", in quotes";
        let at = place_of(object, script, whole);
        findings.add(object.source, rules::SHELL_INJECTION, at, say(message, hint));
    }
}

/// Whether a container runs a shell at all.
pub(super) fn runs_shell(container: &Container<'_>) -> bool {
    container.is_script || shell(container).is_some()
}

/// The text that an interpreter runs.
fn script<'n>(container: &Container<'n>) -> Option<&'n Node> {
    if container.is_script {
        return container.node.get("source");
    }
    let (at, flag) = shell(container)?;
    let arguments = container.arguments();
    let rest = arguments.into_iter().skip(at + 1);
    let mut after = rest.skip_while(|argument| !is_flag(argument.text().unwrap_or_default(), flag));
    after.next()?;
    after.next()
}

/// Where in the command line an interpreter stands, and the flag before its script.
fn shell(container: &Container<'_>) -> Option<(usize, char)> {
    container.arguments().iter().take(MAX_WRAPPERS).enumerate().find_map(|(at, argument)| {
        let program = argument.text()?.rsplit('/').next()?;
        let flag = if SHELLS.contains(&program) {
            'c'
        } else if INTERPRETERS.contains(&program) {
            'e'
        } else {
            return None;
        };
        Some((at, flag))
    })
}

/// Whether an argument is `-c`, or `-euc` and its like.
fn is_flag(argument: &str, flag: char) -> bool {
    let Some(letters) = argument.strip_prefix('-') else { return false };
    !letters.starts_with('-')
        && letters.chars().all(|letter| letter.is_ascii_alphabetic())
        && letters.ends_with(flag)
}

/// Whether somebody outside of the template decides what a placeholder stands for.
///
/// Names, uids, phases, exit codes and paths have no letters that a shell would understand.
fn is_of_somebody(name: &str) -> bool {
    name.starts_with('=')
        || name == "item"
        || name.starts_with("item.")
        || name.starts_with("inputs.parameters.")
        || name.starts_with("workflow.parameters")
        || name.starts_with("workflow.labels")
        || name.starts_with("workflow.annotations")
        || ["steps.", "tasks."].iter().any(|root| name.starts_with(root))
            && name.contains(".outputs.")
}

/// The place of a placeholder in a text of several lines; the place of the text where it cannot be found.
fn place_of(object: &Object<'_>, node: &Node, whole: &str) -> Position {
    let from = usize::try_from(node.at.line).unwrap_or_default().saturating_sub(1);
    for (index, line) in object.source.lines.iter().enumerate().skip(from) {
        if let Some((before, _)) = line.split_once(whole) {
            let column = before.chars().count() as u64 + 1;
            return Position { line: index as u64 + 1, column };
        }
    }
    node.at
}
