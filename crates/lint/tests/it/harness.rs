//! Reads files of the repository as sources.
#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

use std::fs;
use std::path::{Path, PathBuf};

use arc_lint::{Origin, Report, Source, lint};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The manifests of a folder, by name.
pub(crate) fn folder(path: &Path, origin: Origin) -> Vec<Source> {
    let mut files: Vec<_> = fs::read_dir(path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .collect();
    files.sort();
    files.iter().map(|path| source(path, origin)).collect()
}

/// One file.
pub(crate) fn source(path: &Path, origin: Origin) -> Source {
    let text = fs::read_to_string(path).unwrap();
    Source { name: path.file_name().unwrap().to_str().unwrap().to_owned(), text, origin }
}

/// The pipelines that come with ARC, as `arc lint` adds them.
pub(crate) fn pipelines() -> Vec<Source> {
    folder(&root().join("workflow-templates"), Origin::Context)
}

/// Judges one text.
pub(crate) fn judge(text: &str) -> Report {
    let source = Source { name: "f.yaml".to_owned(), text: text.to_owned(), origin: Origin::Named };
    let mut sources = vec![source];
    sources.extend(pipelines());
    lint(&sources, false)
}

/// Compares with a file of the repository; `UPDATE_GOLDEN=1` writes it instead.
#[track_caller]
pub(crate) fn golden(path: &Path, found: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, found).unwrap();
        return;
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(found, expected, "{} differs; UPDATE_GOLDEN=1 rewrites it", path.display());
}
