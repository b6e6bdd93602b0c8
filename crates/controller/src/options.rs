//! What an installation may choose.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// What an installation may choose; [`Options::default`] is what a cluster gets that says nothing.
#[derive(Clone, Debug)]
pub struct Options {
    /// Namespaces whose Secrets are watched, for their metadata; every namespace when `None`. Elsewhere a Secret counts
    /// as missing, because RBAC cannot let anybody see that one exists without letting him read it.
    pub secret_namespaces: Option<Vec<String>>,
    /// Passes under way at once.
    pub concurrency: usize,
    /// Shortest distance of two runs of a schedule.
    pub minimum_interval: SignedDuration,
    /// How long an Argo workflow stays after success where its artifact type says nothing.
    pub keep_finished: SignedDuration,
    /// How long an Argo workflow stays after failure where its artifact type says nothing.
    pub keep_failed: SignedDuration,
    /// Shortest distance of two writes of an order's status that merely tell of progress.
    pub status_interval: Duration,
    /// Longest wait before a failed pass is tried again.
    pub backoff_cap: Duration,
    /// Lines that are kept of the log of a failed container.
    pub log_lines: u32,
    /// How long to wait for such a log.
    pub log_timeout: Duration,
    /// How long a shutdown waits for the passes under way.
    pub shutdown_grace: Duration,
    /// Namespace of the lease that one of several replicas holds.
    pub lease_namespace: String,
    /// Name of that lease.
    pub lease_name: String,
    /// How long a lease is valid that nobody renews.
    pub lease_duration: Duration,
    /// Who holds the lease: the name of the pod. Also who reports events.
    pub identity: String,
    /// Moment that the operator takes for the start, from where its clock goes as tokio's time does: for tests.
    /// The machine's time when `None`.
    pub starts_at: Option<Timestamp>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            secret_namespaces: None,
            concurrency: 32,
            minimum_interval: SignedDuration::from_mins(10),
            keep_finished: SignedDuration::from_mins(10),
            keep_failed: SignedDuration::from_hours(24),
            status_interval: Duration::from_secs(1),
            backoff_cap: Duration::from_secs(60),
            log_lines: 40,
            log_timeout: Duration::from_secs(5),
            shutdown_grace: Duration::from_secs(20),
            lease_namespace: "arc-system".to_owned(),
            lease_name: "arc-controller".to_owned(),
            lease_duration: Duration::from_secs(15),
            identity: "arc-controller".to_owned(),
            starts_at: None,
        }
    }
}
