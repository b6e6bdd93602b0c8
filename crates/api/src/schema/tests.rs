use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use super::*;

/// The folder of the generated definitions.
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../crds")
}

fn yaml(crd: &CustomResourceDefinition) -> String {
    let header = "# Generated from the types in crates/api; UPDATE_GOLDEN=1 cargo test -p arc-api rewrites it.\n";
    format!("{header}{}", serde_saphyr::to_string(crd).expect("a definition is plain data"))
}

/// Returns every schema below the definition of `crd` with its path.
fn schemas(crd: &CustomResourceDefinition) -> Vec<(String, JSONSchemaProps)> {
    let schema = crd.spec.versions[0].schema.clone().expect("every version has a schema");
    let mut found =
        vec![(crd.spec.names.kind.clone(), schema.open_api_v3_schema.expect("schemas are ours"))];
    let mut next = 0;
    while let Some((path, schema)) = found.get(next).cloned() {
        for (name, property) in schema.properties.unwrap_or_default() {
            found.push((format!("{path}.{name}"), property));
        }
        if let Some(JSONSchemaPropsOrArray::Schema(item)) = schema.items {
            found.push((format!("{path}[]"), *item));
        }
        next += 1;
    }
    found
}

/// Returns the paths of all schemas for which `wrong` holds.
fn paths_where(wrong: impl Fn(&str, &JSONSchemaProps) -> bool) -> Vec<String> {
    let all = crds().iter().flat_map(schemas).collect::<Vec<_>>();
    all.into_iter().filter(|(path, schema)| wrong(path, schema)).map(|(path, _)| path).collect()
}

#[test]
fn the_folder_crds_equals_the_types() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut names = Vec::new();
    for crd in crds() {
        let name = format!("{}.yaml", crd.spec.names.plural);
        let path = folder().join(&name);
        if update {
            fs::create_dir_all(folder()).unwrap();
            fs::write(&path, yaml(&crd)).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(found == yaml(&crd), "crds/{name} is out of date; UPDATE_GOLDEN=1 rewrites it");
        names.push(name);
    }
    let mut files: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, names, "nothing else lives in that folder");
}

#[test]
fn the_yaml_says_what_the_type_says() {
    for crd in crds() {
        let read: CustomResourceDefinition = serde_saphyr::from_str(&yaml(&crd)).unwrap();
        assert_eq!(read, crd);
    }
}

#[test]
fn every_schema_is_structural() {
    let untyped = paths_where(|_, schema| schema.type_.is_none() || schema.ref_path.is_some());
    assert_eq!(untyped, Vec::<String>::new());
    let branching = paths_where(|_, schema| {
        schema.any_of.is_some()
            || schema.one_of.is_some()
            || schema.all_of.is_some()
            || schema.not.is_some()
    });
    assert_eq!(branching, Vec::<String>::new());
    let nullable = paths_where(|_, schema| schema.nullable.is_some());
    assert_eq!(nullable, Vec::<String>::new());
    let known = ["int32", "int64", "date-time", "double"];
    let odd = paths_where(|_, schema| {
        schema.format.as_deref().is_some_and(|format| !known.contains(&format))
    });
    assert_eq!(odd, Vec::<String>::new());
}

#[test]
fn only_specs_of_artifacts_and_their_schemas_are_free_form() {
    let free = paths_where(|_, schema| schema.x_kubernetes_preserve_unknown_fields == Some(true));
    assert_eq!(
        free,
        [
            "ArtifactType.spec.specSchema",
            "ClusterArtifactType.spec.specSchema",
            "Order.spec.artifacts[].spec"
        ]
    );
}

#[test]
fn every_field_is_explained() {
    let mute = paths_where(|path, schema| {
        let plain_item = path.ends_with("[]") && schema.type_.as_deref() == Some("string");
        !plain_item && schema.description.as_deref().unwrap_or_default().trim().is_empty()
    });
    assert_eq!(mute, Vec::<String>::new());
    let generated = paths_where(|_, schema| {
        schema.description.as_deref().is_some_and(|text| text.starts_with("Auto-generated"))
    });
    assert_eq!(generated, Vec::<String>::new());
}

#[test]
fn everything_a_user_writes_is_bounded() {
    let unbounded = paths_where(|path, schema| {
        let is_spec = path.split('.').nth(1) == Some("spec");
        is_spec
            && match schema.type_.as_deref() {
                Some("string") => schema.max_length.is_none() && schema.enum_.is_none(),
                Some("array") => schema.max_items.is_none(),
                _ => false,
            }
    });
    assert_eq!(unbounded, Vec::<String>::new());
}

/// What Kubernetes lets one rule cost, in its own unit.
const COST_LIMIT: f64 = 10_000_000.0;

/// Holds an upper bound for the rules of text fields against the limit: a tenth for each character of the text, times
/// a quarter for each character of the rule, times the number of such fields.
#[test]
fn no_rule_can_cost_more_than_an_api_server_allows() {
    for (path, schema) in crds().iter().flat_map(schemas) {
        let many = if path.contains("artifacts[]") { 1_000.0 } else { 1.0 };
        for rule in schema.x_kubernetes_validations.iter().flatten() {
            let Some(length) = schema.max_length else { continue };
            let text = f64::from(u32::try_from(length).unwrap());
            let pattern = f64::from(u32::try_from(rule.rule.len()).unwrap());
            let cost = many * text * 0.1 * pattern * 0.25;
            assert!(cost < COST_LIMIT, "{path}: {cost} for {}", rule.rule);
        }
    }
}

#[test]
fn every_list_of_named_things_is_a_map() {
    let maps: Vec<_> = crds()
        .iter()
        .flat_map(schemas)
        .filter(|(_, schema)| schema.x_kubernetes_list_type.is_some())
        .map(|(path, schema)| {
            (
                path,
                schema.x_kubernetes_list_type.unwrap(),
                schema.x_kubernetes_list_map_keys.unwrap(),
            )
        })
        .collect();
    let map = |path: &str, key: &str| (path.to_owned(), "map".to_owned(), vec![key.to_owned()]);
    assert_eq!(
        maps,
        [
            map("ArtifactType.spec.parameters", "name"),
            map("ArtifactWorkflow.spec.parameters", "name"),
            map("ArtifactWorkflow.status.conditions", "type"),
            map("ClusterArtifactType.spec.parameters", "name"),
            map("Endpoint.status.conditions", "type"),
            map("Order.status.artifacts", "name"),
            map("Order.status.conditions", "type"),
        ]
    );
}

#[test]
fn printer_columns_show_fields_that_exist() {
    for crd in crds() {
        let known: Vec<_> = schemas(&crd).into_iter().map(|(path, _)| path).collect();
        for column in crd.spec.versions[0].additional_printer_columns.iter().flatten() {
            let path = column.json_path.replace("[?(@.type==\"Ready\")]", "[]");
            let kind = &crd.spec.names.kind;
            assert!(
                path.starts_with(".metadata.") || known.contains(&format!("{kind}{path}")),
                "{kind}: column {:?} shows {path}",
                column.name
            );
        }
    }
}

#[test]
fn short_names_collide_with_nothing() {
    // Names of Kubernetes, Argo, cert-manager, Flux and Argo CD that are near ours.
    let taken = "ep ev order orders app apps appset wf wft wftmpl cwf cwft cwftmpl wfat cr crs cert hr ks hc";
    let ours: Vec<_> = crds()
        .into_iter()
        .map(|crd| {
            (
                crd.spec.names.plural,
                crd.spec.names.short_names.unwrap_or_default(),
                crd.spec.names.categories,
            )
        })
        .collect();
    let name = |plural: &str, short: &str| {
        (plural.to_owned(), vec![short.to_owned()], Some(vec!["arc".to_owned()]))
    };
    assert_eq!(
        ours,
        [
            name("artifacttypes", "arcat"),
            name("artifactworkflows", "arcaw"),
            name("clusterartifacttypes", "arccat"),
            name("endpoints", "arcep"),
            name("orders", "arcorder"),
        ]
    );
    assert!(
        ours.iter()
            .flat_map(|(_, short, _)| short)
            .all(|short| !taken.split(' ').any(|name| name == short))
    );
}

#[test]
fn kinds_that_change_have_a_status() {
    let with_status: Vec<_> = crds()
        .into_iter()
        .filter(|crd| {
            crd.spec.versions[0].subresources.as_ref().is_some_and(|sub| sub.status.is_some())
        })
        .map(|crd| format!("{} {}", crd.spec.names.kind, crd.spec.scope))
        .collect();
    assert_eq!(
        with_status,
        ["ArtifactWorkflow Namespaced", "Endpoint Namespaced", "Order Namespaced"]
    );
    let cluster: Vec<_> = crds()
        .into_iter()
        .filter(|crd| crd.spec.scope == "Cluster")
        .map(|crd| crd.spec.names.kind)
        .collect();
    assert_eq!(cluster, ["ClusterArtifactType"]);
}

#[test]
fn usage_is_all_unless_said_otherwise() {
    let defaults: Vec<(String, Value)> = crds()
        .iter()
        .flat_map(schemas)
        .filter(|(path, _)| path.split('.').nth(1) == Some("spec"))
        .filter_map(|(path, schema)| Some((path, schema.default?.0)))
        .collect();
    let empty = |path: &str| (path.to_owned(), json!(""));
    assert_eq!(
        defaults,
        [
            empty("ArtifactType.spec.parameters[].value"),
            empty("ArtifactWorkflow.spec.parameters[].value"),
            empty("ClusterArtifactType.spec.parameters[].value"),
            ("Endpoint.spec.usage".to_owned(), json!("All")),
        ]
    );
}
