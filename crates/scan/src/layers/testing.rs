//! Builds layers for tests, as tools in the field write them.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::io::{Cursor, Write as _};

use tar::{EntryType, Header};

use super::Layer;

/// The media types of layers with each compression.
pub(crate) const OCI_TAR: &str = "application/vnd.oci.image.layer.v1.tar";
pub(crate) const OCI_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub(crate) const OCI_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";

/// An archive being written.
pub(crate) struct Archive(tar::Builder<Vec<u8>>);

impl Archive {
    pub(crate) fn new() -> Self {
        Self(tar::Builder::new(Vec::new()))
    }

    pub(crate) fn file(self, path: &str, content: &str) -> Self {
        self.entry(EntryType::Regular, path, "", content.as_bytes())
    }

    pub(crate) fn folder(self, path: &str) -> Self {
        self.entry(EntryType::Directory, path, "", b"")
    }

    pub(crate) fn symlink(self, path: &str, target: &str) -> Self {
        self.entry(EntryType::Symlink, path, target, b"")
    }

    pub(crate) fn hard_link(self, path: &str, target: &str) -> Self {
        self.entry(EntryType::Link, path, target, b"")
    }

    /// Appends an entry whose name is written as it is, with GNU headers for long names.
    pub(crate) fn entry(
        mut self,
        kind: EntryType,
        path: &str,
        target: &str,
        content: &[u8],
    ) -> Self {
        for (kind, text) in [(EntryType::GNULongName, path), (EntryType::GNULongLink, target)] {
            if text.len() > 100 {
                self.raw(kind, "././@LongLink", "", format!("{text}\0").as_bytes());
            }
        }
        self.raw(kind, path, target, content);
        self
    }

    /// Appends an entry with extended attributes.
    pub(crate) fn extended(
        mut self,
        attributes: &[(&str, &str)],
        kind: EntryType,
        path: &str,
        content: &[u8],
    ) -> Self {
        let records: String = attributes.iter().map(|(key, value)| record(key, value)).collect();
        self.raw(EntryType::XHeader, "PaxHeaders/0", "", records.as_bytes());
        self.raw(kind, path, "", content);
        self
    }

    fn raw(&mut self, kind: EntryType, path: &str, target: &str, content: &[u8]) {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        let old = header.as_old_mut();
        copy(&mut old.name, path);
        copy(&mut old.linkname, target);
        header.set_cksum();
        self.0.append(&header, content).unwrap();
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }

    pub(crate) fn layer(self) -> Layer {
        layer(OCI_TAR, self.bytes())
    }
}

fn copy(field: &mut [u8], text: &str) {
    let n = text.len().min(field.len());
    field[..n].copy_from_slice(&text.as_bytes()[..n]);
}

fn record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len() + 1;
    while length.to_string().len() + rest.len() != length {
        length += 1;
    }
    format!("{length}{rest}")
}

pub(crate) fn layer(media_type: &str, bytes: Vec<u8>) -> Layer {
    Layer { media_type: media_type.to_owned(), reader: Box::new(Cursor::new(bytes)) }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}
