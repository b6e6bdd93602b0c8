//! Whom a delivery trusts besides its own key: upstream's keys, and a transparency log.

use std::collections::BTreeMap;

use arc_evidence::verify::SOURCE_PREFIX;
use arc_evidence::{LogKey, Policy};
use reqwest::Url;

use super::Reader;

/// The parameters of the policy for upstream, and the variables that carry them.
const SOURCE_POLICY: [(&str, &str); 3] = [
    ("verifySourceKeys", "VERIFY_SOURCE_KEYS"),
    ("verifySourcePredicateTypes", "VERIFY_SOURCE_PREDICATE_TYPES"),
    ("verifySourceMaxAge", "VERIFY_SOURCE_MAX_AGE"),
];

/// Which interface a log has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogVersion {
    /// Rekor v1: a database behind it, and a promise of the time.
    V1,
    /// Rekor v2: tiles in files, and no time.
    V2,
}

/// A transparency log, and the keys it is known by.
#[derive(Debug, Clone)]
pub struct LogFacts {
    /// Where it is.
    pub url: Url,
    /// Its interface.
    pub version: LogVersion,
    /// The pinned keys; one of them signs the log's trees.
    pub keys: Vec<LogKey>,
}

impl Reader<'_> {
    /// Reads what upstream must have signed.
    pub(super) fn verify_source(&mut self) -> Option<Policy> {
        let parameters: BTreeMap<_, _> = SOURCE_POLICY
            .iter()
            .map(|(parameter, variable)| ((*parameter).to_owned(), self.text(variable)))
            .collect();
        Policy::from_parameters(SOURCE_PREFIX, &parameters).unwrap_or_else(|problems| {
            for problem in problems {
                let known = SOURCE_POLICY.iter().find(|(parameter, _)| *parameter == problem.name);
                let field = known.map_or(problem.name.as_str(), |(_, variable)| variable);
                self.problem(field, problem.message, &problem.remedy);
            }
            None
        })
    }

    /// Reads which log is used; none where no URL is given.
    pub(super) fn log(&mut self) -> Option<LogFacts> {
        let text = self.given("REKOR_URL")?;
        let url = Url::parse(&text).map_err(|error| error.to_string()).and_then(usable);
        let url = match url {
            Ok(url) => Some(url),
            Err(problem) => {
                let hint = "write the log's address, such as https://rekor.example";
                self.problem("REKOR_URL", problem, hint);
                None
            }
        };
        let version = match self.text("REKOR_VERSION").as_str() {
            "" | "2" => Some(LogVersion::V2),
            "1" => Some(LogVersion::V1),
            other => {
                let message = format!("there is no Rekor of version {other:?}");
                self.problem("REKOR_VERSION", message, "write 2, or 1 for older logs");
                None
            }
        };
        let keys = match LogKey::all_from_pem(&self.text("REKOR_PUBLIC_KEY")) {
            Ok(keys) => Some(keys),
            Err(error) => {
                let hint =
                    "give the PEM text of the log's public key; an answer is only believed with it";
                self.problem("REKOR_PUBLIC_KEY", error.to_string(), hint);
                None
            }
        };
        Some(LogFacts { url: url?, version: version?, keys: keys? })
    }
}

/// Refuses addresses that cannot be a log's, and logins, which would end up in messages.
fn usable(url: Url) -> Result<Url, String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("{:?} is not a scheme of a log", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it contains a login".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it has a query or a fragment".to_owned());
    }
    Ok(url)
}
