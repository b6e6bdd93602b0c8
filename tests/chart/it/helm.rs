//! What helm itself makes of the chart, where the machine has it.

use std::{env, fs, path::PathBuf, process::Command};

use arc_chart::{Chart, documents};
use serde_json::{Value, json};

/// The program that `ARC_HELM` names or that is in the search path, or says that the test is skipped.
fn require() -> Option<PathBuf> {
    let given = env::var_os("ARC_HELM").map(PathBuf::from);
    let path = env::var_os("PATH").unwrap_or_default();
    let mut installed = env::split_paths(&path).map(|folder| folder.join("helm"));
    let found = given.or_else(|| installed.find(|program| program.is_file()));
    if found.is_none() {
        eprintln!("skipped: helm is not installed (ARC_HELM can name it)");
    }
    found
}

/// Values that together switch on everything there is.
fn values() -> [Value; 5] {
    let rules = json!([
        {"deny": ["bad.example.com"]},
        {"namespaces": ["team-a"], "allow": ["*.example.com", "[fd00::1]"], "tlsOnly": true},
    ]);
    [
        json!({}),
        json!({"tenants": ["team-a", "team-b"], "image": {"pullSecrets": ["pull"], "tag": "v1"}}),
        json!({
            "rbac": {"allNamespaces": true, "aggregate": false},
            "image": {"digest": format!("sha256:{}", "a".repeat(64))},
            "controller": {
                "options": {"keep-failed": "48h"},
                "env": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
                "podLabels": {"a": "b"},
                "tolerations": [{"operator": "Exists"}],
            },
            "dashboard": {"enabled": true},
            "metrics": {"serviceMonitor": {"enabled": true, "labels": {"release": "prometheus"}}},
        }),
        json!({
            "admission": {"endpointRules": rules, "recordWriters": ["backup"], "actions": ["Warn", "Audit"]},
            "pipelines": {"types": {"oci": {"isolated": true}}},
            "networkPolicy": {
                "apiServerCIDRs": ["10.0.0.1/32"],
                "metricsFrom": [{"namespaceSelector": {}}],
                "extraEgress": [{"ports": [{"port": 3128}]}],
            },
        }),
        json!({
            "admission": {"enabled": false},
            "pipelines": {"enabled": false},
            "networkPolicy": {"enabled": false},
            "podDisruptionBudget": {"enabled": false},
            "metrics": {"service": false},
        }),
    ]
}

fn sorted(mut objects: Vec<Value>) -> Vec<Value> {
    objects.sort_by_key(|object| {
        let metadata = &object["metadata"];
        format!("{} {} {}", object["kind"], metadata["namespace"], metadata["name"])
    });
    objects
}

/// Every other test of the chart renders it without helm; this one says that they may.
#[test]
fn helm_renders_what_the_tests_render() {
    let Some(helm) = require() else { return };
    let chart = Chart::open();
    let folder = env::temp_dir().join(format!("arc-helm-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for values in values() {
        let file = folder.join("values.yaml");
        fs::write(&file, values.to_string()).unwrap();
        let output = Command::new(&helm)
            .args(["template", "arc"])
            .arg(chart.folder())
            .args(["--namespace", "arc-system", "--values"])
            .arg(&file)
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{values}: {errors}");
        let helms = sorted(documents(&String::from_utf8(output.stdout).unwrap()).unwrap());
        let ours = sorted(chart.render(&values).into_values().flatten().collect());
        for (helms, ours) in helms.iter().zip(&ours) {
            assert_eq!(helms, ours, "{values}: helm's, then ours");
        }
        assert_eq!(helms.len(), ours.len(), "{values}");
    }
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn helm_refuses_values_that_the_schema_does_not_know() {
    let Some(helm) = require() else { return };
    let folder = env::temp_dir().join(format!("arc-helm-refusal-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("values.yaml");
    for values in [json!({"tenant": ["a"]}), json!({"controller": {"replicas": "two"}})] {
        fs::write(&file, values.to_string()).unwrap();
        let output = Command::new(&helm)
            .args(["template", "arc"])
            .arg(Chart::open().folder())
            .arg("--values")
            .arg(&file)
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && errors.contains("schema"), "{values}: {errors}");
    }
    fs::remove_dir_all(&folder).unwrap();
}
