//! Who is looked at because of a change: found in the tables, without a request.
//!
//! The pass that wrote something knows it, so an own write wakes only others.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use arc_api::{ArtifactWorkflow, Endpoint, Order};
use kube::{Resource, ResourceExt};

use super::{
    secret::SecretName,
    state::State,
    subject::{Kind, Subject},
    table::Change,
    watched::{self, Watched},
};
use crate::queue::{Urgency, Wake};

/// How late an endpoint is told who uses it: nobody waits for it, and orders come in crowds.
const USAGE_DELAY: Duration = Duration::from_secs(60);

/// Whether a part of the object differs before and after; appearing and disappearing do.
pub(crate) fn differs<K, T: PartialEq>(change: &Change<K>, part: impl Fn(&K) -> &T) -> bool {
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => part(before) != part(after),
        _ => true,
    }
}

fn own<K: Watched>(change: &Change<K>, urgency: Urgency) -> Option<Wake> {
    let is_there = change.after.is_some() && !change.is_own;
    is_there.then(|| Wake::soon(Subject::new(K::KIND, change.key.clone()), urgency))
}

pub(crate) fn of_order(change: &Change<Order>, state: &State) -> Vec<Wake> {
    let is_new = |order: &Order| {
        let observed = order.status.as_ref().and_then(|status| status.observed_generation);
        observed.is_none() || observed != order.metadata.generation
    };
    let urgency = match &change.after {
        Some(order) if is_new(order) => Urgency::Creation,
        _ => Urgency::Bookkeeping,
    };
    let mut wakes: Vec<Wake> = own(change, urgency).into_iter().collect();
    let is_other_wish = differs(change, |order| &order.spec);
    if change.before.is_some()
        && (is_other_wish || differs(change, |order| &order.metadata.annotations))
    {
        let order = Subject::new(Kind::Order, change.key.clone());
        let deliveries = state.links.to(&order).filter(|from| from.kind == Kind::ArtifactWorkflow);
        wakes.extend(deliveries.map(|subject| Wake::soon(subject.clone(), Urgency::Creation)));
    }
    if is_other_wish {
        let orders = [&change.before, &change.after].into_iter().flatten();
        let endpoints: BTreeSet<Subject> = orders
            .flat_map(|order| order.refers_to())
            .filter(|subject| subject.kind == Kind::Endpoint)
            .filter(|subject| state.endpoints.has(&subject.key))
            .collect();
        wakes.extend(endpoints.into_iter().map(|subject| Wake {
            subject,
            urgency: Urgency::Bookkeeping,
            after: USAGE_DELAY,
        }));
    }
    wakes
}

pub(crate) fn of_artifact_workflow(change: &Change<ArtifactWorkflow>, state: &State) -> Vec<Wake> {
    let subject = Subject::new(Kind::ArtifactWorkflow, change.key.clone());
    let is_created_by_us = change.is_own && change.before.is_none();
    if is_created_by_us {
        return vec![Wake::soon(subject, Urgency::Creation)];
    }
    let is_new = change.after.as_ref().is_some_and(|one| one.status.is_none());
    let urgency = if is_new { Urgency::Creation } else { Urgency::Bookkeeping };
    let mut wakes: Vec<Wake> = own(change, urgency).into_iter().collect();
    let either = change.after.as_ref().or(change.before.as_ref());
    // A record that somebody deleted is made again, which is a creation.
    let urgency = if change.after.is_none() { Urgency::Creation } else { Urgency::Bookkeeping };
    let owner = either.and_then(|one| watched::parent(&**one));
    wakes.extend(owner.map(|owner| Wake::soon(owner, urgency)));
    // Another delivery of the same thing may wait for the end of this one, or for its being held.
    let standing = |one: &Option<Arc<ArtifactWorkflow>>| {
        let status = one.as_ref().and_then(|one| one.status.as_ref());
        status.map(|status| (status.phase, status.reason.clone()))
    };
    if standing(&change.before) != standing(&change.after)
        && let Some(delivery) = either.and_then(|one| watched::delivery(one))
    {
        let others = state.links.to(&delivery).filter(|other| **other != subject);
        wakes.extend(others.map(|other| Wake::soon(other.clone(), Urgency::Creation)));
    }
    wakes
}

pub(crate) fn of_endpoint(change: &Change<Endpoint>, state: &State) -> Vec<Wake> {
    let mut wakes: Vec<Wake> = own(change, Urgency::Bookkeeping).into_iter().collect();
    if differs(change, |endpoint| &endpoint.spec) {
        wakes.extend(of_reference(change, state));
    }
    wakes
}

/// Wakes those who refer to the object, directly or through others.
pub(crate) fn of_reference<K: Watched>(change: &Change<K>, state: &State) -> Vec<Wake> {
    if !K::is_meant_by_orders(change) {
        return Vec::new();
    }
    let mut found = BTreeSet::new();
    state.links.concerned(&Subject::new(K::KIND, change.key.clone()), &mut found);
    found.into_iter().map(|subject| Wake::soon(subject, Urgency::Creation)).collect()
}

/// Wakes the owner, unless it is the one who wrote.
pub(crate) fn of_child<K: Resource>(change: &Change<K>) -> Vec<Wake> {
    let object = change.after.as_ref().or(change.before.as_ref());
    let owner = object.filter(|_| !change.is_own).and_then(|object| watched::parent(&**object));
    owner.map(|owner| Wake::soon(owner, Urgency::Bookkeeping)).into_iter().collect()
}

/// A secret that comes or goes concerns orders; one that changes only the deliveries that failed with it.
pub(crate) fn of_secret(change: &Change<SecretName>, state: &State) -> Vec<Wake> {
    let secret = Subject::new(Kind::Secret, change.key.clone());
    let is_rotated = change.before.as_ref().zip(change.after.as_ref());
    let is_rotated = is_rotated
        .is_some_and(|(before, after)| before.resource_version() != after.resource_version());
    if !is_rotated {
        return of_reference(change, state);
    }
    let deliveries = state.links.to(&secret).filter(|from| from.kind == Kind::ArtifactWorkflow);
    deliveries.map(|subject| Wake::soon(subject.clone(), Urgency::Creation)).collect()
}
