//! Flattens an image's layers to the few files that package lists are read from.
//!
//! The public entry is [`apply`]; decompression is in `compression`, the archive format in `archive`,
//! and what the layers add up to in `tree`. Nothing is ever written to disk, and nothing but the files of interest
//! and the links that may lead to them is kept in memory.

mod archive;
mod compression;
mod entry;
pub(crate) mod tree;

use std::fmt;
use std::io::{self, Read};

use tree::Tree;

/// One layer of an image, lowest first.
pub struct Layer {
    /// The media type from the layer's descriptor.
    pub media_type: String,
    /// The layer's bytes as stored in the registry, usually compressed.
    pub reader: Box<dyn Read + Send>,
}

impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layer").field("media_type", &self.media_type).finish_non_exhaustive()
    }
}

/// Bounds on what an image may cost to scan, all layers together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes after decompression.
    pub decompressed_bytes: u64,
    /// Archive entries.
    pub entries: u64,
    /// Bytes of one file of interest.
    pub file_bytes: u64,
    /// Bytes kept in memory: files of interest, their paths and all links.
    pub kept_bytes: u64,
}

/// Large machine-learning images reach 20 GiB; more than this is a decompression bomb.
const MAX_DECOMPRESSED_BYTES: u64 = 64 << 30;
/// A full desktop has half a million files; this leaves room for every layer to replace them.
const MAX_ENTRIES: u64 = 8_000_000;
/// The status file of a Debian with every package installed has about 60 MB.
const MAX_FILE_BYTES: u64 = 96 << 20;
/// Enough for several such databases and a million links, and still far from a small node's memory.
const MAX_KEPT_BYTES: u64 = 256 << 20;

/// Real images hide some thousand files; without a bound, whiteouts could be made to look at the same files for days.
const MAX_VISITS: u64 = 50_000_000;

impl Default for Limits {
    fn default() -> Self {
        Self {
            decompressed_bytes: MAX_DECOMPRESSED_BYTES,
            entries: MAX_ENTRIES,
            file_bytes: MAX_FILE_BYTES,
            kept_bytes: MAX_KEPT_BYTES,
        }
    }
}

/// Why an image's packages could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The media type is not one of a file system layer.
    #[error("layer {layer} has the unsupported media type {media_type:?}")]
    UnsupportedMediaType {
        /// Number of the layer, from 1 for the lowest.
        layer: usize,
        /// What the descriptor says.
        media_type: String,
    },
    /// The bytes are no archive in any compression that layers may have.
    #[error("layer {layer} is neither a tar archive nor one compressed with gzip or zstd")]
    UnknownFormat {
        /// Number of the layer, from 1 for the lowest.
        layer: usize,
    },
    /// The layer cannot be read to its end.
    #[error("failed to read layer {layer}")]
    ReadLayer {
        /// Number of the layer, from 1 for the lowest.
        layer: usize,
        /// What was wrong.
        source: io::Error,
    },
    /// The archive in the layer breaks the format.
    #[error("layer {layer} is not a valid tar archive at byte {offset}: {problem}")]
    InvalidArchive {
        /// Number of the layer, from 1 for the lowest.
        layer: usize,
        /// Offset in the decompressed archive.
        offset: u64,
        /// What was wrong.
        problem: &'static str,
    },
    /// A bound of [`Limits`] is exceeded.
    #[error("layer {layer} exceeds the limit of {limit} {what}")]
    ExceedLimit {
        /// Number of the layer, from 1 for the lowest.
        layer: usize,
        /// The bound.
        limit: u64,
        /// What it counts.
        what: &'static str,
    },
    /// A package database or `os-release` is there, but was not kept.
    #[error(
        "{path:?} leads to {target:?}, which is too large, not a plain file, or not where such a file belongs"
    )]
    UnreadFile {
        /// Where the package manager looks.
        path: String,
        /// Where that leads to.
        target: String,
    },
    /// Links lead round in circles.
    #[error("{path:?} passes through too many symbolic links")]
    FollowLinks {
        /// Where the resolution started.
        path: String,
    },
    /// A package database cannot be understood.
    #[error("{path:?} is not a valid package database: {problem}")]
    ParseDatabase {
        /// Path in the image.
        path: String,
        /// What is wrong with it, and in which line.
        problem: String,
    },
}

impl Error {
    pub(crate) fn database(path: &str, problem: &crate::dpkg::Problem) -> Self {
        Self::ParseDatabase { path: path.to_owned(), problem: problem.to_string() }
    }
}

/// Applies layers in order, lowest first, and returns the files of interest of the result.
///
/// # Errors
///
/// A layer that is cut short, of an unknown type or beyond the limits is an error, never an empty layer.
pub(crate) fn apply(
    layers: impl IntoIterator<Item = Layer>,
    limits: &Limits,
) -> Result<Tree, Error> {
    let mut tree = Tree::default();
    let mut budget = Budget { limits: *limits, layer: 0, decompressed_bytes: 0, entries: 0 };
    for (index, layer) in layers.into_iter().enumerate() {
        budget.layer = index + 1;
        let reader = compression::open(layer, budget.layer)?;
        archive::read(reader, &mut budget, &mut tree)?;
    }
    Ok(tree)
}

/// What has been spent of the limits, and in which layer.
struct Budget {
    limits: Limits,
    layer: usize,
    decompressed_bytes: u64,
    entries: u64,
}

impl Budget {
    fn spend_bytes(&mut self, bytes: u64) -> Result<(), Error> {
        self.decompressed_bytes = self.decompressed_bytes.saturating_add(bytes);
        self.hold(
            self.decompressed_bytes,
            self.limits.decompressed_bytes,
            "bytes after decompression",
        )
    }

    fn spend_entry(&mut self) -> Result<(), Error> {
        self.entries += 1;
        self.hold(self.entries, self.limits.entries, "archive entries")
    }

    fn hold_visits(&self, visits: u64) -> Result<(), Error> {
        self.hold(visits, MAX_VISITS, "files compared with whiteouts")
    }

    fn hold_kept(&self, bytes: u64) -> Result<(), Error> {
        self.hold(bytes, self.limits.kept_bytes, "bytes of package databases and links")
    }

    fn hold(&self, spent: u64, limit: u64, what: &'static str) -> Result<(), Error> {
        if spent > limit {
            Err(Error::ExceedLimit { layer: self.layer, limit, what })
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
