//! `arc lint --live`: what the cluster holds besides the files.

use std::net::SocketAddr;

use arc_kube_fake::{ApiServer, Options};
use serde_json::{Value, json};

use super::{Desk, ENDPOINTS, ORDER, TYPE};

/// A kubeconfig whose one context is a server without logins.
pub(super) fn kubeconfig(server: SocketAddr) -> String {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "fake",
        "clusters": [{"name": "fake", "cluster": {"server": format!("http://{server}")}}],
        "users": [{"name": "fake", "user": {}}],
        "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}],
    })
    .to_string()
}

fn create(server: &ApiServer, path: &str, text: &str) {
    for object in serde_saphyr::from_multiple::<Value>(text).unwrap() {
        server.call("POST", path, &object);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cluster_says_what_exists_besides_the_files() {
    let server = ApiServer::with_arc(Options::default());
    for definition in arc_kube_fake::argo::definitions() {
        server.define(&definition);
    }
    server.add_namespace("team-a");
    let arc = "/apis/arc.opendefense.cloud/v1alpha1";
    create(&server, &format!("{arc}/namespaces/team-a/endpoints"), ENDPOINTS);
    create(&server, &format!("{arc}/clusterartifacttypes"), TYPE);
    let running = server.serve().await.unwrap();
    let desk = Desk::new(&[("c.yaml", ORDER), ("kubeconfig", &kubeconfig(running.addr))]);
    let config = desk.arc.home().join("kubeconfig");
    let desk = Desk { arc: desk.arc.env("KUBECONFIG", config) };
    let lint = ["lint", "-f", "c.yaml", "--live"];

    // The secret of an endpoint is missing: nobody could have known without the cluster.
    desk.arc(&["lint", "-f", "c.yaml"], 0).await;
    let said = desk.arc(&lint, 2).await.stdout;
    assert_eq!(
        said,
        "c.yaml:7:5: error: endpoint \"harbor\": secret \"harbor-credentials\" does not exist in namespace \"team-a\" [secret-not-found]
  |     dstRef: {name: harbor}
  |     ^^^^^^
  hint: create the secret with `username` and `password`, or correct secretRef of the endpoint
1 file checked: 1 error
"
    );
    let secret = "{apiVersion: v1, kind: Secret, metadata: {name: harbor-credentials}, stringData: {password: hush}}";
    create(&server, "/api/v1/namespaces/team-a/secrets", secret);
    assert_eq!(desk.arc(&lint, 0).await.stdout, "1 file checked, nothing is wrong\n");
    desk.arc(&[&lint[..], &["--context", "fake"]].concat(), 0).await;

    // Only names of secrets are asked for.
    let requests = server.requests();
    let mut secrets = requests.iter().filter(|request| request.resource == "secrets").peekable();
    assert!(secrets.peek().is_some());
    assert!(
        secrets.all(|request| request.accept.contains("PartialObjectMetadata")),
        "{requests:?}"
    );
}

#[tokio::test]
async fn a_cluster_that_does_not_answer_is_said_with_a_remedy() {
    let desk = Desk::new(&[("c.yaml", ORDER)]);
    let said = desk.arc(&["lint", "-f", "c.yaml", "--live"], 2).await.stderr;
    assert!(said.starts_with("error: failed to find a cluster: "), "{said}");
    assert!(said.ends_with("\nhint: set KUBECONFIG or a current context, or leave out --live\n"));

    let address: SocketAddr = "127.0.0.1:1".parse().unwrap();
    let desk = Desk::new(&[("c.yaml", ORDER), ("kubeconfig", &kubeconfig(address))]);
    let config = desk.arc.home().join("kubeconfig");
    let desk = Desk { arc: desk.arc.env("KUBECONFIG", config) };
    let said = desk.arc(&["lint", "-f", "c.yaml", "--live"], 1).await.stderr;
    assert!(said.starts_with("error: failed to list clusterartifacttypes: "), "{said}");
    assert!(said.ends_with("\nhint: look whether kubectl reaches the cluster\n"), "{said}");
}
