//! Files that the chart must carry along are copies; here they are held equal, or rewritten with `UPDATE_GOLDEN=1`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use arc_chart::{Chart, repository};

/// Whether golden files are to be rewritten.
pub(crate) fn is_update() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}

/// Holds a folder's files of one ending to what they should be.
pub(crate) fn hold(folder: &Path, expected: &BTreeMap<String, String>) {
    if is_update() {
        fs::create_dir_all(folder).unwrap();
        for (name, _) in files(folder) {
            if !expected.contains_key(&name) {
                fs::remove_file(folder.join(name)).unwrap();
            }
        }
        for (name, text) in expected {
            fs::write(folder.join(name), text).unwrap();
        }
    }
    let found = files(folder);
    let names = |map: &BTreeMap<String, String>| map.keys().cloned().collect::<Vec<_>>();
    let hint = "UPDATE_GOLDEN=1 cargo test -p arc-chart rewrites it";
    assert_eq!(names(&found), names(expected), "{} ({hint})", folder.display());
    for (name, text) in expected {
        assert!(found[name] == *text, "{}/{name} is not up to date ({hint})", folder.display());
    }
}

/// The YAML files of a folder.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let yaml =
        entries.filter(|entry| entry.path().extension().is_some_and(|ending| ending == "yaml"));
    yaml.map(|entry| {
        (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())
    })
    .collect()
}

#[test]
fn the_chart_installs_the_crds_of_the_code() {
    let crds = files(&repository().join("crds"));
    assert_eq!(crds.len(), 5);
    hold(&Chart::open().folder().join("crds"), &crds);
}

#[test]
fn the_chart_installs_the_pipelines_that_arc_run_runs() {
    let pipelines = files(&repository().join("workflow-templates"));
    hold(&Chart::open().folder().join("files/pipelines"), &pipelines);
    let image = "ghcr.io/opendefensecloud/arc:0.1.0";
    for (name, text) in pipelines {
        let mentions = text.matches("opendefensecloud/arc").count();
        assert_eq!(text.matches(image).count(), mentions, "{name}: the chart replaces {image:?}");
        assert!(mentions > 0, "{name} does not name the image");
    }
}

#[test]
fn chart_and_code_are_of_one_version() {
    let chart = Chart::open();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(chart.metadata()["appVersion"], version);
    assert_eq!(chart.metadata()["version"], version);
    let template = &chart.templates()["pipelines.yaml"];
    assert!(template.contains(&format!("arc:{version}\"")), "the image that is replaced");
}
