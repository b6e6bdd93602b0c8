//! Why a pass failed.

use crate::world::Key;

/// A request of a pass that was not answered with success.
#[derive(Debug, thiserror::Error)]
#[error("failed to {verb} {kind} {name:?} in namespace {namespace:?}")]
pub(crate) struct Error {
    /// What was asked for, such as `create`.
    pub(crate) verb: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) source: kube::Error,
}

impl Error {
    pub(crate) fn new(
        verb: &'static str,
        kind: &'static str,
        key: &Key,
        source: kube::Error,
    ) -> Self {
        let Key { namespace, name } = key;
        Self { verb, kind, namespace: namespace.to_string(), name: name.to_string(), source }
    }

    /// Whether the API server forbade to make something.
    pub(crate) fn is_forbidden_to_make(&self) -> bool {
        matches!(self.verb, "create" | "apply") && code(&self.source) == Some(403)
    }

    /// One word for metrics.
    pub(crate) fn reason(&self) -> &str {
        match &self.source {
            kube::Error::Api(status) if !status.reason.is_empty() => &status.reason,
            kube::Error::Api(_) => "Refused",
            _ => "NoAnswer",
        }
    }
}

/// The HTTP status of an answer, where there was one.
pub(crate) fn code(error: &kube::Error) -> Option<u16> {
    match error {
        kube::Error::Api(status) => Some(status.code),
        _ => None,
    }
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some of kube's errors repeat their cause.
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
