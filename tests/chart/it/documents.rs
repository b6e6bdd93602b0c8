//! What is released and how: the image's recipe, the workflows, the dashboard.

use std::collections::BTreeSet;
use std::fs;

use arc_chart::{documents, repository};
use regex::Regex;
use serde_json::Value;

/// The only action of others, at a commit that was looked up in its repository (tag v6.0.2).
const ACTIONS: [&str; 1] = ["actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd"];

fn read(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap()
}

fn workflows() -> Vec<(String, Value)> {
    let names = ["ci", "release"].map(|name| format!(".github/workflows/{name}.yaml"));
    names
        .into_iter()
        .map(|name| (name.clone(), documents(&read(&name)).unwrap().remove(0)))
        .collect()
}

fn steps(workflow: &Value) -> Vec<&Value> {
    let jobs = workflow["jobs"].as_object().unwrap().values();
    jobs.flat_map(|job| job["steps"].as_array().unwrap()).collect()
}

#[test]
fn workflows_use_no_action_that_is_not_pinned_by_commit() {
    for (name, workflow) in workflows() {
        let used: BTreeSet<_> =
            steps(&workflow).iter().filter_map(|step| step["uses"].as_str()).collect();
        assert_eq!(used, ACTIONS.into(), "{name}");
    }
}

#[test]
fn workflows_have_few_permissions_and_run_nothing_that_strangers_write() {
    for (name, workflow) in workflows() {
        let rights = workflow["permissions"].as_object().unwrap();
        assert!(rights.values().all(|right| right == "read"), "{name}: {rights:?}");
        let text = read(&name);
        assert!(!text.contains("pull_request_target"), "{name}");
        for step in steps(&workflow) {
            let script = step["run"].as_str().unwrap_or_default();
            assert!(!script.contains("${{"), "{name}: values reach a script as variables: {script}");
        }
        for checkout in steps(&workflow).iter().filter(|step| step["uses"].is_string()) {
            assert_eq!(checkout["with"]["persist-credentials"], false, "{name}");
        }
    }
}

#[test]
fn the_image_is_static_without_a_shell_and_runs_as_nobody() {
    let text = read("Dockerfile");
    let last = text.rsplit("\nFROM ").next().unwrap();
    assert!(last.starts_with("${BASE}\n"), "{last}");
    assert!(text.contains("ARG BASE=gcr.io/distroless/static-debian12:nonroot\n"));
    assert!(last.contains("\nUSER 65532:65532\n"));
    assert!(!last.contains("\nRUN "), "there is nothing in it to run");
    assert!(text.contains("cargo build --locked --profile dist --package arc\n"));
    // The chart runs `arc` by that name.
    assert!(last.contains(" /usr/local/bin/arc\n"));
}

#[test]
fn the_dashboard_asks_for_metrics_that_exist() {
    let dashboard: Value =
        serde_json::from_str(&read("charts/arc/files/dashboards/arc.json")).unwrap();
    let sources: String = ["crates/controller/src/metrics.rs"].map(read).concat();
    let pattern = Regex::new(r"\barc_[a-z0-9_]+").unwrap();
    let mut asked = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let expression = target["expr"].as_str().unwrap();
            asked.extend(pattern.find_iter(expression).map(|found| found.as_str().to_owned()));
        }
    }
    assert!(asked.len() > 5, "{asked:?}");
    for name in asked {
        let family = ["_bucket", "_sum", "_count", "_total"]
            .iter()
            .find_map(|ending| name.strip_suffix(ending))
            .unwrap_or(&name);
        let family = family.strip_prefix("arc_").unwrap();
        assert!(sources.contains(&format!("\"{family}\"")), "no metric is called {name}");
    }
}
