//! Every value is documented and used, and everything that is used is a documented value.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use arc_chart::Chart;
use regex::Regex;
use serde_json::Value;

use crate::copies::is_update;

const BEGIN: &str = "<!-- values: generated from values.yaml -->\n";
const END: &str = "<!-- end of values -->\n";

/// Paths of the values with a line `# --` above them, and that line.
pub(crate) fn documented(text: &str) -> BTreeMap<String, String> {
    let mut parents: Vec<(usize, &str)> = Vec::new();
    let mut comment = None;
    let mut found = BTreeMap::new();
    for line in text.lines() {
        let trimmed = line.trim_start();
        let depth = line.len() - trimmed.len();
        if let Some(words) = trimmed.strip_prefix("# -- ") {
            comment = Some(words.to_owned());
            continue;
        }
        let key = trimmed.split_once(':').map(|(key, _)| key);
        let Some(key) = key.filter(|key| key.chars().all(char::is_alphanumeric)) else { continue };
        parents.retain(|(indent, _)| *indent < depth);
        parents.push((depth, key));
        if let Some(comment) = comment.take() {
            let names: Vec<_> = parents.iter().map(|(_, name)| *name).collect();
            found.insert(names.join("."), comment);
        }
    }
    found
}

fn values_text(chart: &Chart) -> String {
    fs::read_to_string(chart.folder().join("values.yaml")).unwrap()
}

fn at<'a>(values: &'a Value, path: &str) -> Option<&'a Value> {
    values.pointer(&format!("/{}", path.replace('.', "/")))
}

/// Paths of everything that is not a map, and of maps that are empty.
fn leaves(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value.as_object() {
        Some(map) if !map.is_empty() => {
            for (key, value) in map {
                let dot = if path.is_empty() { "" } else { "." };
                leaves(value, &format!("{path}{dot}{key}"), found);
            }
        }
        _ => {
            found.insert(path.to_owned());
        }
    }
}

#[test]
fn every_value_is_documented() {
    let chart = Chart::open();
    let documented = documented(&values_text(&chart));
    for path in documented.keys() {
        assert!(at(chart.values(), path).is_some(), "{path} is documented and does not exist");
    }
    let mut all = BTreeSet::new();
    leaves(chart.values(), "", &mut all);
    let is_covered = |path: &str| {
        documented.keys().any(|known| path == known || path.starts_with(&format!("{known}.")))
    };
    let missing: Vec<_> = all.iter().filter(|path| !is_covered(path)).collect();
    assert_eq!(missing, Vec::<&String>::new(), "these have no line `# --` above them");
}

#[test]
fn every_value_is_used_and_nothing_else_is() {
    let chart = Chart::open();
    let documented = documented(&values_text(&chart));
    let pattern = Regex::new(r"\.Values\.([A-Za-z.]+)").unwrap();
    let used: BTreeSet<String> = chart
        .templates()
        .values()
        .flat_map(|text| pattern.captures_iter(text).map(|found| found[1].to_owned()))
        .collect();
    let documented: BTreeSet<String> = documented.into_keys().collect();
    assert_eq!(used, documented);
}

#[test]
fn the_readme_lists_every_value() {
    let chart = Chart::open();
    let path = chart.folder().join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let mut table = "| value | default | what it does |\n| --- | --- | --- |\n".to_owned();
    for (path, comment) in documented(&values_text(&chart)) {
        let default = at(chart.values(), &path).unwrap();
        let comment = comment.replace('|', "\\|");
        writeln!(table, "| `{path}` | `{default}` | {comment} |").unwrap();
    }
    let expected = format!("{before}{BEGIN}{table}{END}{after}");
    if is_update() {
        fs::write(&path, &expected).unwrap();
    } else {
        assert!(
            readme == expected,
            "charts/arc/README.md is not up to date (UPDATE_GOLDEN=1 cargo test -p arc-chart)"
        );
    }
}

#[test]
fn the_notes_say_what_is_missing() {
    let chart = Chart::open();
    let notes = |values: Value| chart.render_texts(&values)["NOTES.txt"].clone();
    let bare = notes(serde_json::json!({}));
    assert!(bare.contains("It acts in no namespace yet") && bare.contains("named by its tag"));
    let digest = format!("sha256:{}", "5f".repeat(32));
    let full =
        notes(serde_json::json!({"tenants": ["team-a", "team-b"], "image": {"digest": digest}}));
    assert!(full.contains("It acts in: team-a, team-b.") && !full.contains("named by its tag"));
    let wide = notes(serde_json::json!({"rbac": {"allNamespaces": true}}));
    assert!(wide.contains("could read every Secret"));
}

#[test]
fn the_readme_shows_values_and_folders_that_exist() {
    let chart = Chart::open();
    let readme = fs::read_to_string(chart.folder().join("README.md")).unwrap();
    let example = readme.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let values = arc_chart::documents(example).unwrap().remove(0);
    assert_eq!(crate::schema::problems_of(&chart, &values), Vec::<String>::new());
    let rendered = chart.render(&values);
    assert!(!rendered["admission/endpoints.yaml"].is_empty());
    let folders = Regex::new(r"-k (charts/\S+)").unwrap();
    let folders: Vec<_> = folders.captures_iter(&readme).map(|found| found[1].to_owned()).collect();
    assert_eq!(folders.len(), 3);
    for folder in folders {
        assert!(arc_chart::repository().join(&folder).join("kustomization.yaml").exists());
    }
    for policy in chart.templates().keys().filter_map(|name| name.strip_prefix("admission/")) {
        let name = policy.trim_end_matches(".yaml");
        assert!(name.starts_with('_') || readme.contains(&format!("| `arc-{name}` |")), "{name}");
    }
}
