//! Why and when work ends before its time.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Why work was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The caller cancelled the run.
    Terminated,
    /// The workflow took longer than its deadline.
    Deadline,
    /// The pod took longer than its own deadline.
    PodDeadline,
}

impl Cause {
    /// Argo's (or, for a pod, the kubelet's) message.
    pub(super) const fn message(self) -> &'static str {
        match self {
            // Two spaces: that is how a real Argo writes it.
            Self::Terminated => "workflow shutdown with strategy:  Terminate",
            Self::Deadline => "Step exceeded its deadline",
            Self::PodDeadline => "Pod was active on the node longer than the specified deadline",
        }
    }
}

/// A request to stop, which remembers its first cause.
#[derive(Clone, Debug, Default)]
pub(super) struct Stop {
    token: CancellationToken,
    cause: Arc<OnceLock<Cause>>,
}

impl Stop {
    pub(super) fn stop(&self, cause: Cause) {
        // Only the first cause counts.
        let _first = self.cause.set(cause);
        self.token.cancel();
    }

    pub(super) fn cause(&self) -> Option<Cause> {
        self.cause.get().copied()
    }

    /// Ends when somebody stopped the work.
    pub(super) async fn stopped(&self) -> Cause {
        self.token.cancelled().await;
        self.cause().unwrap_or(Cause::Terminated)
    }
}

/// Ends after a time, or never.
pub(super) async fn after(duration: Option<Duration>) {
    match duration {
        Some(duration) => tokio::time::sleep(duration).await,
        None => std::future::pending().await,
    }
}
