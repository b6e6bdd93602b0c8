//! What comes and goes: artifact workflows to make, to keep and to delete, and the end of an order.

use std::collections::BTreeMap;

use arc_api::{ArtifactWorkflow, Order};
use jiff::Timestamp;

use crate::plan::{Delivery, Plan};

/// Returns when `order` is deleted with everything made for it; never where its `ttl` is empty or `0`.
pub fn expires_at(order: &Order) -> Option<Timestamp> {
    let _ = order;
    None
}

/// Returns the deliveries whose artifact workflows are to be made: none while the order is suspended, being deleted or
/// over its time.
pub fn missing<'p>(
    order: &Order,
    plan: &'p Plan,
    existing: &BTreeMap<String, &ArtifactWorkflow>,
    now: Timestamp,
) -> Vec<&'p Delivery> {
    let _ = (order, plan, existing, now);
    Vec::new()
}

/// Returns the names of artifact workflows to delete, of those that exist for an order: what is no longer planned and
/// has not ended, and of what has ended all but the newest ten.
pub fn surplus<'a>(existing: &[&'a ArtifactWorkflow], plan: &Plan) -> Vec<&'a str> {
    let _ = (existing, plan);
    Vec::new()
}
