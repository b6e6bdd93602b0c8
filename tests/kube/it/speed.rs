//! The server must not be what a benchmark measures.

use std::time::{Duration, Instant};

use arc_kube_fake::{ApiServer, Options};
use futures::{StreamExt, stream};
use kube::{
    api::PostParams,
    runtime::{WatchStreamExt, watcher},
};

use crate::widgets::{server, widget, widgets};

#[tokio::test]
async fn a_second_server_costs_next_to_nothing() {
    let start = Instant::now();
    ApiServer::with_arc(Options::default());
    let first = start.elapsed();
    let start = Instant::now();
    ApiServer::with_arc(Options::default());
    let second = start.elapsed();
    assert!(second * 5 < first, "{first:?}, {second:?}");
}

const OBJECTS: usize = 2_000;
const WATCHERS: usize = 4;
/// Requests under way at once.
const PARALLEL: usize = 32;
/// A release build needs a fraction of this, a debug build on a busy machine gets more.
const LIMIT: Duration = Duration::from_secs(if cfg!(debug_assertions) { 30 } else { 1 });

#[tokio::test]
async fn two_thousand_objects_are_created_by_a_client_and_seen_by_watchers_in_no_time() {
    let server = server();
    let client = server.client();
    let watchers: Vec<_> = (0..WATCHERS)
        .map(|_| {
            let stream = watcher(widgets(client.clone()), watcher::Config::default());
            tokio::spawn(stream.applied_objects().take(OBJECTS).count())
        })
        .collect();
    let api = widgets(client);
    let start = Instant::now();
    stream::iter(0..OBJECTS)
        .for_each_concurrent(PARALLEL, async |index| {
            let object = serde_json::from_value(widget(&format!("w{index}"), 1)).unwrap();
            api.create(&PostParams::default(), &object).await.unwrap();
        })
        .await;
    let created = start.elapsed();
    for watcher in watchers {
        assert_eq!(watcher.await.unwrap(), OBJECTS);
    }
    let watched = start.elapsed();
    assert!(watched < LIMIT, "created in {created:?}, watched after {watched:?}");
}
