//! The folder that is written: new, and with the checksum of every file in `SHA256SUMS`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use arc_oci::Digest;
use arc_steps::Exit;

use crate::report::Failure;

/// Written last; it names every other file.
const SUMS: &str = "SHA256SUMS";

/// A folder under construction.
pub(super) struct Folder {
    dir: PathBuf,
    sums: BTreeMap<String, String>,
}

impl Folder {
    /// Makes the folder.
    pub(super) fn create(dir: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| unwritable(dir, &error);
        fs::create_dir_all(dir).map_err(failed)?;
        if fs::read_dir(dir).map_err(failed)?.next().is_some() {
            let message = format!("{} is not empty", dir.display());
            return Err(Failure::new(Exit::WrongInput, message)
                .hint("choose a new folder with --export; what is exported is never mixed with other files"));
        }
        Ok(Self { dir: dir.to_owned(), sums: BTreeMap::new() })
    }

    /// Writes a file; `name` is made of our own words and of digests.
    pub(super) fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.dir.join(name);
        let failed = |error: io::Error| unwritable(&path, &error);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        fs::write(&path, bytes).map_err(failed)?;
        self.sums.insert(name.to_owned(), Digest::sha256(bytes).hex().to_owned());
        Ok(())
    }

    /// Writes a file named by its content, and returns the name.
    pub(super) fn put_content(
        &mut self,
        folder: &str,
        ending: &str,
        bytes: &[u8],
    ) -> Result<String, Failure> {
        let name = format!("{folder}/sha256-{}.{ending}", Digest::sha256(bytes).hex());
        self.put(&name, bytes)?;
        Ok(name)
    }

    /// Reads a file that was written.
    pub(super) fn get(&self, name: &str) -> Result<Vec<u8>, Failure> {
        fs::read(self.dir.join(name)).map_err(|error| Failure::failed(&error))
    }

    /// Writes the checksums.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let text = self.sums.iter().fold(String::new(), |mut text, (name, hex)| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{hex}  {name}");
            text
        });
        let path = self.dir.join(SUMS);
        fs::write(&path, text).map_err(|error| unwritable(&path, &error))
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Failed, format!("failed to write {}: {error}", path.display()))
}
