//! The manifests on a real API server, where the machine has one: see `arc_kube_fake::real`.

mod policies;
mod rights;

use arc_chart::{Rendered, repository, to_yaml};
use arc_kube_fake::{
    argo,
    real::{self, RealServer},
};
use serde_json::{Value, json};

/// What kubectl says of a namespace that was there before.
const ADOPTED: &str =
    "namespaces/arc-system is missing the kubectl.kubernetes.io/last-applied-configuration";

/// A cluster with our definitions, Argo's, and two tenants' namespaces; says that the test is skipped otherwise.
async fn cluster() -> Option<RealServer> {
    let programs = real::require()?;
    let mut server = RealServer::start(&programs).await;
    for definition in argo::definitions() {
        server.define(&definition).await;
    }
    let crds = folder("charts/kustomize/crds");
    server.kubectl(&["apply", "--server-side", "-k", &crds]).ok();
    let waited = ["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"];
    server.kubectl(&waited).ok();
    for namespace in ["arc-system", "team-a", "team-b", "team-c"] {
        let namespace = json!({ "metadata": { "name": namespace } });
        server.call("POST", "/api/v1/namespaces", &namespace).await;
    }
    server.start_controllers();
    Some(server)
}

fn folder(path: &str) -> String {
    repository().join(path).to_str().unwrap().to_owned()
}

/// Applies objects, and fails the test when kubectl has a word to say against one.
fn apply(server: &RealServer, objects: &[Value]) -> String {
    let texts: Vec<String> = objects.iter().map(to_yaml).collect();
    let file = server.folder().join("objects.yaml");
    std::fs::write(&file, texts.join("---\n")).unwrap();
    let file = file.to_str().unwrap();
    server.kubectl(&["apply", "--server-side", "--validate=strict", "-f", file]).ok()
}

fn objects(rendered: &Rendered) -> Vec<Value> {
    rendered.values().flatten().cloned().collect()
}

#[tokio::test]
async fn plain_manifests_are_applied_without_a_warning_and_then_nothing_differs() {
    let Some(server) = cluster().await else { return };
    let (all, tenant) = (folder("charts/kustomize"), folder("charts/kustomize/tenant"));
    for what in [&["-k", &all][..], &["-n", "team-a", "-k", &tenant]] {
        let said = server.kubectl(&[&["apply", "--validate=strict"], what].concat());
        // The namespace was made by somebody else; kubectl notes that it is now its own.
        let warnings: Vec<&str> =
            said.stderr.lines().filter(|line| !line.contains(ADOPTED)).collect();
        assert!(said.is_success && warnings.is_empty(), "{said:#?}");
        let differs = server.kubectl(&[&["diff"], what].concat());
        assert!(differs.is_success && differs.stdout.is_empty(), "{differs:#?}");
    }
}

/// Everything that values can switch on, except what needs the Prometheus operator.
#[tokio::test]
async fn the_whole_chart_is_applied_without_a_warning() {
    let Some(server) = cluster().await else { return };
    let namespace = "charts/kustomize/namespace.yaml";
    server.kubectl(&["apply", "--server-side", "--force-conflicts", "-f", &folder(namespace)]).ok();
    let rendered = arc_chart::Chart::open().render(&json!({
        "tenants": ["team-a", "team-b"],
        "rbac": { "allNamespaces": true },
        "dashboard": { "enabled": true },
        "image": { "pullSecrets": ["pull"] },
    }));
    let said = apply(&server, &objects(&rendered));
    assert_eq!(said.lines().count(), objects(&rendered).len(), "{said}");
}
