//! Writing blobs: one POST, one streaming PUT.
//!
//! The last bytes are held back until the digest over all of them is right,
//! so a registry never receives a complete upload of wrong content.

mod payload;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use reqwest::{
    Method, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
};
use url::Url;

pub(crate) use self::payload::{Content, Payload, Room};
use crate::{
    Client, Descriptor, Digest, Error, Progress,
    auth::Scope,
    client::{named_digest, verify},
    digest::Algorithm,
    reference::validate_repository,
    request::{Body, Request, location},
};

const OCTET_STREAM: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// Where the bytes of an upload come from.
#[derive(Clone, Debug)]
pub enum BlobSource {
    /// Small content in memory.
    Bytes(Bytes),
    /// A file, read while it is sent.
    File(PathBuf),
}

impl From<Bytes> for BlobSource {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Vec<u8>> for BlobSource {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<PathBuf> for BlobSource {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

/// What else to know about an upload.
#[derive(Clone, Debug, Default)]
pub struct PushOptions {
    /// A repository of the same registry that holds the blob already and that the credentials may read.
    pub mount_from: Option<String>,
    /// Counters of bytes sent.
    pub progress: Progress,
}

/// What the registry made of the wish to upload.
enum Session {
    /// It mounted the blob from elsewhere: nothing to send.
    Mounted,
    /// It took the content with the first request.
    Stored,
    /// It takes the content at this URL.
    Open(Url),
}

/// Which requests an upload tries to save.
#[derive(Clone, Debug, Default)]
pub(crate) struct Route {
    /// A repository of the same registry that may hold the blob; naming the destination asks whether it is there already.
    pub(crate) mount_from: Option<String>,
    /// Whether the POST carries the content, for small content in memory.
    pub(crate) is_single: bool,
    /// Becomes true as soon as the registry does not go along with that, so that others do not try.
    pub(crate) refuses_single: Arc<AtomicBool>,
}

impl Route {
    /// Gives up on sending the content with the POST; returns whether that was tried.
    fn leave_single(&mut self) -> bool {
        let was_single = std::mem::take(&mut self.is_single);
        self.refuses_single.fetch_or(was_single, Ordering::Relaxed);
        was_single
    }

    fn is_plain(&self) -> bool {
        self.mount_from.is_none() && !self.is_single
    }
}

/// How a blob came to a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// The registry had it.
    Mounted,
    /// Its bytes were sent.
    Uploaded,
}

fn is_refusal(error: &Error) -> bool {
    error.status().is_some_and(|status| status < 500 && status != 429)
}

impl Client {
    /// Uploads a blob; the bytes are verified before the last of them is sent.
    pub async fn push_blob(
        &self,
        repository: &str,
        descriptor: &Descriptor,
        source: impl Into<BlobSource>,
    ) -> Result<(), Error> {
        self.push_blob_with(repository, descriptor, source, &PushOptions::default())
            .await
            .map(|_| ())
    }

    /// Uploads a blob, or mounts it; returns the bytes that were sent.
    ///
    /// It does not ask first whether the registry has the blob: see [`Client::blob_exists`].
    ///
    /// # Errors
    /// [`Error::VerifyContent`] when the source is not what the descriptor says, or the registry stored something else.
    pub async fn push_blob_with(
        &self,
        repository: &str,
        descriptor: &Descriptor,
        source: impl Into<BlobSource>,
        options: &PushOptions,
    ) -> Result<u64, Error> {
        let payload = Payload::new(descriptor.clone(), source.into(), options.progress.clone());
        let route = Route { mount_from: options.mount_from.clone(), ..Route::default() };
        match self.bring_blob(repository, payload, route).await?.0 {
            Sent::Mounted => Ok(0),
            Sent::Uploaded => Ok(descriptor.size),
        }
    }

    /// Brings a blob to a repository on the cheapest route that the registry goes along with, and returns that route.
    pub(crate) async fn bring_blob(
        &self,
        repository: &str,
        payload: Payload,
        mut route: Route,
    ) -> Result<(Sent, Route), Error> {
        let mut attempt = 0;
        loop {
            let error = match self.open_session(repository, &payload, &route).await {
                Ok(Session::Mounted) => {
                    payload.count_all();
                    return Ok((Sent::Mounted, route));
                }
                Ok(Session::Stored) => {
                    payload.count_all();
                    return Ok((Sent::Uploaded, route));
                }
                Ok(Session::Open(url)) => {
                    let was_single = route.leave_single();
                    match self.put_blob(repository, url, payload.clone()).await {
                        Ok(()) => {
                            // A registry may have known it before all of it was sent.
                            payload.count_all();
                            return Ok((Sent::Uploaded, route));
                        }
                        // A registry that took the content of the POST into the session has it twice now.
                        Err(error) if was_single && is_refusal(&error) => continue,
                        Err(error) => error,
                    }
                }
                // A registry that refuses to mount, or content in a POST, may still take an upload.
                Err(error) if !route.is_plain() && is_refusal(&error) => {
                    tracing::debug!(%error, "upload refused, trying the plain way");
                    route.leave_single();
                    route.mount_from = None;
                    continue;
                }
                Err(error) => error,
            };
            payload.take_back();
            // A registry may answer to the upload that we broke off before we notice that we did.
            let error = payload.take_failure().unwrap_or(error);
            if error.code() == Some("BLOB_UPLOAD_UNKNOWN") && attempt < self.inner.options.retries {
                tracing::debug!(%error, "the registry forgot the upload, starting again");
            } else {
                self.wait_after(error, attempt).await?;
            }
            attempt += 1;
        }
    }

    /// Makes a blob of another repository of the same registry appear in `repository`; returns whether the registry did so.
    pub async fn mount(
        &self,
        repository: &str,
        descriptor: &Descriptor,
        from: &str,
    ) -> Result<bool, Error> {
        let payload =
            Payload::new(descriptor.clone(), BlobSource::from(Bytes::new()), Progress::new());
        let route = Route { mount_from: Some(from.to_owned()), ..Route::default() };
        match self.open_session(repository, &payload, &route).await? {
            Session::Mounted | Session::Stored => Ok(true),
            Session::Open(url) => {
                let action = format!("cancel the upload of blob {}", descriptor.digest);
                let mut request = self.request(
                    Method::DELETE,
                    Scope::push(repository),
                    "blobs/uploads/",
                    action,
                )?;
                request.url = url;
                request.repeats = false;
                // An upload that stays open costs the registry a little; it is not worth an error.
                if let Err(error) = self.send(&request).await {
                    tracing::debug!(%error, "upload not cancelled");
                }
                Ok(false)
            }
        }
    }

    async fn open_session(
        &self,
        repository: &str,
        payload: &Payload,
        route: &Route,
    ) -> Result<Session, Error> {
        let digest = payload.digest();
        let mut scope = Scope::push(repository);
        if let Some(from) = &route.mount_from {
            validate_repository(from)?;
            scope.mount_from = Some(from.clone()).filter(|from| from != repository);
        }
        let action = format!("upload blob {digest}");
        let mut request = self.request(Method::POST, scope, "blobs/uploads/", action)?;
        request.repeats = false;
        let mut query = Vec::new();
        if let Some(from) = &route.mount_from {
            query.extend([("mount", digest.to_string()), ("from", from.clone())]);
        }
        if digest.algorithm() != Algorithm::Sha256 {
            query.push(("digest-algorithm", digest.algorithm().as_str().to_owned()));
        }
        if route.is_single {
            query.push(("digest", digest.to_string()));
            request.headers.insert(CONTENT_TYPE, OCTET_STREAM);
            request.body = Body::Upload(Box::new(payload.clone()));
        }
        if !query.is_empty() {
            request.url.query_pairs_mut().extend_pairs(query);
        }
        let answer = self.send(&request).await?;
        if answer.status() == StatusCode::CREATED && !route.is_plain() {
            check_stored(self, &answer, digest)?;
            return Ok(if route.is_single { Session::Stored } else { Session::Mounted });
        }
        let url = location(&answer)
            .ok_or_else(|| request.read_answer_error("it opens an upload without a Location"))?;
        self.check_url(&url).map_err(|problem| request.read_answer_error(problem))?;
        Ok(Session::Open(url))
    }

    async fn put_blob(
        &self,
        repository: &str,
        mut url: Url,
        payload: Payload,
    ) -> Result<(), Error> {
        let digest = payload.digest().clone();
        url.query_pairs_mut().append_pair("digest", &digest.to_string());
        let action = format!("upload blob {digest}");
        let mut request: Request =
            self.request(Method::PUT, Scope::push(repository), "blobs/uploads/", action)?;
        request.url = url;
        request.repeats = false;
        request.headers.insert(CONTENT_TYPE, OCTET_STREAM);
        request.body = Body::Upload(Box::new(payload));
        let answer = self.send(&request).await?;
        if answer.status() == StatusCode::ACCEPTED {
            return Err(request.read_answer_error("it accepted the content but did not store it"));
        }
        check_stored(self, &answer, &digest)
    }
}

fn check_stored(client: &Client, answer: &Response, digest: &Digest) -> Result<(), Error> {
    match named_digest(answer.headers()) {
        Some(stored) if stored.algorithm() == digest.algorithm() => {
            verify(&format!("what {:?} stored", client.remote().host), digest, &stored)
        }
        _ => Ok(()),
    }
}
