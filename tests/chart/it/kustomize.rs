//! The plain manifests for `kubectl apply -k` are what the chart renders; `UPDATE_GOLDEN=1` rewrites them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use arc_chart::{Chart, documents, repository, to_yaml};
use serde_json::{Value, json};

use crate::copies::{files, hold};

/// Stands for the tenant while the manifests are rendered.
const TENANT: &str = "tenant";
const HEADER: &str =
    "# Rendered from charts/arc; UPDATE_GOLDEN=1 cargo test -p arc-chart rewrites it.\n";

fn folder() -> PathBuf {
    repository().join("charts/kustomize")
}

/// What everybody needs: one file for each template of the chart.
fn everything() -> BTreeMap<String, String> {
    let rendered = Chart::open().render(&json!({}));
    let mut all = BTreeMap::from([("namespace.yaml".to_owned(), text(&[namespace()]))]);
    for (path, objects) in rendered {
        if !objects.is_empty() {
            all.insert(path.replace('/', "-"), text(&objects));
        }
    }
    let kustomization = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": all.keys().collect::<Vec<_>>(),
    });
    all.insert("kustomization.yaml".to_owned(), text(&[kustomization]));
    all
}

/// What each tenant needs, without a namespace: `kubectl apply -n NAMESPACE -k` says which.
fn tenant() -> Vec<Value> {
    let rendered = Chart::open().render(&json!({"tenants": [TENANT]}));
    let mut objects = rendered["tenants.yaml"].clone();
    for object in &mut objects {
        assert_eq!(object["metadata"]["namespace"], TENANT);
        object["metadata"].as_object_mut().unwrap().remove("namespace");
        let subjects = object.get_mut("subjects").and_then(Value::as_array_mut);
        for subject in subjects.into_iter().flatten() {
            if subject["namespace"] == TENANT {
                subject.as_object_mut().unwrap().remove("namespace");
            }
        }
    }
    objects
}

fn namespace() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "arc-system", "labels": {
            "app.kubernetes.io/name": "arc",
            "pod-security.kubernetes.io/enforce": "restricted",
            "pod-security.kubernetes.io/warn": "restricted",
        }},
    })
}

/// Helm's labels are no business of kustomize.
fn text(objects: &[Value]) -> String {
    let mut text = HEADER.to_owned();
    for (place, object) in objects.iter().enumerate() {
        let mut object = object.clone();
        if let Some(labels) = object.pointer_mut("/metadata/labels").and_then(Value::as_object_mut)
        {
            labels.remove("helm.sh/chart");
            labels.remove("app.kubernetes.io/managed-by");
        }
        assert!(!object.to_string().contains(":null"), "an empty field: {object}");
        let separator = if place == 0 { "" } else { "---\n" };
        write!(text, "{separator}{}", to_yaml(&object)).unwrap();
    }
    text
}

fn list(names: &[&str]) -> String {
    text(&[json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": names,
    })])
}

#[test]
fn plain_manifests_are_what_the_chart_renders() {
    hold(&folder(), &everything());
    let tenant = [
        ("kustomization.yaml".to_owned(), list(&["tenant.yaml"])),
        ("tenant.yaml".to_owned(), text(&tenant())),
    ];
    hold(&folder().join("tenant"), &tenant.into());
    let mut crds = files(&repository().join("crds"));
    let names: Vec<_> = crds.keys().map(String::as_str).collect();
    let kustomization = list(&names);
    crds.insert("kustomization.yaml".to_owned(), kustomization);
    hold(&folder().join("crds"), &crds);
}

#[test]
fn kubectl_builds_them() {
    if Command::new("kubectl").arg("version").arg("--client").output().is_err() {
        eprintln!("skipped: kubectl is not here");
        return;
    }
    for (name, least) in [("", 20), ("crds", 5), ("tenant", 6)] {
        let output =
            Command::new("kubectl").arg("kustomize").arg(folder().join(name)).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && errors.is_empty(), "{name}: {errors}");
        let built = documents(&String::from_utf8(output.stdout).unwrap()).unwrap();
        assert!(built.len() >= least, "{name}: {}", built.len());
    }
}
