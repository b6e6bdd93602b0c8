//! What we ship and show is clean: the best protection against false alarms.

use arc_lint::{Origin, lint, render};

use crate::harness::{folder, pipelines, root};

#[track_caller]
fn is_clean(path: &str) {
    let mut sources = folder(&root().join(path), Origin::Named);
    assert!(!sources.is_empty(), "{path} holds no manifests");
    sources.extend(pipelines());
    let report = lint(&sources, false);
    assert_eq!(render::text(&report), "", "{path}");
}

#[test]
fn the_pipelines_are_clean() {
    is_clean("workflow-templates");
}

#[test]
fn the_examples_are_clean() {
    is_clean("examples/quickstart");
}
