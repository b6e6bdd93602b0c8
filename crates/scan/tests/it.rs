//! Whole scans: from layers as they are stored to a verdict.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

#[path = "it/fixtures.rs"]
mod fixtures;
#[path = "it/quickstart.rs"]
mod quickstart;

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use arc_scan::{Inventory, Layer, inventory};

/// Returns a path of the repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// Reads the inventory of an image with these files: path in the image, and where its content is.
fn scan(files: &[(&str, PathBuf)]) -> Inventory {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, source) in files {
        let content =
            fs::read(source).unwrap_or_else(|error| panic!("{}: {error}", source.display()));
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, path, Cursor::new(content)).unwrap();
    }
    let media_type = "application/vnd.oci.image.layer.v1.tar".to_owned();
    let reader = Box::new(Cursor::new(archive.into_inner().unwrap()));
    inventory([Layer { media_type, reader }]).unwrap()
}
