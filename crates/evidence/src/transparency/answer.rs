//! What logs answer when an entry is sent: protobuf's JSON (v2), or an object with one entry (v1).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Error, InclusionProof, LogEntry, body, wire::Wire};
use crate::{encoding, limits};

impl LogEntry {
    /// Reads the answer of a Rekor v2 log, a `TransparencyLogEntry` in protobuf's JSON.
    pub fn from_v2_answer(answer: &[u8]) -> Result<Self, Error> {
        let wire: Wire = parse_answer(answer)?;
        Self::try_from(wire)
    }

    /// Reads the answer of a Rekor v1 log, an object with one entry.
    pub fn from_v1_answer(answer: &[u8]) -> Result<Self, Error> {
        let mut entries: BTreeMap<String, AnswerV1> = parse_answer(answer)?;
        let found = entries.len();
        let (Some((_, entry)), 1) = (entries.pop_first(), found) else {
            return Err(Error::ParseAnswer {
                why: format!("it has {found} entries; expected one"),
            });
        };
        let invalid = |why: &str| Error::ParseAnswer { why: why.to_owned() };
        let hex =
            |text: &str| encoding::decode_hex(text).ok_or(invalid("a hash is not hexadecimal"));
        let body = encoding::decode_base64(&entry.body).ok_or(invalid("`body` is not base64"))?;
        let body::Kind { kind, version } = body::kind(&body)?;
        let AnswerProofV1 { log_index, root_hash, tree_size, hashes, checkpoint } =
            entry.verification.inclusion_proof;
        let proof = InclusionProof {
            log_index,
            root_hash: hex(&root_hash)?,
            tree_size,
            hashes: hashes.iter().map(|hash| hex(hash)).collect::<Result<_, _>>()?,
            checkpoint,
        };
        let promise = encoding::decode_base64(&entry.verification.signed_entry_timestamp)
            .ok_or(invalid("`signedEntryTimestamp` is not base64"))?;
        Ok(Self {
            log_index: entry.log_index,
            log_id: hex(&entry.log_id)?,
            kind,
            version,
            integrated_time: entry.integrated_time,
            promise: Some(promise),
            proof: Some(proof),
            body,
        })
    }
}

fn parse_answer<'a, T: Deserialize<'a>>(answer: &'a [u8]) -> Result<T, Error> {
    if answer.len() > limits::MAX_LOG_ANSWER {
        return Err(Error::ParseAnswer { why: format!("it has {} bytes", answer.len()) });
    }
    serde_json::from_slice(answer).map_err(|error| Error::ParseAnswer { why: error.to_string() })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnswerV1 {
    body: String,
    integrated_time: i64,
    #[serde(rename = "logID")]
    log_id: String,
    log_index: u64,
    verification: VerificationV1,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VerificationV1 {
    inclusion_proof: AnswerProofV1,
    signed_entry_timestamp: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnswerProofV1 {
    log_index: u64,
    root_hash: String,
    tree_size: u64,
    #[serde(default)]
    hashes: Vec<String>,
    checkpoint: String,
}
