//! The shape of the repository is a test: arrows between crates, and the length of files.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Which of our crates each crate may use.
const ARROWS: [(&str, &[&str]); 11] = [
    ("api", &[]),
    ("core", &["arc-api"]),
    ("oci", &[]),
    ("evidence", &[]),
    ("scan", &[]),
    ("steps", &["arc-evidence", "arc-oci", "arc-scan"]),
    ("engine", &["arc-api", "arc-core"]),
    ("lint", &["arc-api", "arc-core", "arc-engine", "arc-evidence", "arc-scan"]),
    ("registry", &[]),
    ("controller", &["arc-api", "arc-core"]),
    (
        "arc",
        &[
            "arc-api",
            "arc-controller",
            "arc-core",
            "arc-engine",
            "arc-evidence",
            "arc-lint",
            "arc-oci",
            "arc-registry",
            "arc-scan",
            "arc-steps",
        ],
    ),
];
/// Foreign crates that would make a crate something it must not be.
const FORBIDDEN: [(&str, &[&str]); 5] = [
    ("core", &["tokio", "reqwest", "axum", "tracing"]),
    ("evidence", &["tokio", "reqwest"]),
    ("lint", &["tokio", "reqwest", "serde-saphyr"]),
    ("scan", &["tokio", "reqwest"]),
    ("steps", &["kube", "k8s-openapi"]),
];
/// Longest file, not counting its tests.
const MAX_LINES: usize = 400;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Names under `[dependencies]` of a manifest.
fn dependencies(crate_name: &str) -> BTreeSet<String> {
    let text =
        fs::read_to_string(root().join("crates").join(crate_name).join("Cargo.toml")).unwrap();
    let section =
        text.split("\n[").find(|part| part.starts_with("dependencies]")).unwrap_or_default();
    let names = section.lines().skip(1).filter_map(|line| line.split(['.', ' ', '=']).next());
    names.filter(|name| !name.is_empty() && !name.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn arrows_between_crates_point_one_way() {
    for (name, allowed) in ARROWS {
        let ours: BTreeSet<_> =
            dependencies(name).into_iter().filter(|name| name.starts_with("arc-")).collect();
        let allowed: BTreeSet<_> = allowed.iter().map(|name| (*name).to_owned()).collect();
        assert!(ours.is_subset(&allowed), "crates/{name} uses {ours:?}, allowed are {allowed:?}");
    }
    let known: BTreeSet<_> = ARROWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let crates = fs::read_dir(root().join("crates"))
        .unwrap()
        .flatten()
        .filter(|entry| entry.path().is_dir());
    let found: BTreeSet<_> = crates.map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert_eq!(found, known, "a new crate needs its arrows here and its line in crates/README.md");
}

#[test]
fn crates_stay_what_they_are() {
    for (name, forbidden) in FORBIDDEN {
        let used = dependencies(name);
        let wrong: Vec<_> = forbidden.iter().filter(|name| used.contains(**name)).collect();
        assert!(wrong.is_empty(), "crates/{name} must not use {wrong:?}");
    }
}

#[test]
fn files_stay_short_and_say_what_they_are_for() {
    let mut problems = Vec::new();
    for folder in ["benches", "crates", "tests"] {
        visit(&root().join(folder), &mut |path, text| {
            let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count();
            let is_test = path.components().any(|part| part.as_os_str() == "tests")
                || path.ends_with("tests.rs");
            if lines > MAX_LINES && !is_test {
                problems.push(format!("{}: {lines} lines", path.display()));
            }
            if !text.starts_with("//!") && !is_test {
                problems.push(format!("{}: no module documentation", path.display()));
            }
        });
    }
    assert_eq!(problems, Vec::<String>::new());
}

fn visit(folder: &Path, check: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            visit(&path, check);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            check(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}
