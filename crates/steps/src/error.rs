//! What can stop a step, and what the caller should do about it: the exit code.

use std::fmt;
use std::path::PathBuf;

/// How a step ended, as the process exit code that Argo and the engine see.
///
/// 64, 137 and 143 are Argo's and the kernel's; no step uses them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// 0: done.
    Done = 0,
    /// 1: failed; a retry may help.
    Failed = 1,
    /// 2: wrong input; a retry cannot help.
    WrongInput = 2,
    /// 3: refused by policy: the scan or a signature said no.
    Refused = 3,
}

/// One thing wrong with a step's input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The environment variable or file.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.field, self.message)
    }
}

/// Why a step did not end well.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request is wrong; all problems at once.
    #[error("{}", join(problems))]
    Input {
        /// Every problem found.
        problems: Vec<Problem>,
    },
    /// The policy says no.
    #[error("{message}")]
    Refused {
        /// What was refused and why.
        message: String,
        /// What to do.
        hint: String,
    },
    /// A registry or a layout failed; the message says which and at what.
    #[error(transparent)]
    Registry(#[from] arc_oci::Error),
    /// A file could not be read or written.
    #[error("failed to {action} {path:?}")]
    File {
        /// `read` or `write`.
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of an earlier step is not what it should be.
    #[error("failed to understand {path:?}")]
    Understand {
        /// Which file.
        path: PathBuf,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// The image could not be scanned, which is never a pass.
    #[error("failed to scan {what}")]
    Scan {
        /// Which image or database.
        what: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A key could not be used.
    #[error("failed to {action}")]
    Key {
        /// What was being done.
        action: &'static str,
        /// Why.
        source: arc_evidence::keys::Error,
    },
    /// Evidence could not be made or judged.
    #[error("failed to {action}")]
    Evidence {
        /// What was being done.
        action: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The transparency log did not take a signature, or its answer does not hold.
    #[error("failed to log a signature at {url:?}")]
    Log {
        /// The log.
        url: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A background task of ours ended abnormally.
    #[error("failed to finish {what}")]
    Task {
        /// Which task.
        what: &'static str,
        /// Why.
        source: tokio::task::JoinError,
    },
}

impl Error {
    /// A single problem with the input.
    pub fn input(field: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Input {
            problems: vec![Problem {
                field: field.to_owned(),
                message: message.into(),
                hint: hint.into(),
            }],
        }
    }

    /// Returns the exit code: whether a retry could help.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Refused { .. } => Exit::Refused,
            Self::Registry(source) if source.is_retryable() => Exit::Failed,
            Self::Input { .. } | Self::Key { .. } | Self::Registry(_) => Exit::WrongInput,
            Self::Evidence { .. }
            | Self::Log { .. }
            | Self::Scan { .. }
            | Self::File { .. }
            | Self::Understand { .. }
            | Self::Task { .. } => Exit::Failed,
        }
    }

    /// Returns what the reader can do, one line each.
    pub fn hints(&self) -> Vec<&str> {
        match self {
            Self::Input { problems } => {
                problems.iter().map(|problem| problem.hint.as_str()).collect()
            }
            Self::Refused { hint, .. } => vec![hint.as_str()],
            Self::Registry(source) if source.is_unauthorized() => {
                vec![
                    "check the secret that the endpoint's secretRef names: username and password, or .dockerconfigjson",
                ]
            }
            Self::Log { .. } => {
                vec![
                    "check the type's parameters rekorURL, rekorVersion and rekorPublicKey; the tag was not set",
                ]
            }
            _ => Vec::new(),
        }
    }
}

fn join(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("; ")
}
