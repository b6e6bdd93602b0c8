//! Who uses an endpoint, and as what.

use arc_api::{LocalObjectReference, Order};
use arc_core::endpoint::Side;

use crate::world::{Kind, State, Subject};

/// The orders that name an endpoint, and whether as source and as destination.
#[derive(Debug, Default)]
pub(super) struct Users(Vec<(String, Side)>);

impl Users {
    /// Finds them in the tables: only orders that name the endpoint are looked at.
    pub(super) fn of(endpoint: &Subject, state: &State) -> Self {
        let name: &str = &endpoint.key.name;
        let orders = state.links.to(endpoint).filter(|from| from.kind == Kind::Order);
        let mut users = Vec::new();
        for order in orders {
            let Some(object) = state.orders.get(&order.key) else { continue };
            let (as_source, as_destination) = sides(&object, name);
            let order = order.key.name.to_string();
            if as_source {
                users.push((order.clone(), Side::Source));
            }
            if as_destination {
                users.push((order, Side::Destination));
            }
        }
        Self(users)
    }

    /// In the form that the rules take.
    pub(super) fn sides(&self) -> Vec<(&str, Side)> {
        self.0.iter().map(|(order, side)| (order.as_str(), *side)).collect()
    }
}

/// Whether an order names the endpoint as source, and whether as destination.
fn sides(order: &Order, name: &str) -> (bool, bool) {
    let defaults = order.spec.defaults.as_ref();
    let names = |own: Option<&LocalObjectReference>, default: Option<&LocalObjectReference>| {
        own.or(default).is_some_and(|reference| reference.name == name)
    };
    let artifacts = &order.spec.artifacts;
    let as_source = artifacts.iter().any(|artifact| {
        names(artifact.src_ref.as_ref(), defaults.and_then(|all| all.src_ref.as_ref()))
    });
    let as_destination = artifacts.iter().any(|artifact| {
        names(artifact.dst_ref.as_ref(), defaults.and_then(|all| all.dst_ref.as_ref()))
    });
    (as_source, as_destination)
}
