//! One registry as one set of credentials sees it: manifests and tags.
//!
//! [`push`] writes manifests. Blobs are read in [`crate::fetch`] and written in [`crate::upload`]; [`crate::referrers`] has what refers to a manifest.

mod push;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use reqwest::{
    Method, Response,
    header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName},
};
use url::Url;

use crate::{
    ClientOptions, Descriptor, Digest, Error, RawManifest, Remote,
    auth::{Auth, Scope},
    descriptor::media_type,
    digest::Algorithm,
    limiter::Limiter,
    reference::validate_tag_or_digest,
    request::{place::is_local, text_header},
    resolver::Guard,
    tls,
};

/// Largest manifest in bytes; the distribution specification asks registries to take 4 MiB.
pub const MAX_MANIFEST_SIZE: u64 = 4 << 20;

/// A registry client; clones share connections, tokens and what was learnt about the registry.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) options: ClientOptions,
    pub(crate) http: reqwest::Client,
    /// Scheme, host and port of every request.
    pub(crate) base: Url,
    pub(crate) auth: Auth,
    /// Whether a repository's registry has a referrers API, once known.
    pub(crate) has_referrers_api: Mutex<BTreeMap<String, bool>>,
    /// Who asks a repository first whether it has one, while others wait.
    pub(crate) referrers_contacts: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>,
    /// One writer of fallback tags at a time.
    pub(crate) referrers_lock: tokio::sync::Mutex<()>,
    /// How much of what the engine wants to read and write goes out at the same time.
    pub(crate) reads: Limiter,
    pub(crate) writes: Limiter,
    /// Requests sent, those of logins and redirects included.
    pub(crate) requests: AtomicU64,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("remote", &self.inner.options.remote).finish_non_exhaustive()
    }
}

/// Header with the digest of a manifest or blob.
pub(crate) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
/// How long a connection may take to come up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

impl Client {
    /// Returns a client; nothing is sent yet.
    ///
    /// # Errors
    /// When the CA bundle is not PEM certificates.
    pub fn new(options: ClientOptions) -> Result<Self, Error> {
        let registry = options.remote.host.clone();
        let failed = |problem: String| Error::BuildClient { registry: registry.clone(), problem };
        let tls = tls::client_config(options.ca_bundle.as_deref(), options.insecure_skip_verify)
            .map_err(failed)?;
        let base =
            Url::parse(&options.remote.base_url()).map_err(|error| failed(error.to_string()))?;
        let guard = Guard::new(base.host_str().unwrap_or_default(), is_local(&base));
        let http = reqwest::Client::builder()
            .dns_resolver(guard)
            .tls_backend_preconfigured(tls)
            // Redirects are followed in `request`, which knows whose credentials are whose.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(options.user_agent.as_str())
            .build()
            .map_err(|error| failed(error.to_string()))?;
        let inner = Inner {
            options,
            http,
            base,
            auth: Auth::default(),
            has_referrers_api: Mutex::default(),
            referrers_contacts: Mutex::default(),
            referrers_lock: tokio::sync::Mutex::default(),
            reads: Limiter::default(),
            writes: Limiter::default(),
            requests: AtomicU64::new(0),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Returns how many HTTP requests this client and its clones have sent, those of logins and redirects included.
    pub fn requests(&self) -> u64 {
        self.inner.requests.load(Ordering::Relaxed)
    }

    /// Returns the registry this client speaks to.
    pub fn remote(&self) -> &Remote {
        &self.inner.options.remote
    }

    pub(crate) fn concurrency(&self) -> usize {
        self.inner.options.concurrency.max(1)
    }

    /// Returns what a tag or digest stands for, or nothing when the registry does not know it.
    ///
    /// The registry's word is taken for size and media type; reading the manifest verifies them.
    pub async fn resolve(
        &self,
        repository: &str,
        tag_or_digest: &str,
    ) -> Result<Option<Descriptor>, Error> {
        self.resolve_as(Scope::pull(repository), tag_or_digest).await
    }

    pub(crate) async fn resolve_as(
        &self,
        scope: Scope,
        tag_or_digest: &str,
    ) -> Result<Option<Descriptor>, Error> {
        let wanted = validate_tag_or_digest(tag_or_digest)?;
        let action = format!("resolve {tag_or_digest:?}");
        let request = self
            .request(Method::HEAD, scope.clone(), &format!("manifests/{tag_or_digest}"), action)?
            .header(ACCEPT, ACCEPTED);
        match self.send(&request).await {
            Ok(answer) => {
                if let Some(found) = head_descriptor(&answer, wanted.as_ref()) {
                    return Ok(Some(found));
                }
            }
            Err(error) if error.is_not_found() => return Ok(None),
            // Some registries do not know HEAD here, or answer it with less than needed.
            Err(error) if matches!(error.status(), Some(400 | 405 | 501)) => {}
            Err(error) => return Err(error),
        }
        match self.manifest_as(scope, tag_or_digest).await {
            Ok(raw) => Ok(Some(raw.descriptor())),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a manifest and verifies its digest.
    ///
    /// # Errors
    /// [`Error::VerifyContent`] when the bytes are not those of the digest asked for, or of the one the registry names.
    pub async fn manifest(
        &self,
        repository: &str,
        tag_or_digest: &str,
    ) -> Result<RawManifest, Error> {
        self.manifest_as(Scope::pull(repository), tag_or_digest).await
    }

    pub(crate) async fn manifest_as(
        &self,
        scope: Scope,
        tag_or_digest: &str,
    ) -> Result<RawManifest, Error> {
        let (raw, _) = self.manifest_with_headers(scope, tag_or_digest).await?;
        Ok(raw)
    }

    pub(crate) async fn manifest_with_headers(
        &self,
        scope: Scope,
        tag_or_digest: &str,
    ) -> Result<(RawManifest, HeaderMap), Error> {
        let wanted = validate_tag_or_digest(tag_or_digest)?;
        let action = format!("read manifest {tag_or_digest:?}");
        let request = self
            .request(Method::GET, scope, &format!("manifests/{tag_or_digest}"), action)?
            .header(ACCEPT, ACCEPTED);
        let (headers, _, bytes) = self.send_and_read(&request, MAX_MANIFEST_SIZE).await?;
        let expected = wanted.or_else(|| named_digest(&headers));
        let algorithm = expected.as_ref().map_or(Algorithm::Sha256, Digest::algorithm);
        let actual = Digest::of(algorithm, &bytes);
        verify(&request.context.to_string(), expected.as_ref().unwrap_or(&actual), &actual)?;
        Ok((RawManifest::from_verified(actual, bytes)?, headers))
    }

    /// Returns whether the registry holds a blob in this repository.
    pub async fn blob_exists(&self, repository: &str, digest: &Digest) -> Result<bool, Error> {
        self.blob_exists_as(Scope::pull(repository), digest).await
    }

    pub(crate) async fn blob_exists_as(
        &self,
        scope: Scope,
        digest: &Digest,
    ) -> Result<bool, Error> {
        let request = self.request(
            Method::HEAD,
            scope,
            &format!("blobs/{digest}"),
            format!("look for blob {digest}"),
        )?;
        match self.send(&request).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// All manifest types by name; registries convert or refuse what is not accepted.
const ACCEPTED: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.oci.artifact.manifest.v1+json, */*;q=0.1";

/// Returns the descriptor that a HEAD gives, when it gives all of it.
fn head_descriptor(answer: &Response, wanted: Option<&Digest>) -> Option<Descriptor> {
    let digest = wanted.cloned().or_else(|| named_digest(answer.headers()))?;
    let size =
        text_header(answer.headers(), &CONTENT_LENGTH)?.parse().ok().filter(|size| *size > 0)?;
    let content_type = text_header(answer.headers(), &CONTENT_TYPE)?;
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    // Anything else is a registry that does not say; the bytes will.
    let is_known = media_type::is_manifest(media_type) || media_type::is_schema1(media_type);
    is_known.then(|| Descriptor::new(media_type, digest, size))
}

pub(crate) fn named_digest(headers: &HeaderMap) -> Option<Digest> {
    text_header(headers, &CONTENT_DIGEST)?.parse().ok()
}

/// Compares digests; `what` names the content in the error.
pub(crate) fn verify(what: &str, expected: &Digest, actual: &Digest) -> Result<(), Error> {
    if expected == actual {
        return Ok(());
    }
    let (expected, actual) = (expected.to_string(), actual.to_string());
    Err(Error::VerifyContent { what: what.to_owned(), expected, actual })
}
