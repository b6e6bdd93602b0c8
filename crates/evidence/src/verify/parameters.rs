//! Policies as parameters: what a `ClusterArtifactType` says, and the same names in a policy file.
//!
//! Entry: [`Policy::from_parameters`] with [`PREFIX`] for deliveries and [`SOURCE_PREFIX`] for what upstream must
//! have signed, or [`PolicyFile::to_policy`]. Every problem is reported, not the first; an empty value is no value.

use std::{collections::BTreeMap, time::Duration};

use super::policy::{LogPolicy, OrderConstraint, Policy, ScanPolicy};
use crate::{
    keys::PublicKey,
    predicate::{
        PREDICATE_CYCLONEDX, PREDICATE_SLSA_PROVENANCE, PREDICATE_SPDX, PREDICATE_VSA,
        PREDICATE_VULN,
    },
    transparency::LogKey,
};

/// Parameters of the policy for deliveries start with this.
pub const PREFIX: &str = "verify";
/// Parameters of the policy for what upstream signed start with this.
pub const SOURCE_PREFIX: &str = "verifySource";
/// The one parameter of a policy that steps of the pipeline read as well: severities, such as `HIGH,CRITICAL`.
pub const SCAN_SEVERITY: &str = "scanSeverity";

/// What follows [`PREFIX`].
const SUFFIXES: [&str; 8] = [
    "Keys",
    "PredicateTypes",
    "MaxScanAge",
    "MaxAge",
    "Builder",
    "OrderNamespace",
    "OrderName",
    "LogKey",
];
/// What follows [`SOURCE_PREFIX`].
const SOURCE_SUFFIXES: [&str; 3] = ["Keys", "PredicateTypes", "MaxAge"];

/// The short names of predicate types, as `cosign --type` has them, and `vsa`.
const SHORT_NAMES: [(&str, &str); 6] = [
    ("vuln", PREDICATE_VULN),
    ("slsaprovenance1", PREDICATE_SLSA_PROVENANCE),
    ("cyclonedx", PREDICATE_CYCLONEDX),
    ("spdx", PREDICATE_SPDX),
    ("spdxjson", PREDICATE_SPDX),
    ("vsa", PREDICATE_VSA),
];

/// What is wrong with one parameter of a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {message}")]
pub struct ParameterProblem {
    /// Name of the parameter.
    pub name: String,
    /// The first line of its value, cut to what can be shown; empty if it is missing.
    pub value: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub remedy: String,
}

impl Policy {
    /// Builds a policy from parameters: [`PREFIX`] for deliveries, [`SOURCE_PREFIX`] for upstream's evidence.
    ///
    /// Parameters that are not about verification are ignored; unknown ones that start with `verify` are problems.
    /// Returns `None` if no parameter of the prefix has a value: then nothing is asked for.
    ///
    /// # Errors
    /// All problems, in the order of the names.
    pub fn from_parameters(
        prefix: &str,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Option<Self>, Vec<ParameterProblem>> {
        let mut reader = Reader { prefix, parameters, problems: unknown(parameters) };
        let asked = reader.is_asked();
        let policy = reader.policy();
        let mut problems = reader.problems;
        if !asked {
            problems.retain(|problem| !problem.value.is_empty());
        }
        problems.sort_by(|a, b| a.name.cmp(&b.name));
        if problems.is_empty() { Ok(asked.then_some(policy)) } else { Err(problems) }
    }
}

/// Reads one policy and collects what is wrong.
struct Reader<'a> {
    prefix: &'a str,
    parameters: &'a BTreeMap<String, String>,
    problems: Vec<ParameterProblem>,
}

impl Reader<'_> {
    fn is_asked(&self) -> bool {
        suffixes(self.prefix).iter().any(|suffix| self.get(&self.name(suffix)).is_some())
    }

    fn policy(&mut self) -> Policy {
        let mut policy = Policy::new(self.keys());
        policy.require = self.predicate_types().into_iter().collect();
        policy.max_age = self.duration("MaxAge");
        if self.prefix != SOURCE_PREFIX {
            self.delivery(&mut policy);
        }
        policy
    }

    /// What only deliveries can promise.
    fn delivery(&mut self, policy: &mut Policy) {
        let gate = self.severities();
        let max_age = self.duration("MaxScanAge");
        let has_scan = !gate.is_empty() || max_age.is_some();
        policy.scan = has_scan.then_some(ScanPolicy { gate, max_age });
        policy.builder = self.value("Builder");
        let order = OrderConstraint {
            namespace: self.value("OrderNamespace"),
            name: self.value("OrderName"),
        };
        policy.order = Some(order).filter(|order| *order != OrderConstraint::default());
        policy.log = self.log_keys().map(|keys| LogPolicy { keys, required: true });
    }

    fn name(&self, suffix: &str) -> String {
        format!("{}{suffix}", self.prefix)
    }

    /// The value without the space around it; an empty one is none.
    fn get(&self, name: &str) -> Option<String> {
        let value = self.parameters.get(name)?.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    fn value(&self, suffix: &str) -> Option<String> {
        self.get(&self.name(suffix))
    }

    fn problem(&mut self, name: &str, message: String, remedy: &str) {
        let value = self.parameters.get(name).map(String::as_str).unwrap_or_default();
        self.problems.push(problem(name, value, message, remedy));
    }

    fn keys(&mut self) -> Vec<PublicKey> {
        const REMEDY: &str =
            "give the PEM text of one or more public keys, such as the content of cosign.pub";
        let name = self.name("Keys");
        let Some(text) = self.get(&name) else {
            self.problem(
                &name,
                "it is missing, and without keys nothing is trusted".to_owned(),
                REMEDY,
            );
            return Vec::new();
        };
        PublicKey::all_from_pem(&text).unwrap_or_else(|error| {
            self.problem(&name, error.to_string(), REMEDY);
            Vec::new()
        })
    }

    fn log_keys(&mut self) -> Option<Vec<LogKey>> {
        let name = self.name("LogKey");
        let text = self.get(&name)?;
        let read = LogKey::all_from_pem(&text);
        if let Err(error) = &read {
            let remedy = "give the PEM text of the log's public key, ECDSA P-256 or Ed25519";
            self.problem(&name, error.to_string(), remedy);
        }
        read.ok()
    }

    fn predicate_types(&mut self) -> Vec<String> {
        let name = self.name("PredicateTypes");
        let Some(text) = self.get(&name) else { return Vec::new() };
        let mut types = Vec::new();
        for word in text.split(',').map(str::trim) {
            let known = SHORT_NAMES.into_iter().find(|(short, _)| *short == word);
            match known {
                Some((_, uri)) => types.push(uri.to_owned()),
                None if word.contains("://") => types.push(word.to_owned()),
                None => {
                    let short: Vec<_> = SHORT_NAMES.iter().map(|(short, _)| *short).collect();
                    let remedy = format!("write a URI, or one of {}", short.join(", "));
                    self.problem(&name, format!("{word:?} is not a predicate type"), &remedy);
                }
            }
        }
        types
    }

    fn severities(&mut self) -> std::collections::BTreeSet<crate::Severity> {
        let Some(text) = self.get(SCAN_SEVERITY) else { return [].into() };
        let mut gate = std::collections::BTreeSet::new();
        for word in text.split(',').map(str::trim) {
            match word.parse() {
                Ok(severity) => _ = gate.insert(severity),
                Err(error) => {
                    let error: crate::scan_result::ParseSeverity = error;
                    self.problem(
                        SCAN_SEVERITY,
                        error.to_string(),
                        "write, for example, HIGH,CRITICAL",
                    );
                }
            }
        }
        gate
    }

    fn duration(&mut self, suffix: &str) -> Option<Duration> {
        let name = self.name(suffix);
        let text = self.get(&name)?;
        let parsed = parse_duration(&text);
        if parsed.is_none() {
            let message = format!("{text:?} is not a length of time above zero");
            self.problem(&name, message, "write, for example, 24h, 1h30m or 7d");
        }
        parsed
    }
}

fn suffixes(prefix: &str) -> &'static [&'static str] {
    if prefix == SOURCE_PREFIX { &SOURCE_SUFFIXES } else { &SUFFIXES }
}

/// Every name a policy knows.
pub(super) fn known_names() -> impl Iterator<Item = String> {
    let names = |prefix: &'static str| {
        suffixes(prefix).iter().map(move |suffix| format!("{prefix}{suffix}"))
    };
    names(PREFIX).chain(names(SOURCE_PREFIX)).chain([SCAN_SEVERITY.to_owned()])
}

/// Names that start like ours and are not: a misspelt demand would otherwise be no demand.
fn unknown(parameters: &BTreeMap<String, String>) -> Vec<ParameterProblem> {
    let is_unknown = |name: &str| {
        name.to_ascii_lowercase().starts_with(PREFIX) && !known_names().any(|known| known == name)
    };
    let unknown = parameters.iter().filter(|(name, _)| is_unknown(name));
    unknown.map(|(name, value)| unknown_name(name, value)).collect()
}

/// Says which names there are.
pub(super) fn unknown_name(name: &str, value: &str) -> ParameterProblem {
    let known: Vec<_> = known_names().collect();
    let remedy = format!("known names are {}", known.join(", "));
    problem(name, value, "it is not a parameter of a policy".to_owned(), &remedy)
}

/// Makes a problem with a value that fits on a line: of a PEM text only the label, because it may be the wrong,
/// private key.
pub(super) fn problem(name: &str, value: &str, message: String, remedy: &str) -> ParameterProblem {
    const SHOWN: usize = 80;
    ParameterProblem {
        name: name.to_owned(),
        value: value.trim().lines().next().unwrap_or_default().chars().take(SHOWN).collect(),
        message,
        remedy: remedy.to_owned(),
    }
}

/// Reads lengths of time such as `24h`, `1h30m`, `7d`: whole numbers, each with its unit, at least one second.
fn parse_duration(text: &str) -> Option<Duration> {
    let mut seconds = 0_u64;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..end].parse().ok()?;
        let unit = match rest.as_bytes()[end] {
            b'd' => 86_400,
            b'h' => 3600,
            b'm' => 60,
            b's' => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[end + 1..];
    }
    (seconds > 0).then(|| Duration::from_secs(seconds))
}
