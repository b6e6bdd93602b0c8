//! What the controller counts, as text; `docs/operations/metrics.md` lists every name, held equal by a test.
//!
//! What can be counted in the stores ([`Census`]) is counted when somebody asks and not kept, so it cannot drift.
//! A replica that does not lead has no stores and reports none of it, so sums over replicas are right.

mod api_requests;
mod census;
mod process;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::{
    counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info,
};
use prometheus_client::registry::{Registry, Unit};

pub use self::api_requests::CountRequests;
pub use self::census::Census;
use self::census::Stores;
use crate::serve::Health;

/// The content type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Seconds: from a pass that changes nothing to one that waits for a slow API server.
const RECONCILE_BUCKETS: [f64; 10] =
    [0.000_1, 0.000_5, 0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 30.0];
/// Seconds: within a second is the promise.
const QUEUE_BUCKETS: [f64; 9] = [0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0];
/// Seconds: from a small image to a day's deadline.
const DELIVERY_BUCKETS: [f64; 11] =
    [5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0, 14_400.0, 86_400.0];

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct OfKind {
    kind: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Because {
    kind: &'static str,
    reason: String,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Ended {
    outcome: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct ApiRequest {
    verb: &'static str,
    resource: String,
    code: String,
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// Everything the controller counts, and how it is.
///
/// Kinds are written as Kubernetes writes them: `Order`, `ArtifactWorkflow`, `Endpoint`, `Secret`.
pub struct Metrics {
    registry: Registry,
    stores: Arc<Stores>,
    health: Health,
    reconciles: Family<OfKind, Counter>,
    reconcile_errors: Family<Because, Counter>,
    reconcile_duration: Histograms<OfKind>,
    queue_wait: Histograms<OfKind>,
    watch_restarts: Family<OfKind, Counter>,
    malformed_objects: Family<OfKind, Counter>,
    delivery_duration: Histograms<Ended>,
    delivery_bytes: Counter,
    leader: Gauge,
    api_requests: Family<ApiRequest, Counter>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Starts at nothing.
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("arc"),
            stores: Arc::default(),
            health: Health::default(),
            reconciles: Family::default(),
            reconcile_errors: Family::default(),
            reconcile_duration: Family::new_with_constructor(|| Histogram::new(RECONCILE_BUCKETS)),
            queue_wait: Family::new_with_constructor(|| Histogram::new(QUEUE_BUCKETS)),
            watch_restarts: Family::default(),
            malformed_objects: Family::default(),
            delivery_duration: Family::new_with_constructor(|| Histogram::new(DELIVERY_BUCKETS)),
            delivery_bytes: Counter::default(),
            leader: Gauge::default(),
            api_requests: Family::default(),
        };
        metrics.register_work();
        metrics.register_process();
        metrics
    }

    fn register_work(&mut self) {
        let registry = &mut self.registry;
        registry.register_collector(Box::new(Arc::clone(&self.stores)));
        registry.register(
            "reconcile",
            "Passes of a reconciler, those that failed included",
            self.reconciles.clone(),
        );
        registry.register(
            "reconcile_errors",
            "Passes of a reconciler that failed and are tried again",
            self.reconcile_errors.clone(),
        );
        registry.register_with_unit(
            "reconcile_duration",
            "How long one pass of a reconciler took",
            Unit::Seconds,
            self.reconcile_duration.clone(),
        );
        registry.register_with_unit(
            "queue_wait",
            "How long an object that changed waited for its pass",
            Unit::Seconds,
            self.queue_wait.clone(),
        );
        registry.register(
            "watch_restarts",
            "Watches that broke and were started again",
            self.watch_restarts.clone(),
        );
        registry.register(
            "malformed_objects",
            "Objects seen that are not what their kind says, and are left alone",
            self.malformed_objects.clone(),
        );
        registry.register_with_unit(
            "delivery_duration",
            "From the first attempt of a delivery to its end",
            Unit::Seconds,
            self.delivery_duration.clone(),
        );
        registry.register_with_unit(
            "delivery",
            "Bytes that deliveries wrote to their destinations",
            Unit::Bytes,
            self.delivery_bytes.clone(),
        );
    }

    fn register_process(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "leader",
            "1 on the replica that does the work, 0 on those that stand by",
            self.leader.clone(),
        );
        registry.register(
            "api_requests",
            "Requests to the Kubernetes API; a watch counts once, when it starts",
            self.api_requests.clone(),
        );
        registry.register(
            "build",
            "The program that runs",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        registry.register_collector(Box::new(process::Process));
    }

    /// How the controller is: what the health endpoints answer from.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// A pass of the reconciler of `kind` came to its end after this time in the queue and at work.
    pub fn pass(&self, kind: &'static str, is_error: bool, queued: Duration, took: Duration) {
        self.reconciles.get_or_create(&OfKind { kind }).inc();
        self.reconcile_duration.get_or_create(&OfKind { kind }).observe(took.as_secs_f64());
        self.queue_wait.get_or_create(&OfKind { kind }).observe(queued.as_secs_f64());
        if is_error {
            self.failed(kind, "Error");
        }
    }

    /// A pass failed for this reason, one word such as `Forbidden` or `Conflict`.
    pub fn failed(&self, kind: &'static str, reason: &str) {
        let because = Because { kind, reason: reason.to_owned() };
        self.reconcile_errors.get_or_create(&because).inc();
    }

    /// The watch of `kind` broke and is taken up again.
    pub fn watch_error(&self, kind: &'static str) {
        self.watch_restarts.get_or_create(&OfKind { kind }).inc();
    }

    /// An object of `kind` cannot be read.
    pub fn malformed(&self, kind: &'static str) {
        self.malformed_objects.get_or_create(&OfKind { kind }).inc();
    }

    /// The stores were filled, or are no longer; without stores nothing is counted in them.
    pub fn synced(&self, is_synced: bool) {
        if is_synced {
            self.health.synced();
        } else {
            self.stores.forget();
        }
    }

    /// A delivery came to its end; call it once per delivery and not per pass.
    pub fn delivered(&self, phase: arc_api::Phase, took: Duration, bytes: u64) {
        let ended = Ended { outcome: phase.as_str() };
        self.delivery_duration.get_or_create(&ended).observe(took.as_secs_f64());
        self.delivery_bytes.inc_by(bytes);
    }

    /// This replica leads from now on, or does not any more; without leadership nothing is counted in stores.
    pub fn set_leader(&self, leads: bool) {
        self.leader.set(i64::from(leads));
        if !leads {
            self.stores.forget();
        }
    }

    /// Tells how to count what is in the stores; called at each scrape, so it must not block.
    pub fn count_with(&self, count: impl Fn() -> Census + Send + Sync + 'static) {
        self.stores.count_with(Arc::new(count));
    }

    /// A layer for the client that counts its requests.
    pub fn count_requests(&self) -> CountRequests {
        CountRequests::new(self.api_requests.clone())
    }

    /// Everything, as text that Prometheus reads.
    ///
    /// # Errors
    /// Never in practice: the text goes to memory.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests;
