//! Where things are on disk, and how they get there without ever being half there.
//!
//! ```text
//! blobs/<algorithm>/<2 hex>/<hex>                     content, shared by all repositories
//! repositories/<name>/_blobs/<algorithm>/<hex>        this repository has that blob
//! repositories/<name>/_manifests/<algorithm>/<hex>    this repository has that manifest, with its media type
//! repositories/<name>/_tags/<tag>                     the digest it points to
//! repositories/<name>/_referrers/<algorithm>/<hex>/…  descriptors of manifests with that subject
//! repositories/<name>/_uploads/<id>                   unfinished uploads
//! scratch/                                            files on their way; emptied when opened
//! ```
//!
//! Deleting removes links only; content stays until the folder is thrown away.

use std::{
    io,
    path::{Path, PathBuf},
};

use tokio::{fs, io::AsyncWriteExt as _};

use crate::{
    Error,
    error::Refusal,
    name::{Digest, Name, Tag, UploadId},
};

/// The folder of a registry.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    folder: PathBuf,
}

impl Store {
    /// Creates the folders and forgets what a killed process left on its way.
    pub(crate) fn open(folder: PathBuf) -> Result<Self, Error> {
        let store = Self { folder };
        let scratch = store.folder.join("scratch");
        let prepare = |path: &Path| {
            if scratch.exists() {
                std::fs::remove_dir_all(&scratch)?;
            }
            std::fs::create_dir_all(&scratch)?;
            std::fs::create_dir_all(path.join("blobs"))?;
            std::fs::create_dir_all(path.join("repositories"))
        };
        prepare(&store.folder)
            .map_err(|source| Error::PrepareFolder { path: store.folder.clone(), source })?;
        Ok(store)
    }

    pub(crate) fn content(&self, digest: &Digest) -> PathBuf {
        let shard = digest.hex().get(..2).unwrap_or_default();
        self.folder.join("blobs").join(digest.algorithm().as_str()).join(shard).join(digest.hex())
    }

    pub(crate) fn repositories(&self) -> PathBuf {
        self.folder.join("repositories")
    }

    fn repository(&self, name: &Name) -> PathBuf {
        self.repositories().join(name.as_str())
    }

    pub(crate) fn blob_link(&self, name: &Name, digest: &Digest) -> PathBuf {
        self.repository(name).join("_blobs").join(digest.algorithm().as_str()).join(digest.hex())
    }

    pub(crate) fn manifests(&self, name: &Name) -> PathBuf {
        self.repository(name).join("_manifests")
    }

    pub(crate) fn manifest_link(&self, name: &Name, digest: &Digest) -> PathBuf {
        self.manifests(name).join(digest.algorithm().as_str()).join(digest.hex())
    }

    pub(crate) fn tags(&self, name: &Name) -> PathBuf {
        self.repository(name).join("_tags")
    }

    pub(crate) fn tag(&self, name: &Name, tag: &Tag) -> PathBuf {
        self.tags(name).join(tag.as_str())
    }

    pub(crate) fn referrers(&self, name: &Name, subject: &Digest) -> PathBuf {
        self.repository(name)
            .join("_referrers")
            .join(subject.algorithm().as_str())
            .join(subject.hex())
    }

    pub(crate) fn referrer(&self, name: &Name, subject: &Digest, referrer: &Digest) -> PathBuf {
        self.referrers(name, subject).join(format!(
            "{}-{}",
            referrer.algorithm().as_str(),
            referrer.hex()
        ))
    }

    pub(crate) fn upload(&self, name: &Name, id: &UploadId) -> PathBuf {
        self.repository(name).join("_uploads").join(id.as_str())
    }

    /// Writes a small file so that it is either absent, as before, or complete.
    pub(crate) async fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Refusal> {
        let scratch = self.folder.join("scratch").join(UploadId::random()?.as_str());
        let written = async {
            let mut file = fs::File::create(&scratch).await?;
            file.write_all(bytes).await?;
            file.sync_data().await?;
            drop(file);
            move_into_place(&scratch, path).await
        };
        written.await.map_err(Refusal::storage("write to the storage folder"))
    }

    /// Tells whether the repository has this blob, and its size in bytes.
    pub(crate) async fn blob_size(
        &self,
        name: &Name,
        digest: &Digest,
    ) -> Result<Option<u64>, Refusal> {
        if !is_file(&self.blob_link(name, digest)).await? {
            return Ok(None);
        }
        match fs::metadata(self.content(digest)).await {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Refusal::storage("read a blob's size")(error)),
        }
    }
}

/// Renames `from` to `to`, making the folders above `to`.
pub(crate) async fn move_into_place(from: &Path, to: &Path) -> io::Result<()> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).await?;
    }
    fs::rename(from, to).await
}

/// Tells whether `path` is an existing file.
pub(crate) async fn is_file(path: &Path) -> Result<bool, Refusal> {
    fs::try_exists(path).await.map_err(Refusal::storage("look into the storage folder"))
}

/// Reads a small file; `None` when it does not exist.
pub(crate) async fn read(path: &Path) -> Result<Option<Vec<u8>>, Refusal> {
    match fs::read(path).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Refusal::storage("read from the storage folder")(error)),
    }
}

/// Removes a file and tells whether it was there.
pub(crate) async fn remove(path: &Path) -> Result<bool, Refusal> {
    match fs::remove_file(path).await {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Refusal::storage("remove from the storage folder")(error)),
    }
}

/// Lists the names in a folder, sorted by byte; `None` when the folder does not exist.
pub(crate) async fn list(path: &Path) -> Result<Option<Vec<String>>, Refusal> {
    let mut entries = match fs::read_dir(path).await {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Refusal::storage("list the storage folder")(error)),
    };
    let mut names = Vec::new();
    while let Some(entry) =
        entries.next_entry().await.map_err(Refusal::storage("list the storage folder"))?
    {
        names.extend(entry.file_name().into_string());
    }
    names.sort_unstable();
    Ok(Some(names))
}
