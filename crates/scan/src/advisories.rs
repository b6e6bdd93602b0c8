//! The advisory database: OSV records from a folder, a zip or a single file, indexed by package.
//!
//! The public entry is [`Database::load`]; comparing it with an inventory is [`crate::matching`]'s part.
//! A database that is absent, empty or partly unreadable is an error: scanning with it would call everything clean.

mod claim;
mod load;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

pub(crate) use claim::{Claim, Record};

use crate::Distribution;
use crate::ecosystem::{Ecosystem, Family};

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database, or a part of it, cannot be read.
    #[error("failed to read advisory database {path:?}")]
    ReadDatabase {
        /// The path that could not be read.
        path: PathBuf,
        /// What was wrong.
        source: io::Error,
    },
    /// The zip cannot be read.
    #[error("failed to read advisory database {path:?} as a zip")]
    ReadZip {
        /// Path of the zip.
        path: PathBuf,
        /// What was wrong.
        source: zip::result::ZipError,
    },
    /// There is no advisory that is not withdrawn.
    #[error(
        "advisory database {path:?} holds no advisories; expected OSV records (*.json), or a zip of them"
    )]
    EmptyDatabase {
        /// Path of the database.
        path: PathBuf,
    },
    /// A file is not an OSV record.
    #[error("failed to read {file:?} as an OSV advisory")]
    ParseAdvisory {
        /// The file, after its zip if it is in one.
        file: String,
        /// What was wrong.
        source: serde_json::Error,
    },
    /// A file is JSON but lacks what makes it an OSV record.
    #[error("{file:?} is not an OSV advisory: {problem}")]
    InvalidAdvisory {
        /// The file, after its zip if it is in one.
        file: String,
        /// What was wrong.
        problem: &'static str,
    },
    /// A bound on the size of databases is exceeded.
    #[error("advisory database {path:?} exceeds the limit of {limit} {what}")]
    ExceedLimit {
        /// Where in the database.
        path: PathBuf,
        /// The bound.
        limit: u64,
        /// What it counts.
        what: &'static str,
    },
}

/// All advisories that can be matched, by package.
#[derive(Debug)]
pub struct Database {
    digest: String,
    count: usize,
    newest: Option<Timestamp>,
    ecosystems: BTreeSet<Ecosystem>,
    records: Vec<Record>,
    claims: BTreeMap<(Family, String), Vec<Claim>>,
}

impl Database {
    /// Loads a folder (all `*.json` and `*.zip` below it), a zip of `*.json`, or a single OSV record.
    ///
    /// # Errors
    ///
    /// One malformed record fails the whole database and is named in the error.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        load::load(path.as_ref())
    }

    /// Returns `sha256:<hex>` over all records, whatever their file names and order, and whether zipped or not.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Returns how many advisories there are that are not withdrawn.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Returns when the most recent advisory was modified.
    pub fn newest(&self) -> Option<Timestamp> {
        self.newest
    }

    /// Returns whether any advisory speaks about this distribution's release.
    ///
    /// If none does, no finding means nothing: the image was not scanned.
    pub fn covers(&self, distribution: &Distribution) -> bool {
        Ecosystem::of(distribution)
            .is_some_and(|image| self.ecosystems.iter().any(|ecosystem| ecosystem.includes(&image)))
    }

    /// Returns what is said about a source package of a family, in any release.
    pub(crate) fn claims(&self, family: Family, source: &str) -> &[Claim] {
        self.claims.get(&(family, source.to_owned())).map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns the advisory that makes a claim.
    pub(crate) fn record(&self, claim: &Claim) -> Option<&Record> {
        self.records.get(claim.record)
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
