//! The layout of a cosign key pair in a folder or a mounted Kubernetes secret.

use std::{fmt, fs, io, io::Read as _, path::Path};

use zeroize::Zeroizing;

use super::{Error, PublicKey, SigningKey, is_encrypted};
use crate::limits;

/// The three files of a cosign key pair, as in the secret of `cosign generate-key-pair k8s://…`. Never printed.
#[derive(Clone)]
pub struct KeyFiles {
    /// `cosign.key`: the private key, usually encrypted.
    pub key: Zeroizing<String>,
    /// `cosign.password`: its password, used to the last byte; none is fine for a key without encryption.
    pub password: Option<Zeroizing<Vec<u8>>>,
    /// `cosign.pub`: the public key.
    pub public: Option<String>,
}

impl fmt::Debug for KeyFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl KeyFiles {
    /// Name of the private key file.
    pub const KEY: &str = "cosign.key";
    /// Name of the password file.
    pub const PASSWORD: &str = "cosign.password";
    /// Name of the public key file.
    pub const PUBLIC: &str = "cosign.pub";

    /// Makes a new key pair protected by a password.
    pub fn generate(password: &[u8]) -> Result<Self, Error> {
        let key = SigningKey::generate()?;
        Ok(Self {
            key: Zeroizing::new(key.to_cosign_pem(password)?),
            password: Some(Zeroizing::new(password.to_vec())),
            public: Some(key.public().to_pem()),
        })
    }

    /// Reads the files of a folder; `cosign.key` must exist.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(Self::KEY);
        let key = read_text(&path)?
            .ok_or_else(|| Error::ReadKeyFile { path, source: io::ErrorKind::NotFound.into() })?;
        Ok(Self {
            key,
            password: read_file(&folder.join(Self::PASSWORD), limits::MAX_PASSWORD)?,
            public: read_text(&folder.join(Self::PUBLIC))?.map(|text| text.to_string()),
        })
    }

    /// Opens the private key and checks that `cosign.pub`, where given, is its public half.
    pub fn open(&self) -> Result<SigningKey, Error> {
        let password = match &self.password {
            Some(password) => password.as_slice(),
            None if is_encrypted(&self.key) => {
                return Err(Error::MissingPassword { name: Self::PASSWORD });
            }
            None => &[],
        };
        // The public key first: it is cheap, and its error is clearer than what follows.
        let public = self.public.as_deref().map(PublicKey::from_pem).transpose()?;
        let key = SigningKey::from_pem(&self.key, password)?;
        match public {
            Some(public) if public != key.public() => {
                Err(Error::KeyPairMismatch { found: public.hint(), expected: key.public().hint() })
            }
            _ => Ok(key),
        }
    }
}

fn read_text(path: &Path) -> Result<Option<Zeroizing<String>>, Error> {
    let Some(bytes) = read_file(path, limits::MAX_KEY_FILE)? else { return Ok(None) };
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Some(Zeroizing::new(text.to_owned()))),
        Err(_) => Err(Error::ParsePem { why: "it is not text" }),
    }
}

fn read_file(path: &Path, limit: usize) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    let failed = |source| Error::ReadKeyFile { path: path.to_owned(), source };
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(failed(source)),
    };
    // Reserved beforehand: a growing buffer would leave copies of a secret behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit + 1));
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > limit {
        return Err(Error::KeyFileTooLarge { size: bytes.len(), limit });
    }
    Ok(Some(bytes))
}
