//! Policies: files of parameters, and the same parameters in an artifact type. The rules are the verifier's own.

use std::collections::BTreeMap;

use arc_engine::TemplateSource;
use arc_engine::yaml::{self, Node, Position, Value};
use arc_evidence::Policy;
use arc_evidence::verify::{PREFIX, ParameterProblem, PolicyFile};
use arc_scan::Gate;

pub(crate) use arc_evidence::verify::{SCAN_SEVERITY, SOURCE_PREFIX};

use crate::finding::{Findings, say};
use crate::object::Object;
use crate::rules;
use crate::source::Parsed;

/// Severities that a gate must refuse, itself or by naming a lower one.
const SEVERE: [&str; 3] = ["LOW", "MEDIUM", "HIGH"];

/// Reads a policy file: exactly one document.
///
/// # Errors
///
/// What is wrong with it, with its place where it has one.
pub fn parse(text: &str) -> Result<PolicyFile, String> {
    let source = TemplateSource { file: String::new(), text: text.to_owned() };
    let documents = yaml::parse(&source).map_err(|problem| {
        format!("line {}, column {}: {}", problem.line, problem.column, problem.message)
    })?;
    let mut documents: Vec<_> =
        documents.into_iter().filter(|document| !matches!(document.value, Value::Null)).collect();
    match (documents.pop(), documents.is_empty()) {
        (Some(document), true) => read(&document).map_err(|(_, message)| message),
        (None, _) => Err("it is empty; a policy has `parameters`".to_owned()),
        (Some(_), false) => Err("it has more than one document; a policy is one".to_owned()),
    }
}

/// Reads one document; or says where it is wrong.
fn read(document: &Node) -> Result<PolicyFile, (Position, String)> {
    if let Some(Value::List(entries)) = document.get("parameters").map(|list| &list.value) {
        for (index, entry) in entries.iter().enumerate() {
            // YAML reads 5 and true as no text; the parser's own message would not say where.
            if let Some(value) = entry.get("value")
                && let Some(literal) = &value.literal
            {
                let name = entry.get("name").and_then(Node::text).unwrap_or_default();
                let message = format!(
                    "parameters[{index}].value: {literal} of {name:?} is not text; put it in quotes"
                );
                return Err((value.at, message));
            }
        }
    }
    serde_json::from_value(document.to_json()).map_err(|error| {
        let message =
            format!("not a policy: {error}; expected `parameters`, a list of name and value");
        (document.at, message)
    })
}

/// Judges a policy file.
pub(crate) fn check(object: &Object<'_>, findings: &mut Findings) {
    let policy = match read(object.node) {
        Ok(policy) => policy,
        Err((at, message)) => {
            let hint = "write `parameters:` with `- {name: …, value: \"…\"}` below it".to_owned();
            return findings.add(object.source, rules::POLICY, at, (message, Some(hint)));
        }
    };
    let problems = policy.to_policy().err().unwrap_or_default();
    let is_gate_told = problems.iter().any(|problem| problem.name == SCAN_SEVERITY);
    for problem in problems {
        // The last place, since that is the one too many where a name stands twice.
        let index = policy.parameters.iter().rposition(|one| one.name == problem.name);
        let at = index
            .map_or(object.node.at, |index| object.value(&format!("parameters[{index}].name")));
        findings.add(object.source, rules::POLICY, at, told(&problem));
    }
    for (index, parameter) in policy.parameters.iter().enumerate() {
        if parameter.name == SCAN_SEVERITY && !is_gate_told {
            let at = object.value(&format!("parameters[{index}].value"));
            gate(object.source, at, &parameter.value, findings);
        }
    }
}

/// What is wrong with the policy in the parameters of a type; it need not have one.
pub(crate) fn of_type(parameters: &BTreeMap<String, String>) -> Vec<ParameterProblem> {
    let mut problems = Vec::new();
    for prefix in [PREFIX, SOURCE_PREFIX] {
        problems.extend(Policy::from_parameters(prefix, parameters).err().into_iter().flatten());
    }
    problems.sort_by(|one, other| one.name.cmp(&other.name));
    problems.dedup();
    // Judged by `gate`, with or without a policy.
    problems.retain(|problem| problem.name != SCAN_SEVERITY);
    problems
}

/// The value is told on one line, unless the message has it already or there is none.
pub(crate) fn told(problem: &ParameterProblem) -> (String, Option<String>) {
    let value = problem.value.lines().next().unwrap_or_default();
    let message = if value.is_empty() || problem.message.contains(value) {
        problem.to_string()
    } else {
        format!("{problem} (it is {value:?})")
    };
    (message, Some(problem.remedy.clone()))
}

/// Judges the severities that a scan refuses.
pub(crate) fn gate(source: &Parsed<'_>, at: Position, value: &str, findings: &mut Findings) {
    // Empty in a template: whoever uses it must say it.
    if value.is_empty() || value.contains("{{") {
        return;
    }
    if let Err(error) = Gate::parse(value) {
        let text = say(format!("{SCAN_SEVERITY}: {error}"), "write, for example, HIGH,CRITICAL");
        return findings.add(source, rules::POLICY, at, text);
    }
    let upper = value.to_ascii_uppercase();
    if SEVERE.iter().all(|severity| !upper.contains(severity)) {
        let text = say(
            format!("images with findings of severity HIGH pass: {SCAN_SEVERITY} is {value:?}"),
            "write HIGH,CRITICAL, or a lower severity",
        );
        findings.add(source, rules::WEAK_GATE, at, text);
    }
}
