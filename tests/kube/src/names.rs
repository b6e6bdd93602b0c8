//! Names and labels: which are allowed, and how they are made up.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::{failure::Cause, kind::Kind};

/// Letters and digits of generated suffixes: no vowels, and nothing that looks like something else.
const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
/// Letters of a generated suffix.
const SUFFIX: usize = 5;
/// Of a DNS subdomain, in bytes.
const SUBDOMAIN_MAX: usize = 253;
/// Of a DNS label and of a label value, in bytes.
const LABEL_MAX: usize = 63;

const LABEL_RULE: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN_RULE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const VALUE_RULE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

static LABEL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$").ok());
static SUBDOMAIN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$").ok()
});
static VALUE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new("^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$").ok());

fn fits(regex: &LazyLock<Option<Regex>>, text: &str) -> bool {
    regex.as_ref().is_some_and(|regex| regex.is_match(text))
}

/// A name from a prefix, as `generateName` asks for.
pub(crate) fn generated(prefix: &str) -> String {
    let random = crate::random::bytes::<SUFFIX>();
    let letters = random.iter().map(|byte| {
        let at = usize::from(*byte) % ALPHABET.len();
        ALPHABET.get(at).map_or('b', |letter| char::from(*letter))
    });
    let most = SUBDOMAIN_MAX.min(LABEL_MAX) - SUFFIX;
    let prefix: String = prefix.chars().take(most).collect();
    prefix.chars().chain(letters).collect()
}

/// What is wrong with the name and the labels of a new object.
pub(crate) fn check(kind: &Kind, metadata: &Value) -> Vec<Cause> {
    let name = metadata["name"].as_str().unwrap_or_default();
    let mut causes = Vec::new();
    if name.is_empty() {
        causes.push(Cause::required("metadata.name", "name or generateName is required"));
        return causes;
    }
    let label = kind.is("namespaces");
    let (rule, regex, most) = if label {
        (LABEL_RULE, &LABEL, LABEL_MAX)
    } else {
        (SUBDOMAIN_RULE, &SUBDOMAIN, SUBDOMAIN_MAX)
    };
    if name.len() > most {
        let message = format!("{name:?}: must be no more than {most} bytes");
        causes.push(Cause::invalid("metadata.name", message));
    }
    if !fits(regex, name) {
        causes.push(Cause::invalid("metadata.name", format!("{name:?}: {rule}")));
    }
    causes.extend(labels(metadata));
    causes
}

/// What is wrong with the labels.
pub(crate) fn labels(metadata: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for value in
        metadata["labels"].as_object().into_iter().flatten().filter_map(|(_, v)| v.as_str())
    {
        if value.len() > LABEL_MAX {
            let message = format!("{value:?}: must be no more than {LABEL_MAX} bytes");
            causes.push(Cause::invalid("metadata.labels", message));
        }
        if !fits(&VALUE, value) {
            causes.push(Cause::invalid("metadata.labels", format!("{value:?}: {VALUE_RULE}")));
        }
    }
    causes
}
