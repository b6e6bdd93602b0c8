//! Many orders at once, beside a bare client that creates the same objects.

use std::io::Write;

use arc_api::ArtifactWorkflow;
use kube::{Api, Client, Resource};
use serde::Serialize;
use tokio::time::Instant;

use crate::{
    child::{Child, Server},
    count::{self, Counts},
    observe::Observer,
    scene,
};

/// One repetition.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Round {
    pub(crate) orders: usize,
    /// Until the last order was created, from the first on.
    pub(crate) created_ms: u128,
    /// Until the last Workflow was there, from the first order on.
    pub(crate) workflows_ms: u128,
    /// What a bare client needs for the same objects.
    pub(crate) bare_ms: u128,
    pub(crate) ratio: f64,
    /// Processor time of the operator until it had nothing more to do.
    pub(crate) processor_ms: u128,
    pub(crate) peak_mib: f64,
    pub(crate) requests: Counts,
}

/// Creates so many orders, waits for their Workflows, and lets a bare client create the same objects once more.
pub(crate) async fn round(client: &Client, server: &mut Server, orders: usize) -> Round {
    let mut operator = Child::start(Some(&server.kubeconfig), &["operator"]);
    operator.settle().await;
    let before = (operator.usage(), operator.counts().await);
    let mut observer = Observer::start(client).await;
    let start = Instant::now();
    scene::create_orders(client, "burst", orders).await;
    let created = start.elapsed();
    let workflows = observer.wait(orders).await - start;
    drop(observer);
    operator.settle().await;
    let usage = operator.usage();
    let requests = count::since(&operator.counts().await, &before.1);
    operator.stop().await;
    let bare_ms = bare(client, server).await;
    server.forget().await;
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of minutes at most")]
    let ratio = workflows.as_millis() as f64 / bare_ms.max(1) as f64;
    Round {
        orders,
        created_ms: created.as_millis(),
        workflows_ms: workflows.as_millis(),
        bare_ms,
        ratio,
        processor_ms: usage.processor_since(&before.0).as_millis(),
        peak_mib: usage.peak,
        requests,
    }
}

/// Takes what the operator made, empties the cluster, and has it made by a client that does nothing else.
async fn bare(client: &Client, server: &Server) -> u128 {
    let artifact_workflows: Api<ArtifactWorkflow> =
        Api::namespaced(client.clone(), scene::NAMESPACE);
    let mut made = scene::all(&artifact_workflows).await;
    let mut workflows = scene::all(&scene::workflows(client)).await;
    made.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
    workflows.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
    scene::clear(client).await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for (mut one, mut other) in made.into_iter().zip(workflows) {
        one.status = None;
        strip(one.meta_mut());
        strip(other.meta_mut());
        writeln!(file, "{}", serde_json::to_string(&(one, other)).unwrap()).unwrap();
    }
    file.flush().unwrap();
    let path = file.path().to_str().unwrap();
    let mut bare = Child::start(Some(&server.kubeconfig), &["bare", path]);
    assert_eq!(bare.read().await, "ready");
    let time = bare.ask("go").await.parse().unwrap();
    bare.stop().await;
    scene::clear(client).await;
    time
}

/// What a client does not send. Owners go too: theirs are no longer there.
fn strip(metadata: &mut kube::api::ObjectMeta) {
    metadata.uid = None;
    metadata.resource_version = None;
    metadata.creation_timestamp = None;
    metadata.generation = None;
    metadata.managed_fields = None;
    metadata.owner_references = None;
}
