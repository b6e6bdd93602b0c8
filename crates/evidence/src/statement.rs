//! in-toto statements: "this predicate holds for these digests" (in-toto attestation framework v1).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    digest::{self, ParseDigest},
    encoding, limits, predicate,
};

/// The statement type ARC writes.
pub const STATEMENT_V1: &str = "https://in-toto.io/Statement/v1";

/// The older statement type that `cosign attest` writes; read only.
pub const STATEMENT_V0_1: &str = "https://in-toto.io/Statement/v0.1";

/// Why a payload is not a statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid in-toto statement: {why}")]
pub struct ParseStatement {
    /// What is wrong.
    pub why: String,
}

/// Something a statement is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// A name for people, such as `registry.example/team/app`; empty is left out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Hexadecimal digests by algorithm.
    pub digest: BTreeMap<String, String>,
    /// Annotations of the signer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, Value>,
}

impl Subject {
    /// Returns a subject with one digest, `name` may be empty.
    pub fn new(name: &str, digest: &str) -> Result<Self, ParseDigest> {
        let (algorithm, hex) = digest::split(digest)?;
        let digest = BTreeMap::from([(algorithm.to_owned(), hex.to_owned())]);
        Ok(Self { name: name.to_owned(), digest, annotations: BTreeMap::new() })
    }
}

/// An in-toto statement. As a type it proves nothing; the envelope around it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// [`STATEMENT_V1`], or the older one when read.
    #[serde(rename = "_type")]
    pub type_: String,
    /// What the statement is about.
    pub subject: Vec<Subject>,
    /// What kind of predicate follows.
    pub predicate_type: String,
    /// The predicate itself.
    #[serde(default, serialize_with = "encoding::sorted")]
    pub predicate: Value,
}

impl Statement {
    /// Returns a v1 statement about one subject.
    pub fn new(subject: Subject, predicate_type: &str, predicate: Value) -> Self {
        let predicate_type = predicate_type.to_owned();
        Self { type_: STATEMENT_V1.to_owned(), subject: vec![subject], predicate_type, predicate }
    }

    /// Returns the statement that `cosign sign` 3 signs for an image: no name, an empty predicate.
    pub fn signature(digest: &str) -> Result<Self, ParseDigest> {
        Ok(Self::new(Subject::new("", digest)?, predicate::PREDICATE_SIGNATURE, json!({})))
    }

    /// Returns the bytes to sign: fixed field order, sorted keys inside the predicate.
    pub fn to_bytes(&self) -> Vec<u8> {
        encoding::to_bytes(self)
    }

    /// Reads a statement of type v1 or v0.1.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseStatement> {
        let statement: Self = serde_json::from_slice(bytes)
            .map_err(|error| ParseStatement { why: error.to_string() })?;
        let why = if ![STATEMENT_V1, STATEMENT_V0_1].contains(&statement.type_.as_str()) {
            format!("its type is {:?}; expected {STATEMENT_V1:?}", statement.type_)
        } else if statement.subject.is_empty() || statement.subject.len() > limits::MAX_SUBJECTS {
            format!(
                "it has {} subjects; expected 1 to {}",
                statement.subject.len(),
                limits::MAX_SUBJECTS
            )
        } else if statement.predicate_type.is_empty() {
            "its predicate type is empty".to_owned()
        } else {
            return Ok(statement);
        };
        Err(ParseStatement { why })
    }

    /// Whether one of the subjects has this digest.
    pub fn is_about(&self, digest: &str) -> bool {
        digest.split_once(':').is_some_and(|(algorithm, hex)| {
            self.subject
                .iter()
                .any(|subject| subject.digest.get(algorithm).is_some_and(|found| found == hex))
        })
    }
}
