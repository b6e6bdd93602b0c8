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
            address.parse::<std::net::Ipv6Addr>().map_err(|_same| error())?;
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
pub fn validate_repository(value: &str) -> Result<(), NameError> {
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
pub fn validate_tag(value: &str) -> Result<(), NameError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn references_are_read_as_docker_reads_them() {
        let pinned = format!("r.example:5000/a/b:1.2@{DIGEST}");
        let digest_only = format!("localhost/a@{DIGEST}");
        for (text, expected) in [
            ("alpine", "docker.io/library/alpine"),
            ("alpine:3.18", "docker.io/library/alpine:3.18"),
            ("grafana/loki:v1", "docker.io/grafana/loki:v1"),
            ("docker.io/alpine", "docker.io/library/alpine"),
            ("registry.example/alpine", "registry.example/alpine"),
            ("localhost:5000/a/b_c/d--e:V1_x", "localhost:5000/a/b_c/d--e:V1_x"),
            ("[::1]:5000/a:1", "[::1]:5000/a:1"),
            (pinned.as_str(), pinned.as_str()),
            (digest_only.as_str(), digest_only.as_str()),
        ] {
            assert_eq!(
                text.parse::<Reference>().map(|found| found.to_string()),
                Ok(expected.to_owned()),
                "{text:?}"
            );
        }
    }

    #[test]
    fn what_could_leave_its_place_is_refused() {
        for text in [
            "",
            ":",
            "/",
            "a//b",
            "../a",
            "a/../b",
            "r.example/../../etc",
            "r.example/a:..",
            "r.example/a:-x",
            "A/b",
            "r.example/A",
            "r.example/a b",
            "r.example/a?x",
            "r.example/a#x",
            "r.example/a%2e",
            "user@r.example/a",
            "r.example:port/a",
            "r.example:99999/a",
            "r.example/a@sha256:abc",
            "r.example/a:",
            "-r.example/a",
            "r..example/a",
            "[::1/a",
            "r.example/a_",
            "r.example/a___b",
            "r.example/a..b",
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text:?}");
        }
        assert!(validate_repository(&"a".repeat(256)).is_err());
        assert!(validate_tag(&"a".repeat(129)).is_err());
    }

    #[test]
    fn the_digest_wins_over_the_tag() {
        let reference: Reference = format!("r.example/a:1@{DIGEST}").parse().unwrap();
        assert_eq!(reference.tag_or_digest(), DIGEST);
        assert_eq!("r.example/a:1".parse::<Reference>().unwrap().tag_or_digest(), "1");
        assert_eq!("r.example/a".parse::<Reference>().unwrap().tag_or_digest(), "latest");
    }
}
