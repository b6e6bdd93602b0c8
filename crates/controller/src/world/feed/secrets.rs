//! The Secrets of some namespaces, each watched on its own: a list of one says nothing about the others.
//!
//! A namespace in which that is forbidden holds up nobody else: its Secrets count as missing until it is allowed.

use std::{
    collections::BTreeSet,
    mem,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures::StreamExt;
use k8s_openapi::{api::core::v1::Secret, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use kube::{
    Api, ResourceExt,
    core::PartialObjectMeta,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event, watcher},
    },
};
use tokio::task::JoinSet;

use super::config;
use crate::context::Context;
use crate::world::{Watched, secret::SecretName};

/// Starts one watch per namespace.
pub(super) fn feed(watches: &mut JoinSet<()>, context: &Arc<Context>, namespaces: &[String]) {
    let round = FirstRound { context: Arc::clone(context), open: namespaces.len().into() };
    if namespaces.is_empty() {
        round.is_over();
    }
    let round = Arc::new(round);
    for namespace in namespaces {
        watches.spawn(watch(Arc::clone(&round), namespace.clone()));
    }
}

/// Until every namespace was listed or refused once, nobody knows which Secrets there are.
struct FirstRound {
    context: Arc<Context>,
    open: AtomicUsize,
}

impl FirstRound {
    fn one_is_done(&self) {
        if self.open.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.is_over();
        }
    }

    fn is_over(&self) {
        self.context.world.list_ends::<SecretName>();
    }
}

/// Takes over the Secrets of one namespace, for ever.
async fn watch(round: Arc<FirstRound>, namespace: String) {
    let context = &round.context;
    let api: Api<PartialObjectMeta<Secret>> = Api::namespaced(context.client.clone(), &namespace);
    let kind = SecretName::KIND.as_str();
    let mut stream = pin!(watcher(api, config()).default_backoff());
    let mut names = Names::default();
    let mut is_done = false;
    let events = async {
        while let Some(event) = stream.next().await {
            let answered = match event {
                Ok(event) => names.take(event, context, &namespace),
                Err(error) => {
                    context.metrics.watch_error(kind);
                    let error_text = crate::error::chain(&error);
                    tracing::warn!(kind, namespace, error = %error_text, "a watch is taken up again");
                    is_forbidden(&error)
                }
            };
            if answered && !mem::replace(&mut is_done, true) {
                round.one_is_done();
            }
        }
    };
    context.metrics.health().watch_over(kind, events).await;
}

/// Which Secrets a namespace has, so that a list shows which are gone.
#[derive(Default)]
struct Names {
    known: BTreeSet<String>,
    listed: BTreeSet<String>,
}

impl Names {
    /// Takes over one event; tells whether a list has come to its end.
    fn take(
        &mut self,
        event: Event<PartialObjectMeta<Secret>>,
        context: &Context,
        namespace: &str,
    ) -> bool {
        let world = &context.world;
        match event {
            Event::Init => self.listed.clear(),
            Event::InitApply(object) => {
                self.listed.insert(object.name_any());
                world.observed(SecretName::from(object));
            }
            Event::Apply(object) => {
                self.known.insert(object.name_any());
                world.observed(SecretName::from(object));
            }
            Event::Delete(object) => {
                self.known.remove(&object.name_any());
                world.gone(&SecretName::from(object));
            }
            Event::InitDone => {
                let listed = mem::take(&mut self.listed);
                for name in self.known.difference(&listed) {
                    world.gone_by_name::<SecretName>(&ObjectMeta {
                        name: Some(name.clone()),
                        namespace: Some(namespace.to_owned()),
                        ..ObjectMeta::default()
                    });
                }
                self.known = listed;
                return true;
            }
        }
        false
    }
}

fn is_forbidden(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status) => status.code == 403,
        _ => false,
    }
}
