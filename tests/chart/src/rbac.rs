//! What rendered roles grant to a service account, flattened so that it can be compared with what code asks for.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::Rendered;

/// One permission: where it holds (`None` means everywhere), and what it allows.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Permission {
    /// Namespace in which it holds; everywhere when `None`.
    pub namespace: Option<String>,
    /// API group, empty for the core group.
    pub group: String,
    /// Resource, with its subresource after a slash.
    pub resource: String,
    /// Verb.
    pub verb: String,
    /// The only object for which it holds; all of them when `None`.
    pub name: Option<String>,
}

/// Everything that a service account may do.
pub fn permissions(rendered: &Rendered, namespace: &str, account: &str) -> BTreeSet<Permission> {
    let objects: Vec<&Value> = rendered.values().flatten().collect();
    let bindings = objects.iter().filter(|object| text(object, "/kind").ends_with("RoleBinding"));
    let ours = bindings.filter(|binding| {
        list(binding, "/subjects").iter().any(|subject| {
            text(subject, "/name") == account && text(subject, "/namespace") == namespace
        })
    });
    ours.flat_map(|binding| granted(&objects, binding)).collect()
}

fn granted(objects: &[&Value], binding: &Value) -> Vec<Permission> {
    let (kind, name) = (text(binding, "/roleRef/kind"), text(binding, "/roleRef/name"));
    let place = binding.pointer("/metadata/namespace").and_then(Value::as_str);
    let role_place = if kind == "Role" { place } else { None };
    let role = objects.iter().find(|role| {
        text(role, "/kind") == kind
            && text(role, "/metadata/name") == name
            && role.pointer("/metadata/namespace").and_then(Value::as_str) == role_place
    });
    let role = role.unwrap_or_else(|| panic!("{kind} {name:?} is bound and not there"));
    list(role, "/rules").iter().flat_map(|rule| flat(rule, place)).collect()
}

fn flat(rule: &Value, namespace: Option<&str>) -> Vec<Permission> {
    let names = match words(rule, "/resourceNames") {
        names if names.is_empty() => vec![None],
        names => names.into_iter().map(Some).collect(),
    };
    let mut all = Vec::new();
    for group in words(rule, "/apiGroups") {
        for resource in words(rule, "/resources") {
            for verb in words(rule, "/verbs") {
                all.extend(names.iter().map(|name| Permission {
                    namespace: namespace.map(str::to_owned),
                    group: group.clone(),
                    resource: resource.clone(),
                    verb: verb.clone(),
                    name: name.clone(),
                }));
            }
        }
    }
    all
}

fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    value.pointer(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn words(value: &Value, path: &str) -> Vec<String> {
    list(value, path).iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}
