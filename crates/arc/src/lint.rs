//! `arc lint`: what is wrong with a file before anybody relies on it.
//!
//! Knows policy files, and the policy in the parameters of an `ArtifactType` or `ClusterArtifactType`. Everything is
//! reported at once, by file, line and column; the rules are those of the verifier itself.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use arc_evidence::Policy;
use arc_evidence::verify::{PREFIX, ParameterProblem, PolicyFile, SOURCE_PREFIX};
use arc_steps::Exit;
use serde_json::Value;

use crate::cli::Lint;
use crate::registry_access::read;
use crate::report::Failure;

/// Largest text read from standard input.
const MAX_INPUT: u64 = 16 << 20;

/// One thing that is wrong.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    /// 1-based line and column, where the text shows the place.
    place: Option<(usize, usize)>,
    message: String,
    remedy: Option<String>,
}

/// Runs the command.
#[expect(clippy::print_stdout, reason = "the findings are the outcome")]
pub(crate) fn run(args: &Lint) -> Result<Exit, Failure> {
    let mut problems = 0;
    for path in &args.files {
        let name = if path == Path::new("-") {
            "standard input".into()
        } else {
            path.display().to_string()
        };
        let findings = lint(&text(path)?);
        problems += findings.len();
        for finding in findings {
            let place = finding.place.map(|(line, column)| format!(":{line}:{column}"));
            println!("{name}{}: {}", place.unwrap_or_default(), finding.message);
            if let Some(remedy) = finding.remedy {
                println!("  hint: {remedy}");
            }
        }
    }
    match problems {
        0 => {
            let files = args.files.len();
            println!("{files} file{} checked, nothing is wrong", if files == 1 { "" } else { "s" });
            Ok(Exit::Done)
        }
        1 => Err(Failure::new(Exit::WrongInput, "1 problem")),
        _ => Err(Failure::new(Exit::WrongInput, format!("{problems} problems"))),
    }
}

/// Reads a policy file: exactly one document.
pub(crate) fn parse_policy(text: &str) -> Result<PolicyFile, String> {
    let mut documents = crate::yaml::documents(text)?;
    match (documents.pop(), documents.is_empty()) {
        (Some(document), true) => read_policy(document),
        (None, _) => Err("it is empty; a policy has `parameters`".to_owned()),
        (Some(_), false) => Err("it has more than one document; a policy is one".to_owned()),
    }
}

fn read_policy(document: Value) -> Result<PolicyFile, String> {
    let entries = document["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (index, entry) in entries.iter().enumerate() {
        // YAML reads 5 and true as no text; the parser's own message would not say where.
        if let Some(value) = entry.get("value").filter(|value| !value.is_string()) {
            let name = entry["name"].as_str().unwrap_or_default();
            return Err(format!(
                "parameters[{index}].value: {value} of {name:?} is not text; put it in quotes"
            ));
        }
    }
    serde_json::from_value(document).map_err(|error| {
        format!("not a policy: {error}; expected `parameters`, a list of name and value")
    })
}

fn text(path: &Path) -> Result<String, Failure> {
    if path != Path::new("-") {
        return read(path);
    }
    let mut text = String::new();
    let read = std::io::stdin().lock().take(MAX_INPUT).read_to_string(&mut text);
    read.map_err(|error| Failure::failed(&error))?;
    Ok(text)
}

fn lint(text: &str) -> Vec<Finding> {
    let documents = match crate::yaml::documents(text) {
        Ok(documents) => documents,
        Err(message) => return vec![whole(message)],
    };
    let documents: Vec<_> = documents.into_iter().filter(|document| !document.is_null()).collect();
    if documents.is_empty() {
        return vec![whole("there is nothing in it; a policy has `parameters`".to_owned())];
    }
    documents.into_iter().flat_map(|document| lint_document(document, text)).collect()
}

fn lint_document(document: Value, text: &str) -> Vec<Finding> {
    match document["kind"].as_str().map(str::to_owned) {
        None => match read_policy(document) {
            Ok(policy) => located(policy.to_policy().err().unwrap_or_default(), text),
            Err(message) => vec![whole(message)],
        },
        Some(kind) if matches!(kind.as_str(), "ArtifactType" | "ClusterArtifactType") => {
            located(lint_type(&document), text)
        }
        Some(kind) => {
            let known = "a policy file, ArtifactType or ClusterArtifactType";
            vec![whole(format!("{kind:?} cannot be checked yet; expected {known}"))]
        }
    }
}

/// A type need not have a policy; what it has must be right.
fn lint_type(document: &Value) -> Vec<ParameterProblem> {
    let entries = document["spec"]["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let pair = |entry: &Value| {
        Some((entry["name"].as_str()?.to_owned(), entry["value"].as_str()?.to_owned()))
    };
    let parameters: BTreeMap<_, _> = entries.iter().filter_map(pair).collect();
    let mut problems = Vec::new();
    for prefix in [PREFIX, SOURCE_PREFIX] {
        problems.extend(Policy::from_parameters(prefix, &parameters).err().into_iter().flatten());
    }
    problems.sort_by(|one, other| one.name.cmp(&other.name));
    problems.dedup();
    problems
}

fn whole(message: String) -> Finding {
    Finding { place: None, message, remedy: None }
}

fn located(problems: Vec<ParameterProblem>, text: &str) -> Vec<Finding> {
    problems
        .into_iter()
        .map(|problem| Finding {
            place: place(&problem.name, text),
            message: told(&problem),
            remedy: Some(problem.remedy),
        })
        .collect()
}

/// The value is told on one line, unless the message has it already or there is none.
fn told(problem: &ParameterProblem) -> String {
    let value = problem.value.lines().next().unwrap_or_default();
    if value.is_empty() || problem.message.contains(value) {
        return problem.to_string();
    }
    format!("{problem} (it is {value:?})")
}

/// Finds where a parameter is named; the last place, since that is the one too many where a name stands twice.
fn place(name: &str, text: &str) -> Option<(usize, usize)> {
    let mut found = None;
    for (number, line) in text.lines().enumerate() {
        let is_end =
            |letter: Option<char>| letter.is_none_or(|letter| !letter.is_ascii_alphanumeric());
        for (at, _) in line.match_indices(name) {
            let is_named = line[..at].contains("name");
            let is_whole = is_end(line[at + name.len()..].chars().next())
                && is_end(line[..at].chars().next_back());
            if is_named && is_whole {
                found = Some((number + 1, line[..at].chars().count() + 1));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str) -> Vec<String> {
        let show = |finding: Finding| match finding.place {
            Some((line, column)) => format!("{line}:{column}: {}", finding.message),
            None => finding.message,
        };
        lint(text).into_iter().map(show).collect()
    }

    #[test]
    fn problems_have_a_place_a_name_and_a_value() {
        let text = "parameters:\n- name: verifyKeys\n  value: nonsense\n- {name: verifyMaxScanAge, value: soon}\n- name: verifyBulider\n  value: x\n";
        let found = messages(text);
        assert_eq!(found.len(), 3, "{found:#?}");
        assert!(
            found[0].starts_with("5:9: verifyBulider: it is not a parameter of a policy"),
            "{found:#?}"
        );
        assert!(found[1].starts_with("2:9: verifyKeys: "), "{found:#?}");
        assert_eq!(found[2], "4:10: verifyMaxScanAge: \"soon\" is not a length of time above zero");
    }

    #[test]
    fn what_is_no_policy_is_said_to_be_none() {
        for (text, expected) in [
            ("", "there is nothing in it; a policy has `parameters`"),
            (
                "parameters:\n- {name: a, value: b}\n- {name: verifyMaxScanAge, value: 5}",
                "parameters[1].value: 5 of \"verifyMaxScanAge\" is not text; put it in quotes",
            ),
            (
                "kind: Order",
                "\"Order\" cannot be checked yet; expected a policy file, ArtifactType or ClusterArtifactType",
            ),
        ] {
            assert_eq!(messages(text), [expected]);
        }
        assert!(
            messages("parameter: []")[0].starts_with("not a policy: unknown field `parameter`")
        );
        assert!(messages("a: [")[0].contains("line"), "{:?}", messages("a: ["));
    }

    #[test]
    fn a_type_without_a_policy_is_fine_and_one_with_half_a_policy_is_not() {
        let of = |parameters: &str| {
            messages(&format!(
                "apiVersion: x/v1\nkind: ClusterArtifactType\nspec:\n  parameters:\n{parameters}"
            ))
        };
        assert_eq!(of("  - {name: scanSeverity, value: HIGH}\n"), [""; 0]);
        let found = of("  - {name: verifySourcePredicateTypes, value: vuln}\n");
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].contains("verifySourceKeys"), "{found:#?}");
    }
}
