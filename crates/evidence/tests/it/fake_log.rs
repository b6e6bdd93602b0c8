//! Two logs in memory, one as Rekor v1 and one as Rekor v2: trees, checkpoints and answers made without the crate's
//! own code for them.

use arc_evidence::{LogKey, SigningKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// When the v1 log took everything: 2026-08-22T10:02:00Z.
pub(crate) const TAKEN: i64 = 1_787_392_920;

type Hash = Vec<u8>;

pub(crate) enum Signs {
    Ecdsa(SigningKey),
    Ed25519(Box<Ed25519KeyPair>),
}

/// A log with some entries of others before and after each of ours.
pub(crate) struct FakeLog {
    pub(crate) key: Signs,
    pub(crate) origin: &'static str,
    leaves: Vec<Vec<u8>>,
}

impl FakeLog {
    pub(crate) fn v1() -> Self {
        let leaves = (0..5).map(|number| vec![number]).collect();
        Self {
            key: Signs::Ecdsa(SigningKey::generate().unwrap()),
            origin: "log.example - 42",
            leaves,
        }
    }

    pub(crate) fn v2() -> Self {
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let leaves = (0..6).map(|number| vec![number]).collect();
        Self { key: Signs::Ed25519(Box::new(key)), origin: "rekor.example", leaves }
    }

    pub(crate) fn pem(&self) -> String {
        match &self.key {
            Signs::Ecdsa(key) => key.public().to_pem(),
            Signs::Ed25519(_) => format!(
                "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
                STANDARD.encode(self.spki())
            ),
        }
    }

    pub(crate) fn keys(&self) -> Vec<LogKey> {
        LogKey::all_from_pem(&self.pem()).unwrap()
    }

    fn spki(&self) -> Vec<u8> {
        match &self.key {
            Signs::Ecdsa(key) => {
                let pem = key.public().to_pem();
                STANDARD
                    .decode(pem.lines().filter(|line| !line.starts_with('-')).collect::<String>())
                    .unwrap()
            }
            Signs::Ed25519(key) => {
                let prefix = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
                [&prefix[..], key.public_key().as_ref()].concat()
            }
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.key {
            Signs::Ecdsa(key) => key.sign(message),
            Signs::Ed25519(key) => key.sign(message).as_ref().to_vec(),
        }
    }

    pub(crate) fn id(&self) -> Vec<u8> {
        sha256(&self.spki())
    }

    pub(crate) fn note_id(&self) -> Vec<u8> {
        match &self.key {
            Signs::Ecdsa(_) => self.id(),
            Signs::Ed25519(key) => {
                sha256(&[self.origin.as_bytes(), b"\n\x01", key.public_key().as_ref()].concat())
            }
        }
    }

    /// A signed note about a tree.
    pub(crate) fn checkpoint(&self, size: u64, root: &[u8]) -> String {
        let text = format!("{}\n{size}\n{}\n", self.origin, STANDARD.encode(root));
        let line = STANDARD.encode([&self.note_id()[..4], &self.sign(text.as_bytes())].concat());
        // A name of v1 has the number of the tree behind the host, which is not on the signature line.
        let name = self.origin.split(' ').next().unwrap();
        format!("{text}\n\u{2014} {name} {line}\n")
    }

    /// Takes a body; returns its number and its proof.
    fn take(&mut self, body: &[u8]) -> (usize, Vec<Hash>, Hash) {
        let index = self.leaves.len();
        self.leaves.push(body.to_vec());
        self.leaves.extend((0..3).map(|number| vec![number, number]));
        let hashes: Vec<_> =
            self.leaves.iter().map(|entry| sha256(&[b"\0", entry.as_slice()].concat())).collect();
        (index, path(index, &hashes), root(&hashes))
    }

    /// Answers a v2 request.
    pub(crate) fn answer_v2(&mut self, request: &[u8]) -> Vec<u8> {
        let request: Value = serde_json::from_slice(request).unwrap();
        let request = &request["hashedRekordRequestV002"];
        let body = json!({
            "apiVersion": "0.0.2",
            "kind": "hashedrekord",
            "spec": {"hashedRekordV002": {
                "data": {"algorithm": "SHA2_256", "digest": request["digest"]},
                "signature": request["signature"],
            }},
        })
        .to_string();
        let (index, path, root) = self.take(body.as_bytes());
        let size = self.leaves.len() as u64;
        json!({
            "logIndex": index.to_string(),
            "logId": {"keyId": STANDARD.encode(self.note_id())},
            "kindVersion": {"kind": "hashedrekord", "version": "0.0.2"},
            "inclusionProof": {
                "logIndex": index.to_string(),
                "rootHash": STANDARD.encode(&root),
                "treeSize": size.to_string(),
                "hashes": path.iter().map(|hash| STANDARD.encode(hash)).collect::<Vec<_>>(),
                "checkpoint": {"envelope": self.checkpoint(size, &root)},
            },
            "canonicalizedBody": STANDARD.encode(body),
        })
        .to_string()
        .into_bytes()
    }

    /// Answers a v1 request, of an envelope or of a plain signature.
    pub(crate) fn answer_v1(&mut self, request: &[u8]) -> Vec<u8> {
        let request: Value = serde_json::from_slice(request).unwrap();
        let body = match request["kind"].as_str().unwrap() {
            "hashedrekord" => request.to_string(),
            _ => logged_envelope(&request["spec"]["proposedContent"]),
        };
        let (index, path, root) = self.take(body.as_bytes());
        // The number over all parts of the log is another one than the number in the tree.
        let number = index + 1000;
        let (size, id) = (self.leaves.len() as u64, hex(&self.id()));
        let promised = format!(
            r#"{{"body":"{}","integratedTime":{TAKEN},"logID":"{id}","logIndex":{number}}}"#,
            STANDARD.encode(&body)
        );
        json!({"24296fb24b8ad77a": {
            "body": STANDARD.encode(&body),
            "integratedTime": TAKEN,
            "logID": id,
            "logIndex": number,
            "verification": {
                "inclusionProof": {
                    "checkpoint": self.checkpoint(size, &root),
                    "hashes": path.iter().map(|hash| hex(hash)).collect::<Vec<_>>(),
                    "logIndex": index,
                    "rootHash": hex(&root),
                    "treeSize": size,
                },
                "signedEntryTimestamp": STANDARD.encode(self.sign(promised.as_bytes())),
            },
        }})
        .to_string()
        .into_bytes()
    }
}

fn logged_envelope(content: &Value) -> String {
    let text = content["envelope"].as_str().unwrap();
    let envelope: Value = serde_json::from_str(text).unwrap();
    let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
    let hash = |bytes: &[u8]| json!({"algorithm": "sha256", "value": hex(&sha256(bytes))});
    let signature = &envelope["signatures"][0]["sig"];
    json!({"apiVersion": "0.0.1", "kind": "dsse", "spec": {
        "envelopeHash": hash(text.as_bytes()),
        "payloadHash": hash(&payload),
        "signatures": [{"signature": signature, "verifier": content["verifiers"][0]}],
    }})
    .to_string()
}

fn sha256(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).to_vec()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The root over hashes of leaves, level by level: a node without a sibling moves up as it is.
fn root(hashes: &[Hash]) -> Hash {
    let mut level = hashes.to_vec();
    while level.len() > 1 {
        level = level.chunks(2).map(parent).collect();
    }
    level.remove(0)
}

fn path(mut index: usize, hashes: &[Hash]) -> Vec<Hash> {
    let mut level = hashes.to_vec();
    let mut path = Vec::new();
    while level.len() > 1 {
        path.extend(level.get(index ^ 1).cloned());
        level = level.chunks(2).map(parent).collect();
        index /= 2;
    }
    path
}

fn parent(pair: &[Hash]) -> Hash {
    match pair {
        [left, right] => sha256(&[b"\x01".as_slice(), left, right].concat()),
        _ => pair[0].clone(),
    }
}
