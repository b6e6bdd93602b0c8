//! What is remembered of an order between passes, until it is finished: its plan, and when its status was written.

use std::{
    collections::HashMap,
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
};

use arc_api::{Order, OrderStatus, Phase};
use arc_core::{Plan, ValidatedOrder, plan as plan_order, validate};
use tokio::time::Instant;

use super::Seen;
use crate::{
    context::Context,
    world::{Epoch, Key},
};

/// From so many artifacts on a look at an order costs enough to be spared.
const LARGE: usize = 50;

/// A plan with what it was made of.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(super) validated: ValidatedOrder,
    pub(super) plan: Plan,
}

/// What a plan depends on: the order's uid and generation, and everything it may refer to.
type Basis = (Option<String>, Option<i64>, Epoch);

/// What is remembered of an order.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    planned: Option<(Basis, Arc<Planned>)>,
    status_written: Option<Instant>,
    looked_at: Option<Instant>,
}

fn lock(context: &Context) -> MutexGuard<'_, HashMap<Key, Memory>> {
    context.orders.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Validates and plans, or returns what that came to the last time when nothing of its basis changed.
pub(super) fn plan(context: &Context, seen: &Seen) -> Arc<Planned> {
    let basis = basis(&seen.order, seen.epoch);
    let known = lock(context).get(&seen.key).and_then(|memory| memory.planned.clone());
    if let Some((_, planned)) = known.filter(|(of, _)| *of == basis) {
        return planned;
    }
    let validated = validate(&seen.order, &seen.fetched);
    let plan = plan_order(&seen.order, &validated);
    let planned = Arc::new(Planned { validated, plan });
    let is_finished = seen.order.status.as_ref().is_some_and(is_finished);
    if !is_finished {
        let remembered = Some((basis, Arc::clone(&planned)));
        lock(context).entry(seen.key.clone()).or_default().planned = remembered;
    }
    planned
}

fn basis(order: &Order, epoch: Epoch) -> Basis {
    (order.metadata.uid.clone(), order.metadata.generation, epoch)
}

/// How long to wait before a large order is looked at again: each of its many artifacts wakes it, and one look finds
/// out about all. What changes its plan does not wait.
pub(super) fn wait_before_looking(
    context: &Context,
    key: &Key,
    order: &Order,
    epoch: Epoch,
) -> Option<Duration> {
    if order.spec.artifacts.len() < LARGE {
        return None;
    }
    let mut orders = lock(context);
    let memory = orders.entry(key.clone()).or_default();
    let is_planned = memory.planned.as_ref().is_some_and(|(of, _)| *of == basis(order, epoch));
    let since = memory.looked_at.filter(|_| is_planned).map(|at| at.elapsed());
    let wait = since.map(|since| context.options.status_interval.saturating_sub(since));
    let wait = wait.filter(|wait| !wait.is_zero());
    if wait.is_none() {
        memory.looked_at = Some(Instant::now());
    }
    wait
}

/// Forgets an order.
pub(super) fn forget(context: &Context, key: &Key) {
    lock(context).remove(key);
}

/// Notes that a status was written; of an order that is finished nothing more is needed.
pub(super) fn note_written(context: &Context, key: &Key, status: &OrderStatus) {
    let mut orders = lock(context);
    if is_finished(status) {
        orders.remove(key);
    } else {
        orders.entry(key.clone()).or_default().status_written = Some(Instant::now());
    }
}

/// How long to wait before a status is written that merely tells of progress.
pub(super) fn wait_before_writing(
    context: &Context,
    seen: &Seen,
    status: &OrderStatus,
) -> Option<Duration> {
    let before = seen.order.status.as_ref()?;
    let written = lock(context).get(&seen.key)?.status_written?;
    let interval = context.options.status_interval;
    let wait = interval.saturating_sub(written.elapsed());
    (is_mere_progress(before, status) && !wait.is_zero()).then_some(wait)
}

/// Whether both say the same but for artifacts that began or were delivered.
fn is_mere_progress(before: &OrderStatus, after: &OrderStatus) -> bool {
    let troubles = |status: &OrderStatus| {
        let counts = status.counts.unwrap_or_default();
        (status.phase, counts.failed, counts.blocked, status.observed_generation)
    };
    troubles(before) == troubles(after)
}

fn is_finished(status: &OrderStatus) -> bool {
    status.phase.is_some_and(Phase::is_terminal)
}
