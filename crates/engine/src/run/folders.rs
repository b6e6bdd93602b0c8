//! The folders of a run: roots of pods, volumes, and secrets that exist only while they are needed.
//!
//! ```text
//! <work dir>/<workflow>/lock
//! <work dir>/<workflow>/volumes/<claim>            shared by all pods, kept for the next run
//! <work dir>/<workflow>/pods/<node>/volumes/<name> emptyDir and config maps of one pod; emptyDirs are kept
//! <work dir>/<workflow>/pods/<node>/root/…         links from mount paths to volumes
//! <work dir>/<workflow>/secrets/<node>/<name>      0700 and 0600, removed when the pod has ended
//! ```

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};

use super::inside;
use crate::Ready;
use crate::template::{Keys, Mount, Template, Volume, VolumeSource, is_safe_path};

/// Why the folders of a run or pod are not there.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("failed to create folder {path:?}")]
    CreateFolder { path: PathBuf, source: io::Error },
    #[error("failed to remove {path:?}")]
    Remove { path: PathBuf, source: io::Error },
    #[error("failed to write a file of volume {volume:?}")]
    WriteFile { volume: String, source: io::Error },
    #[error("failed to link {path:?} to its volume")]
    Link { path: PathBuf, source: io::Error },
    #[error("another run uses {path:?}; wait for its end or use another work folder")]
    InUse { path: PathBuf },
}

/// The folder of one workflow; dropping it removes the secrets.
#[derive(Debug)]
pub(super) struct Folders {
    root: PathBuf,
    _lock: File,
}

/// The folders of one pod; dropping it removes its secrets.
#[derive(Debug)]
pub(super) struct PodFolders {
    pub(super) root: PathBuf,
    pub(super) pod: PathBuf,
    secrets: PathBuf,
    pub(super) mounts: Vec<Mounted>,
}

/// A mount and the folder behind it.
#[derive(Debug)]
pub(super) struct Mounted {
    pub(super) path: String,
    pub(super) folder: PathBuf,
    pub(super) read_only: bool,
    own: bool,
}

impl Folders {
    /// Creates the workflow's folder, or takes the one of an earlier run.
    pub(super) fn create(root: &Path) -> Result<Self, Error> {
        create(root)?;
        let root = fs::canonicalize(root)
            .map_err(|source| Error::CreateFolder { path: root.to_owned(), source })?;
        let lock = root.join("lock");
        let file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock)
            .map_err(|source| Error::CreateFolder { path: lock, source })?;
        if file.try_lock().is_err() {
            return Err(Error::InUse { path: root });
        }
        // A killed run could not remove its secrets.
        remove(&root.join("secrets"))?;
        Ok(Self { root, _lock: file })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Creates the folders of a pod and links its mounts.
    pub(super) fn pod(
        &self,
        id: &str,
        ready: &Ready,
        template: &Template,
        mounts: &[Mount],
    ) -> Result<PodFolders, Error> {
        let pod = self.root.join("pods").join(id);
        let root = pod.join("root");
        // Only links and files outside of volumes: nothing that a next run could use.
        remove(&root)?;
        create(&root.join("tmp"))?;
        let mut folders = PodFolders {
            root,
            secrets: self.root.join("secrets").join(id),
            mounts: Vec::new(),
            pod,
        };
        let own: BTreeMap<&str, &Volume> =
            template.volumes.iter().map(|volume| (volume.name.as_str(), volume)).collect();
        for mount in mounts {
            let volume = own
                .get(mount.volume.as_str())
                .copied()
                .or_else(|| ready.volumes.get(&mount.volume));
            let Some(volume) = volume else { continue };
            let folder = self.volume(&folders, volume, ready)?;
            link(&folders.root, &mount.path, &folder)?;
            folders.mounts.push(Mounted {
                path: mount.path.clone(),
                folder,
                read_only: mount.read_only,
                own: volume.source != VolumeSource::Claim,
            });
        }
        Ok(folders)
    }

    fn volume(&self, pod: &PodFolders, volume: &Volume, ready: &Ready) -> Result<PathBuf, Error> {
        let folder = match &volume.source {
            VolumeSource::Claim => self.root.join("volumes").join(&volume.name),
            VolumeSource::Keys(keys) if keys.secret => pod.secrets.join(&volume.name),
            VolumeSource::EmptyDir | VolumeSource::Keys(_) => {
                pod.pod.join("volumes").join(&volume.name)
            }
        };
        if let VolumeSource::Keys(keys) = &volume.source {
            remove(&folder)?;
            create(&folder)?;
            write_keys(&folder, keys, ready)
                .map_err(|source| Error::WriteFile { volume: volume.name.clone(), source })?;
        } else {
            create(&folder)?;
        }
        Ok(folder)
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.root.join("secrets")) {
            tracing::warn!(error = %super::chain(&error), "secret files are left over");
        }
    }
}

impl Drop for PodFolders {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.secrets) {
            tracing::warn!(error = %super::chain(&error), "secret files are left over");
        }
    }
}

impl PodFolders {
    /// Returns the regular file at a container's path, if it really lies in the pod or one of its volumes.
    ///
    /// A container may have put a link there that points elsewhere on this machine.
    pub(super) fn resolve(&self, path: &str) -> Option<PathBuf> {
        let file = fs::canonicalize(inside(&self.root, path)).ok()?;
        let folders = self.mounts.iter().map(|mount| &mount.folder).chain([&self.root]);
        let is_inside = folders
            .filter_map(|folder| fs::canonicalize(folder).ok())
            .any(|folder| file.starts_with(folder));
        (is_inside && file.is_file()).then_some(file)
    }

    /// Whether a path lies on a volume.
    pub(super) fn is_mounted(&self, path: &str) -> bool {
        self.mount_of(path).is_some()
    }

    /// Whether a path lies on a volume that only this pod uses.
    pub(super) fn is_own(&self, path: &str) -> bool {
        self.mount_of(path).is_some_and(|mount| mount.own)
    }

    fn mount_of(&self, path: &str) -> Option<&Mounted> {
        self.mounts
            .iter()
            .find(|mount| path.strip_prefix(&mount.path).is_some_and(|rest| rest.starts_with('/')))
    }
}

fn write_keys(folder: &Path, keys: &Keys, ready: &Ready) -> io::Result<()> {
    let objects = if keys.secret { &ready.objects.secrets } else { &ready.objects.config_maps };
    let Some(object) = objects.get(&keys.object) else { return Ok(()) };
    let files: Vec<(&str, &str)> = match &keys.items {
        Some(items) => items.iter().map(|(key, path)| (key.as_str(), path.as_str())).collect(),
        None => object.keys().map(|key| (key.as_str(), key.as_str())).collect(),
    };
    for (key, path) in files {
        let Some(value) = object.get(key).filter(|_| is_safe_path(path)) else { continue };
        let file = folder.join(path);
        if let Some(parent) = file.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
        file.write_all(value)?;
    }
    Ok(())
}

fn link(root: &Path, path: &str, folder: &Path) -> Result<(), Error> {
    let place = inside(root, path);
    if let Some(parent) = place.parent() {
        create(parent)?;
    }
    // `tmp` exists already, and a template may mount a volume there.
    if place.is_dir() {
        fs::remove_dir(&place).map_err(|source| Error::Link { path: place.clone(), source })?;
    }
    symlink(folder, &place).map_err(|source| Error::Link { path: place, source })
}

fn create(path: &Path) -> Result<(), Error> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| Error::CreateFolder { path: path.to_owned(), source })
}

/// Removes a folder; links in it are removed, not followed.
fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(Error::Remove { path: path.to_owned(), source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
