//! What an operator uses that has nothing to do: in an empty cluster, and with very many finished orders.

use std::{path::Path, time::Duration};

use arc_kube_fake::player::{Argo, Play, Recording};
use kube::{
    Client,
    api::{DeleteParams, ListParams},
};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::{
    child::{Child, Server},
    count::Counts,
    observe, scene,
};

/// What a freshly started operator uses.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Idle {
    pub(crate) orders: usize,
    /// `arc controller`, or the same code in the bench.
    pub(crate) program: &'static str,
    /// Resident memory after the start, in MiB.
    pub(crate) resident_mib: f64,
    pub(crate) peak_mib: f64,
    /// Percent of a core.
    pub(crate) processor_percent: f64,
    pub(crate) seconds: u64,
    /// Of the operator that made the orders: until they were all done, and its memory then.
    pub(crate) worked: Option<Worked>,
}

/// What the operator used that made the orders.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Worked {
    pub(crate) seconds: u64,
    pub(crate) processor_ms: u128,
    pub(crate) peak_mib: f64,
    pub(crate) resident_mib: f64,
    pub(crate) requests: Counts,
}

/// Has so many orders made and done, and measures an operator that starts afterwards.
pub(crate) async fn run(
    client: &Client,
    server: &mut Server,
    (orders, seconds): (usize, u64),
    arc: Option<&Path>,
) -> Idle {
    let worked = if orders > 0 { Some(make(client, server, orders).await) } else { None };
    let (program, child) = match arc {
        Some(file) => ("arc controller", Child::arc(file, &server.kubeconfig)),
        None => ("the bench's own", Child::start(Some(&server.kubeconfig), &["operator"])),
    };
    // Long enough for all lists and the first passes.
    sleep(Duration::from_secs(if orders > 0 { 10 } else { 5 })).await;
    let before = child.usage();
    sleep(Duration::from_secs(seconds)).await;
    let usage = child.usage();
    child.stop().await;
    if orders > 0 {
        scene::clear(client).await;
        server.forget().await;
    }
    let used = usage.processor_since(&before);
    let percent = used.as_secs_f64() / Duration::from_secs(seconds).as_secs_f64() * 100.0;
    Idle {
        orders,
        program,
        resident_mib: usage.resident,
        peak_mib: usage.peak,
        processor_percent: percent,
        seconds,
        worked,
    }
}

/// The orders are done, and their Workflows gone as they go after a while.
async fn make(client: &Client, server: &mut Server, orders: usize) -> Worked {
    let argo = Argo::new(client.clone()).playing(|_| Play::brief(Recording::Succeeded));
    let argo = argo.at_speed(f64::INFINITY).start();
    let mut operator = Child::start(Some(&server.kubeconfig), &["operator"]);
    operator.settle().await;
    let start = Instant::now();
    scene::create_orders(client, "idle", orders).await;
    observe::all_done(client, orders).await;
    let seconds = start.elapsed().as_secs();
    operator.settle().await;
    let usage = operator.usage();
    let requests = operator.counts().await;
    operator.stop().await;
    drop(argo);
    let (how, everything) = (DeleteParams::background(), ListParams::default());
    scene::workflows(client).delete_collection(&how, &everything).await.unwrap();
    server.forget().await;
    Worked {
        seconds,
        processor_ms: usage.processor.as_millis(),
        peak_mib: usage.peak,
        resident_mib: usage.resident,
        requests,
    }
}
