//! Writing into a layout: aside first, under the final name when complete.
//!
//! A large blob is written to `.ingest/<digest>.partial`, which stays when a transfer breaks and is continued by the next.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{INGEST, Layout};
use crate::{Descriptor, Error, Hasher};

/// How much of a partial file is read at a time when it is hashed again, in bytes.
const READ_SIZE: usize = 1 << 20;

/// A blob on its way into a layout.
#[derive(Debug)]
pub(crate) struct Ingest {
    path: PathBuf,
    target: PathBuf,
    file: fs::File,
    /// Whether a broken transfer leaves the file behind to be continued.
    keeps: bool,
}

impl Layout {
    /// Opens the partial file of a blob; returns also the state of the hash over what it already holds, and its length.
    pub(crate) fn begin_ingest(
        &self,
        descriptor: &Descriptor,
    ) -> Result<(Ingest, Hasher, u64), Error> {
        let digest = &descriptor.digest;
        let name = format!("{}-{}", digest.algorithm().as_str(), digest.hex());
        let path = self.dir().join(INGEST).join(format!("{name}.partial"));
        let failed = |source| Error::WriteLayout { path: path.clone(), source };
        fs::create_dir_all(self.dir().join(INGEST)).map_err(failed)?;
        let target = self.blob_path(digest);
        let mut hasher = digest.algorithm().hasher();
        let Some(mut file) = open_alone(&path).map_err(failed)? else {
            // Another process fetches the same blob; whoever is first, the bytes are the same.
            let path = self.temporary_path(&name);
            let failed = |source| Error::WriteLayout { path: path.clone(), source };
            let file = fs::File::options()
                .read(true)
                .write(true)
                .create_new(true)
                .open(&path)
                .map_err(failed)?;
            return Ok((Ingest { path, target, file, keeps: false }, hasher, 0));
        };
        let mut length = file.metadata().map_err(failed)?.len();
        if length > descriptor.size {
            file.set_len(0).map_err(failed)?;
            length = 0;
        }
        let mut buffer = vec![0; READ_SIZE];
        loop {
            let count = file.read(&mut buffer).map_err(failed)?;
            let Some(chunk) = buffer.get(..count).filter(|chunk| !chunk.is_empty()) else { break };
            hasher.update(chunk);
        }
        Ok((Ingest { path, target, file, keeps: true }, hasher, length))
    }

    /// Takes the content out of a descriptor that carries it; returns whether it did.
    pub(crate) fn put_inline(&self, descriptor: &Descriptor) -> Result<bool, Error> {
        let data = descriptor.data.as_deref().and_then(|data| STANDARD.decode(data).ok());
        match data {
            Some(bytes)
                if bytes.len() as u64 == descriptor.size && descriptor.digest.matches(&bytes) =>
            {
                self.write_file(&self.blob_path(&descriptor.digest), &bytes)?;
                Ok(true)
            }
            // Wrong or absent: the registry is asked as for any other blob.
            _ => Ok(false),
        }
    }

    /// Writes a small file under its final name, or not at all.
    pub(crate) fn write_file(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = self.temporary_path(&name);
        let failed = |source| Error::WriteLayout { path: path.to_owned(), source };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        let written = (|| {
            let mut file = fs::File::options().write(true).create_new(true).open(&temporary)?;
            file.write_all(bytes)?;
            rename_durably(&file, &temporary, path)
        })();
        written.map_err(|source| {
            let _ = fs::remove_file(&temporary);
            failed(source)
        })
    }

    /// Opens a new file for content that has no name yet.
    pub(crate) fn temporary_file(&self) -> Result<(PathBuf, fs::File), Error> {
        let path = self.temporary_path("stream");
        let file = fs::File::options().write(true).create_new(true).open(&path);
        let file = file.map_err(|source| Error::WriteLayout { path: path.clone(), source })?;
        Ok((path, file))
    }

    fn temporary_path(&self, name: &str) -> PathBuf {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        self.dir().join(INGEST).join(format!("{name}.{}.{count}.tmp", process::id()))
    }
}

impl Ingest {
    /// Returns a second handle on the file, at its end, to write through.
    pub(crate) fn writer(&self) -> Result<fs::File, Error> {
        self.file.try_clone().map_err(|source| self.failed(source))
    }

    /// Gives the file its final name. The caller has verified digest and size.
    pub(crate) fn commit(self) -> Result<(), Error> {
        let parent = self.target.parent().map_or(Ok(()), fs::create_dir_all);
        parent
            .and_then(|()| rename_durably(&self.file, &self.path, &self.target))
            .map_err(|source| self.failed(source))
    }

    /// Throws the file away, because what it holds is wrong.
    pub(crate) fn discard(self) {
        let _ = fs::remove_file(&self.path);
    }

    pub(crate) fn failed(&self, source: io::Error) -> Error {
        Error::WriteLayout { path: self.path.clone(), source }
    }
}

impl Drop for Ingest {
    fn drop(&mut self) {
        // After a commit the path is gone, and this does nothing.
        if !self.keeps {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Opens a partial file that no other process writes, or returns nothing.
fn open_alone(path: &Path) -> io::Result<Option<fs::File>> {
    let file =
        fs::File::options().read(true).write(true).create(true).truncate(false).open(path)?;
    if file.try_lock().is_err() {
        return Ok(None);
    }
    // Between opening and locking, its writer may have finished and renamed it: then it is a blob, not ours to touch.
    let is_same = fs::metadata(path)
        .is_ok_and(|found| file.metadata().is_ok_and(|mine| is_same_file(&found, &mine)));
    Ok(is_same.then_some(file))
}

#[cfg(unix)]
fn is_same_file(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    one.dev() == other.dev() && one.ino() == other.ino()
}

#[cfg(not(unix))]
fn is_same_file(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    one.created().ok() == other.created().ok()
}

/// Syncs before the rename, so that after a power cut a final name never stands on missing bytes.
fn rename_durably(file: &fs::File, from: &Path, to: &Path) -> io::Result<()> {
    file.sync_all()?;
    fs::rename(from, to)?;
    match to.parent() {
        Some(parent) => fs::File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}
