//! The trusted root of a log: the file with which cosign checks bundles with entries of that log.

use serde_json::json;

use super::LogKey;
use crate::encoding;

const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";
/// Long before any log of today: bundles of a plain key carry no time that the start could be compared with.
const START: &str = "2020-01-01T00:00:00Z";

/// Returns the `trusted_root.json` for `cosign verify --trusted-root`, of one log.
///
/// `origin` is the log's name as its checkpoints have it, usually the host of its URL. It matters for v2 logs with
/// an Ed25519 key, whose id depends on it; `cosign trusted-root create` writes the id of v1 for them, and nothing
/// verifies with that.
pub fn trusted_root(url: &str, origin: &str, key: &LogKey) -> Vec<u8> {
    encoding::sorted_bytes(&json!({
        "mediaType": MEDIA_TYPE,
        "tlogs": [{
            "baseUrl": url,
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": encoding::base64(&key.to_der()),
                "keyDetails": key.key_details(),
                "validFor": {"start": START},
            },
            "logId": {"keyId": encoding::base64(&key.note_id(origin))},
        }],
    }))
}
