//! DSSE: signed envelopes around a payload of a stated type (DSSE v1).
//!
//! Entry: [`sign`] and [`verify`]; bundles and `.att` layers carry the result.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    encoding,
    keys::{self, PublicKey, Signer, SigningKey},
    limits,
};

/// The payload type of in-toto statements, the only one ARC writes or counts.
pub const PAYLOAD_TYPE_IN_TOTO: &str = "application/vnd.in-toto+json";

/// Why an envelope cannot be read or does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More bytes than any attestation has.
    #[error("invalid envelope: it has {size} bytes, at most {limit} are read")]
    EnvelopeTooLarge {
        /// Bytes found.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not the JSON of an envelope.
    #[error("invalid envelope: {why}")]
    ParseEnvelope {
        /// What is wrong.
        why: String,
    },
    /// No signature verifies with any of the keys.
    #[error("not signed by any of the {keys} keys given")]
    VerifyEnvelope {
        /// How many keys were tried.
        keys: usize,
    },
}

/// One signature of an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Name of the key; ARC leaves it empty, because verifiers skip names they do not compute themselves.
    pub key_id: String,
    /// The signature in ASN.1 DER.
    pub der: Vec<u8>,
}

/// A payload with its signatures. Reading one proves nothing; [`verify`] does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Media type of the payload.
    pub payload_type: String,
    /// The signed bytes.
    pub payload: Vec<u8>,
    /// Signatures over [`pae`] of both.
    pub signatures: Vec<Signature>,
}

/// The JSON form, in the field order in which protobuf writes it inside a bundle.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Wire {
    payload: String,
    payload_type: String,
    signatures: Vec<WireSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSignature {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keyid: Option<String>,
    sig: String,
}

/// The JSON form of `.att` layers, in the field order of cosign.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LegacyWire<'a> {
    payload_type: &'a str,
    payload: String,
    signatures: Vec<LegacySignature>,
}

#[derive(Serialize)]
struct LegacySignature {
    keyid: String,
    sig: String,
}

impl Envelope {
    /// Reads an envelope; base64 may be standard or URL-safe, unknown fields are an error.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > limits::MAX_ENVELOPE {
            return Err(Error::EnvelopeTooLarge { size: bytes.len(), limit: limits::MAX_ENVELOPE });
        }
        let wire: Wire =
            serde_json::from_slice(bytes).map_err(|error| invalid(error.to_string()))?;
        Self::try_from(wire)
    }

    /// Returns the JSON that cosign writes into `.att` layers, with empty key ids.
    pub fn to_json(&self) -> Vec<u8> {
        let signature = |signature: &Signature| LegacySignature {
            keyid: signature.key_id.clone(),
            sig: encoding::base64(&signature.der),
        };
        encoding::to_bytes(&LegacyWire {
            payload_type: &self.payload_type,
            payload: encoding::base64(&self.payload),
            signatures: self.signatures.iter().map(signature).collect(),
        })
    }

    pub(crate) fn to_wire(&self) -> Wire {
        let signature = |signature: &Signature| WireSignature {
            keyid: Some(signature.key_id.clone()).filter(|key_id| !key_id.is_empty()),
            sig: encoding::base64(&signature.der),
        };
        Wire {
            payload: encoding::base64(&self.payload),
            payload_type: self.payload_type.clone(),
            signatures: self.signatures.iter().map(signature).collect(),
        }
    }
}

impl TryFrom<Wire> for Envelope {
    type Error = Error;

    fn try_from(wire: Wire) -> Result<Self, Error> {
        if wire.signatures.is_empty() || wire.signatures.len() > limits::MAX_ENVELOPE_SIGNATURES {
            let (found, limit) = (wire.signatures.len(), limits::MAX_ENVELOPE_SIGNATURES);
            return Err(invalid(format!("it has {found} signatures; expected 1 to {limit}")));
        }
        let signature = |signature: WireSignature| {
            let der = encoding::decode_base64(&signature.sig)
                .ok_or_else(|| invalid("`sig` is not base64".to_owned()))?;
            Ok(Signature { key_id: signature.keyid.unwrap_or_default(), der })
        };
        Ok(Self {
            payload: encoding::decode_base64(&wire.payload)
                .ok_or_else(|| invalid("`payload` is not base64".to_owned()))?,
            payload_type: wire.payload_type,
            signatures: wire.signatures.into_iter().map(signature).collect::<Result<_, _>>()?,
        })
    }
}

/// Returns the bytes that are signed: type and payload, each with its length, so that neither can leak into the other.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = pae_start(payload_type, payload);
    bytes.extend_from_slice(payload);
    bytes
}

/// Returns SHA-256 over [`pae`], without a copy of the payload.
pub(crate) fn pae_sha256(payload_type: &str, payload: &[u8]) -> [u8; 32] {
    Sha256::new()
        .chain_update(pae_start(payload_type, payload))
        .chain_update(payload)
        .finalize()
        .into()
}

fn pae_start(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes()
}

/// Signs a payload and returns the envelope with one signature and no key id.
pub fn sign(key: &SigningKey, payload_type: &str, payload: Vec<u8>) -> Envelope {
    let der = key.sign(&pae(payload_type, &payload));
    signed(payload_type, payload, der)
}

/// Signs a payload with whatever signs.
///
/// # Errors
/// When the signer fails.
pub fn sign_with(
    signer: &Signer,
    payload_type: &str,
    payload: Vec<u8>,
) -> Result<Envelope, keys::Error> {
    let der = signer.sign(&pae(payload_type, &payload))?;
    Ok(signed(payload_type, payload, der))
}

fn signed(payload_type: &str, payload: Vec<u8>, der: Vec<u8>) -> Envelope {
    let signatures = vec![Signature { key_id: String::new(), der }];
    Envelope { payload_type: payload_type.to_owned(), payload, signatures }
}

/// Returns the first key of the set that made one of the envelope's signatures.
///
/// A signature that names another key is skipped, as cosign does, so that ARC never accepts what cosign refuses.
pub fn verify<'a>(envelope: &Envelope, keys: &'a [PublicKey]) -> Result<&'a PublicKey, Error> {
    let signed = pae_sha256(&envelope.payload_type, &envelope.payload);
    let made_by = |key: &PublicKey, signature: &Signature| {
        let named = signature.key_id.is_empty() || signature.key_id == key.key_id();
        named && key.verify_hash(&signed, &signature.der).is_ok()
    };
    keys.iter()
        .find(|key| envelope.signatures.iter().any(|signature| made_by(key, signature)))
        .ok_or(Error::VerifyEnvelope { keys: keys.len() })
}

fn invalid(why: String) -> Error {
    Error::ParseEnvelope { why }
}
