//! What the log writes down, and what it answers, in the words of each version.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::rekor::{
    Key, Lie, Version,
    tree::{self, sha256},
};

/// The name in the checkpoints: the host, as logs call themselves and verifiers expect it.
const ORIGIN: &str = "127.0.0.1";
/// When a v1 log took everything, in seconds since 1970.
const TAKEN: i64 = 1_795_176_000;
/// Entries of earlier parts of a v1 log.
const EARLIER: usize = 1000;

/// One entry with its proof, in a tree of some size.
pub(crate) struct Answer<'a> {
    key: &'a Key,
    body: Vec<u8>,
    index: usize,
    size: usize,
    root: Vec<u8>,
    hashes: Vec<Vec<u8>>,
    checkpoint: String,
}

impl<'a> Answer<'a> {
    pub(crate) fn new(key: &'a Key, leaves: &[Vec<u8>], index: usize, lie: Lie) -> Self {
        let (root, mut hashes) = (tree::root(leaves), tree::path(index, leaves));
        if lie == Lie::WrongProof {
            hashes[0][0] ^= 1;
        }
        let stranger = Key::generate(match key {
            Key::Ecdsa(_) => Version::V1,
            Key::Ed25519(_) => Version::V2,
        });
        let signer = if lie == Lie::OtherKey { &stranger } else { key };
        // Version 1 adds the number of its tree, by which verifiers tell the versions apart.
        let tree = if matches!(key, Key::Ecdsa(_)) { " - 1193050959916656506" } else { "" };
        let text = format!("{ORIGIN}{tree}\n{}\n{}\n", leaves.len(), STANDARD.encode(&root));
        let note = [&signer.id(ORIGIN)[..4], &signer.sign(text.as_bytes())].concat();
        let checkpoint = format!("{text}\n\u{2014} {ORIGIN} {}\n", STANDARD.encode(note));
        Self {
            key,
            body: leaves[index].clone(),
            index,
            size: leaves.len(),
            root,
            hashes,
            checkpoint,
        }
    }

    /// The answer of a v2 log: what a bundle holds.
    pub(crate) fn to_v2(&self) -> String {
        let hashes: Vec<_> = self.hashes.iter().map(|hash| STANDARD.encode(hash)).collect();
        json!({
            "logIndex": self.index.to_string(),
            "logId": {"keyId": STANDARD.encode(self.key.id(ORIGIN))},
            "kindVersion": {"kind": "hashedrekord", "version": "0.0.2"},
            "integratedTime": "0",
            "inclusionProof": {
                "logIndex": self.index.to_string(),
                "rootHash": STANDARD.encode(&self.root),
                "treeSize": self.size.to_string(),
                "hashes": hashes,
                "checkpoint": {"envelope": self.checkpoint},
            },
            "canonicalizedBody": STANDARD.encode(&self.body),
        })
        .to_string()
    }

    /// The answer of a v1 log, with its promise.
    pub(crate) fn to_v1(&self) -> String {
        let (number, id) = (self.index + EARLIER, hex(&self.key.id(ORIGIN)));
        let body = STANDARD.encode(&self.body);
        let promised = json!({
            "body": body, "integratedTime": TAKEN, "logID": id, "logIndex": number,
        });
        let promise = self.key.sign(promised.to_string().as_bytes());
        let hashes: Vec<_> = self.hashes.iter().map(|hash| hex(hash)).collect();
        json!({ format!("{:064x}", self.index): {
            "body": body, "integratedTime": TAKEN, "logID": id, "logIndex": number,
            "verification": {
                "signedEntryTimestamp": STANDARD.encode(promise),
                "inclusionProof": {
                    "logIndex": self.index, "rootHash": hex(&self.root), "treeSize": self.size,
                    "hashes": hashes, "checkpoint": self.checkpoint,
                },
            },
        }})
        .to_string()
    }
}

/// What a v2 log writes down for a request; nothing for one that it does not know.
pub(crate) fn body_v2(request: &Value) -> Option<Vec<u8>> {
    let record = request.get("hashedRekordRequestV002")?;
    let body = json!({
        "apiVersion": "0.0.2", "kind": "hashedrekord",
        "spec": {"hashedRekordV002": {
            "data": {"algorithm": "SHA2_256", "digest": record.get("digest")?},
            "signature": record.get("signature")?,
        }},
    });
    Some(body.to_string().into_bytes())
}

/// What a v1 log writes down for a request to log an envelope.
pub(crate) fn body_v1(request: &Value) -> Option<Vec<u8>> {
    let content = request.get("spec")?.get("proposedContent")?;
    let text = content["envelope"].as_str()?;
    let envelope: Value = serde_json::from_str(text).ok()?;
    let payload = STANDARD.decode(envelope["payload"].as_str()?).ok()?;
    let hash = |bytes: &[u8]| json!({"algorithm": "sha256", "value": hex(&sha256(&[bytes]))});
    let body = json!({
        "apiVersion": "0.0.1", "kind": "dsse",
        "spec": {
            "envelopeHash": hash(text.as_bytes()),
            "payloadHash": hash(&payload),
            "signatures": [{
                "signature": envelope["signatures"][0]["sig"],
                "verifier": content["verifiers"][0],
            }],
        },
    });
    Some(body.to_string().into_bytes())
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}
