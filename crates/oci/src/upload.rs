//! Writing blobs: one POST, one streaming PUT.

use std::path::PathBuf;

use bytes::Bytes;

use crate::{Client, Descriptor, Error, Progress};

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
    pub async fn push_blob_with(
        &self,
        repository: &str,
        descriptor: &Descriptor,
        source: impl Into<BlobSource>,
        options: &PushOptions,
    ) -> Result<u64, Error> {
        let _ = (repository, descriptor, source.into(), options);
        unimplemented!()
    }

    /// Makes a blob of another repository of the same registry appear in `repository`; returns whether the registry did so.
    pub async fn mount(
        &self,
        repository: &str,
        descriptor: &Descriptor,
        from: &str,
    ) -> Result<bool, Error> {
        let _ = (repository, descriptor, from);
        unimplemented!()
    }
}
