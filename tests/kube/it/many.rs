//! Many objects, several at once: nothing is lost on the way to those who watch.

use futures::{StreamExt, stream};
use kube::{
    api::PostParams,
    runtime::{WatchStreamExt, watcher},
};

use crate::widgets::{server, widget, widgets};

const OBJECTS: usize = 2_000;
const WATCHERS: usize = 4;
/// Requests under way at once.
const PARALLEL: usize = 32;

#[tokio::test]
async fn two_thousand_objects_created_at_once_are_seen_by_every_watcher() {
    let server = server();
    let client = server.client();
    let watchers: Vec<_> = (0..WATCHERS)
        .map(|_| {
            let stream = watcher(widgets(client.clone()), watcher::Config::default());
            tokio::spawn(stream.applied_objects().take(OBJECTS).count())
        })
        .collect();
    let api = widgets(client);
    stream::iter(0..OBJECTS)
        .for_each_concurrent(PARALLEL, async |index| {
            let object = serde_json::from_value(widget(&format!("w{index}"), 1)).unwrap();
            api.create(&PostParams::default(), &object).await.unwrap();
        })
        .await;
    for watcher in watchers {
        assert_eq!(watcher.await.unwrap(), OBJECTS);
    }
}
