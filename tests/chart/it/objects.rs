//! What the chart renders, for several sets of values: known kinds, locked-down pods, no wildcard, one name each.

use std::collections::BTreeSet;

use arc_chart::{Chart, Rendered, to_yaml};
use serde_json::{Value, json};

/// Kinds that may appear, with whether they live in a namespace.
const KINDS: [(&str, &str, bool); 18] = [
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", false),
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", false),
    ("apps/v1", "Deployment", true),
    ("arc.opendefense.cloud/v1alpha1", "ClusterArtifactType", false),
    ("argoproj.io/v1alpha1", "ClusterWorkflowTemplate", false),
    ("monitoring.coreos.com/v1", "PrometheusRule", true),
    ("monitoring.coreos.com/v1", "ServiceMonitor", true),
    ("networking.k8s.io/v1", "NetworkPolicy", true),
    ("policy/v1", "PodDisruptionBudget", true),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", false),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", false),
    ("rbac.authorization.k8s.io/v1", "Role", true),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", true),
    ("v1", "ConfigMap", true),
    ("v1", "Namespace", false),
    ("v1", "Secret", true),
    ("v1", "Service", true),
    ("v1", "ServiceAccount", true),
];

/// Sets of values that together take every branch of the templates.
pub(crate) fn value_sets() -> Vec<(&'static str, Value)> {
    let digest = format!("sha256:{}", "5f".repeat(32));
    vec![
        ("defaults", json!({})),
        ("two tenants", json!({"tenants": ["team-a", "team-b"]})),
        (
            "all namespaces",
            json!({"rbac": {"allNamespaces": true, "aggregate": false}, "tenants": ["team-a"]}),
        ),
        (
            "everything off",
            json!({
                "rbac": {"aggregate": false}, "pipelines": {"enabled": false}, "admission": {"enabled": false},
                "metrics": {"service": false}, "podDisruptionBudget": {"enabled": false},
                "networkPolicy": {"enabled": false}, "controller": {"topologySpreadConstraints": []},
            }),
        ),
        (
            "everything on",
            json!({
                "image": {"repository": "mirror.example/arc", "digest": digest, "tag": "unused", "pullSecrets": ["pull"]},
                "controller": {
                    "replicas": 3, "options": {"keep-failed": "48h", "concurrency": 8}, "log": "arc=debug",
                    "env": [{"name": "HTTPS_PROXY", "value": "http://proxy.example:3128"}],
                    "podLabels": {"team": "platform"}, "podAnnotations": {"note": "yes"},
                    "priorityClassName": "system-cluster-critical", "nodeSelector": {"kubernetes.io/os": "linux"},
                    "tolerations": [{"operator": "Exists"}], "affinity": {"nodeAffinity": {}},
                },
                "tenants": ["team-a"],
                "pipelines": {"types": {"oci": null, "images": {
                    "srcTypes": ["oci", "quay"], "dstTypes": ["oci"], "isolated": true,
                    "parameters": {"scanSeverity": "CRITICAL"},
                }, "plain": {"srcTypes": ["oci"], "dstTypes": ["oci"]}}},
                "admission": {"actions": ["Warn", "Audit"], "recordWriters": ["system:serviceaccount:velero:velero"],
                    "endpointRules": [
                        {"namespaces": ["team-a"], "allow": ["*.example.com"], "deny": ["old.example.com"], "tlsOnly": true},
                    ]},
                "metrics": {"serviceMonitor": {"enabled": true, "labels": {"release": "prometheus"}},
                "alerts": {"enabled": true, "labels": {"release": "prometheus"}}},
                "dashboard": {"enabled": true},
                "networkPolicy": {"apiServerCIDRs": ["10.0.0.1/32"], "apiServerPorts": [6443],
                    "metricsFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
                    "extraEgress": [{"ports": [{"port": 4317, "protocol": "TCP"}]}]},
            }),
        ),
        ("no endpoint rules", json!({"admission": {"endpointRules": []}})),
    ]
}

fn for_each_set(check: impl Fn(&str, &Rendered)) {
    let chart = Chart::open();
    for (name, values) in value_sets() {
        check(name, &chart.render(&values));
    }
}

#[test]
fn only_known_kinds_are_rendered_and_each_object_once() {
    for_each_set(|set, rendered| {
        let mut seen = BTreeSet::new();
        for object in rendered.values().flatten() {
            let version = object["apiVersion"].as_str().unwrap();
            let kind = object["kind"].as_str().unwrap();
            let name = object["metadata"]["name"].as_str().unwrap();
            let place = object["metadata"]["namespace"].as_str();
            let known = KINDS.iter().find(|known| (known.0, known.1) == (version, kind));
            let (.., is_namespaced) = known.unwrap_or_else(|| panic!("{set}: {version} {kind}"));
            assert_eq!(place.is_some(), *is_namespaced, "{set}: namespace of {kind} {name}");
            assert!(
                seen.insert((kind, place, name)),
                "{set}: {kind} {name} of {place:?} is there twice"
            );
        }
        assert!(!seen.iter().any(|(kind, ..)| *kind == "Namespace"), "the release's is helm's");
    });
}

#[test]
fn defaults_render_what_an_installation_needs() {
    let rendered = Chart::open().render(&json!({}));
    let names = rendered.values().flatten().map(|object| {
        format!(
            "{} {}",
            object["kind"].as_str().unwrap(),
            object["metadata"]["name"].as_str().unwrap()
        )
    });
    let expected = [
        "ClusterArtifactType oci",
        "ClusterRole arc-admin",
        "ClusterRole arc-controller",
        "ClusterRole arc-edit",
        "ClusterRole arc-view",
        "ClusterRoleBinding arc-controller",
        "ClusterWorkflowTemplate endpoint-probe",
        "ClusterWorkflowTemplate oci-image-pipeline",
        "ClusterWorkflowTemplate oci-image-pipeline-isolated",
        "Deployment arc-controller",
        "NetworkPolicy arc-controller",
        "PodDisruptionBudget arc-controller",
        "Role arc-controller-lease",
        "RoleBinding arc-controller-lease",
        "Service arc-controller-metrics",
        "ServiceAccount arc-controller",
        "ValidatingAdmissionPolicy arc-annotations",
        "ValidatingAdmissionPolicy arc-artifacttypes",
        "ValidatingAdmissionPolicy arc-artifactworkflows",
        "ValidatingAdmissionPolicy arc-endpoints",
        "ValidatingAdmissionPolicyBinding arc-annotations",
        "ValidatingAdmissionPolicyBinding arc-artifacttypes",
        "ValidatingAdmissionPolicyBinding arc-artifactworkflows",
        "ValidatingAdmissionPolicyBinding arc-endpoints",
    ];
    let found: BTreeSet<_> = names.collect();
    assert_eq!(found, expected.map(str::to_owned).into());
}

#[test]
fn pods_are_restricted() {
    for_each_set(|set, rendered| {
        let deployment = &rendered["deployment.yaml"][0];
        let pod = &deployment["spec"]["template"]["spec"];
        assert_restricted(set, &pod["securityContext"], &pod["containers"]);
        assert_eq!(pod.get("volumes"), None, "{set}: the controller keeps nothing on disk");
        for template in rendered.get("pipelines.yaml").into_iter().flatten() {
            if template["kind"] != "ClusterWorkflowTemplate" {
                continue;
            }
            let spec = &template["spec"];
            assert_eq!(spec["automountServiceAccountToken"], false, "{set}");
            for step in spec["templates"].as_array().unwrap() {
                let containers = match (&step["containerSet"]["containers"], &step["container"]) {
                    (Value::Array(all), _) => json!(all),
                    (_, Value::Object(one)) => json!([one]),
                    _ => continue,
                };
                assert_restricted(set, &spec["securityContext"], &containers);
            }
        }
    });
}

/// What the Pod Security level `restricted` asks for, and a root file system that cannot be written.
fn assert_restricted(set: &str, pod: &Value, containers: &Value) {
    assert_eq!(pod["runAsNonRoot"], true, "{set}");
    assert_eq!(pod["runAsUser"], 65532, "{set}");
    assert_eq!(pod["seccompProfile"], json!({"type": "RuntimeDefault"}), "{set}");
    let containers = containers.as_array().unwrap();
    assert!(!containers.is_empty(), "{set}");
    for container in containers {
        let expected = json!({
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
        });
        assert_eq!(container["securityContext"], expected, "{set}: {}", container["name"]);
    }
}

#[test]
fn no_rule_of_any_role_has_a_wildcard_or_escalates() {
    for_each_set(|set, rendered| {
        for role in rendered.values().flatten() {
            let kind = role["kind"].as_str().unwrap();
            if kind != "Role" && kind != "ClusterRole" {
                continue;
            }
            for rule in role["rules"].as_array().unwrap() {
                let text = rule.to_string();
                for forbidden in
                    ["*", "escalate", "bind", "impersonate", "nonResourceURLs", "serviceaccounts"]
                {
                    assert!(!text.contains(forbidden), "{set}: {} has {text}", role["metadata"]);
                }
            }
        }
    });
}

#[test]
fn every_image_is_the_one_of_the_values() {
    let chart = Chart::open();
    let version = chart.metadata()["appVersion"].as_str().unwrap();
    let digest = format!("mirror.example/arc@sha256:{}", "5f".repeat(32));
    let cases = [
        ("defaults", format!("ghcr.io/opendefensecloud/arc:{version}")),
        ("everything on", digest),
    ];
    for (set, expected) in cases {
        let (_, values) = value_sets().into_iter().find(|(name, _)| *name == set).unwrap();
        let rendered = chart.render(&values);
        let mut images = Vec::new();
        for object in rendered.values().flatten() {
            collect_images(object, &mut images);
        }
        assert!(images.len() > 6, "{images:?}");
        assert!(images.iter().all(|image| *image == expected), "{set}: {images:?}");
    }
}

fn collect_images(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            let pipeline = map.get("name").is_some_and(|name| name == "PIPELINE_IMAGE");
            for (key, value) in map {
                if key == "image" || (pipeline && key == "value") {
                    found.push(value.as_str().unwrap().to_owned());
                }
                collect_images(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_images(item, found)),
        _ => {}
    }
}

#[test]
fn selectors_find_the_pods_and_only_constant_labels_select() {
    for_each_set(|set, rendered| {
        let deployment = &rendered["deployment.yaml"][0];
        let selector = &deployment["spec"]["selector"]["matchLabels"];
        let labels = &deployment["spec"]["template"]["metadata"]["labels"];
        let expected = json!({
            "app.kubernetes.io/name": "arc", "app.kubernetes.io/instance": "arc",
            "app.kubernetes.io/component": "controller",
        });
        assert_eq!(*selector, expected, "{set}");
        for (key, value) in selector.as_object().unwrap() {
            assert_eq!(&labels[key], value, "{set}");
        }
        let others = [
            ("Service", "/spec/selector"),
            ("NetworkPolicy", "/spec/podSelector/matchLabels"),
            ("PodDisruptionBudget", "/spec/selector/matchLabels"),
        ];
        for (kind, path) in others {
            for object in rendered.values().flatten().filter(|object| object["kind"] == kind) {
                assert_eq!(object.pointer(path), Some(selector), "{set}: {kind}");
            }
        }
        let service =
            rendered.values().flatten().find(|object| object["kind"] == "Service").cloned();
        let monitor = rendered.values().flatten().find(|object| object["kind"] == "ServiceMonitor");
        if let (Some(service), Some(monitor)) = (service, monitor) {
            for (key, value) in monitor["spec"]["selector"]["matchLabels"].as_object().unwrap() {
                assert_eq!(&service["metadata"]["labels"][key], value, "{set}");
            }
        }
    });
}

#[test]
fn values_reach_the_place_they_are_for() {
    let (_, values) = value_sets().remove(4);
    let rendered = Chart::open().render(&values);
    let pod = &rendered["deployment.yaml"][0]["spec"]["template"]["spec"];
    let args = to_yaml(&pod["containers"][0]["args"]);
    assert!(args.contains("--concurrency=8") && args.contains("--keep-failed=48h"), "{args}");
    assert_eq!(pod["nodeSelector"], values["controller"]["nodeSelector"]);
    assert_eq!(pod["tolerations"], values["controller"]["tolerations"]);
    assert_eq!(pod["priorityClassName"], values["controller"]["priorityClassName"]);
    let types: Vec<_> = rendered["pipelines.yaml"]
        .iter()
        .filter(|object| object["kind"] == "ClusterArtifactType")
        .map(|object| (object["metadata"]["name"].clone(), object["spec"].clone()))
        .collect();
    let expected = [
        (
            json!("images"),
            json!({
                "rules": {"srcTypes": ["oci", "quay"], "dstTypes": ["oci"]},
                "parameters": [{"name": "scanSeverity", "value": "CRITICAL"}],
                "workflowTemplateRef": {"name": "oci-image-pipeline-isolated"},
            }),
        ),
        (
            json!("plain"),
            json!({
                "rules": {"srcTypes": ["oci"], "dstTypes": ["oci"]},
                "workflowTemplateRef": {"name": "oci-image-pipeline"},
            }),
        ),
    ];
    assert_eq!(types, expected);
}

#[test]
fn a_tenant_gets_an_account_that_can_only_report_to_argo() {
    let rendered = Chart::open().render(&json!({"tenants": ["team-a"]}));
    let granted = arc_chart::rbac::permissions(&rendered, "team-a", "arc-workflow");
    let granted: Vec<_> = granted.iter().map(|p| (p.resource.as_str(), p.verb.as_str())).collect();
    assert_eq!(granted, [("workflowtaskresults", "create"), ("workflowtaskresults", "patch")]);
    let secret = rendered["tenants.yaml"].iter().find(|object| object["kind"] == "Secret").unwrap();
    assert_eq!(secret["metadata"]["name"], "arc-workflow.service-account-token");
    assert_eq!(secret["type"], "kubernetes.io/service-account-token");
    let account = &secret["metadata"]["annotations"]["kubernetes.io/service-account.name"];
    assert_eq!(account, "arc-workflow");
    assert_eq!(secret.get("data"), None);
}
