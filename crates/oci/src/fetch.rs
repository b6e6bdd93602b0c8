//! Reading blobs: verified while they stream, continued where a connection broke.

use bytes::Bytes;

use crate::{Client, Descriptor, Error, Layout, Progress};

/// A blob being read from a registry.
#[derive(Debug)]
pub struct BlobReader(());

impl BlobReader {
    /// Returns the next bytes, or nothing after the last byte has been verified.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        unimplemented!()
    }
}

impl Client {
    /// Opens a blob for reading.
    pub fn open_blob(&self, repository: &str, descriptor: &Descriptor) -> BlobReader {
        let _ = (repository, descriptor);
        BlobReader(())
    }

    /// Reads a small blob of at most `limit` bytes into memory.
    pub async fn read_blob(
        &self,
        repository: &str,
        descriptor: &Descriptor,
        limit: u64,
    ) -> Result<Bytes, Error> {
        let _ = (repository, descriptor, limit);
        unimplemented!()
    }

    /// Fetches a blob into a layout and returns the bytes that moved, 0 when it was there.
    pub async fn fetch_blob(
        &self,
        repository: &str,
        descriptor: &Descriptor,
        layout: &Layout,
        progress: &Progress,
    ) -> Result<u64, Error> {
        let _ = (repository, descriptor, layout, progress);
        unimplemented!()
    }
}
