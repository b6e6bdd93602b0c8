//! A client that counts what it asks, by verb and resource.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex},
};

use http::Request;
use kube::{
    Client, Config,
    client::{Body, ClientBuilder},
    config::{KubeConfigOptions, Kubeconfig},
};
use tower::util::MapRequestLayer;

/// Requests by verb and resource, such as `POST workflows`.
pub(crate) type Counts = BTreeMap<String, u64>;

/// What a client has asked so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counter(Arc<Mutex<Counts>>);

impl Counter {
    pub(crate) fn read(&self) -> Counts {
        self.0.lock().unwrap().clone()
    }

    fn count(&self, request: &Request<Body>) {
        let key = name(request);
        *self.0.lock().unwrap().entry(key).or_default() += 1;
    }
}

/// How many of the requests change something.
pub(crate) fn writes(counts: &Counts) -> u64 {
    counts.iter().filter(|(name, _)| !name.starts_with("GET")).map(|(_, count)| count).sum()
}

/// What came after an earlier count.
pub(crate) fn since(now: &Counts, before: &Counts) -> Counts {
    let left = now
        .iter()
        .map(|(name, count)| (name.clone(), count - before.get(name).copied().unwrap_or_default()));
    left.filter(|(_, count)| *count > 0).collect()
}

fn name(request: &Request<Body>) -> String {
    let path = request.uri().path().trim_matches('/');
    let mut parts: Vec<&str> = path.split('/').collect();
    let skip = if parts.first() == Some(&"api") { 2 } else { 3 };
    parts.drain(..skip.min(parts.len()));
    if parts.first() == Some(&"namespaces") && parts.len() > 2 {
        parts.drain(..2);
    }
    let watch = request.uri().query().is_some_and(|query| query.contains("watch="));
    let kind = if watch { " (watch)" } else { "" };
    let resource = match parts.as_slice() {
        [resource, _, subresource] => format!("{resource}/{subresource}"),
        [resource, ..] => (*resource).to_owned(),
        [] => path.to_owned(),
    };
    format!("{} {resource}{kind}", request.method())
}

/// A client of the API server that a file names, or of the one that the environment names.
pub(crate) async fn client(kubeconfig: Option<&Path>) -> (Client, Counter) {
    let options = KubeConfigOptions::default();
    let mut config = match kubeconfig {
        Some(file) => {
            let file = Kubeconfig::read_from(file).unwrap();
            Config::from_custom_kubeconfig(file, &options).await.unwrap()
        }
        None => Config::infer().await.unwrap(),
    };
    // A watch without events for a minute is no reason to begin anew.
    config.read_timeout = None;
    let counter = Counter::default();
    let counting = counter.clone();
    let layer = MapRequestLayer::new(move |request: Request<Body>| {
        counting.count(&request);
        request
    });
    (ClientBuilder::try_from(config).unwrap().with_layer(&layer).build(), counter)
}
