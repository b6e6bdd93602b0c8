//! `docs/reference/parameters.md`: the parameters of the pipeline, generated from its template and the evidence page.

use std::collections::BTreeMap;
use std::fmt::Write as _;

const HEAD: &str = "\
# Parameters of the pipelines

What `oci-image-pipeline` and its isolated twin can be given, in the order of the template. Who gives which, and who wins, \
is said with [the pipelines](../pipelines.md#who-gives-which-parameter). This page is generated.

| parameter | default | meaning |
| --- | --- | --- |
";

/// A parameter as the template declares it.
struct Declared {
    name: String,
    default: Option<String>,
    /// The comment above it, or above the group that it is in.
    comment: String,
}

fn read(path: &str) -> String {
    std::fs::read_to_string(super::root().join(path)).unwrap()
}

/// Reads `spec.arguments.parameters` line by line, because a parser would drop the comments.
fn declared(template: &str) -> Vec<Declared> {
    let (_, rest) = template.split_once("\n  arguments:\n    parameters:\n").unwrap();
    let mut found: Vec<Declared> = Vec::new();
    let (mut comment, mut is_open) = (String::new(), false);
    for line in rest.lines().take_while(|line| line.starts_with("      ")) {
        let line = line.trim();
        if let Some(text) = line.strip_prefix("# ") {
            if !is_open {
                comment.clear();
            }
            let gap = if comment.is_empty() { "" } else { " " };
            comment = [&comment, gap, text].concat();
        } else if let Some(name) = line.strip_prefix("- name: ") {
            let (name, comment) = (name.to_owned(), comment.clone());
            found.push(Declared { name, default: None, comment });
        } else if let Some(value) = line.strip_prefix("value: ") {
            let default = serde_saphyr::from_str(value).unwrap();
            found.last_mut().unwrap().default = Some(default);
        }
        is_open = line.starts_with('#');
    }
    found
}

/// What the evidence page says about its parameters.
fn meanings(page: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for line in page.lines() {
        let cells: Vec<_> = line.trim_matches('|').splitn(3, " | ").map(str::trim).collect();
        if let [names, _, meaning] = cells.as_slice() {
            for name in names.split(", ").map(|name| name.trim_matches('`')) {
                found.insert(name.to_owned(), (*meaning).replace("](", "](../"));
            }
        }
    }
    found
}

#[test]
fn the_reference_of_parameters_is_what_the_template_declares() {
    let template = read("workflow-templates/oci-image-pipeline.yaml");
    let meanings = meanings(&read("docs/evidence.md"));
    let parsed: serde_json::Value = serde_saphyr::from_str(&template).unwrap();
    let declared = declared(&template);
    let count = parsed["spec"]["arguments"]["parameters"].as_array().unwrap().len();
    assert_eq!(declared.len(), count, "a parameter was not read");
    let mut page = HEAD.to_owned();
    for Declared { name, default, comment } in declared {
        let meaning = meanings.get(&name).cloned().unwrap_or_else(|| comment.replace('|', "\\|"));
        assert!(!meaning.is_empty(), "nothing says what {name} is");
        let default = match default.as_deref() {
            None => "required".to_owned(),
            Some("") => "empty".to_owned(),
            Some(value) => format!("`{value}`"),
        };
        writeln!(page, "| `{name}` | {default} | {meaning} |").unwrap();
    }
    let path = super::root().join("docs/reference/parameters.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        written, page,
        "docs/reference/parameters.md is old: UPDATE_GOLDEN=1 cargo nextest run -p arc-tests parameters"
    );
}
