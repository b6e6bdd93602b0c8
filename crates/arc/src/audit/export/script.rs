//! The script that checks the folder without ARC, made of checks; every value in it is quoted for the shell.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use arc_oci::Scheme;

use super::super::story::short_type;
use crate::verify::subject::{Place, Subject};

const TEMPLATE: &str = include_str!("recheck.sh");
/// The predicate type of signatures, which `cosign verify` checks and `cosign verify-attestation` does not.
const SIGNATURE_TYPE: &str = arc_evidence::predicate::PREDICATE_SIGNATURE;
/// A trusted root without anything in it: the signatures are checked with the keys alone.
pub(super) const TRUSTED_ROOT: &str = "trusted-root.json";

/// One thing to check.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Check {
    /// The file has this digest.
    Digest { file: String, digest: String },
    /// The file contains this text.
    Contains { file: String, text: String },
    /// The file contains the other's bytes as base64.
    Carries { file: String, part: String },
    /// The key signed the payload as it is.
    Signed { payload: String, signature: String, key: String },
    /// The key signed the payload in a DSSE envelope.
    Attested { payload: String, signature: String, key: String, payload_type: String },
    /// cosign accepts the bundle.
    Bundle { file: String, key: String, predicate_type: String, subject: String },
}

/// All checks, each once, in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct Script {
    checks: Vec<Check>,
    known: BTreeSet<Check>,
    /// Keys and the digests they signed in a `.sig` tag.
    verified: BTreeSet<(String, String)>,
}

impl Script {
    pub(super) fn check(&mut self, check: Check) {
        if self.known.insert(check.clone()) {
            self.checks.push(check);
        }
    }

    /// Remembers that a key signed a digest, for what the registry is asked.
    pub(super) fn verified(&mut self, key: String, subject: &str) {
        self.verified.insert((key, subject.to_owned()));
    }

    /// Returns the script's text.
    pub(super) fn write(&self, subject: &Subject) -> String {
        let mut offline = String::new();
        let mut bundles = String::new();
        for check in &self.checks {
            match check {
                Check::Bundle { .. } => line(&mut bundles, &words(check)),
                _ => line(&mut offline, &words(check)),
            }
        }
        TEMPLATE
            .replace("@OFFLINE@\n", &offline)
            .replace("@BUNDLES@\n", &or_nothing(bundles, "no bundle to check"))
            .replace(
                "@ONLINE@\n",
                &or_nothing(self.online(subject), "no registry to ask: this came from a layout"),
            )
    }

    /// What the registry holds now: the manifests by digest, and the evidence as cosign finds it.
    fn online(&self, subject: &Subject) -> String {
        let mut text = String::new();
        let Place::Registry { client, reference } = &subject.place else { return text };
        let is_plain = client.remote().scheme == Scheme::Http;
        let name = client.remote().reference(&reference.repository).to_string();
        let (cosign_flags, oras_flags): (&[&str], &[&str]) =
            if is_plain { (&["--allow-http-registry"], &["--plain-http"]) } else { (&[], &[]) };
        text.push_str("    if command -v \"$oras\" >/dev/null 2>&1; then\n    ");
        let digest = subject.root.digest.to_string();
        let at = format!("{name}@{digest}");
        let hex = subject.root.digest.hex();
        let label = format!("{at} is what the registry serves");
        let mut served = vec!["check", label.as_str(), "served", at.as_str(), hex];
        served.extend(oras_flags);
        line(&mut text, &quoted(&served));
        text.push_str("    else\n        echo \"skipped $oras: it is missing\"\n    fi\n");
        let cosign = |verb: &[&str], key: &str, subject: &str| {
            let at = format!("{name}@{subject}");
            let label = format!("cosign {} {at}", verb.join(" "));
            let mut command = quoted(&["check", &label]);
            command.push_str(" \"$cosign\" ");
            let mut words = verb.to_vec();
            words.extend(["--key", key, "--insecure-ignore-tlog=true"]);
            words.extend(cosign_flags);
            words.push(&at);
            command.push_str(&quoted(&words));
            command
        };
        for (key, subject) in &self.verified {
            line(&mut text, &cosign(&["verify"], key, subject));
        }
        for check in &self.checks {
            let Check::Bundle { key, predicate_type, subject, .. } = check else { continue };
            if predicate_type != SIGNATURE_TYPE {
                let kind = ["verify-attestation", "--type", cosign_type(predicate_type)];
                line(&mut text, &cosign(&kind, key, subject));
            }
        }
        text
    }
}

/// The name of a predicate type for `cosign --type`; `vsa` is a name of ours only.
fn cosign_type(predicate_type: &str) -> &str {
    match short_type(predicate_type) {
        "vsa" | "signature" => predicate_type,
        short => short,
    }
}

fn words(check: &Check) -> String {
    match check {
        Check::Digest { file, digest } => {
            let (algorithm, hex) = digest.split_once(':').unwrap_or(("sha256", digest));
            quoted(&["digest", file, algorithm, hex])
        }
        Check::Contains { file, text } => quoted(&["contains", file, text]),
        Check::Carries { file, part } => quoted(&["carries", file, part]),
        Check::Signed { payload, signature, key } => quoted(&["signed", payload, signature, key]),
        Check::Attested { payload, signature, key, payload_type } => {
            quoted(&["attested", payload, signature, key, payload_type])
        }
        Check::Bundle { file, key, predicate_type, subject } => {
            let label = format!("cosign accepts {file} as {}", short_type(predicate_type));
            let mut command = quoted(&["check", &label]);
            command.push_str(" \"$cosign\" verify-blob-attestation $new ");
            // The blob that the statement must be about is the manifest itself.
            let manifest = format!("manifests/{}.json", subject.replace(':', "-"));
            let root = ["--trusted-root", TRUSTED_ROOT, "--insecure-ignore-tlog=true"];
            for options in [&root[..], &["--bundle", file, "--key", key]] {
                command.push_str(&quoted(options));
                command.push(' ');
            }
            command.push_str(&quoted(&["--type", predicate_type, &manifest]));
            command
        }
    }
}

fn line(text: &mut String, command: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "    {command}");
}

/// A function of the shell must not be empty.
fn or_nothing(text: String, what: &str) -> String {
    if text.is_empty() { format!("    echo {}\n", quote(what)) } else { text }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ")
}

/// Quotes a word for the shell, unless it is one that needs no quotes.
fn quote(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=@+,".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_value_reaches_the_shell() {
        for (word, expected) in [
            ("manifests/sha256-00.json", "manifests/sha256-00.json"),
            ("", "''"),
            ("a b", "'a b'"),
            ("$(rm -rf /)", "'$(rm -rf /)'"),
            ("it's `x`", r"'it'\''s `x`'"),
            ("a\nb", "'a\nb'"),
            ("\"sha256\":\"00\"", "'\"sha256\":\"00\"'"),
        ] {
            assert_eq!(quote(word), expected);
        }
    }
}
