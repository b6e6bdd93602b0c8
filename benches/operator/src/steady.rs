//! Orders that come at a steady rate: how long each waits for its Workflow.

use std::time::Duration;

use kube::{Client, api::PostParams};
use serde::Serialize;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::{
    child::{Child, Server},
    observe::Observer,
    scene,
};

/// From before an order is sent until its Workflow is seen.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Latency {
    pub(crate) orders: usize,
    pub(crate) per_second: u32,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) worst_ms: f64,
}

pub(crate) async fn run(client: &Client, server: &mut Server, orders: usize) -> Latency {
    let per_second = 10;
    let mut operator = Child::start(Some(&server.kubeconfig), &["operator"]);
    operator.settle().await;
    let mut observer = Observer::start(client).await;
    let mut sending = JoinSet::new();
    let start = Instant::now();
    for index in 0..orders {
        let at = start + Duration::from_secs(1) / per_second * u32::try_from(index).unwrap();
        sleep_until(at).await;
        let api = scene::orders(client);
        sending.spawn(async move {
            let name = format!("steady-{index}");
            let sent = Instant::now();
            api.create(&PostParams::default(), &scene::order(&name, 1)).await.unwrap();
            (name, sent)
        });
    }
    let sent = sending.join_all().await;
    observer.wait(orders).await;
    let seen = observer.seen();
    let mut times: Vec<f64> =
        sent.into_iter().map(|(name, sent)| (seen[&name] - sent).as_secs_f64() * 1000.0).collect();
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
    operator.stop().await;
    scene::clear(client).await;
    server.forget().await;
    Latency { orders, per_second, p50_ms: at(50), p99_ms: at(99), worst_ms: at(100) }
}
