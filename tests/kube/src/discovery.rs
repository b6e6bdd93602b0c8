//! What there is: groups, versions, resources, health.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    cluster::Reply,
    failure::{Failure, Outcome},
    kind::Kind,
    store::Store,
};

const VERBS_CUSTOM: [&str; 8] =
    ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
const VERBS_BUILT_IN: [&str; 8] =
    ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// Answers a path that names no resource.
pub(crate) fn answer(store: &Store, path: &str) -> Outcome<Reply> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let value = match parts.as_slice() {
        ["healthz" | "readyz" | "livez"] => return Ok(Reply::bytes(200, "ok".into())),
        ["version"] => version(),
        ["api"] => json!({ "kind": "APIVersions", "versions": ["v1"] }),
        ["apis"] => groups(store),
        ["api", version] => resources(store, "", version)?,
        ["apis", group] => groups(store)["groups"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|entry| entry["name"] == *group)
            .map(|entry| {
                let mut entry = entry.clone();
                entry["kind"] = "APIGroup".into();
                entry["apiVersion"] = "v1".into();
                entry
            })
            .ok_or_else(Failure::no_such_path)?,
        ["apis", group, version] => resources(store, group, version)?,
        _ => return Err(Failure::no_such_path()),
    };
    Ok(Reply::json(200, &value))
}

fn version() -> Value {
    json!({
        "major": "1",
        "minor": "35",
        "gitVersion": "v1.35.6",
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "",
        "platform": "",
    })
}

fn groups(store: &Store) -> Value {
    let mut groups: BTreeMap<&str, &Kind> = BTreeMap::new();
    for table in store.tables.values() {
        if !table.kind.group.is_empty() {
            groups.insert(&table.kind.group, &table.kind);
        }
    }
    let groups = groups.into_iter().map(|(name, kind)| {
        let version = json!({ "groupVersion": kind.api_version(), "version": kind.version });
        json!({ "name": name, "versions": [version], "preferredVersion": version })
    });
    json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups.collect::<Value>() })
}

fn resources(store: &Store, group: &str, version: &str) -> Outcome<Value> {
    let mut resources = Vec::new();
    let mut group_version = None;
    for kind in store.tables.values().map(|table| &table.kind) {
        if kind.group == group && kind.version == version {
            group_version = Some(kind.api_version());
            resources.push(resource(kind));
            if kind.status {
                resources.push(json!({
                    "name": format!("{}/status", kind.plural),
                    "singularName": "",
                    "namespaced": kind.namespaced,
                    "kind": kind.kind,
                    "verbs": ["get", "patch", "update"],
                }));
            }
        }
    }
    let group_version = group_version.ok_or_else(Failure::no_such_path)?;
    Ok(json!({
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": resources,
    }))
}

fn resource(kind: &Kind) -> Value {
    let mut resource = json!({
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": if kind.is_custom() { VERBS_CUSTOM } else { VERBS_BUILT_IN },
        "storageVersionHash": kind.storage_version_hash(),
    });
    if !kind.short_names.is_empty() {
        resource["shortNames"] = kind.short_names.clone().into();
    }
    if !kind.categories.is_empty() {
        resource["categories"] = kind.categories.clone().into();
    }
    resource
}
