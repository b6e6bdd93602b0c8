//! Names that become file names: parsed once, at the edge, so that nothing unchecked reaches the disk.
//!
//! The grammar is the specification's; `.`, `..`, `/` at an end, and a leading `_` or `.` in a component never pass.
//! That keeps our own folders, which begin with `_`, apart from every repository name.

use std::fmt::{self, Write as _};

use sha2::{Digest as _, Sha256, Sha512};

use crate::error::{Code, Refusal};

/// Longest repository name; many registries and clients stop at 255 as well.
const MAX_NAME: usize = 255;
/// Longest tag, by the specification.
const MAX_TAG: usize = 128;
/// Random bytes of an upload id: not guessable, and no collisions.
const UPLOAD_ID_BYTES: usize = 16;

/// A checked repository name such as `library/alpine`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name(String);

impl Name {
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        if text.len() <= MAX_NAME && text.split('/').all(is_name_component) {
            return Ok(Self(text.to_owned()));
        }
        Err(Refusal::new(Code::NameInvalid, format!("{text:?} is not a repository name")))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Tells whether `text` is lower-case alphanumerics joined by single `.`, one or two `_`, or any number of `-`.
fn is_name_component(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let ends_are_words =
        bytes.first().copied().is_some_and(is_word) && bytes.last().copied().is_some_and(is_word);
    ends_are_words
        && bytes.split(|byte| is_word(*byte)).all(|separator| {
            matches!(separator, b"" | b"." | b"_" | b"__")
                || separator.iter().all(|byte| *byte == b'-')
        })
}

/// A checked tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag(String);

impl Tag {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn is_valid(text: &str) -> bool {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        text.len() <= MAX_TAG
            && text.bytes().next().is_some_and(is_word)
            && text.bytes().all(|byte| is_word(byte) || byte == b'.' || byte == b'-')
    }
}

/// The last part of a manifest address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reference {
    Tag(Tag),
    Digest(Digest),
}

impl Reference {
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        if text.contains(':') {
            return Digest::parse(text).map(Self::Digest);
        }
        if Tag::is_valid(text) {
            return Ok(Self::Tag(Tag(text.to_owned())));
        }
        Err(Refusal::new(Code::ManifestInvalid, format!("{text:?} is not a tag")))
    }
}

/// The hash functions content may be addressed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Sha256,
    Sha512,
}

impl Algorithm {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    fn hex_length(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }

    pub(crate) fn hasher(self) -> Hasher {
        match self {
            Self::Sha256 => Hasher::Sha256(Sha256::new()),
            Self::Sha512 => Hasher::Sha512(Box::new(Sha512::new())),
        }
    }
}

/// A digest being computed.
pub(crate) enum Hasher {
    Sha256(Sha256),
    Sha512(Box<Sha512>),
}

impl Hasher {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> Digest {
        match self {
            Self::Sha256(hasher) => {
                Digest { algorithm: Algorithm::Sha256, hex: to_hex(&hasher.finalize()) }
            }
            Self::Sha512(hasher) => {
                Digest { algorithm: Algorithm::Sha512, hex: to_hex(&hasher.finalize()) }
            }
        }
    }
}

/// A checked content address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digest {
    algorithm: Algorithm,
    hex: String,
}

impl Digest {
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let refusal = || {
            Refusal::new(Code::DigestInvalid, format!("{text:?} is not a sha256 or sha512 digest"))
        };
        let (algorithm, hex) = text.split_once(':').ok_or_else(refusal)?;
        let algorithm = match algorithm {
            "sha256" => Algorithm::Sha256,
            "sha512" => Algorithm::Sha512,
            _ => return Err(refusal()),
        };
        if hex.len() == algorithm.hex_length() && is_lower_hex(hex) {
            return Ok(Self { algorithm, hex: hex.to_owned() });
        }
        Err(refusal())
    }

    /// Computes the digest of `bytes`.
    pub(crate) fn of(algorithm: Algorithm, bytes: &[u8]) -> Self {
        let mut hasher = algorithm.hasher();
        hasher.update(bytes);
        hasher.finish()
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(crate) fn hex(&self) -> &str {
        &self.hex
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.algorithm.as_str(), self.hex)
    }
}

/// A checked upload id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UploadId(String);

impl UploadId {
    /// Returns a new random id.
    pub(crate) fn random() -> Result<Self, Refusal> {
        let mut bytes = [0; UPLOAD_ID_BYTES];
        getrandom::fill(&mut bytes).map_err(|source| {
            tracing::error!(error = %source, "no random numbers");
            Refusal::new(Code::Unknown, "failed to draw an upload id")
        })?;
        Ok(Self(to_hex(&bytes)))
    }

    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        if text.len() == 2 * UPLOAD_ID_BYTES && is_lower_hex(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(Refusal::new(Code::BlobUploadUnknown, "there is no such upload"))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
