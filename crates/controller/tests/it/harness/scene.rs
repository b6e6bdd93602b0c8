//! What a story begins with: endpoints, a type with its template, orders, and an Argo with a script.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use arc_kube_fake::player::{Argo, Play, Playing, Recording};
use serde_json::{Value, json};

use super::cluster::Cluster;

/// Parameters that the template needs.
const REQUIRED: [&str; 5] =
    ["srcType", "srcRemoteURL", "dstType", "dstRemoteURL", "specRepository"];

fn object(kind: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "arc.opendefense.cloud/v1alpha1",
        "kind": kind,
        "metadata": { "name": name },
        "spec": spec,
    })
}

/// Two endpoints without a Secret, the type `oci` for the whole cluster and its template.
pub(crate) async fn set(cluster: &Cluster) {
    cluster.ensure(&template("pipeline")).await;
    cluster.ensure(&artifact_type("ClusterArtifactType", "oci", "pipeline")).await;
    cluster.ensure(&endpoint("upstream", None)).await;
    cluster.ensure(&endpoint("internal", None)).await;
}

pub(crate) fn endpoint(name: &str, secret: Option<&str>) -> Value {
    let mut spec = json!({ "type": "oci", "remoteURL": format!("{name}.example.com") });
    if let Some(secret) = secret {
        spec["secretRef"] = json!({ "name": secret });
    }
    object("Endpoint", name, &spec)
}

pub(crate) fn secret(name: &str, password: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": name },
        "stringData": { "username": "arc", "password": password },
    })
}

pub(crate) fn artifact_type(kind: &str, name: &str, template: &str) -> Value {
    let spec = json!({
        "rules": { "srcTypes": ["oci"], "dstTypes": ["oci"] },
        "workflowTemplateRef": { "name": template },
    });
    object(kind, name, &spec)
}

pub(crate) fn template(name: &str) -> Value {
    let required = REQUIRED.iter().map(|name| json!({ "name": name }));
    let optional = ["specTag", "dryRun"].iter().map(|name| json!({ "name": name, "value": "" }));
    let parameters: Vec<Value> = required.chain(optional).collect();
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ClusterWorkflowTemplate",
        "metadata": { "name": name },
        "spec": {
            "entrypoint": "pipeline",
            "arguments": { "parameters": parameters },
            "templates": [{ "name": "pipeline", "container": { "image": "none" } }],
        },
    })
}

/// An order of artifacts of type `oci` from `upstream` to `internal`; each artifact has a repository of its name.
pub(crate) fn order(name: &str, artifacts: &[&str]) -> Value {
    let artifacts: Vec<Value> = artifacts
        .iter()
        .map(|name| json!({ "name": name, "type": "oci", "spec": { "repository": name } }))
        .collect();
    order_of(name, &artifacts)
}

pub(crate) fn order_of(name: &str, artifacts: &[Value]) -> Value {
    let spec = json!({
        "defaults": { "srcRef": { "name": "upstream" }, "dstRef": { "name": "internal" } },
        "artifacts": artifacts,
    });
    object("Order", name, &spec)
}

/// What the last step reports of a delivery.
pub(crate) fn delivered(repository: &str) -> String {
    let digest = "sha256:7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730";
    json!({
        "outcome": "Delivered",
        "source": { "reference": format!("upstream.example.com/{repository}:1"), "digest": digest },
        "destination": {
            "reference": format!("internal.example.com/{repository}:1"),
            "digest": digest,
        },
    })
    .to_string()
}

/// What Argo does with the Workflows of which artifact, and which Workflows it has ever seen.
#[derive(Clone, Default)]
pub(crate) struct Script {
    plays: Arc<Mutex<BTreeMap<String, Vec<Play>>>>,
    seen: Arc<Mutex<Vec<(String, String)>>>,
}

impl Script {
    /// Every Workflow succeeds.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The Workflows of an artifact get these plays one after the other, then the last one again and again.
    pub(crate) fn play(self, artifact: &str, plays: &[Play]) -> Self {
        self.plays.lock().unwrap().insert(artifact.to_owned(), plays.to_vec());
        self
    }

    /// From now on the Workflows of an artifact get this play.
    pub(crate) fn now(&self, artifact: &str, play: Play) {
        self.plays.lock().unwrap().insert(artifact.to_owned(), vec![play]);
    }

    /// Artifact and name of all Workflows that Argo has ever seen, in that order.
    pub(crate) fn seen(&self) -> Vec<(String, String)> {
        self.seen.lock().unwrap().clone()
    }

    /// How many Workflows there have been for each artifact.
    pub(crate) fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for (artifact, _) in self.seen() {
            *counts.entry(artifact).or_default() += 1;
        }
        counts
    }

    /// Argo begins to play; at the speed of the recordings on a clock that nobody waits for.
    pub(crate) fn start(&self, cluster: &Cluster) -> Playing {
        let speed = if cluster.is_real() { f64::INFINITY } else { 1.0 };
        self.start_at(cluster, speed)
    }

    pub(crate) fn start_at(&self, cluster: &Cluster, speed: f64) -> Playing {
        let argo = if cluster.is_real() {
            Argo::new(cluster.client.clone())
        } else {
            Argo::on(cluster.server())
        };
        let script = self.clone();
        let argo = argo.playing(move |workflow| {
            let metadata = &workflow.metadata;
            let labels = metadata.labels.clone().unwrap_or_default();
            let artifact = labels.get(arc_api::labels::ARTIFACT).cloned().unwrap_or_default();
            let name = metadata.name.clone().unwrap_or_default();
            script.seen.lock().unwrap().push((artifact.clone(), name));
            let mut plays = script.plays.lock().unwrap();
            let success = || Play::brief(Recording::Succeeded).result(&delivered(&artifact));
            match plays.get_mut(&artifact) {
                Some(plays) if plays.len() > 1 => plays.remove(0),
                Some(plays) => plays[0].clone(),
                None => success(),
            }
        });
        argo.at_speed(speed).start()
    }
}
