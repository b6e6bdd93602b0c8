//! Public keys: reading, writing, naming, checking signatures.

use std::fmt;

use p256::{
    ecdsa::{DerSignature, VerifyingKey, signature::hazmat::PrehashVerifier as _},
    pkcs8::{DecodePublicKey as _, EncodePublicKey as _},
};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{Error, pem};
use crate::{encoding, limits};

const LABEL: &str = "PUBLIC KEY";
const EXPECTED: &str = "\"PUBLIC KEY\"";

/// A public ECDSA P-256 key.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublicKey").field(&self.hint()).finish()
    }
}

impl From<VerifyingKey> for PublicKey {
    fn from(key: VerifyingKey) -> Self {
        Self(key)
    }
}

impl PublicKey {
    /// Reads a file with exactly one `PUBLIC KEY` block, such as `cosign.pub`.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        let mut keys = Self::all_from_pem(text)?;
        match (keys.pop(), keys.is_empty()) {
            (Some(key), true) => Ok(key),
            _ => Err(Error::ParsePem { why: "there is more than one public key in it" }),
        }
    }

    /// Reads a file with one or more `PUBLIC KEY` blocks: a key set, as it is needed while keys are replaced.
    pub fn all_from_pem(text: &str) -> Result<Vec<Self>, Error> {
        public_blocks(text)?.iter().map(|der| Self::from_der(der)).collect()
    }

    /// Reads the DER form (SPKI).
    pub(crate) fn from_der(der: &[u8]) -> Result<Self, Error> {
        let key = VerifyingKey::from_public_key_der(der);
        key.map(Self).map_err(|_opaque| Error::UnsupportedKey { what: "public" })
    }

    /// Returns the key as a `PUBLIC KEY` block, byte for byte as cosign writes `cosign.pub`.
    pub fn to_pem(&self) -> String {
        pem::encode(LABEL, &self.to_der())
    }

    /// Returns the hint that bundles carry: base64 of SHA-256 over the DER form.
    pub fn hint(&self) -> String {
        encoding::base64(&Sha256::digest(self.to_der()))
    }

    /// Returns the DSSE key id that Go's verifiers compute: `SHA256:` and the key's SSH fingerprint.
    pub fn key_id(&self) -> String {
        let point = self.0.to_sec1_point(false);
        let mut wire = Vec::new();
        // Each field of the SSH wire form follows its length.
        let fields =
            [(19_u32, b"ecdsa-sha2-nistp256".as_slice()), (8, b"nistp256"), (65, point.as_bytes())];
        for (length, field) in fields {
            wire.extend_from_slice(&length.to_be_bytes());
            wire.extend_from_slice(field);
        }
        format!("SHA256:{}", encoding::base64(&Sha256::digest(&wire)).trim_end_matches('='))
    }

    /// Checks an ASN.1 DER signature over a message hashed with SHA-256.
    pub fn verify(&self, message: &[u8], signature_der: &[u8]) -> Result<(), Error> {
        self.verify_hash(&Sha256::digest(message), signature_der)
    }

    /// Checks a signature over a SHA-256 hash, so that a large message is hashed once for all keys.
    pub(crate) fn verify_hash(&self, sha256: &[u8], signature_der: &[u8]) -> Result<(), Error> {
        DerSignature::from_bytes(signature_der)
            .and_then(|signature| self.0.verify_prehash(sha256, &signature))
            .map_err(|_opaque| Error::VerifySignature { hint: self.hint() })
    }

    pub(crate) fn to_der(&self) -> Vec<u8> {
        self.0.to_public_key_der().expect("a valid P-256 key has a DER form").into_vec()
    }
}

/// Returns the contents of the `PUBLIC KEY` blocks of a file, of whatever kind the keys are.
pub(crate) fn public_blocks(text: &str) -> Result<Vec<Zeroizing<Vec<u8>>>, Error> {
    let blocks = pem::blocks(text)?;
    if blocks.len() > limits::MAX_KEYS {
        return Err(Error::ParsePem { why: "there are too many public keys in it" });
    }
    let content = |block: pem::Block| {
        if block.label == LABEL {
            Ok(block.content)
        } else {
            Err(Error::UnexpectedPemLabel { label: block.label, expected: EXPECTED })
        }
    };
    blocks.into_iter().map(content).collect()
}
