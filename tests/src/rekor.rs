//! A transparency log at the wire: a Rekor of version 1 or 2 with a small tree of its own, honest or lying.
//!
//! Tree, checkpoint and answers follow RFC 9162 and the C2SP notes; none of it uses the code under test.

mod answer;
mod tree;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::StatusCode;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::rekor::{answer::Answer, tree::sha256};

/// DER of a P-256 public key up to its point.
const SPKI_P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// DER of an Ed25519 public key up to its bytes.
const SPKI_ED25519: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0];

/// Which Rekor it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// With an ECDSA key, as with Trillian behind it.
    V1,
    /// With an Ed25519 key, as with tiles in files.
    V2,
}

/// What it does wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lie {
    /// Nothing.
    #[default]
    None,
    /// One hash of the inclusion proof is another one.
    WrongProof,
    /// The entry, with a proof that holds, is the one of somebody else.
    OtherBody,
    /// The checkpoint is signed with another key.
    OtherKey,
    /// The answer is longer than any answer.
    Endless,
    /// Each entry is refused with this status until so many requests came.
    Status(u16, usize),
    /// It takes the request and never answers.
    Hang,
}

/// A log on loopback; dropping it closes it.
#[derive(Debug)]
pub struct Rekor {
    /// Where it answers.
    pub addr: SocketAddr,
    shared: Arc<Shared>,
    server: tokio::task::JoinHandle<()>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    version: Version,
    key: Key,
    state: Mutex<Log>,
}

#[derive(Debug, Default)]
pub(crate) struct Log {
    lie: Lie,
    requests: usize,
    /// What was logged, by others and by us.
    leaves: Vec<Vec<u8>>,
    /// Which of them came over the wire.
    taken: Vec<usize>,
}

#[derive(Debug)]
pub(crate) enum Key {
    Ecdsa(Box<EcdsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

impl Key {
    fn generate(version: Version) -> Self {
        let random = SystemRandom::new();
        match version {
            Version::V1 => {
                let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
                let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
                let key = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap();
                Self::Ecdsa(Box::new(key))
            }
            Version::V2 => {
                let document = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
                Self::Ed25519(Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap())
            }
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Ecdsa(key) => key.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::Ed25519(key) => key.sign(message).as_ref().to_vec(),
        }
    }

    fn spki(&self) -> Vec<u8> {
        match self {
            Self::Ecdsa(key) => [&SPKI_P256[..], key.public_key().as_ref()].concat(),
            Self::Ed25519(key) => [&SPKI_ED25519[..], key.public_key().as_ref()].concat(),
        }
    }

    /// The log's id: SHA-256 over the key as DER in v1, over name and key as in signed notes in v2.
    ///
    /// Its first four bytes name the key on the line of a signed note.
    pub(crate) fn id(&self, origin: &str) -> Vec<u8> {
        match self {
            Self::Ecdsa(_) => sha256(&[&self.spki()]),
            Self::Ed25519(key) => {
                sha256(&[origin.as_bytes(), b"\n\x01", key.public_key().as_ref()])
            }
        }
    }
}

impl Rekor {
    /// Starts an honest log that holds a few entries of others.
    pub async fn start(version: Version) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let leaves = (0_u8..5).map(|number| vec![b'o', number]).collect();
        let state = Mutex::new(Log { leaves, ..Log::default() });
        let shared = Arc::new(Shared { version, key: Key::generate(version), state });
        let path = match version {
            Version::V1 => "/api/v1/log/entries",
            Version::V2 => "/api/v2/log/entries",
        };
        let router = Router::new()
            .route(path, post(take))
            .route("/api/v1/log/entries/{entry}", get(read))
            .with_state(shared.clone());
        let server = tokio::spawn(async move {
            // The test ends it.
            let _ = axum::serve(listener, router).await;
        });
        Self { addr, shared, server }
    }

    /// Returns `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Returns which Rekor it is.
    pub fn version(&self) -> Version {
        self.shared.version
    }

    /// Returns the log's public key in PEM.
    pub fn public_key(&self) -> String {
        let key = STANDARD.encode(self.shared.key.spki());
        format!("-----BEGIN PUBLIC KEY-----\n{key}\n-----END PUBLIC KEY-----\n")
    }

    /// Does this wrong from now on.
    pub fn lie(&self, lie: Lie) {
        self.shared.state.lock().unwrap().lie = lie;
    }

    /// Returns how many requests to log something came.
    pub fn requests(&self) -> usize {
        self.shared.state.lock().unwrap().requests
    }

    /// Returns how many entries were taken over the wire.
    pub fn entries(&self) -> usize {
        self.shared.state.lock().unwrap().taken.len()
    }
}

impl Drop for Rekor {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn take(State(shared): State<Arc<Shared>>, request: Bytes) -> Response {
    let lie = {
        let mut log = shared.state.lock().unwrap();
        log.requests += 1;
        match log.lie {
            Lie::Status(status, until) if log.requests <= until => {
                return (StatusCode::from_u16(status).unwrap(), "{\"message\":\"no\"}")
                    .into_response();
            }
            lie => lie,
        }
    };
    match lie {
        Lie::Hang => {
            tokio::time::sleep(Duration::from_secs(600)).await;
            StatusCode::GATEWAY_TIMEOUT.into_response()
        }
        Lie::Endless => vec![b' '; 64 << 20].into_response(),
        _ => shared.log(&request),
    }
}

async fn read(State(shared): State<Arc<Shared>>, Path(entry): Path<String>) -> Response {
    let index = entry.parse().unwrap();
    let log = shared.state.lock().unwrap();
    shared.answer(&log, index).to_v1().into_response()
}

impl Shared {
    /// Takes a request into the log, if it is right, and answers it.
    fn log(&self, request: &[u8]) -> Response {
        let request: Value = serde_json::from_slice(request).unwrap();
        let body = match self.version {
            Version::V1 => answer::body_v1(&request),
            Version::V2 => answer::body_v2(&request),
        };
        let Some(body) = body else { return StatusCode::BAD_REQUEST.into_response() };
        let mut log = self.state.lock().unwrap();
        if let Some(known) = log.leaves.iter().position(|leaf| *leaf == body) {
            return match self.version {
                Version::V1 => {
                    let place = [("location", format!("/api/v1/log/entries/{known}"))];
                    (StatusCode::CONFLICT, place).into_response()
                }
                Version::V2 => self.answer(&log, known).to_v2().into_response(),
            };
        }
        let index = log.leaves.len();
        log.leaves.push(body);
        log.taken.push(index);
        // Others use the log, too.
        log.leaves.push(vec![b'o', b'o', u8::try_from(index % 251).unwrap()]);
        let answer = self.answer(&log, index);
        match self.version {
            Version::V1 => (StatusCode::CREATED, answer.to_v1()).into_response(),
            Version::V2 => answer.to_v2().into_response(),
        }
    }

    fn answer<'a>(&'a self, log: &Log, index: usize) -> Answer<'a> {
        let index =
            if log.lie == Lie::OtherBody && log.taken.len() > 1 { log.taken[0] } else { index };
        Answer::new(&self.key, &log.leaves, index, log.lie)
    }
}
