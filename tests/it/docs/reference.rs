//! `docs/reference/resources.md`: the fields of every kind, generated from the definitions that a cluster gets.

use std::fmt::Write as _;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray,
};

const HEAD: &str = "\
# Resources

The kinds of `arc.opendefense.cloud/v1alpha1` with all their fields, as `kubectl explain` shows them. This page is generated.
";

#[test]
fn the_reference_of_resources_is_what_a_cluster_gets() {
    let mut page = HEAD.to_owned();
    for definition in arc_api::crds() {
        kind(&mut page, &definition);
    }
    let path = super::root().join("docs/reference/resources.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        written, page,
        "docs/reference/resources.md is old: UPDATE_GOLDEN=1 cargo nextest run -p arc-tests reference"
    );
}

fn kind(page: &mut String, definition: &CustomResourceDefinition) {
    let names = &definition.spec.names;
    let version = &definition.spec.versions[0];
    let schema = version.schema.as_ref().unwrap().open_api_v3_schema.as_ref().unwrap();
    let short = names.short_names.clone().unwrap_or_default().join("`, `");
    write!(page, "\n## {}\n\n", names.kind).unwrap();
    writeln!(page, "{}", sentence(schema)).unwrap();
    writeln!(page, "\n{}; short: `{short}`.\n", definition.spec.scope).unwrap();
    page.push_str("| field | type | meaning |\n| --- | --- | --- |\n");
    for part in ["spec", "status"] {
        if let Some(part_schema) = schema.properties.as_ref().and_then(|fields| fields.get(part)) {
            fields(page, part, part_schema);
        }
    }
}

fn fields(page: &mut String, path: &str, schema: &JSONSchemaProps) {
    let required = schema.required.clone().unwrap_or_default();
    for (name, field) in schema.properties.iter().flatten() {
        let path = format!("{path}.{name}");
        let mark = if required.contains(name) { ", required" } else { "" };
        writeln!(page, "| `{path}` | {}{mark} | {} |", type_of(field), sentence(field)).unwrap();
        fields(page, &path, field);
        if let Some(JSONSchemaPropsOrArray::Schema(item)) = &field.items {
            fields(page, &format!("{path}[]"), item);
        }
    }
}

fn type_of(schema: &JSONSchemaProps) -> String {
    let own = schema.type_.as_deref().unwrap_or("any");
    let words = schema.enum_.iter().flatten().map(|word| word.0.to_string().replace('"', "`"));
    let words: Vec<_> = words.filter(|word| word != "null").collect();
    match &schema.items {
        _ if !words.is_empty() => words.join(", "),
        Some(JSONSchemaPropsOrArray::Schema(item)) => {
            format!("list of {}", item.type_.as_deref().unwrap_or("any"))
        }
        _ => own.to_owned(),
    }
}

/// A description as a cell of a table.
fn sentence(schema: &JSONSchemaProps) -> String {
    let text = schema.description.as_deref().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
