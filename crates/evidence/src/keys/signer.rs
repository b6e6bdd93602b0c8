//! What signs: a key in memory today, a token or a key service one day.

use super::{Error, PublicKey, SigningKey};

/// Something that signs with ECDSA on P-256 and SHA-256.
///
/// The place where a PKCS#11 token or a key management service is added as another variant: such a signer has its
/// public key at hand and may fail when it signs, which is why [`Signer::sign`] can.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Signer {
    /// A private key in memory.
    Key(SigningKey),
}

impl From<SigningKey> for Signer {
    fn from(key: SigningKey) -> Self {
        Self::Key(key)
    }
}

impl Signer {
    /// Returns the public key that checks what this signs.
    pub fn public(&self) -> PublicKey {
        match self {
            Self::Key(key) => key.public(),
        }
    }

    /// Signs a message with SHA-256 and returns the signature in ASN.1 DER.
    ///
    /// # Errors
    /// When the signer cannot be reached or refuses; a key in memory never does.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        match self {
            Self::Key(key) => Ok(key.sign(message)),
        }
    }
}
