//! Argo's kinds as far as a controller writes and watches them: no schema, every field is kept.

use serde_json::{Value, json};

/// Kind, plural, short name, namespaced.
const KINDS: [(&str, &str, &str, bool); 4] = [
    ("Workflow", "workflows", "wf", true),
    ("CronWorkflow", "cronworkflows", "cwf", true),
    ("WorkflowTemplate", "workflowtemplates", "wftmpl", true),
    ("ClusterWorkflowTemplate", "clusterworkflowtemplates", "clusterwftmpl", false),
];

/// The definitions of the kinds of `argoproj.io/v1alpha1`. As Argo ships them they have no status subresource.
pub fn definitions() -> Vec<Value> {
    KINDS.iter().map(|kind| definition(*kind)).collect()
}

fn definition((kind, plural, short, namespaced): (&str, &str, &str, bool)) -> Value {
    let open = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{plural}.argoproj.io") },
        "spec": {
            "group": "argoproj.io",
            "scope": if namespaced { "Namespaced" } else { "Cluster" },
            "names": {
                "kind": kind,
                "plural": plural,
                "singular": kind.to_lowercase(),
                "shortNames": [short],
            },
            "versions": [{
                "name": "v1alpha1",
                "served": true,
                "storage": true,
                "schema": { "openAPIV3Schema": {
                    "type": "object",
                    "required": ["metadata", "spec"],
                    "properties": {
                        "apiVersion": { "type": "string" },
                        "kind": { "type": "string" },
                        "metadata": { "type": "object" },
                        "spec": open,
                        "status": open,
                    },
                } },
            }],
        },
    })
}
