//! Images in tar files: OCI layouts (`oci-archive`), and what `docker save` writes (`docker-archive`).
//!
//! An archive is unpacked into a layout, or made from one. Nothing but checked names reaches the file system: the names in an
//! archive decide about its content only.

mod docker;

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::Path,
};

pub use self::docker::DockerImage;
use crate::{Descriptor, Digest, Error, Layout, digest::Algorithm};

/// How many files an archive may have; every blob is one.
const MAX_FILES: usize = 200_000;
/// Largest index of an archive, in bytes.
const MAX_INDEX: u64 = 16 << 20;
/// How much is read at a time, in bytes.
const CHUNK_SIZE: usize = 256 << 10;

impl Layout {
    /// Unpacks an OCI archive into a new layout in `dir`; every blob is verified.
    pub fn unpack(archive: &Path, dir: &Path) -> Result<Self, Error> {
        let layout = Self::create(dir)?;
        let mut index = None;
        each_file(archive, |name, size, content| {
            let failed = |source| read_error(archive, source);
            if name == "index.json" {
                let mut text = Vec::new();
                content.take(MAX_INDEX).read_to_end(&mut text).map_err(failed)?;
                index = Some(text);
            } else if let Some(digest) = blob_name(name) {
                let found = layout.put_stream(content, digest.algorithm(), &failed)?;
                if found.digest != digest || found.size != size {
                    return Err(Error::VerifyContent {
                        what: format!("{name:?} of {}", archive.display()),
                        expected: digest.to_string(),
                        actual: found.digest.to_string(),
                    });
                }
            }
            Ok(())
        })?;
        let index = index.ok_or_else(|| parse_error(archive, "it has no index.json"))?;
        layout.write_file(&layout.dir().join("index.json"), &index)?;
        // Read once, so that a broken index is this archive's problem and nobody else's.
        layout.entries()?;
        Ok(layout)
    }

    /// Writes the layout as an OCI archive: the same content gives the same bytes. A file that exists is not replaced.
    pub fn pack(&self, archive: &Path) -> Result<(), Error> {
        let failed = |source| Error::WriteLayout { path: archive.to_owned(), source };
        let mut temporary = archive.as_os_str().to_owned();
        temporary.push(".partial");
        let temporary = Path::new(&temporary);
        let written = (|| {
            let file = fs::File::create(temporary)?;
            let mut tar = tar::Builder::new(io::BufWriter::new(file));
            for name in ["oci-layout".to_owned(), "index.json".to_owned()] {
                append(&mut tar, &self.dir().join(&name), &name)?;
            }
            for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
                let folder = self.dir().join("blobs").join(algorithm.as_str());
                let mut names = Vec::new();
                for entry in fs::read_dir(&folder).into_iter().flatten() {
                    names.push(entry?.file_name().to_string_lossy().into_owned());
                }
                names.sort();
                for name in names {
                    let inside = format!("blobs/{}/{name}", algorithm.as_str());
                    append(&mut tar, &folder.join(&name), &inside)?;
                }
            }
            let mut buffer = tar.into_inner()?;
            buffer.flush()?;
            buffer.get_ref().sync_all()?;
            // Fails where the name is taken, unlike a rename.
            fs::hard_link(temporary, archive)
        })();
        let _ = fs::remove_file(temporary);
        written.map_err(failed)
    }

    /// Writes a blob whose digest is not known before, and returns it without a media type.
    fn put_stream(
        &self,
        content: &mut dyn io::Read,
        algorithm: Algorithm,
        failed: &dyn Fn(io::Error) -> Error,
    ) -> Result<Descriptor, Error> {
        let (path, mut file) = self.temporary_file()?;
        let wrong = |source| Error::WriteLayout { path: path.clone(), source };
        let (mut hasher, mut size, mut buffer) = (algorithm.hasher(), 0, vec![0; CHUNK_SIZE]);
        let done = (|| {
            loop {
                let count = content.read(&mut buffer).map_err(failed)?;
                let Some(chunk) = buffer.get(..count).filter(|chunk| !chunk.is_empty()) else {
                    break;
                };
                hasher.update(chunk);
                size += count as u64;
                file.write_all(chunk).map_err(wrong)?;
            }
            let digest = hasher.finish();
            let target = self.blob_path(&digest);
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent).map_err(wrong)?;
            }
            fs::rename(&path, target).map_err(wrong)?;
            Ok(Descriptor::new("", digest, size))
        })();
        if done.is_err() {
            let _ = fs::remove_file(&path);
        }
        done
    }
}

fn append(tar: &mut tar::Builder<impl io::Write>, path: &Path, name: &str) -> io::Result<()> {
    let file = fs::File::open(path)?;
    let mut header = tar::Header::new_ustar();
    header.set_size(file.metadata()?.len());
    header.set_mode(0o644);
    header.set_entry_type(tar::EntryType::Regular);
    tar.append_data(&mut header, name, file)
}

/// Returns the digest that a file's name says it has.
fn blob_name(name: &str) -> Option<Digest> {
    let (algorithm, hex) = name.strip_prefix("blobs/")?.split_once('/')?;
    format!("{algorithm}:{hex}").parse().ok()
}

/// Gives the regular files of an archive, one after the other: name, size, content.
fn each_file(
    archive: &Path,
    mut take: impl FnMut(&str, u64, &mut dyn io::Read) -> Result<(), Error>,
) -> Result<(), Error> {
    each_entry(archive, |name, entry| {
        if entry.header().entry_type().is_file() {
            let size = entry.size();
            take(name, size, entry)?;
        }
        Ok(())
    })
}

fn each_entry(
    archive: &Path,
    mut take: impl FnMut(&str, &mut tar::Entry<'_, io::BufReader<fs::File>>) -> Result<(), Error>,
) -> Result<(), Error> {
    let failed = |source| read_error(archive, source);
    let file = fs::File::open(archive).map_err(failed)?;
    let mut tar = tar::Archive::new(io::BufReader::with_capacity(CHUNK_SIZE, file));
    for (number, entry) in tar.entries().map_err(failed)?.enumerate() {
        if number >= MAX_FILES {
            let what = format!("the number of files in {}", archive.display());
            return Err(Error::LimitContent { what, limit: MAX_FILES as u64 });
        }
        let mut entry = entry.map_err(failed)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        take(name.trim_start_matches("./"), &mut entry)?;
    }
    Ok(())
}

fn read_error(archive: &Path, source: io::Error) -> Error {
    Error::ReadLayout { path: archive.to_owned(), source }
}

fn parse_error(archive: &Path, problem: impl Into<String>) -> Error {
    Error::ParseLayout { path: archive.to_owned(), problem: problem.into() }
}

#[cfg(test)]
mod tests;
