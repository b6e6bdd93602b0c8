//! One registry as one set of credentials sees it.

use std::{fmt, sync::Arc, time::Duration};

use crate::{Credentials, Descriptor, Digest, Error, RawManifest, Remote};

/// Largest manifest in bytes; the distribution specification asks registries to take 4 MiB.
pub const MAX_MANIFEST_SIZE: u64 = 4 << 20;

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

/// A registry client; clones share connections, tokens and what was learnt about the registry.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) options: ClientOptions,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("remote", &self.inner.options.remote).finish_non_exhaustive()
    }
}

impl Client {
    /// Returns a client; nothing is sent yet.
    ///
    /// # Errors
    /// When the CA bundle is not PEM certificates.
    pub fn new(options: ClientOptions) -> Result<Self, Error> {
        Ok(Self { inner: Arc::new(Inner { options }) })
    }

    /// Returns the registry this client speaks to.
    pub fn remote(&self) -> &Remote {
        &self.inner.options.remote
    }

    /// Returns what a tag or digest stands for, or nothing when the registry does not know it.
    pub async fn resolve(
        &self,
        repository: &str,
        tag_or_digest: &str,
    ) -> Result<Option<Descriptor>, Error> {
        let _ = (repository, tag_or_digest);
        unimplemented!()
    }

    /// Reads a manifest and verifies its digest.
    pub async fn manifest(
        &self,
        repository: &str,
        tag_or_digest: &str,
    ) -> Result<RawManifest, Error> {
        let _ = (repository, tag_or_digest);
        unimplemented!()
    }

    /// Returns all tags of a repository, in the registry's order.
    pub async fn tags(&self, repository: &str) -> Result<Vec<String>, Error> {
        let _ = repository;
        unimplemented!()
    }

    /// Returns whether the registry holds a blob in this repository.
    pub async fn blob_exists(&self, repository: &str, digest: &Digest) -> Result<bool, Error> {
        let _ = (repository, digest);
        unimplemented!()
    }

    /// Writes a manifest under a tag or its digest; returns whether the registry lists it as a referrer by itself.
    pub async fn push_manifest(
        &self,
        repository: &str,
        tag_or_digest: &str,
        manifest: &RawManifest,
    ) -> Result<bool, Error> {
        let _ = (repository, tag_or_digest, manifest);
        unimplemented!()
    }
}
