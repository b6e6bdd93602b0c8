//! What people ask for by annotations on an order or on one artifact workflow: moments in Unix seconds.

use jiff::Timestamp;
use kube::ResourceExt;

use super::{Observed, Pass};

/// The moments that one annotation names.
pub(super) struct Wish {
    moments: Vec<Timestamp>,
}

impl Wish {
    /// Reads the annotation `key` of the order and of the artifact workflow; what is no moment is no wish.
    pub(super) fn read(observed: &Observed<'_>, key: &str) -> Self {
        let of_order = observed.order.and_then(|order| order.annotations().get(key));
        let own = observed.artifact_workflow.annotations().get(key);
        let moment = |text: &String| Timestamp::from_second(text.trim().parse().ok()?).ok();
        Self { moments: of_order.into_iter().chain(own).filter_map(moment).collect() }
    }

    /// Tells whether something that was submitted at `since` is to be done again by now.
    pub(super) fn is_due(&self, since: Timestamp, now: Timestamp) -> bool {
        self.moments.iter().any(|at| since < *at && *at <= now)
    }

    /// Tells whether something that was submitted at `since` is to be stopped by now.
    pub(super) fn reaches(&self, since: Timestamp, now: Timestamp) -> bool {
        self.moments.iter().any(|at| since <= *at && *at <= now)
    }

    /// Tells whether it names this very second.
    pub(super) fn is_now(&self, now: Timestamp) -> bool {
        self.moments.contains(&now)
    }

    /// The next moment that is still to come.
    pub(super) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        self.moments.iter().copied().filter(|at| *at > now).min()
    }
}

impl Pass<'_> {
    pub(super) fn wish(&self, key: &str) -> Wish {
        Wish::read(&self.observed, key)
    }
}
