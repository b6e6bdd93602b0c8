//! The entry of a log as a bundle keeps it, and its verification without the log.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{Checkpoint, Error, LogKey, Signed, body, merkle};
use crate::{encoding, limits};

/// An entry of a transparency log with its proof. Reading one proves nothing; [`LogEntry::verify`] does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Number of the entry in the log, over all its parts.
    pub log_index: u64,
    /// SHA-256 over the DER form of the log's key, as the entry claims.
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
    /// Reads the answer of a Rekor v2 log, a `TransparencyLogEntry` in protobuf's JSON.
    pub fn from_v2_answer(answer: &[u8]) -> Result<Self, Error> {
        let wire: Wire = parse_answer(answer)?;
        Self::try_from(wire)
    }

    /// Reads the answer of a Rekor v1 log, an object with one entry.
    pub fn from_v1_answer(answer: &[u8]) -> Result<Self, Error> {
        let mut entries: std::collections::BTreeMap<String, AnswerV1> = parse_answer(answer)?;
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
        if self.log_id != key.id() && !self.is_v2() {
            let why = "its log id is not the one of the key that signed the checkpoint".to_owned();
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

    /// Whether the entry says that it is from one of these logs.
    pub(crate) fn is_of(&self, keys: &[LogKey]) -> bool {
        keys.iter().any(|key| self.log_id == key.id())
    }

    fn is_v2(&self) -> bool {
        self.version == "0.0.2"
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
        // RFC 8785 needs nothing more than this order: the strings hold no character that is written in two ways.
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Promised {
            body: String,
            integrated_time: i64,
            #[serde(rename = "logID")]
            log_id: String,
            log_index: u64,
        }
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

/// The form inside a bundle: protobuf's JSON, where 64-bit numbers are strings and zeros are left out.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Wire {
    #[serde(default, skip_serializing_if = "is_zero")]
    log_index: Number<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    log_id: Option<WireLogId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind_version: Option<WireKind>,
    #[serde(default, skip_serializing_if = "is_zero")]
    integrated_time: Number<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inclusion_promise: Option<WirePromise>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inclusion_proof: Option<WireProof>,
    #[serde(default)]
    canonicalized_body: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireLogId {
    #[serde(default)]
    key_id: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireKind {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    version: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WirePromise {
    #[serde(default)]
    signed_entry_timestamp: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireProof {
    #[serde(default, skip_serializing_if = "is_zero")]
    log_index: Number<u64>,
    #[serde(default)]
    root_hash: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    tree_size: Number<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checkpoint: Option<WireCheckpoint>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireCheckpoint {
    #[serde(default)]
    envelope: String,
}

/// A 64-bit number: written as a string, read as a string or a number.
#[derive(Clone, Copy, Default, PartialEq)]
struct Number<T>(T);

fn is_zero<T: Default + PartialEq>(number: &Number<T>) -> bool {
    number.0 == T::default()
}

impl<T: ToString> Serialize for Number<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_string())
    }
}

impl<'de, T: std::str::FromStr + Deserialize<'de>> Deserialize<'de> for Number<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form<T> {
            Text(String),
            Number(T),
        }
        match Form::<T>::deserialize(deserializer)? {
            Form::Number(number) => Ok(Self(number)),
            Form::Text(text) => text
                .parse()
                .map(Self)
                .map_err(|_kind| D::Error::custom(format!("{text:?} is not a whole number"))),
        }
    }
}

impl From<&LogEntry> for Wire {
    fn from(entry: &LogEntry) -> Self {
        let base64 = |bytes: &Vec<u8>| encoding::base64(bytes);
        let proof = |proof: &InclusionProof| WireProof {
            log_index: Number(proof.log_index),
            root_hash: base64(&proof.root_hash),
            tree_size: Number(proof.tree_size),
            hashes: proof.hashes.iter().map(base64).collect(),
            checkpoint: Some(WireCheckpoint { envelope: proof.checkpoint.clone() }),
        };
        Self {
            log_index: Number(entry.log_index),
            log_id: Some(WireLogId { key_id: base64(&entry.log_id) }),
            kind_version: Some(WireKind {
                kind: entry.kind.clone(),
                version: entry.version.clone(),
            }),
            integrated_time: Number(entry.integrated_time),
            inclusion_promise: entry
                .promise
                .as_ref()
                .map(|promise| WirePromise { signed_entry_timestamp: base64(promise) }),
            inclusion_proof: entry.proof.as_ref().map(proof),
            canonicalized_body: base64(&entry.body),
        }
    }
}

impl TryFrom<Wire> for LogEntry {
    type Error = Error;

    fn try_from(wire: Wire) -> Result<Self, Error> {
        let base64 = |text: &str, name: &str| {
            encoding::decode_base64(text)
                .ok_or_else(|| Error::ParseEntry { why: format!("`{name}` is not base64") })
        };
        let proof = |proof: WireProof| {
            let hashes = proof.hashes.iter().map(|hash| base64(hash, "hashes"));
            Ok(InclusionProof {
                log_index: proof.log_index.0,
                root_hash: base64(&proof.root_hash, "rootHash")?,
                tree_size: proof.tree_size.0,
                hashes: hashes.collect::<Result<_, Error>>()?,
                checkpoint: proof.checkpoint.map(|note| note.envelope).unwrap_or_default(),
            })
        };
        let promise =
            |promise: WirePromise| base64(&promise.signed_entry_timestamp, "signedEntryTimestamp");
        let log_id = wire.log_id.map(|id| id.key_id).unwrap_or_default();
        let kind =
            wire.kind_version.unwrap_or(WireKind { kind: String::new(), version: String::new() });
        Ok(Self {
            log_index: wire.log_index.0,
            log_id: base64(&log_id, "keyId")?,
            kind: kind.kind,
            version: kind.version,
            integrated_time: wire.integrated_time.0,
            promise: wire.inclusion_promise.map(promise).transpose()?,
            proof: wire.inclusion_proof.map(proof).transpose()?,
            body: base64(&wire.canonicalized_body, "canonicalizedBody")?,
        })
    }
}
