//! What only a real API server can tell. Skipped where there is none, see [`arc_kube_fake::real`].

mod definitions;
mod kubectl;
mod leases;
mod ownership;
mod refusals;

use serde_json::{Value, json};

/// Where a kind of ours is, in the namespace `default`.
fn path(kind: &str) -> String {
    let group = "/apis/arc.opendefense.cloud/v1alpha1";
    match kind {
        "ClusterArtifactType" => format!("{group}/clusterartifacttypes"),
        kind => format!("{group}/namespaces/default/{}s", kind.to_lowercase()),
    }
}

/// An object of ours.
fn object(kind: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "arc.opendefense.cloud/v1alpha1",
        "kind": kind,
        "metadata": { "name": name },
        "spec": spec,
    })
}
