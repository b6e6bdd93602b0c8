//! What a verifier demands.

use std::{collections::BTreeSet, time::Duration};

use crate::{keys::PublicKey, scan_result::Severity, transparency::LogKey};

/// What must hold for a digest to be accepted.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The key set: every counted signature was made by one of these.
    pub keys: Vec<PublicKey>,
    /// Whether the image itself must be signed; true unless only upstream attestations are of interest.
    pub require_signature: bool,
    /// Predicate types of which a valid attestation must exist.
    pub require: BTreeSet<String>,
    /// What the newest valid vulnerability attestation must say; it must exist if this is set.
    pub scan: Option<ScanPolicy>,
    /// The `builder.id` that a valid provenance must name.
    pub builder: Option<String>,
    /// The order that the same provenance must name.
    pub order: Option<OrderConstraint>,
    /// Longest age of one valid attestation of each required type; of the signature where no type is required.
    pub max_age: Option<Duration>,
    /// Which transparency logs count, and whether one must hold everything that counts.
    pub log: Option<LogPolicy>,
}

/// What the scan must say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScanPolicy {
    /// Severities of which no finding may exist, in addition to the verdict of the time; may be empty.
    pub gate: BTreeSet<Severity>,
    /// Longest time since the end of the scan.
    pub max_age: Option<Duration>,
}

/// Which order a provenance must name. In both, `*` stands for any number of characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderConstraint {
    /// The order's namespace; `None` accepts every one.
    pub namespace: Option<String>,
    /// The order's name; `None` accepts every one.
    pub name: Option<String>,
}

/// Which transparency logs count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPolicy {
    /// The logs' public keys, pinned.
    pub keys: Vec<LogKey>,
    /// Whether evidence that no log holds is rejected. Legacy tags carry no proof, so they never count then.
    pub required: bool,
}

impl Policy {
    /// Returns a policy that requires a signature by one of the keys, and nothing else.
    pub fn new(keys: Vec<PublicKey>) -> Self {
        Self {
            keys,
            require_signature: true,
            require: BTreeSet::new(),
            scan: None,
            builder: None,
            order: None,
            max_age: None,
            log: None,
        }
    }

    /// Requires a valid attestation of this predicate type as well.
    #[must_use]
    pub fn require(mut self, predicate_type: &str) -> Self {
        self.require.insert(predicate_type.to_owned());
        self
    }

    /// Requires a vulnerability attestation that passes.
    #[must_use]
    pub fn with_scan(mut self, scan: ScanPolicy) -> Self {
        self.scan = Some(scan);
        self
    }

    /// Requires that a log with one of these keys holds everything that counts.
    #[must_use]
    pub fn with_log(mut self, keys: Vec<LogKey>) -> Self {
        self.log = Some(LogPolicy { keys, required: true });
        self
    }
}

impl OrderConstraint {
    /// Whether an order with this namespace and name will do.
    pub fn matches(&self, namespace: &str, name: &str) -> bool {
        let fits = |pattern: &Option<String>, text| {
            pattern.as_deref().is_none_or(|pattern| glob(pattern, text))
        };
        fits(&self.namespace, namespace) && fits(&self.name, name)
    }
}

/// Whether `text` fits `pattern`, in which only `*` is special.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    // The leftmost place of each part leaves the most for the parts after it.
    for part in middle.split('*') {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything_and_nothing_else_is_special() {
        for (pattern, text, expected) in [
            ("team-a", "team-a", true),
            ("team-a", "team-ab", false),
            ("team-*", "team-", true),
            ("team-*", "xteam-a", false),
            ("*-prod", "team-prod", true),
            ("*-prod", "team-prod2", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("a*a", "a", false),
            ("ab*bc", "abc", false),
            ("*", "", true),
            ("**", "x", true),
            ("", "", true),
            ("", "x", false),
            ("t?am", "team", false),
            ("[a]*", "a", false),
            ("ä*", "äö", true),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern:?} {text:?}");
        }
    }
}
