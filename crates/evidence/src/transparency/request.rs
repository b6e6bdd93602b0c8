//! What is sent to a log.

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::Signed;
use crate::{Envelope, PublicKey, encoding};

/// Where entries are posted to a Rekor v2 log, after the log's URL.
pub const V2_PATH: &str = "/api/v2/log/entries";
/// Where entries are posted to a Rekor v1 log, after the log's URL.
pub const V1_PATH: &str = "/api/v1/log/entries";

/// Returns the JSON that logs a signature with Rekor v2 (`hashedrekord` 0.0.2).
///
/// For an envelope ([`Signed::envelope`]) the hash is the one of its pre-authentication encoding, because v2 has no
/// entry type for envelopes.
pub fn v2_request(signed: &Signed<'_>) -> Vec<u8> {
    encoding::sorted_bytes(&json!({"hashedRekordRequestV002": {
        "digest": encoding::base64(&signed.message_sha256),
        "signature": {
            "content": encoding::base64(signed.signature_der),
            "verifier": {
                "publicKey": {"rawBytes": encoding::base64(&signed.key.to_der())},
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            },
        },
    }}))
}

/// Returns the JSON that logs an envelope with Rekor v1 (`dsse` 0.0.1).
pub fn v1_request(envelope: &Envelope, key: &PublicKey) -> Vec<u8> {
    let text = String::from_utf8_lossy(&envelope.to_json()).into_owned();
    let verifiers = [encoding::base64(key.to_pem().as_bytes())];
    encoding::sorted_bytes(&json!({
        "apiVersion": "0.0.1",
        "kind": "dsse",
        "spec": {"proposedContent": {"envelope": text, "verifiers": verifiers}},
    }))
}

/// Returns the JSON that logs a signature over `message` with Rekor v1 (`hashedrekord` 0.0.1).
pub fn v1_signature_request(message: &[u8], signature_der: &[u8], key: &PublicKey) -> Vec<u8> {
    encoding::sorted_bytes(&json!({
        "apiVersion": "0.0.1",
        "kind": "hashedrekord",
        "spec": {
            "data": {"hash": {"algorithm": "sha256", "value": encoding::hex(&Sha256::digest(message))}},
            "signature": {
                "content": encoding::base64(signature_der),
                "publicKey": {"content": encoding::base64(key.to_pem().as_bytes())},
            },
        },
    }))
}
