//! Watches the Workflows and tells when each came to be.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{StreamExt, TryStreamExt};
use kube::{
    Api, Client, ResourceExt,
    api::DynamicObject,
    core::PartialObjectMeta,
    runtime::{WatchStreamExt, watcher},
};
use tokio::{sync::watch, task::JoinHandle, time::Instant};

use crate::scene;

/// How long anything may take before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(900);

/// When which Workflow was first seen, by the order it is for.
#[derive(Debug)]
pub(crate) struct Observer {
    seen: Arc<Mutex<HashMap<String, Instant>>>,
    count: watch::Receiver<usize>,
    task: JoinHandle<()>,
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Observer {
    /// Begins to watch; comes back when the watch is up.
    pub(crate) async fn start(client: &Client) -> Self {
        let seen = Arc::new(Mutex::new(HashMap::new()));
        let (sender, mut count) = watch::channel(usize::MAX);
        let resource = scene::argo("Workflow");
        let api: Api<PartialObjectMeta<DynamicObject>> =
            Api::namespaced_with(client.clone(), scene::NAMESPACE, &resource);
        let events = watcher(api, watcher::Config::default());
        let noting = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            let mut names = std::collections::HashSet::new();
            let mut events = events.default_backoff().boxed();
            while let Ok(Some(event)) = events.try_next().await {
                if let watcher::Event::Apply(object) | watcher::Event::InitApply(object) = &event
                    && names.insert(object.name_any())
                {
                    let order = object.labels().get(arc_api::labels::ORDER).cloned();
                    let mut seen = noting.lock().unwrap();
                    seen.entry(order.unwrap_or_default()).or_insert_with(Instant::now);
                }
                if !matches!(event, watcher::Event::Init | watcher::Event::InitApply(_)) {
                    sender.send_replace(names.len());
                }
            }
        });
        count.wait_for(|count| *count != usize::MAX).await.unwrap();
        Self { seen, count, task }
    }

    /// Waits until so many Workflows have been seen.
    pub(crate) async fn wait(&mut self, wanted: usize) -> Instant {
        let waiting = self.count.wait_for(|count| *count != usize::MAX && *count >= wanted);
        tokio::time::timeout(PATIENCE, waiting).await.expect("too few Workflows").unwrap();
        Instant::now()
    }

    pub(crate) fn seen(&self) -> HashMap<String, Instant> {
        self.seen.lock().unwrap().clone()
    }
}

/// Waits until all orders are done, and tells how many there are.
pub(crate) async fn all_done(client: &Client, wanted: usize) {
    let mut done = std::collections::HashSet::new();
    let events = watcher(scene::orders(client), watcher::Config::default().page_size(500));
    let mut events = events.default_backoff().boxed();
    let watching = async {
        while let Some(event) = events.next().await {
            if let Ok(watcher::Event::Apply(order) | watcher::Event::InitApply(order)) = event {
                let status = order.status.as_ref();
                let current = status.and_then(|status| status.observed_generation)
                    == order.metadata.generation;
                let phase = status.and_then(|status| status.phase);
                if current && phase.is_some_and(arc_api::Phase::is_terminal) {
                    done.insert(order.name_any());
                } else {
                    done.remove(&order.name_any());
                }
                if done.len() >= wanted {
                    return;
                }
            }
        }
    };
    tokio::time::timeout(PATIENCE, watching).await.expect("not all orders came to an end");
}
