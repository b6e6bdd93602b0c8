//! The server must not be what a benchmark measures.

use std::time::{Duration, Instant};

use futures::StreamExt;
use kube::runtime::{WatchStreamExt, watcher};

use crate::widgets::{create, server, widget, widgets};

const OBJECTS: usize = 2_000;
/// A release build needs a fraction of this, a debug build on a busy machine gets more.
const LIMIT: Duration = Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 1 });

#[tokio::test]
async fn two_thousand_objects_are_created_and_watched_in_no_time() {
    let server = server();
    let stream = watcher(widgets(server.client()), watcher::Config::default()).applied_objects();
    let seen = tokio::spawn(stream.take(OBJECTS).count());
    let start = Instant::now();
    for index in 0..OBJECTS {
        create(&server, &widget(&format!("w{index}"), 1));
        if index % 100 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let created = start.elapsed();
    assert_eq!(seen.await.unwrap(), OBJECTS);
    let watched = start.elapsed();
    assert!(watched < LIMIT, "created in {created:?}, watched after {watched:?}");
}
