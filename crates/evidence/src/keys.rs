//! P-256 keys: reading, writing, signing and checking.
//!
//! ECDSA with SHA-256 and deterministic nonces (RFC 6979): signing twice gives the same bytes.
//! Key files are cosign's own ([`SigningKey::from_pem`]); a folder or mounted secret of them is [`KeyFiles`].

mod cosign_file;
mod files;
mod info;
mod pem;
mod public;
mod signer;

use std::fmt;

use p256::{SecretKey, ecdsa, pkcs8::DecodePrivateKey as _, pkcs8::EncodePrivateKey as _};
use zeroize::Zeroizing;

pub(crate) use self::public::public_blocks;
pub use self::{
    files::KeyFiles,
    info::{Encryption, KeyInfo, PublicInfo},
    public::PublicKey,
    signer::Signer,
};

/// Why a key cannot be read, written or used. No variant carries key material or a password.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is larger than any key.
    #[error("invalid key file: it has {size} bytes, a key file has at most {limit}")]
    KeyFileTooLarge {
        /// Bytes found.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// There is no PEM block, or its base64 is broken.
    #[error("invalid key file: {why}")]
    ParsePem {
        /// What is wrong with the text.
        why: &'static str,
    },
    /// The PEM block is of a kind that is not a key of the wanted sort.
    #[error("invalid key file: found a PEM block {label:?}; expected one of {expected}")]
    UnexpectedPemLabel {
        /// The label found.
        label: String,
        /// The labels that would do.
        expected: &'static str,
    },
    /// The key is not an ECDSA key on P-256.
    #[error(
        "invalid {what} key: it is not an ECDSA P-256 key; make one with `arc keys generate` or `cosign generate-key-pair`"
    )]
    UnsupportedKey {
        /// `private` or `public`.
        what: &'static str,
    },
    /// The key of a log is neither of the two kinds that logs sign with.
    #[error("invalid log key: it is neither an ECDSA P-256 nor an Ed25519 key")]
    UnsupportedLogKey,
    /// The JSON inside an encrypted key file is not what cosign writes.
    #[error("invalid encrypted key file: {why}")]
    ParseEncryptedKey {
        /// What is wrong.
        why: String,
    },
    /// The scrypt cost is not one that cosign uses; a huge one would stall the machine.
    #[error(
        "refused encrypted key file: scrypt cost N={n} r={r} p={p}; expected N 32768, 65536 or 131072 with r=8 p=1"
    )]
    HostileCost {
        /// Cost N.
        n: u64,
        /// Block size.
        r: u64,
        /// Parallelism.
        p: u64,
    },
    /// Password and key file do not belong together.
    #[error("failed to decrypt the private key: wrong password{hint}")]
    WrongPassword {
        /// Empty, or a remark about the password's form.
        hint: &'static str,
    },
    /// An encrypted key was given without a password file.
    #[error(
        "failed to decrypt the private key: {name:?} is missing (an empty file means the empty password)"
    )]
    MissingPassword {
        /// The file looked for.
        name: &'static str,
    },
    /// `cosign.pub` is the public half of another private key.
    #[error(
        "public and private key do not belong together: cosign.pub has the hint {found:?}, the private key {expected:?}"
    )]
    KeyPairMismatch {
        /// Hint of `cosign.pub`.
        found: String,
        /// Hint of the private key's public half.
        expected: String,
    },
    /// A key file cannot be read.
    #[error("failed to read key file {path:?}")]
    ReadKeyFile {
        /// Its path.
        path: std::path::PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The operating system gave no randomness.
    #[error("failed to get random bytes for a key")]
    GetRandomness {
        /// The cause.
        source: getrandom::Error,
    },
    /// The signature does not verify.
    #[error("the signature was not made with the key {hint:?} over this content")]
    VerifySignature {
        /// Hint of the key it was checked with.
        hint: String,
    },
}

/// A private ECDSA P-256 key. Wiped from memory when dropped, never printed.
#[derive(Clone)]
pub struct SigningKey(ecdsa::SigningKey);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl SigningKey {
    /// Makes a new key from the operating system's randomness.
    pub fn generate() -> Result<Self, Error> {
        loop {
            let mut bytes = Zeroizing::new([0_u8; 32]);
            getrandom::fill(bytes.as_mut()).map_err(|source| Error::GetRandomness { source })?;
            // Zero and numbers beyond the group order are no keys; that happens once in 2^32 times.
            if let Ok(key) = SecretKey::from_slice(bytes.as_ref()) {
                return Ok(Self(key.into()));
            }
        }
    }

    /// Reads a private key file.
    ///
    /// Knows `ENCRYPTED SIGSTORE PRIVATE KEY` and `ENCRYPTED COSIGN PRIVATE KEY` (scrypt and `nacl/secretbox`; the
    /// empty password is valid), and without encryption `PRIVATE KEY` (PKCS#8) and `EC PRIVATE KEY` (SEC 1), where
    /// the password is ignored.
    pub fn from_pem(pem: &str, password: &[u8]) -> Result<Self, Error> {
        let blocks = pem::blocks(pem)?;
        let block = key_block(&blocks)?;
        let unsupported = |_| Error::UnsupportedKey { what: "private" };
        let key = match block.label.as_str() {
            label if cosign_file::LABELS.contains(&label) => {
                let der = cosign_file::decrypt(&block.content, password)?;
                SecretKey::from_pkcs8_der(&der).map_err(unsupported)?
            }
            "PRIVATE KEY" => SecretKey::from_pkcs8_der(&block.content).map_err(unsupported)?,
            "EC PRIVATE KEY" => SecretKey::from_sec1_der(&block.content)
                .map_err(|_opaque| Error::UnsupportedKey { what: "private" })?,
            label => {
                return Err(Error::UnexpectedPemLabel {
                    label: label.to_owned(),
                    expected: "\"ENCRYPTED SIGSTORE PRIVATE KEY\", \"ENCRYPTED COSIGN PRIVATE KEY\", \"PRIVATE KEY\", \"EC PRIVATE KEY\"",
                });
            }
        };
        Ok(Self(key.into()))
    }

    /// Returns the key as an encrypted file that cosign loads, with scrypt cost N=65536.
    ///
    /// Salt and nonce are random, so two calls differ.
    pub fn to_cosign_pem(&self, password: &[u8]) -> Result<String, Error> {
        let der =
            self.0.to_pkcs8_der().map_err(|_opaque| Error::UnsupportedKey { what: "private" })?;
        Ok(pem::encode(cosign_file::LABELS[0], &cosign_file::encrypt(der.as_bytes(), password)?))
    }

    /// Returns the public half.
    pub fn public(&self) -> PublicKey {
        PublicKey::from(*self.0.verifying_key())
    }

    /// Signs a message with SHA-256 and returns the signature in ASN.1 DER.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        use p256::ecdsa::signature::Signer as _;
        let signature: ecdsa::DerSignature = self.0.sign(message);
        signature.as_bytes().to_vec()
    }
}

/// The block that is the key: `openssl ecparam -genkey` puts the curve's parameters in front of it.
fn key_block(blocks: &[pem::Block]) -> Result<&pem::Block, Error> {
    let is_key = |block: &&pem::Block| block.label != "EC PARAMETERS";
    blocks.iter().find(is_key).ok_or(Error::ParsePem { why: "there is no private key in it" })
}

/// Whether a private key file needs a password, judged by its first PEM block that is a key.
pub fn is_encrypted(pem: &str) -> bool {
    pem::blocks(pem).is_ok_and(|blocks| {
        blocks.iter().any(|block| cosign_file::LABELS.contains(&block.label.as_str()))
    })
}
