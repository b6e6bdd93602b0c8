//! One watch per kind into the tables.
//!
//! An object that cannot be read is reported and counts as missing; the watch goes on.

mod secrets;

use std::{pin::pin, sync::Arc};

use futures::{Stream, StreamExt};
use k8s_openapi::api::core::v1::{ObjectReference, Secret};
use kube::{
    Api, Resource,
    api::ObjectMeta,
    core::PartialObjectMeta,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event, watcher},
    },
};
use serde::de::DeserializeOwned;
use tokio::task::JoinSet;

use super::{
    Raw, Watched, World,
    secret::SecretName,
    template::{ClusterWorkflowTemplate, WorkflowTemplate},
};
use crate::context::Context;
use arc_api::{
    ArtifactType, ArtifactWorkflow, ClusterArtifactType, Endpoint, Order,
    argo::{CronWorkflow, Workflow},
};

/// Objects per page of a list: small, because each page is in memory as a whole.
const PAGE: u32 = 200;

/// Starts all watches; they end with the set.
pub(crate) fn feed(context: &Arc<Context>) -> JoinSet<()> {
    let mut watches = JoinSet::new();
    start::<Order>(&mut watches, context);
    start::<ArtifactWorkflow>(&mut watches, context);
    start::<Endpoint>(&mut watches, context);
    start::<ArtifactType>(&mut watches, context);
    start::<ClusterArtifactType>(&mut watches, context);
    start::<WorkflowTemplate>(&mut watches, context);
    start::<ClusterWorkflowTemplate>(&mut watches, context);
    start::<CronWorkflow>(&mut watches, context);
    start::<Workflow>(&mut watches, context);
    if let Some(namespaces) = &context.options.secret_namespaces {
        secrets::feed(&mut watches, context, namespaces);
    } else {
        let secrets: Api<PartialObjectMeta<Secret>> = Api::all(context.client.clone());
        let stream = watcher(secrets, config()).default_backoff();
        watches.spawn(take(stream, Arc::clone(context), secret));
    }
    watches
}

fn config() -> watcher::Config {
    watcher::Config::default().page_size(PAGE)
}

fn start<K: Watched + DeserializeOwned>(watches: &mut JoinSet<()>, context: &Arc<Context>) {
    let api: Api<Raw<K>> = Api::all(context.client.clone());
    let stream = watcher(api, config()).default_backoff();
    watches.spawn(take(stream, Arc::clone(context), read));
}

/// What reading an object came to.
enum Read<K> {
    /// The table has it in this state already.
    Known,
    Object(K),
    Malformed(Box<ObjectMeta>, String),
}

fn read<K: Watched + DeserializeOwned>(world: &World, raw: &Raw<K>) -> Read<K> {
    if world.knows::<K>(raw.meta()) {
        return Read::Known;
    }
    match raw.read() {
        Ok(object) => Read::Object(object),
        Err(error) => Read::Malformed(Box::new(raw.meta().clone()), error.to_string()),
    }
}

fn secret(_: &World, partial: &PartialObjectMeta<Secret>) -> Read<SecretName> {
    Read::Object(SecretName::from(partial.clone()))
}

/// Puts one stream into its table.
async fn take<T: Resource<DynamicType = ()>, K: Watched>(
    stream: impl Stream<Item = watcher::Result<Event<T>>>,
    context: Arc<Context>,
    read: fn(&World, &T) -> Read<K>,
) {
    let mut stream = pin!(stream);
    let kind = K::KIND.as_str();
    let events = async {
        while let Some(event) = stream.next().await {
            match event {
                Ok(event) => take_event(event, &context, read).await,
                Err(error) => {
                    context.metrics.watch_error(kind);
                    tracing::warn!(kind, error = %crate::error::chain(&error), "a watch is taken up again");
                }
            }
        }
    };
    context.metrics.health().watch_over(kind, events).await;
}

async fn take_event<T: Resource<DynamicType = ()>, K: Watched>(
    event: Event<T>,
    context: &Context,
    read: fn(&World, &T) -> Read<K>,
) {
    let world = &context.world;
    match event {
        Event::Apply(object) | Event::InitApply(object) => match read(world, &object) {
            Read::Known => {}
            Read::Object(object) if object.is_ours() => world.observed(object),
            Read::Object(object) => world.gone(&object),
            Read::Malformed(meta, error) => malformed::<K>(context, *meta, &error).await,
        },
        Event::Delete(object) => world.gone_as::<K>(object.meta()),
        Event::Init => world.list_begins::<K>(),
        Event::InitDone => world.list_ends::<K>(),
    }
}

async fn malformed<K: Watched>(context: &Context, metadata: ObjectMeta, error: &str) {
    let kind = K::KIND.as_str();
    context.world.gone_by_name::<K>(&metadata);
    context.metrics.malformed(kind);
    let about = ObjectReference {
        api_version: Some(K::api_version(&()).into_owned()),
        kind: Some(K::kind(&()).into_owned()),
        name: metadata.name,
        namespace: metadata.namespace,
        uid: metadata.uid,
        resource_version: metadata.resource_version,
        ..ObjectReference::default()
    };
    tracing::warn!(kind, namespace = ?about.namespace, name = ?about.name, error, "an object cannot be read");
    context.report_malformed(about, error).await;
}

impl World {
    fn observed<K: Watched>(&self, object: K) {
        self.change(object, |state, object| {
            K::table_mut(state).observed(object).into_iter().collect()
        });
    }

    fn knows<K: Watched>(&self, meta: &ObjectMeta) -> bool {
        K::table_mut(&mut self.write()).knows(meta)
    }

    fn gone<K: Watched>(&self, object: &K) {
        self.gone_as::<K>(object.meta());
    }

    fn gone_as<K: Watched>(&self, meta: &ObjectMeta) {
        self.changed(|state| K::table_mut(state).deleted(meta).into_iter().collect());
    }

    fn gone_by_name<K: Watched>(&self, meta: &ObjectMeta) {
        let key = super::Key::of_meta(meta);
        self.changed(|state| K::table_mut(state).taken(&key).into_iter().collect());
    }

    fn list_begins<K: Watched>(&self) {
        K::table_mut(&mut self.write()).list_begins();
    }

    fn list_ends<K: Watched>(&self) {
        self.changed(|state| K::table_mut(state).list_ends());
        let is_synced = self.read().is_synced();
        self.synced.send_if_modified(|before| !std::mem::replace(before, is_synced) && is_synced);
    }
}
