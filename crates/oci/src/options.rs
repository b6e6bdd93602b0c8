//! How to reach a registry, and how patiently.

use std::time::Duration;

use crate::{Credentials, Remote};

/// How to reach a registry.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// The registry.
    pub remote: Remote,
    /// Who we are there; nobody when absent.
    pub credentials: Option<Credentials>,
    /// PEM certificates to trust besides those of the system.
    pub ca_bundle: Option<String>,
    /// Accept every certificate.
    pub insecure_skip_verify: bool,
    /// `User-Agent` of every request.
    pub user_agent: String,
    /// How often a request is repeated after a failure that may pass.
    pub retries: u32,
    /// Wait before the first repetition; doubles each time.
    pub retry_delay: Duration,
    /// How many blobs or manifests move at the same time.
    pub concurrency: usize,
    /// How long no byte may arrive before a connection counts as dead.
    pub idle_timeout: Duration,
}

impl ClientOptions {
    /// Returns the usual options for a registry: anonymous, system roots, four repetitions, four transfers at a time.
    pub fn new(remote: Remote) -> Self {
        Self {
            remote,
            credentials: None,
            ca_bundle: None,
            insecure_skip_verify: false,
            user_agent: concat!("arc/", env!("CARGO_PKG_VERSION")).to_owned(),
            retries: 4,
            retry_delay: Duration::from_millis(250),
            concurrency: 4,
            idle_timeout: Duration::from_secs(60),
        }
    }
}
