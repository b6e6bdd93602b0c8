//! Transparency logs (Rekor v1 and v2): formats and offline verification. Sending is left to the caller.
//!
//! Entry: [`v2_request`] or [`v1_request`] to log an envelope, [`LogEntry::from_v2_answer`] or
//! [`LogEntry::from_v1_answer`] for what the log says, [`crate::Bundle::with_log_entry`] to keep it, and
//! [`LogEntry::verify`] to check it without the log: proof, checkpoint, promise, and that it is about this signature.

mod answer;
mod body;
mod entry;
mod key;
mod merkle;
mod note;
mod request;
mod wire;

pub(crate) use self::wire::Wire;
pub use self::{
    entry::{InclusionProof, LogEntry, LogSummary},
    key::LogKey,
    note::Checkpoint,
    request::{V1_PATH, V2_PATH, v1_request, v1_signature_request, v2_request},
};

/// Why an entry of a log cannot be read or does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The log's answer is not an entry.
    #[error("invalid answer of the transparency log: {why}")]
    ParseAnswer {
        /// What is wrong.
        why: String,
    },
    /// The entry lacks something or has it in the wrong form.
    #[error("invalid entry of a transparency log: {why}")]
    ParseEntry {
        /// What is wrong.
        why: String,
    },
    /// The checkpoint is not a signed note about a tree.
    #[error("invalid checkpoint of a transparency log: {why}")]
    ParseCheckpoint {
        /// What is wrong.
        why: &'static str,
    },
    /// No line of the checkpoint was made with a key of the log.
    #[error("the checkpoint is not signed by any of the {keys} log keys given")]
    VerifyCheckpoint {
        /// How many keys were tried.
        keys: usize,
    },
    /// Entry and proof do not lead to the tree that the log signed.
    #[error("the inclusion proof does not lead to the tree that the log signed")]
    VerifyInclusion,
    /// The log's promise (v1) is not over this entry.
    #[error("the signed entry timestamp is not the log's over this entry")]
    VerifyPromise,
    /// The entry is about something else.
    #[error("the logged {what} is not the one of this signature")]
    OtherContent {
        /// What differs: `signature`, `key`, or `digest`.
        what: &'static str,
    },
}

/// What a log entry must be about: one signature with its key and everything it signs.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// The signature in ASN.1 DER.
    pub signature_der: &'a [u8],
    /// The key that made it.
    pub key: &'a crate::PublicKey,
    /// SHA-256 over the signed bytes (for an envelope its pre-authentication encoding).
    pub message_sha256: [u8; 32],
    /// SHA-256 over the payload alone; equal to `message_sha256` where there is no envelope.
    pub payload_sha256: [u8; 32],
}

impl<'a> Signed<'a> {
    /// Returns the facts of an envelope's first signature, made with `key`; `None` for an envelope without any.
    pub fn envelope(envelope: &'a crate::Envelope, key: &'a crate::PublicKey) -> Option<Self> {
        use sha2::{Digest as _, Sha256};
        Some(Self {
            signature_der: &envelope.signatures.first()?.der,
            key,
            message_sha256: crate::dsse::pae_sha256(&envelope.payload_type, &envelope.payload),
            payload_sha256: Sha256::digest(&envelope.payload).into(),
        })
    }
}
