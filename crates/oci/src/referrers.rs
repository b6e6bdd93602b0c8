//! What refers to a manifest: signatures, attestations, SBOMs.

use crate::{Client, Descriptor, Digest, Error, RawManifest};

impl Client {
    /// Returns what refers to `subject`: from the referrers API, else from the fallback tag.
    pub async fn referrers(
        &self,
        repository: &str,
        subject: &Digest,
    ) -> Result<Vec<Descriptor>, Error> {
        let _ = (repository, subject);
        unimplemented!()
    }

    /// Writes a manifest that has a subject, and lists it under the fallback tag when the registry does not do so itself.
    pub async fn push_referrer(
        &self,
        repository: &str,
        manifest: &RawManifest,
    ) -> Result<(), Error> {
        let _ = (repository, manifest);
        unimplemented!()
    }
}
