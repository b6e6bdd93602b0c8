//! Layers from files, and the files that make a layer look like a distribution.

use std::io::Write as _;

use bytes::Bytes;
use flate2::{Compression, GzBuilder};
use sha2::{Digest as _, Sha256};
use tar::{EntryType, Header};

use crate::images::{Blob, Descriptor, describe, random::RandomTar, sha256, to_digest};

const GZIP_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A layer to be made.
#[derive(Debug, Clone)]
pub enum Layer {
    /// A gzip-compressed tar of these paths and contents, in that order.
    Files(Vec<(String, String)>),
    /// One file of random bytes, as incompressible as they come; two layers of the same size and seed are the same.
    Random {
        /// Size of the file in mebibytes.
        mebibytes: u64,
        /// Which random bytes.
        seed: u64,
    },
}

/// A layer that was made.
pub(crate) struct Made {
    pub(crate) descriptor: Descriptor,
    pub(crate) diff_id: String,
    pub(crate) blob: Blob,
}

impl Layer {
    /// Makes a layer of text files.
    pub fn files<P: Into<String> + Clone, C: Into<String> + Clone>(files: &[(P, C)]) -> Self {
        Self::Files(
            files
                .iter()
                .map(|(path, contents)| (path.clone().into(), contents.clone().into()))
                .collect(),
        )
    }

    pub(crate) fn make(self) -> Made {
        match self {
            Self::Files(files) => {
                let tar = tar(&files);
                let bytes = Bytes::from(gzip(&tar));
                Made {
                    descriptor: describe(GZIP_LAYER, &bytes),
                    diff_id: sha256(&tar),
                    blob: Blob::Bytes(bytes),
                }
            }
            Self::Random { mebibytes, seed } => {
                let random = RandomTar::new(mebibytes << 20, seed);
                let (diff_id, _) = measure(random.tar());
                let (digest, size) = measure(random.pieces());
                let descriptor =
                    Descriptor { media_type: GZIP_LAYER.to_owned(), digest, size, platform: None };
                Made { descriptor, diff_id, blob: Blob::Random { recipe: random, size } }
            }
        }
    }
}

/// Returns digest and size of something that comes in pieces.
fn measure(pieces: impl Iterator<Item = Bytes>) -> (String, u64) {
    let mut hasher = Sha256::new();
    let mut size = 0;
    for piece in pieces {
        hasher.update(&piece);
        size += piece.len() as u64;
    }
    (to_digest(hasher), size)
}

/// Returns a layer with `etc/os-release` of a Debian and a `dpkg` database of these packages and versions.
pub fn debian(version_id: &str, packages: &[(&str, &str)]) -> Layer {
    let release = format!("NAME=\"Debian GNU/Linux\"\nID=debian\nVERSION_ID=\"{version_id}\"\n");
    let stanza = |(name, version): &(&str, &str)| {
        format!(
            "Package: {name}\nStatus: install ok installed\nPriority: optional\nSection: libs\n\
             Maintainer: Nobody <nobody@example.com>\nArchitecture: amd64\nVersion: {version}\nDescription: {name}\n\n"
        )
    };
    let status: String = packages.iter().map(stanza).collect();
    Layer::files(&[("etc/os-release", release), ("var/lib/dpkg/status", status)])
}

/// Returns a layer with `etc/os-release` of an Alpine and an `apk` database of these packages and versions.
pub fn alpine(version_id: &str, packages: &[(&str, &str)]) -> Layer {
    let release = format!("NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID={version_id}\n");
    let stanza = |(name, version): &(&str, &str)| {
        format!("P:{name}\nV:{version}\nA:x86_64\nL:MIT\no:{name}\n\n")
    };
    let installed: String = packages.iter().map(stanza).collect();
    Layer::files(&[("etc/os-release", release), ("lib/apk/db/installed", installed)])
}

fn tar(files: &[(String, String)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, contents) in files {
        let mut header = header(contents.len() as u64);
        builder.append_data(&mut header, path, contents.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

/// Returns the header of a plain file, without time, owner or anything else that would change the digest.
pub(crate) fn header(size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
