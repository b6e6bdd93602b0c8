//! What is released and how: the image's recipe, the workflows, the dashboard.

use std::collections::BTreeSet;
use std::fs;

use arc_chart::{Chart, documents, repository};
use regex::Regex;
use serde_json::{Value, json};

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
            assert!(
                !script.contains("${{"),
                "{name}: values reach a script as variables: {script}"
            );
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

/// Names of metrics in the manual, which a test of the controller holds to the code.
fn metrics() -> BTreeSet<String> {
    let pattern = Regex::new(r"(?m)^\| `(arc_[a-z_]+)` \| ([a-z]+)").unwrap();
    let manual = read("docs/operations/metrics.md");
    let mut names = BTreeSet::new();
    for found in pattern.captures_iter(&manual) {
        if &found[2] == "histogram" {
            names.extend(["_bucket", "_sum", "_count"].map(|end| format!("{}{end}", &found[1])));
        } else {
            names.insert(found[1].to_owned());
        }
    }
    assert!(names.len() > 10, "{names:?}");
    names
}

fn asked_for(expressions: &[&str]) -> BTreeSet<String> {
    let pattern = Regex::new(r"\barc_[a-z0-9_]+").unwrap();
    let found = expressions.iter().flat_map(|expression| pattern.find_iter(expression));
    found.map(|name| name.as_str().to_owned()).collect()
}

#[test]
fn the_dashboard_asks_for_metrics_that_exist_and_shows_them_all() {
    let dashboard: Value =
        serde_json::from_str(&read("charts/arc/files/dashboards/arc.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let expressions: Vec<_> = targets.map(|target| target["expr"].as_str().unwrap()).collect();
    let (asked, known) = (asked_for(&expressions), metrics());
    let unknown: Vec<_> = asked.difference(&known).collect();
    assert_eq!(unknown, Vec::<&String>::new());
    let shown = |name: &&String| {
        // A sum and a count beside buckets, and a version, need no panel.
        asked.contains(*name)
            || name.ends_with("_sum")
            || name.ends_with("_count")
            || name.ends_with("_info")
            || *name == "arc_delivery_duration_seconds_bucket"
    };
    assert_eq!(known.iter().find(|name| !shown(name)), None);
    let mut ids: Vec<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    ids.dedup();
    assert_eq!(ids.len(), panels.len());
}

#[test]
fn alerts_ask_for_metrics_that_exist_and_hand_labels_through() {
    let values = json!({"metrics": {"alerts": {"enabled": true}}});
    let rendered = Chart::open().render(&values);
    let mut objects = rendered["metrics.yaml"].iter();
    let rule = objects.find(|object| object["kind"] == "PrometheusRule").unwrap();
    let alerts = rule["spec"]["groups"][0]["rules"].as_array().unwrap();
    let expressions: Vec<_> = alerts.iter().map(|alert| alert["expr"].as_str().unwrap()).collect();
    let unknown: Vec<_> = asked_for(&expressions).difference(&metrics()).cloned().collect();
    assert_eq!((alerts.len(), unknown), (6, Vec::new()));
    let summary = &alerts[1]["annotations"]["summary"];
    assert_eq!(summary, "Deliveries failed: {{ $labels.reason }}.");
}
