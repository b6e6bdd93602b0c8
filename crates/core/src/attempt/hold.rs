//! What keeps an attempt from beginning.

use arc_api::{Phase, Reason, labels};
use jiff::SignedDuration;

use super::{Pass, credentials};
use crate::life;

/// Why nothing begins now.
pub(super) enum Hold {
    /// Nobody waits for it: the order is gone or going.
    Silent,
    /// Something that the status says.
    Because(Phase, Reason, Option<String>),
}

impl Pass<'_> {
    /// Returns what keeps an attempt from beginning.
    pub(super) fn hold(&mut self) -> Option<Hold> {
        if let Some(hold) = self.hold_of_order() {
            return Some(hold);
        }
        if self.wish(labels::STOP_AT).is_now(self.now) {
            // It would be stopped in the moment it begins.
            self.look_again(self.now + SignedDuration::from_secs(1));
            return Some(Hold::Silent);
        }
        if let Some(rival) = self.observed.rival {
            let message = format!(
                "waits for artifact workflow {rival:?}, which brings the same thing to the same place"
            );
            return Some(Hold::Because(Phase::Pending, Reason::SameDeliveryRunning, Some(message)));
        }
        let of = self.observed.artifact_workflow;
        if let Err(missing) = credentials::hash(of, self.observed.secrets) {
            let namespace = of.metadata.namespace.as_deref().unwrap_or_default();
            let message = format!(
                "secret {missing:?} does not exist in namespace {namespace:?}; create it, and this begins"
            );
            return Some(Hold::Because(Phase::Pending, Reason::SecretNotFound, Some(message)));
        }
        self.hold_of_namespace()
    }

    /// Returns what the namespace says against beginning anything.
    pub(super) fn hold_of_namespace(&self) -> Option<Hold> {
        if !self.observed.is_forbidden {
            return None;
        }
        let namespace = self.observed.artifact_workflow.metadata.namespace.as_deref();
        let message = format!(
            "ARC may not start workflows in namespace {:?}, which is no tenant; add it to `tenants` of the installation, \
             and this begins",
            namespace.unwrap_or_default()
        );
        Some(Hold::Because(Phase::Pending, Reason::NotATenant, Some(message)))
    }

    /// Returns what the order says against beginning anything.
    pub(super) fn hold_of_order(&self) -> Option<Hold> {
        let Some(order) = self.observed.order else {
            let owners = self.observed.artifact_workflow.metadata.owner_references.iter().flatten();
            let is_of_order = owners.into_iter().any(|owner| owner.kind == "Order");
            return is_of_order.then_some(Hold::Silent);
        };
        let is_over = life::expires_at(order).is_some_and(|end| end <= self.now);
        if order.metadata.deletion_timestamp.is_some() || is_over {
            Some(Hold::Silent)
        } else if order.spec.suspend {
            Some(Hold::Because(Phase::Suspended, Reason::Suspended, None))
        } else {
            None
        }
    }
}
