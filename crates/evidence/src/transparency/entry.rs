//! The entry of a log as a bundle keeps it, and its verification without the log.

use jiff::Timestamp;
use serde::Serialize;

use super::{Checkpoint, Error, LogKey, Signed, body, merkle};
use crate::{encoding, limits};

/// An entry of a transparency log with its proof. Reading one proves nothing; [`LogEntry::verify`] does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Number of the entry in the log, over all its parts.
    pub log_index: u64,
    /// What the entry claims to be its log: SHA-256 over the DER form of the key, or for Ed25519 with v2 the key's
    /// id in signed notes.
    pub log_id: Vec<u8>,
    /// `hashedrekord` or `dsse`.
    pub kind: String,
    /// `0.0.1` or `0.0.2`.
    pub version: String,
    /// Seconds since 1970; 0 for v2, which states no time. Only trusted with `promise`.
    pub integrated_time: i64,
    /// The log's signature over the entry and its time (v1).
    pub promise: Option<Vec<u8>>,
    /// Where in the tree it is; without it an entry never verifies.
    pub proof: Option<InclusionProof>,
    /// The logged bytes.
    pub body: Vec<u8>,
}

/// The way from an entry to the root of a signed tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// Number of the leaf in its tree.
    pub log_index: u64,
    /// Root of the tree, as the proof claims.
    pub root_hash: Vec<u8>,
    /// Number of leaves, as the proof claims.
    pub tree_size: u64,
    /// Siblings from the leaf to the root.
    pub hashes: Vec<Vec<u8>>,
    /// The signed note about the tree.
    pub checkpoint: String,
}

/// What a verified entry says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogSummary {
    /// The log's name.
    pub origin: String,
    /// Hexadecimal id of the key that signed the checkpoint.
    pub log_id: String,
    /// Number of the entry.
    pub log_index: u64,
    /// Leaves of the tree it was proved in.
    pub tree_size: u64,
    /// When the log took it, where the log promised that (v1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integrated_time: Option<Timestamp>,
}

impl LogEntry {
    /// Checks the entry without the log: that it is about `signed`, that its proof leads to a tree that one of the
    /// keys signed, and, where the log promised a time, that promise.
    pub fn verify(&self, keys: &[LogKey], signed: &Signed<'_>) -> Result<LogSummary, Error> {
        let body::Kind { kind, version } = body::kind(&self.body)?;
        if (&kind, &version) != (&self.kind, &self.version) {
            let why = "it is announced as another kind than its body is".to_owned();
            return Err(Error::ParseEntry { why });
        }
        body::check(&self.body, signed)?;
        let missing = || Error::ParseEntry { why: "it has no inclusion proof".to_owned() };
        let proof = self.proof.as_ref().ok_or_else(missing)?;
        let checkpoint = Checkpoint::parse(&proof.checkpoint)?;
        let key = checkpoint.verify(keys)?;
        if ![key.id(), key.note_id(&checkpoint.origin)].iter().any(|id| self.log_id == id) {
            let why = "its log id is not the one of the key that signed the checkpoint".to_owned();
            return Err(Error::ParseEntry { why });
        }
        // The promise covers the number; without one only the proof does.
        if self.promise.is_none() && self.log_index != proof.log_index {
            let why = "its number is not the one of its proof".to_owned();
            return Err(Error::ParseEntry { why });
        }
        self.verify_inclusion(proof, &checkpoint)?;
        Ok(LogSummary {
            origin: checkpoint.origin,
            log_id: encoding::hex(&key.id()),
            log_index: self.log_index,
            tree_size: checkpoint.size,
            integrated_time: self.promised_time(key)?,
        })
    }

    fn verify_inclusion(
        &self,
        proof: &InclusionProof,
        checkpoint: &Checkpoint,
    ) -> Result<(), Error> {
        let hash =
            |hash: &Vec<u8>| hash.as_slice().try_into().map_err(|_size| Error::VerifyInclusion);
        if proof.hashes.len() > limits::MAX_PROOF_HASHES {
            return Err(Error::VerifyInclusion);
        }
        let hashes = proof.hashes.iter().map(hash).collect::<Result<Vec<_>, _>>()?;
        let root =
            merkle::root(merkle::leaf(&self.body), proof.log_index, checkpoint.size, &hashes);
        let same = root == Some(checkpoint.root)
            && proof.tree_size == checkpoint.size
            && proof.root_hash == checkpoint.root;
        if same { Ok(()) } else { Err(Error::VerifyInclusion) }
    }

    /// Returns the time the log promised; `None` where it promised none.
    fn promised_time(&self, key: &LogKey) -> Result<Option<Timestamp>, Error> {
        let Some(promise) = &self.promise else { return Ok(None) };
        let promised = encoding::to_bytes(&Promised {
            body: encoding::base64(&self.body),
            integrated_time: self.integrated_time,
            log_id: encoding::hex(&self.log_id),
            log_index: self.log_index,
        });
        if !key.verifies(&promised, promise) {
            return Err(Error::VerifyPromise);
        }
        let time = Timestamp::from_second(self.integrated_time);
        time.map(Some).map_err(|_range| Error::VerifyPromise)
    }
}

/// What a v1 log signs as its promise. RFC 8785 needs nothing more than this order: the strings hold no character
/// that is written in two ways.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Promised {
    body: String,
    integrated_time: i64,
    #[serde(rename = "logID")]
    log_id: String,
    log_index: u64,
}
