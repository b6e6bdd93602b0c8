//! What can go wrong between us, a registry and a folder.
//!
//! Messages say what was being done and where; what the registry said is quoted, shortened and without control characters.

use std::{error::Error as StdError, fmt, io, path::PathBuf, time::Duration};

use crate::{Digest, ManifestError, NameError};

/// What the client was doing; reads as `read manifest "3.18" of "registry.example/library/alpine"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// Host of the registry.
    pub registry: String,
    /// Full path of the repository.
    pub repository: String,
    /// Verb and object, such as `read manifest "3.18"`.
    pub action: String,
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of \"{}/{}\"", self.action, self.registry, self.repository)
    }
}

/// A registry's answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// HTTP status.
    pub status: u16,
    /// The registry's own error code, such as `MANIFEST_UNKNOWN`; empty when it sent none.
    pub code: String,
    /// The registry's own message; empty when it sent none.
    pub message: String,
    /// How long the registry asked to wait.
    pub retry_after: Option<Duration>,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}", self.status)?;
        if !self.code.is_empty() {
            write!(f, " {}", self.code)?;
        }
        if !self.message.is_empty() {
            write!(f, " {:?}", self.message)?;
        }
        match self.status {
            401 => f.write_str("; check the user name and password of the endpoint's secret"),
            403 => f.write_str("; the credentials do not allow this"),
            _ => Ok(()),
        }
    }
}

/// Anything that stops a read, a copy or a write.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The options of a client are wrong, such as a CA bundle without a certificate.
    #[error("failed to set up the connection to registry {registry:?}: {problem}")]
    BuildClient {
        /// Host of the registry.
        registry: String,
        /// What is wrong.
        problem: String,
    },
    /// The connection failed or broke.
    #[error("failed to {context}")]
    SendRequest {
        /// What was being done.
        context: Box<Context>,
        /// What the HTTP client says, without the URL.
        source: reqwest::Error,
    },
    /// Nothing arrived for too long.
    #[error("failed to {context}: no byte for {} seconds", idle.as_secs())]
    AwaitAnswer {
        /// What was being done.
        context: Box<Context>,
        /// How long it was waited.
        idle: Duration,
    },
    /// The registry answered with an error.
    #[error("failed to {context}: the registry answered {rejection}")]
    RejectRequest {
        /// What was being done.
        context: Box<Context>,
        /// What the registry answered.
        rejection: Box<Rejection>,
    },
    /// The token service of the registry refused or cannot be used.
    #[error("failed to log in to {realm:?} to {context}: {problem}")]
    Authenticate {
        /// What was being done.
        context: Box<Context>,
        /// URL of the token service, without query.
        realm: String,
        /// What it answered.
        problem: String,
        /// HTTP status of the token service, 0 when it was not asked.
        status: u16,
    },
    /// The answer is a success, but breaks the distribution specification or our limits.
    #[error("failed to {context}: {problem}")]
    ReadAnswer {
        /// What was being done.
        context: Box<Context>,
        /// What is wrong with the answer.
        problem: String,
    },
    /// The body ended early, more often than is retried.
    #[error("failed to {context}: the body ended after {received} of {expected} bytes")]
    ReadBody {
        /// What was being done.
        context: Box<Context>,
        /// Bytes received.
        received: u64,
        /// Bytes announced by the descriptor.
        expected: u64,
    },
    /// Content is not what its descriptor says; it was thrown away.
    #[error("{what} is not the content that was asked for: expected {expected}, got {actual}")]
    VerifyContent {
        /// Which content, and where it came from.
        what: String,
        /// Expected digest or size.
        expected: String,
        /// Actual digest or size.
        actual: String,
    },
    /// An image is deeper, wider or larger than any real one.
    #[error("{what} exceeds the limit of {limit}")]
    LimitContent {
        /// What is too large.
        what: String,
        /// The limit.
        limit: u64,
    },
    /// A layout cannot be read.
    #[error("failed to read {path:?}")]
    ReadLayout {
        /// File or folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A layout cannot be written.
    #[error("failed to write {path:?}")]
    WriteLayout {
        /// File or folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file of a layout is not what the image-layout specification says.
    #[error("{path:?} is not a usable OCI image layout: {problem}")]
    ParseLayout {
        /// File or folder.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A layout does not hold content that it should.
    #[error("layout {path:?} does not contain {digest}")]
    FindContent {
        /// Folder of the layout.
        path: PathBuf,
        /// What is missing.
        digest: Digest,
    },
    /// An index has none of the platforms asked for.
    #[error("index {digest} has no platform {wanted}; it has {available}")]
    SelectPlatform {
        /// The index.
        digest: Digest,
        /// The platforms asked for.
        wanted: String,
        /// The platforms that it has.
        available: String,
    },
    /// The destination's list of referrers cannot be extended.
    #[error(
        "tag {tag:?} of \"{registry}/{repository}\" is not a list of referrers; it was left as it is"
    )]
    MergeReferrers {
        /// Host of the registry.
        registry: String,
        /// Full path of the repository.
        repository: String,
        /// The fallback tag.
        tag: String,
    },
    /// A name is wrong.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A manifest is wrong.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

impl Error {
    /// Returns whether doing the same again later may succeed.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::SendRequest { source, .. } => {
                !is_certificate_problem(source) && !source.is_builder()
            }
            Self::RejectRequest { rejection, .. } => is_retryable_status(rejection.status),
            Self::Authenticate { status, .. } => is_retryable_status(*status),
            Self::AwaitAnswer { .. }
            | Self::ReadBody { .. }
            | Self::WriteLayout { .. }
            | Self::ReadLayout { .. } => true,
            _ => false,
        }
    }

    /// Returns whether the registry says that the thing does not exist.
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }

    /// Returns whether the registry or its token service refused the credentials, or the lack of them.
    pub fn is_unauthorized(&self) -> bool {
        match self {
            Self::Authenticate { status, .. } => matches!(status, 401 | 403),
            other => matches!(other.status(), Some(401 | 403)),
        }
    }

    /// Returns the HTTP status that the registry refused with.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::RejectRequest { rejection, .. } => Some(rejection.status),
            _ => None,
        }
    }

    /// Returns the registry's own error code, such as `MANIFEST_BLOB_UNKNOWN`.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::RejectRequest { rejection, .. } => Some(&rejection.code),
            _ => None,
        }
    }
}

pub(crate) fn is_retryable_status(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504) || status > 504
}

/// Tells whether the server's certificate is not trusted, which asking again does not change.
pub fn is_certificate_problem(error: &reqwest::Error) -> bool {
    let mut next: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(current) = next {
        if let Some(tls) = current.downcast_ref::<rustls::Error>() {
            return matches!(tls, rustls::Error::InvalidCertificate(_));
        }
        // `io::Error` hides the error it wraps from `source()`.
        next = match current.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => current.source(),
        };
    }
    false
}
