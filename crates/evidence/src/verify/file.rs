//! Policies as files: the parameters of a `ClusterArtifactType` on their own.

use std::collections::{BTreeMap, btree_map::Entry};

use serde::{Deserialize, Serialize};

use super::{
    parameters::{self, PREFIX, ParameterProblem, SOURCE_PREFIX, problem},
    policy::Policy,
};

/// A policy as a document, YAML or JSON through serde:
///
/// ```
/// # use arc_evidence::verify::PolicyFile;
/// let file: PolicyFile = serde_json::from_str(
///     r#"{"parameters": [{"name": "verifyMaxScanAge", "value": "24h"}]}"#,
/// )?;
/// assert_eq!(file.to_policy().unwrap_err()[0].name, "verifyKeys");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyFile {
    /// The parameters, as a `ClusterArtifactType` has them; others than those of a policy may be among them.
    pub parameters: Vec<PolicyParameter>,
}

/// One parameter of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyParameter {
    /// Its name, such as `verifyKeys`.
    pub name: String,
    /// Its value; an empty one is none.
    pub value: String,
}

impl PolicyFile {
    /// Sets a parameter, whatever it was: for command line options that go before the file.
    pub fn set(&mut self, name: &str, value: &str) {
        self.parameters.retain(|parameter| parameter.name != name);
        self.parameters.push(PolicyParameter { name: name.to_owned(), value: value.to_owned() });
    }

    /// Returns the policy for deliveries.
    ///
    /// # Errors
    /// All problems of the file, those of its source policy included.
    pub fn to_policy(&self) -> Result<Policy, Vec<ParameterProblem>> {
        let (parameters, mut problems) = self.parameters();
        let policy = Policy::from_parameters(PREFIX, &parameters);
        let source = Policy::from_parameters(SOURCE_PREFIX, &parameters);
        let missing = || {
            let message = "it is missing, and without keys nothing is trusted".to_owned();
            vec![problem("verifyKeys", "", message, "give the PEM text of one or more public keys")]
        };
        let policy = policy.and_then(|policy| policy.ok_or_else(missing));
        problems.extend(source.err().into_iter().flatten());
        match policy {
            Ok(policy) if problems.is_empty() => Ok(policy),
            other => {
                problems.extend(other.err().into_iter().flatten());
                problems.sort_by(|a, b| a.name.cmp(&b.name));
                problems.dedup();
                Err(problems)
            }
        }
    }

    /// Returns the policy for what upstream signed; `None` if the file has none.
    ///
    /// # Errors
    /// All problems of the source policy.
    pub fn to_source_policy(&self) -> Result<Option<Policy>, Vec<ParameterProblem>> {
        let (parameters, problems) = self.parameters();
        if problems.is_empty() {
            Policy::from_parameters(SOURCE_PREFIX, &parameters)
        } else {
            Err(problems)
        }
    }

    /// The parameters by name; the same name twice, and names that look like misspelt ones, are problems.
    fn parameters(&self) -> (BTreeMap<String, String>, Vec<ParameterProblem>) {
        let mut parameters = BTreeMap::new();
        let mut problems = Vec::new();
        for PolicyParameter { name, value } in &self.parameters {
            match parameters.entry(name.clone()) {
                Entry::Vacant(entry) => _ = entry.insert(value.clone()),
                Entry::Occupied(_) => {
                    let message = "it is there twice".to_owned();
                    problems.push(problem(name, value, message, "leave one of them out"));
                }
            }
            // `verify…` is dealt with where the policy is read.
            let is_near = |known: &String| known != name && known.eq_ignore_ascii_case(name);
            if !name.to_ascii_lowercase().starts_with(PREFIX)
                && parameters::known_names().any(|known| is_near(&known))
            {
                problems.push(parameters::unknown_name(name, value));
            }
        }
        (parameters, problems)
    }
}
