//! Keys of logs: ECDSA P-256 (v1) or Ed25519 (v2 as people run it themselves).

use std::fmt;

use ring::signature::{ED25519, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};

use crate::{PublicKey, encoding, keys};

/// The DER form of every Ed25519 public key up to its 32 bytes (RFC 8410).
const ED25519_PREFIX: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The algorithm number of Ed25519 in signed notes.
const NOTE_ED25519: u8 = 1;

/// The public key of a transparency log.
#[derive(Clone, PartialEq, Eq)]
pub struct LogKey(Kind);

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    Ecdsa(PublicKey),
    Ed25519([u8; 32]),
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LogKey").field(&encoding::hex(&self.id())).finish()
    }
}

impl LogKey {
    /// Reads a file with one or more `PUBLIC KEY` blocks, each ECDSA on P-256 or Ed25519.
    pub fn all_from_pem(text: &str) -> Result<Vec<Self>, keys::Error> {
        keys::public_blocks(text)?.iter().map(|der| Self::from_der(der)).collect()
    }

    fn from_der(der: &[u8]) -> Result<Self, keys::Error> {
        let ed25519 = der.strip_prefix(&ED25519_PREFIX).and_then(|key| key.try_into().ok());
        match ed25519 {
            Some(key) => Ok(Self(Kind::Ed25519(key))),
            None => PublicKey::from_der(der)
                .map(|key| Self(Kind::Ecdsa(key)))
                .map_err(|_other| keys::Error::UnsupportedLogKey),
        }
    }

    /// Returns the log's id: SHA-256 over the key's DER form.
    pub fn id(&self) -> [u8; 32] {
        Sha256::digest(self.to_der()).into()
    }

    fn to_der(&self) -> Vec<u8> {
        match &self.0 {
            Kind::Ecdsa(key) => key.to_der(),
            Kind::Ed25519(key) => [&ED25519_PREFIX[..], key].concat(),
        }
    }

    /// Returns the id of this key under a name in signed notes, whose first four bytes are on each signature line.
    ///
    /// v2 logs call themselves by it, too. For ECDSA it is [`LogKey::id`], whatever the name.
    pub(super) fn note_id(&self, name: &str) -> [u8; 32] {
        match &self.0 {
            Kind::Ecdsa(_) => self.id(),
            Kind::Ed25519(key) => Sha256::new()
                .chain_update(name)
                .chain_update([b'\n', NOTE_ED25519])
                .chain_update(key)
                .finalize()
                .into(),
        }
    }

    /// Whether the signature is this key's over the message.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Kind::Ecdsa(key) => key.verify(message, signature).is_ok(),
            Kind::Ed25519(key) => {
                UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok()
            }
        }
    }
}
