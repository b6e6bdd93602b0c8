//! What a key file says about itself, for `arc keys inspect`. Never anything secret.

use serde::Serialize;

use super::{Error, PublicKey, SigningKey, cosign_file, pem};

/// Facts about a key file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyInfo {
    /// The PEM label, such as `ENCRYPTED SIGSTORE PRIVATE KEY`.
    pub label: String,
    /// How the private key is encrypted; `None` for a key without encryption and for public keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
    /// Facts about the public half; `None` as long as the file is encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public: Option<PublicInfo>,
}

/// How a private key is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Encryption {
    /// Key derivation, `scrypt`.
    pub kdf: String,
    /// Cost N of the key derivation.
    pub n: u64,
    /// Block size of the key derivation.
    pub r: u64,
    /// Parallelism of the key derivation.
    pub p: u64,
    /// Cipher, `nacl/secretbox`.
    pub cipher: String,
}

/// Facts about a public key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PublicInfo {
    /// Name of the algorithm and the curve.
    pub algorithm: &'static str,
    /// The hint in bundles: base64 of SHA-256 over the DER form.
    pub hint: String,
    /// The DSSE key id that Go's verifiers compute.
    pub key_id: String,
}

impl KeyInfo {
    /// Reads a private or public key file without a password; of an encrypted key only how it is encrypted.
    ///
    /// # Errors
    /// When the file is none that ARC could use, a cost that is refused included.
    pub fn read(text: &str) -> Result<Self, Error> {
        Self::inspect(text, None)
    }

    /// Reads a key file and opens it with the password, which is ignored for keys without encryption.
    ///
    /// # Errors
    /// As for [`KeyInfo::read`], and when the password is wrong.
    pub fn open(text: &str, password: &[u8]) -> Result<Self, Error> {
        Self::inspect(text, Some(password))
    }

    fn inspect(text: &str, password: Option<&[u8]>) -> Result<Self, Error> {
        let blocks = pem::blocks(text)?;
        let block = super::key_block(&blocks)?;
        let label = block.label.clone();
        let encryption = cosign_file::LABELS
            .contains(&label.as_str())
            .then(|| cosign_file::encryption(&block.content))
            .transpose()?;
        let public = match (label.as_str(), &encryption, password) {
            ("PUBLIC KEY", _, _) => Some(PublicKey::from_pem(text)?),
            (_, Some(_), None) => None,
            (_, _, password) => {
                Some(SigningKey::from_pem(text, password.unwrap_or_default())?.public())
            }
        };
        Ok(Self { label, encryption, public: public.as_ref().map(PublicInfo::from) })
    }
}

impl From<&PublicKey> for PublicInfo {
    fn from(key: &PublicKey) -> Self {
        Self { algorithm: "ECDSA P-256", hint: key.hint(), key_id: key.key_id() }
    }
}
