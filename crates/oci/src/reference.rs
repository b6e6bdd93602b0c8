//! Names of images: registry, repository, tag, digest.
//!
//! Everything that becomes part of a URL is checked here first.

use std::{fmt, str::FromStr};

use crate::{Digest, DigestError};

/// Longest repository name that registries accept, in bytes.
const MAX_REPOSITORY: usize = 255;
/// Longest tag of the distribution specification, in bytes.
const MAX_TAG: usize = 128;
/// The registry meant when a reference names none.
pub(crate) const DOCKER_HUB: &str = "docker.io";

/// Why a text is not the name of something in a registry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The repository has characters that no registry takes.
    #[error(
        "{value:?} is not a repository name; expected lower-case letters, digits and the separators . _ - / as in \"team/app\""
    )]
    ParseRepository {
        /// What was given.
        value: String,
    },
    /// The tag has characters that no registry takes, or is too long.
    #[error(
        "{value:?} is not a tag; expected up to 128 letters, digits and . _ - without a leading separator"
    )]
    ParseTag {
        /// What was given.
        value: String,
    },
    /// The registry is not a host name with an optional port.
    #[error(
        "{value:?} is not a registry; expected a host name and an optional port, as in \"registry.example:5000\""
    )]
    ParseRegistry {
        /// What was given.
        value: String,
    },
    /// The scheme of a registry's URL is none that this program speaks.
    #[error("{value:?} has an unsupported scheme; expected https://, http:// or oci://")]
    ParseScheme {
        /// What was given.
        value: String,
    },
    /// The URL carries a user name or a password.
    #[error(
        "the URL of registry {host:?} contains user information; put the credentials into a secret instead"
    )]
    RefuseUserInformation {
        /// The host of the URL.
        host: String,
    },
    /// The digest is malformed.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

/// A reference such as `registry.example/team/app:1.2@sha256:…`.
///
/// As everywhere, a name without a registry is one of Docker Hub, and a Docker Hub name without a slash is in `library/`.
///
/// ```
/// let reference: arc_oci::Reference = "alpine:3.18".parse().unwrap();
/// assert_eq!(reference.to_string(), "docker.io/library/alpine:3.18");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// Host name with optional port.
    pub registry: String,
    /// Full repository path in that registry.
    pub repository: String,
    /// The tag, when one is given.
    pub tag: Option<String>,
    /// The digest, when one is given; it wins over the tag.
    pub digest: Option<Digest>,
}

impl Reference {
    /// Returns what a registry is asked for: the digest, else the tag, else `latest`.
    pub fn tag_or_digest(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.clone(),
            (None, None) => "latest".to_owned(),
        }
    }
}

impl FromStr for Reference {
    type Err = NameError;

    fn from_str(value: &str) -> Result<Self, NameError> {
        let (rest, digest) = match value.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse()?)),
            None => (value, None),
        };
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag.to_owned())),
            _ => (rest, None),
        };
        if let Some(tag) = &tag {
            validate_tag(tag)?;
        }
        let (registry, repository) = match name.split_once('/') {
            Some((first, repository)) if looks_like_host(first) => {
                (first.to_owned(), repository.to_owned())
            }
            _ => (DOCKER_HUB.to_owned(), name.to_owned()),
        };
        validate_host(&registry)?;
        let repository = add_library(&registry, repository);
        validate_repository(&repository)?;
        Ok(Self { registry, repository, tag, digest })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

/// Docker Hub keeps its official images in `library/`, and only its own tools add that silently.
pub(crate) fn add_library(registry: &str, repository: String) -> String {
    let is_hub = matches!(registry, DOCKER_HUB | "index.docker.io" | "registry-1.docker.io");
    if is_hub && !repository.contains('/') { format!("library/{repository}") } else { repository }
}

fn looks_like_host(value: &str) -> bool {
    value == "localhost" || value.contains(['.', ':'])
}

pub(crate) fn validate_host(value: &str) -> Result<(), NameError> {
    let error = || NameError::ParseRegistry { value: value.to_owned() };
    let (name, port) = match value.strip_prefix('[') {
        Some(rest) => {
            let (address, rest) = rest.split_once(']').ok_or_else(error)?;
            address.parse::<std::net::Ipv6Addr>().map_err(|_| error())?;
            ("", rest.strip_prefix(':').or(rest.is_empty().then_some("0")).ok_or_else(error)?)
        }
        None => value.split_once(':').unwrap_or((value, "0")),
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !label.starts_with('-')
    };
    let has_name = value.starts_with('[') || name.split('.').all(is_label);
    if has_name && port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok() {
        return Ok(());
    }
    Err(error())
}

/// Checks a full repository path.
pub(crate) fn validate_repository(value: &str) -> Result<(), NameError> {
    if value.len() <= MAX_REPOSITORY && value.split('/').all(is_component) {
        return Ok(());
    }
    Err(NameError::ParseRepository { value: value.chars().take(MAX_REPOSITORY).collect() })
}

/// One path component: runs of letters and digits, joined by one dot, one or two underscores, or hyphens.
fn is_component(value: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = value.as_bytes();
    let is_edge = |byte: Option<&u8>| byte.is_some_and(|byte| is_word(*byte));
    if !is_edge(bytes.first()) || !is_edge(bytes.last()) {
        return false;
    }
    bytes.split(|byte| is_word(*byte)).all(|separator| match separator {
        b"" | b"." | b"_" | b"__" => true,
        other => other.iter().all(|byte| *byte == b'-'),
    })
}

/// Checks a tag.
pub(crate) fn validate_tag(value: &str) -> Result<(), NameError> {
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    let starts_well =
        value.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if starts_well && value.len() <= MAX_TAG && value.bytes().all(is_valid) {
        return Ok(());
    }
    Err(NameError::ParseTag { value: value.chars().take(MAX_TAG).collect() })
}

/// Checks what a manifest is asked for by: a tag or a digest.
pub(crate) fn validate_tag_or_digest(value: &str) -> Result<Option<Digest>, NameError> {
    if value.contains(':') {
        return Ok(Some(value.parse()?));
    }
    validate_tag(value).map(|()| None)
}
