//! One order with one artifact: what it costs from creation to success, and what it costs to have it.

use std::time::Duration;

use arc_kube_fake::player::{Argo, Play, Recording};
use kube::{Client, api::PostParams};
use serde::Serialize;

use crate::{
    child::{Child, Server},
    count::{self, Counts},
    observe, scene,
};

/// Requests of the operator.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Single {
    /// From creation to success.
    pub(crate) requests: Counts,
    pub(crate) writes: u64,
    /// While nothing happened for so many seconds.
    pub(crate) idle_seconds: u64,
    pub(crate) idle_requests: Counts,
}

pub(crate) async fn run(client: &Client, server: &mut Server, idle_seconds: u64) -> Single {
    let argo = Argo::new(client.clone()).playing(|_| Play::all(Recording::Succeeded)).start();
    let mut operator = Child::start(Some(&server.kubeconfig), &["operator"]);
    operator.settle().await;
    let before = operator.counts().await;
    let order = scene::order("single", 1);
    scene::orders(client).create(&PostParams::default(), &order).await.unwrap();
    observe::all_done(client, 1).await;
    operator.settle().await;
    let after = operator.counts().await;
    tokio::time::sleep(Duration::from_secs(idle_seconds)).await;
    let idle_requests = count::since(&operator.counts().await, &after);
    operator.stop().await;
    drop(argo);
    scene::clear(client).await;
    server.forget().await;
    let requests = count::since(&after, &before);
    Single { writes: count::writes(&requests), requests, idle_seconds, idle_requests }
}
