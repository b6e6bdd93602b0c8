//! The encrypted JSON inside a cosign key file: scrypt for the password, `nacl/secretbox` for the key.
//!
//! Only the costs that cosign has ever written are accepted: a file with another one would be a way to make a
//! step burn memory and time before anything is checked.

use crypto_secretbox::{
    XSalsa20Poly1305,
    aead::{Aead as _, KeyInit as _},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Encryption, Error};
use crate::{encoding, limits};

/// The PEM labels in use; the first is the one cosign writes today.
pub(super) const LABELS: [&str; 2] =
    ["ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY"];

/// scrypt costs as log2(N): the old, the usual and the strong one.
const LOG_COSTS: [u8; 3] = [15, 16, 17];

/// The cost that `cosign generate-key-pair` writes, N = 65536.
const LOG_COST_WRITTEN: u8 = 16;

const BLOCK_SIZE: u32 = 8;
const PARALLELISM: u32 = 1;
const SALT_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// An encrypted P-256 key has about 154 bytes, the largest RSA key a few thousand.
const MAX_CIPHERTEXT: usize = 16 << 10;

#[derive(Serialize, Deserialize)]
struct File {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Serialize, Deserialize)]
struct Kdf {
    name: String,
    params: Params,
    salt: String,
}

#[derive(Serialize, Deserialize)]
struct Params {
    #[serde(rename = "N")]
    n: u64,
    r: u64,
    p: u64,
}

#[derive(Serialize, Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

/// Decrypts the JSON of a key file to the PKCS#8 DER inside.
pub(super) fn decrypt(json: &[u8], password: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let invalid = |why: String| Error::ParseEncryptedKey { why };
    let (file, log_cost) = parse(json)?;
    let salt: [u8; SALT_BYTES] = exactly(&file.kdf.salt, "salt")?;
    let nonce: [u8; NONCE_BYTES] = exactly(&file.cipher.nonce, "nonce")?;
    let ciphertext = encoding::decode_base64(&file.ciphertext)
        .filter(|bytes| bytes.len() <= MAX_CIPHERTEXT)
        .ok_or_else(|| {
            invalid(format!("the ciphertext is not base64 of at most {MAX_CIPHERTEXT} bytes"))
        })?;
    let cipher = cipher(password, &salt, log_cost)?;
    let plaintext = cipher
        .decrypt(&nonce.into(), ciphertext.as_slice())
        .map_err(|_opaque| wrong_password(password))?;
    Ok(Zeroizing::new(plaintext))
}

/// Returns how a key file is encrypted, without opening it.
pub(super) fn encryption(json: &[u8]) -> Result<Encryption, Error> {
    let (File { kdf, cipher, .. }, _) = parse(json)?;
    let Params { n, r, p } = kdf.params;
    Ok(Encryption { kdf: kdf.name, n, r, p, cipher: cipher.name })
}

/// Reads the JSON of a key file and the logarithm of its cost, which is one of the known ones.
fn parse(json: &[u8]) -> Result<(File, u8), Error> {
    let invalid = |why: String| Error::ParseEncryptedKey { why };
    let file: File = serde_json::from_slice(json).map_err(|error| invalid(error.to_string()))?;
    if file.kdf.name != "scrypt" {
        return Err(invalid(format!("key derivation {:?}; expected \"scrypt\"", file.kdf.name)));
    }
    if file.cipher.name != "nacl/secretbox" {
        return Err(invalid(format!("cipher {:?}; expected \"nacl/secretbox\"", file.cipher.name)));
    }
    let log_cost = log_cost(&file.kdf.params)?;
    Ok((file, log_cost))
}

/// Encrypts PKCS#8 DER to the JSON of a key file, with fresh salt and nonce.
pub(super) fn encrypt(der: &[u8], password: &[u8]) -> Result<Vec<u8>, Error> {
    let mut salt = [0_u8; SALT_BYTES];
    let mut nonce = [0_u8; NONCE_BYTES];
    getrandom::fill(&mut salt).map_err(|source| Error::GetRandomness { source })?;
    getrandom::fill(&mut nonce).map_err(|source| Error::GetRandomness { source })?;
    let ciphertext =
        cipher(password, &salt, LOG_COST_WRITTEN)?.encrypt(&nonce.into(), der).map_err(
            |_opaque| Error::ParseEncryptedKey { why: "the key is too long to encrypt".to_owned() },
        )?;
    Ok(encoding::to_bytes(&File {
        kdf: Kdf {
            name: "scrypt".to_owned(),
            params: Params {
                n: 1 << LOG_COST_WRITTEN,
                r: BLOCK_SIZE.into(),
                p: PARALLELISM.into(),
            },
            salt: encoding::base64(&salt),
        },
        cipher: Cipher { name: "nacl/secretbox".to_owned(), nonce: encoding::base64(&nonce) },
        ciphertext: encoding::base64(&ciphertext),
    }))
}

fn log_cost(params: &Params) -> Result<u8, Error> {
    let fixed = params.r == u64::from(BLOCK_SIZE) && params.p == u64::from(PARALLELISM);
    LOG_COSTS
        .into_iter()
        .find(|log_cost| fixed && params.n == 1 << log_cost)
        .ok_or(Error::HostileCost { n: params.n, r: params.r, p: params.p })
}

fn exactly<const N: usize>(text: &str, what: &str) -> Result<[u8; N], Error> {
    encoding::decode_base64(text).and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
        Error::ParseEncryptedKey { why: format!("the {what} is not base64 of {N} bytes") }
    })
}

fn cipher(password: &[u8], salt: &[u8], log_cost: u8) -> Result<XSalsa20Poly1305, Error> {
    if password.len() > limits::MAX_PASSWORD {
        return Err(Error::WrongPassword { hint: " (it is longer than any password)" });
    }
    Ok(XSalsa20Poly1305::new(derive(password, salt, log_cost).as_ref().into()))
}

fn derive(password: &[u8], salt: &[u8], log_cost: u8) -> Zeroizing<[u8; 32]> {
    let params =
        scrypt::Params::new(log_cost, BLOCK_SIZE, PARALLELISM).expect("the listed costs are valid");
    let mut key = Zeroizing::new([0_u8; 32]);
    scrypt::scrypt(password, salt, &params, key.as_mut())
        .expect("32 bytes are a valid output length");
    key
}

fn wrong_password(password: &[u8]) -> Error {
    let hint = match password {
        [] => " (the empty password was given)",
        [.., b'\n'] => " (it ends with a line break, which counts; write the file without one)",
        _ => "",
    };
    Error::WrongPassword { hint }
}
