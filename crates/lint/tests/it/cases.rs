//! Golden cases: `cases/<case>/` holds what somebody wrote, and what is said about it in `expected.txt`.

use std::fs;
use std::path::Path;

use arc_lint::{Origin, lint, render};

use crate::harness::{folder, golden, pipelines};

#[test]
fn every_case_gives_what_is_expected() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut folders: Vec<_> =
        fs::read_dir(cases).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(!folders.is_empty());
    for case in folders {
        let mut sources = folder(&case, Origin::Named);
        let live = case.join("live");
        let is_live = live.exists();
        if is_live {
            sources.extend(folder(&live, Origin::Context));
        }
        sources.extend(pipelines());
        let report = lint(&sources, is_live);
        let found = format!("{}{}\n", render::text(&report), render::summary(&report));
        golden(&case.join("expected.txt"), &found);
    }
}
