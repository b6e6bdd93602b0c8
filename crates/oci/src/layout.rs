//! An OCI image layout: one folder that holds images as files.
//!
//! Files appear under their final name only when they are complete and verified (written aside, then renamed),
//! so a killed process never leaves a wrong byte behind. [`ingest`] has the writing of large blobs.

mod index;
pub(crate) mod ingest;

use std::{
    collections::BTreeMap,
    fs, io,
    io::Read as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;

use crate::{Descriptor, Digest, Error, Manifest, RawManifest, client::MAX_MANIFEST_SIZE};

/// Where unfinished files live, inside the layout so that renaming stays on one file system.
const INGEST: &str = ".ingest";
const MARKER: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;

/// An image layout on disk; clones are the same layout.
#[derive(Clone, Debug)]
pub struct Layout {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    /// One writer of `index.json` at a time.
    index: Mutex<()>,
    /// Blobs being written, so that two transfers of one blob do not meet in one file.
    writing: Mutex<BTreeMap<Digest, Arc<tokio::sync::Mutex<()>>>>,
}

impl Layout {
    /// Opens the layout in `dir`, and makes it first when there is none.
    pub fn create(dir: impl Into<PathBuf>) -> Result<Self, Error> {
        let layout = Self::at(dir.into());
        for folder in ["blobs/sha256", INGEST] {
            let path = layout.dir().join(folder);
            fs::create_dir_all(&path).map_err(|source| Error::WriteLayout { path, source })?;
        }
        let marker = layout.dir().join("oci-layout");
        if !marker.exists() {
            layout.write_file(&marker, MARKER.as_bytes())?;
        }
        if !layout.dir().join("index.json").exists() {
            layout.update_index(|_| ())?;
        }
        Ok(layout)
    }

    /// Opens an existing layout.
    ///
    /// # Errors
    /// When the folder is not a layout of version 1.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, Error> {
        let layout = Self::at(dir.into());
        let path = layout.dir().join("oci-layout");
        let text =
            fs::read(&path).map_err(|source| Error::ReadLayout { path: path.clone(), source })?;
        let marker: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
        match marker.get("imageLayoutVersion").and_then(serde_json::Value::as_str) {
            Some(version) if version.starts_with("1.") => Ok(layout),
            other => Err(Error::ParseLayout {
                path,
                problem: format!("its version is {other:?}; expected \"1.0.0\""),
            }),
        }
    }

    fn at(dir: PathBuf) -> Self {
        Self { inner: Arc::new(Inner { dir, index: Mutex::default(), writing: Mutex::default() }) }
    }

    /// Returns the folder.
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// Returns where the content of a digest is, or would be.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.dir().join("blobs").join(digest.algorithm().as_str()).join(digest.hex())
    }

    /// Returns whether the layout holds a blob of this size; content is verified when it is written and when it is read.
    pub fn has_blob(&self, digest: &Digest, size: u64) -> bool {
        fs::metadata(self.blob_path(digest))
            .is_ok_and(|found| found.is_file() && found.len() == size)
    }

    /// Writes a small blob and returns its SHA-256 digest.
    pub fn put_blob(&self, bytes: &[u8]) -> Result<Digest, Error> {
        let digest = Digest::sha256(bytes);
        self.put_verified(&digest, bytes)?;
        Ok(digest)
    }

    /// Writes a manifest as it is.
    ///
    /// # Errors
    /// When the bytes do not have the digest.
    pub fn put_manifest(&self, manifest: &RawManifest) -> Result<(), Error> {
        if !manifest.digest.matches(&manifest.bytes) {
            let actual = Digest::of(manifest.digest.algorithm(), &manifest.bytes).to_string();
            let expected = manifest.digest.to_string();
            return Err(Error::VerifyContent { what: "manifest".to_owned(), expected, actual });
        }
        self.put_verified(&manifest.digest, &manifest.bytes)
    }

    /// Reads a manifest and verifies its digest.
    ///
    /// # Errors
    /// When the layout does not hold it ([`Error::FindContent`]), or holds something else under its name.
    pub fn manifest(&self, digest: &Digest) -> Result<RawManifest, Error> {
        let bytes = self.read_blob(digest, MAX_MANIFEST_SIZE)?;
        Ok(RawManifest::from_verified(digest.clone(), bytes)?)
    }

    /// Reads a blob of at most `limit` bytes into memory and verifies its digest.
    pub fn read_blob(&self, digest: &Digest, limit: u64) -> Result<Bytes, Error> {
        let path = self.blob_path(digest);
        let file = fs::File::open(&path).map_err(|source| self.read_error(digest, source))?;
        let mut bytes = Vec::new();
        let length = file.take(limit + 1).read_to_end(&mut bytes);
        let length = length.map_err(|source| Error::ReadLayout { path: path.clone(), source })?;
        if length as u64 > limit {
            return Err(Error::LimitContent { what: format!("{}", path.display()), limit });
        }
        let actual = Digest::of(digest.algorithm(), &bytes);
        if actual != *digest {
            let (expected, actual) = (digest.to_string(), actual.to_string());
            return Err(Error::VerifyContent {
                what: format!("{}", path.display()),
                expected,
                actual,
            });
        }
        Ok(bytes.into())
    }

    /// Returns what the layout knows to refer to `subject`, as descriptors with artifact type and annotations.
    pub fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        Ok(self.all_referrers()?.remove(subject).unwrap_or_default())
    }

    /// Returns all referrers that the layout lists, by subject.
    pub(crate) fn all_referrers(&self) -> Result<BTreeMap<Digest, Vec<Descriptor>>, Error> {
        let mut found: BTreeMap<Digest, BTreeMap<Digest, Descriptor>> = BTreeMap::new();
        for entry in self.entries()? {
            let raw = match self.manifest(&entry.digest) {
                Ok(raw) => raw,
                Err(Error::FindContent { .. } | Error::Manifest(_)) => continue,
                Err(error) => return Err(error),
            };
            if let Some(subject) = Manifest::parse(&raw)?.subject {
                found
                    .entry(subject.digest)
                    .or_default()
                    .insert(entry.digest, raw.referrer_descriptor()?);
            }
        }
        Ok(found
            .into_iter()
            .map(|(subject, list)| (subject, list.into_values().collect()))
            .collect())
    }

    /// Writes small content unless it is there; what is there with another content is replaced.
    fn put_verified(&self, digest: &Digest, bytes: &[u8]) -> Result<(), Error> {
        if self.read_blob(digest, bytes.len() as u64).is_ok() {
            return Ok(());
        }
        self.write_file(&self.blob_path(digest), bytes)
    }

    fn read_error(&self, digest: &Digest, source: io::Error) -> Error {
        if source.kind() == io::ErrorKind::NotFound {
            return Error::FindContent { path: self.dir().to_owned(), digest: digest.clone() };
        }
        Error::ReadLayout { path: self.blob_path(digest), source }
    }

    /// Returns the lock of one blob's writer.
    pub(crate) fn writer_lock(&self, digest: &Digest) -> Arc<tokio::sync::Mutex<()>> {
        let mut writing = self.inner.writing.lock().unwrap_or_else(PoisonError::into_inner);
        // Locks that nobody holds are forgotten, so that the map stays as small as the number of transfers.
        writing.retain(|_, lock| Arc::strong_count(lock) > 1);
        Arc::clone(writing.entry(digest.clone()).or_default())
    }
}

#[cfg(test)]
mod tests;
