//! The first stories: an order from creation to success, and one that waits for its endpoint.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use arc_controller::{Metrics, Options};
use arc_kube_fake::{
    ApiServer, Verb,
    player::{Argo, Play, Recording},
};
use serde_json::{Value, json};
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

const NAMESPACE: &str = "default";
const ORDERS: &str = "orders.arc.opendefense.cloud";
const ARTIFACT_WORKFLOWS: &str = "artifactworkflows.arc.opendefense.cloud";
const WORKFLOWS: &str = "workflows.argoproj.io";

/// A controller at work; dropping it ends it at once.
struct Controller {
    shutdown: CancellationToken,
    running: JoinHandle<Result<(), arc_controller::Error>>,
}

impl Controller {
    fn start(server: &ApiServer) -> Self {
        let shutdown = CancellationToken::new();
        let running = arc_controller::run(
            server.client(),
            Options::default(),
            Arc::new(Metrics::default()),
            shutdown.clone(),
        );
        Self { shutdown, running: tokio::spawn(running) }
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.running.await.unwrap().unwrap();
    }
}

fn arc(kind: &str, plural: &str, name: &str, spec: &Value) -> (String, Value) {
    let object = json!({
        "apiVersion": "arc.opendefense.cloud/v1alpha1",
        "kind": kind,
        "metadata": { "name": name },
        "spec": spec,
    });
    (format!("/apis/arc.opendefense.cloud/v1alpha1/{plural}"), object)
}

fn create(server: &ApiServer, (path, object): (String, Value)) {
    let made = server.call("POST", &path, &object);
    assert_ne!(made["kind"], "Status", "{made:#}");
}

fn endpoint(server: &ApiServer, name: &str) {
    let spec = json!({ "type": "oci", "remoteURL": format!("https://{name}.example") });
    create(server, arc("Endpoint", &format!("namespaces/{NAMESPACE}/endpoints"), name, &spec));
}

/// A cluster with a type, its template and a source.
fn cluster() -> ApiServer {
    let server = ApiServer::with_arc(arc_kube_fake::Options::default());
    let spec = json!({
        "rules": { "srcTypes": ["oci"], "dstTypes": ["oci"] },
        "workflowTemplateRef": { "name": "pipeline", "clusterScope": true },
    });
    create(&server, arc("ClusterArtifactType", "clusterartifacttypes", "oci", &spec));
    let template = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ClusterWorkflowTemplate",
        "metadata": { "name": "pipeline" },
        "spec": { "arguments": { "parameters": [
            { "name": "specRepository" }, { "name": "srcRemoteURL" }, { "name": "dstRemoteURL" },
        ] } },
    });
    create(&server, ("/apis/argoproj.io/v1alpha1/clusterworkflowtemplates".to_owned(), template));
    endpoint(&server, "quay");
    server
}

fn order(server: &ApiServer, name: &str) {
    let spec = json!({
        "defaults": { "srcRef": { "name": "quay" }, "dstRef": { "name": "harbor" } },
        "artifacts": [{ "name": "alpine", "type": "oci", "spec": { "repository": "library/alpine" } }],
    });
    create(server, arc("Order", &format!("namespaces/{NAMESPACE}/orders"), name, &spec));
}

/// Asks again until it is so, and gives how long that took.
#[track_caller]
fn until(so: impl Fn() -> bool) -> impl Future<Output = Duration> {
    let caller = std::panic::Location::caller();
    async move {
        let start = Instant::now();
        while !so() {
            assert!(start.elapsed() < Duration::from_secs(20), "still not so at {caller}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        start.elapsed()
    }
}

fn phase(server: &ApiServer, name: &str) -> String {
    let order = server.object(ORDERS, NAMESPACE, name).unwrap();
    order["status"]["phase"].as_str().unwrap_or_default().to_owned()
}

fn writes(server: &ApiServer) -> BTreeMap<String, usize> {
    // What is known of endpoints is written at leisure, whatever orders do.
    let counts = server.requests().into_iter().filter(|one| {
        one.verb.is_write() && one.user != "argo" && one.resource != "endpoints/status"
    });
    let mut writes = BTreeMap::new();
    for one in counts {
        *writes.entry(format!("{} {}", one.verb, one.resource)).or_default() += 1;
    }
    writes
}

#[tokio::test]
async fn one_order_with_one_artifact_costs_six_writes_and_a_look_at_it_none() {
    let server = cluster();
    endpoint(&server, "harbor");
    let controller = Controller::start(&server);
    order(&server, "demo");
    until(|| phase(&server, "demo") == "Running").await;
    let playing =
        Argo::on(&server).playing(|_| Play::all(Recording::Succeeded)).at_speed(50.0).start();
    until(|| phase(&server, "demo") == "Succeeded").await;
    assert_eq!(server.objects(ARTIFACT_WORKFLOWS).len(), 1);
    assert_eq!(server.objects(WORKFLOWS).len(), 1);
    let expected = [
        ("create artifactworkflows", 1),
        ("create workflows", 1),
        ("patch artifactworkflows/status", 2),
        ("patch orders/status", 2),
    ];
    assert_eq!(writes(&server), expected.map(|(what, count)| (what.to_owned(), count)).into());
    controller.stop().await;
    drop(playing);

    server.forget_requests();
    let controller = Controller::start(&server);
    until(|| server.requests().iter().filter(|one| one.verb == Verb::Watch).count() >= 10).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(writes(&server), BTreeMap::new());
    controller.stop().await;
}

#[tokio::test]
async fn an_order_waits_for_its_endpoint_and_starts_within_a_second_of_its_coming() {
    let server = cluster();
    let controller = Controller::start(&server);
    order(&server, "demo");
    until(|| phase(&server, "demo") == "Pending").await;
    let held = server.object(ORDERS, NAMESPACE, "demo").unwrap();
    assert_eq!(held["status"]["artifacts"][0]["reason"], "EndpointNotFound", "{held:#}");
    endpoint(&server, "harbor");
    let waited = until(|| !server.objects(WORKFLOWS).is_empty()).await;
    assert!(waited < Duration::from_secs(1), "{waited:?}");
    controller.stop().await;
}
