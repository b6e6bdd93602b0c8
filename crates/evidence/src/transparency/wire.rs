//! Entries inside a bundle: protobuf's JSON, strict in both directions.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{Error, InclusionProof, LogEntry};
use crate::encoding;

/// The form inside a bundle: 64-bit numbers are strings and zeros are left out.
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
