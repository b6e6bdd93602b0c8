//! One order with very many artifacts: until it is done, and what one more change costs.

use std::time::Duration;

use arc_kube_fake::player::{Argo, Play, Recording};
use kube::{
    Client,
    api::{Patch, PatchParams, PostParams},
};
use serde::Serialize;
use serde_json::json;
use tokio::time::Instant;

use crate::{
    child::{Child, Server},
    count::{self, Counts},
    observe::{self, Observer},
    scene,
};

/// What an order of many artifacts cost.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Wide {
    pub(crate) artifacts: usize,
    /// Until every artifact had its Workflow.
    pub(crate) workflows_ms: u128,
    /// Until every artifact was delivered, by an Argo that needs no time.
    pub(crate) done_ms: u128,
    pub(crate) requests: Counts,
    pub(crate) processor_ms: u128,
    /// After one artifact was changed.
    pub(crate) change_ms: u128,
    pub(crate) change_requests: Counts,
    pub(crate) change_processor_ms: u128,
}

pub(crate) async fn run(client: &Client, server: &mut Server, artifacts: usize) -> Wide {
    let argo = Argo::new(client.clone()).playing(|_| Play::brief(Recording::Succeeded));
    let argo = argo.at_speed(f64::INFINITY).start();
    let mut operator = Child::start(Some(&server.kubeconfig), &["operator"]);
    operator.settle().await;
    let before = (operator.usage(), operator.counts().await);
    let mut observer = Observer::start(client).await;
    let start = Instant::now();
    let order = scene::order("wide", artifacts);
    let orders = scene::orders(client);
    orders.create(&PostParams::default(), &order).await.unwrap();
    let workflows = observer.wait(artifacts).await - start;
    observe::all_done(client, 1).await;
    let done = start.elapsed();
    operator.settle().await;
    let middle = (operator.usage(), operator.counts().await);

    let mut changed = order;
    let one = &mut changed.spec.artifacts[artifacts / 2];
    one.spec.get_or_insert_default().insert("tag".to_owned(), json!("3.19.2"));
    let patch = Patch::Merge(json!({ "spec": { "artifacts": changed.spec.artifacts } }));
    let start = Instant::now();
    orders.patch("wide", &PatchParams::default(), &patch).await.unwrap();
    observer.wait(artifacts + 1).await;
    // The old status still says that all is done until the operator has seen the change.
    tokio::time::sleep(Duration::from_millis(100)).await;
    observe::all_done(client, 1).await;
    let change = start.elapsed();
    operator.settle().await;
    let last = (operator.usage(), operator.counts().await);
    operator.stop().await;
    drop((observer, argo));
    scene::clear(client).await;
    server.forget().await;
    Wide {
        artifacts,
        workflows_ms: workflows.as_millis(),
        done_ms: done.as_millis(),
        requests: count::since(&middle.1, &before.1),
        processor_ms: middle.0.processor_since(&before.0).as_millis(),
        change_ms: change.as_millis(),
        change_requests: count::since(&last.1, &middle.1),
        change_processor_ms: last.0.processor_since(&middle.0).as_millis(),
    }
}
