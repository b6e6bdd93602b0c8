//! The reconciler of orders: what should exist for an order, and what became of it.

mod memory;
mod news;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use arc_api::{ArtifactWorkflow, Order};
use arc_core::{Fetched, derive_order_status, expires_at, missing, surplus};
use futures::{StreamExt, stream};
use jiff::Timestamp;
use kube::{Resource, ResourceExt};

pub(crate) use self::memory::Memory;
use self::memory::Planned;
use crate::{
    context::Context,
    error::Error,
    wait::until,
    world::{Epoch, Key},
};

/// Requests that one pass has under way at once, so that one large order leaves room for others.
const REQUESTS: usize = 16;

/// What is around an order, as the tables show it.
#[derive(Debug)]
struct Seen {
    key: Key,
    order: Arc<Order>,
    epoch: Epoch,
    fetched: Arc<Fetched>,
    existing: BTreeMap<String, Arc<ArtifactWorkflow>>,
}

/// What the writes of a pass came to.
#[derive(Debug, Default)]
struct Applied {
    created: usize,
    failure: Option<Error>,
}

/// One pass over one order.
pub(crate) async fn reconcile(context: &Context, key: &Key) -> Result<Option<Duration>, Error> {
    let now = context.now();
    let Some(order) = living(context, key) else { return Ok(None) };
    let expires = expires_at(&order);
    if expires.is_some_and(|at| at <= now) {
        return expire(context, key, &order).await;
    }
    let (epoch, fetched) = context.world.fetched(&key.namespace);
    if let Some(wait) = memory::wait_before_looking(context, key, &order, epoch) {
        return Ok(Some(wait));
    }
    let seen = dereference(context, (key, order), (epoch, fetched));
    let planned = memory::plan(context, &seen);
    let applied = apply(context, &seen, &planned, now).await;
    let again = update_status(context, &seen, &planned, (applied, now)).await?;
    Ok(again.or(expires.map(|at| until(at, now))))
}

/// The order, unless it is gone or going.
fn living(context: &Context, key: &Key) -> Option<Arc<Order>> {
    let order = context.world.get::<Order>(key);
    let order = order.filter(|order| order.meta().deletion_timestamp.is_none());
    if order.is_none() {
        memory::forget(context, key);
    }
    order
}

/// Reads what is around the order, from the tables.
fn dereference(
    context: &Context,
    (key, order): (&Key, Arc<Order>),
    (epoch, fetched): (Epoch, Arc<Fetched>),
) -> Seen {
    let existing = context.world.artifact_workflows(&order);
    Seen { key: key.clone(), order, epoch, fetched, existing }
}

/// Deletes an order whose time is over; what was made for it goes with it.
async fn expire(context: &Context, key: &Key, order: &Order) -> Result<Option<Duration>, Error> {
    context.delete(order).await?;
    memory::forget(context, key);
    Ok(None)
}

/// Creates the artifact workflows that are missing and deletes those that are too many; one failure stops no other.
async fn apply(context: &Context, seen: &Seen, planned: &Planned, now: Timestamp) -> Applied {
    let existing = borrowed(&seen.existing);
    let missing = missing(&seen.order, &planned.plan, &existing, now);
    let mut applied = Applied::default();
    let creations: Vec<_> =
        missing.iter().map(|delivery| context.create(&delivery.artifact_workflow)).collect();
    let mut results = stream::iter(creations).buffer_unordered(REQUESTS);
    while let Some(result) = results.next().await {
        match result {
            Ok(()) => applied.created += 1,
            Err(error) => applied.failure = applied.failure.or(Some(error)),
        }
    }
    let all: Vec<&ArtifactWorkflow> = existing.values().copied().collect();
    let names = surplus(&all, &planned.plan);
    let surplus = all.iter().filter(|object| names.contains(&object.name_any().as_str()));
    let deletions: Vec<_> = surplus.map(|object| context.delete(*object)).collect();
    let mut results = stream::iter(deletions).buffer_unordered(REQUESTS);
    while let Some(result) = results.next().await {
        applied.failure = applied.failure.or(result.err());
    }
    applied
}

/// Writes the status if it is another one, and tells what changed; a failure of the writes before comes after it.
async fn update_status(
    context: &Context,
    seen: &Seen,
    planned: &Planned,
    (applied, now): (Applied, Timestamp),
) -> Result<Option<Duration>, Error> {
    let Applied { created, failure } = applied;
    if created > 0 && failure.is_none() {
        // That work has begun can be written down once everybody's work is begun.
        return Ok(Some(Duration::ZERO));
    }
    let existing = borrowed(&seen.existing);
    let status =
        derive_order_status(&seen.order, &planned.validated, &planned.plan, &existing, now);
    let before = seen.order.status.as_ref();
    if before != Some(&status) {
        if let Some(wait) = memory::wait_before_writing(context, seen, &status) {
            return failure.map_or(Ok(Some(wait)), Err);
        }
        context.apply_status::<Order>(&seen.order, &status).await?;
        memory::note_written(context, &seen.key, &status);
        let about = seen.order.object_ref(&());
        for news in news::between(before, &status) {
            context.report(&about, &news.reason, &news.message, news.is_warning).await;
        }
    }
    failure.map_or(Ok(None), Err)
}

fn borrowed(
    existing: &BTreeMap<String, Arc<ArtifactWorkflow>>,
) -> BTreeMap<String, &ArtifactWorkflow> {
    existing.iter().map(|(name, object)| (name.clone(), &**object)).collect()
}
