//! Writing manifests.

use reqwest::{
    Method,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, IF_MATCH},
};

use super::{MAX_MANIFEST_SIZE, named_digest, verify};
use crate::{
    Client, Digest, Error, RawManifest, auth::Scope, reference::validate_tag_or_digest,
    request::Body,
};

/// Header of a registry that lists referrers by itself.
const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

impl Client {
    /// Writes a manifest under a tag or its digest; returns whether the registry lists it as a referrer by itself.
    ///
    /// # Errors
    /// [`Error::VerifyContent`] when the registry says that it stored something else.
    pub async fn push_manifest(
        &self,
        repository: &str,
        tag_or_digest: &str,
        manifest: &RawManifest,
    ) -> Result<bool, Error> {
        let headers = self.put_manifest(repository, tag_or_digest, manifest, None).await?;
        Ok(headers.contains_key(&OCI_SUBJECT))
    }

    /// As [`Self::push_manifest`], but only if what is stored still has the entity tag `if_match`.
    pub(crate) async fn put_manifest(
        &self,
        repository: &str,
        tag_or_digest: &str,
        manifest: &RawManifest,
        if_match: Option<&str>,
    ) -> Result<HeaderMap, Error> {
        if let Some(wanted) = validate_tag_or_digest(tag_or_digest)? {
            verify(
                "the manifest to push",
                &wanted,
                &Digest::of(wanted.algorithm(), &manifest.bytes),
            )?;
        }
        let limit = MAX_MANIFEST_SIZE;
        if manifest.bytes.len() as u64 > limit {
            return Err(Error::LimitContent {
                what: format!("the size of manifest {}", manifest.digest),
                limit,
            });
        }
        let action = format!("write manifest {tag_or_digest:?}");
        let path = format!("manifests/{tag_or_digest}");
        let mut request = self
            .request(Method::PUT, Scope::push(repository), &path, action)?
            .header(CONTENT_TYPE, &manifest.media_type);
        if let Some(tag) = if_match {
            request = request.header(IF_MATCH, tag);
        }
        request.body = Body::Bytes(manifest.bytes.clone());
        let answer = self.send(&request).await?;
        if let Some(stored) = named_digest(answer.headers()) {
            let sent = Digest::of(stored.algorithm(), &manifest.bytes);
            verify(&format!("what {:?} stored", self.remote().host), &sent, &stored)?;
        }
        Ok(answer.headers().clone())
    }
}
