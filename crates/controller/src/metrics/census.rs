//! How many objects there are, counted in the stores whenever somebody asks.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arc_api::Phase;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

/// How many objects there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Orders by phase.
    pub orders: BTreeMap<Phase, u64>,
    /// Artifacts of all orders by phase and reason; the reason is empty where there is none.
    pub artifacts: BTreeMap<(Phase, String), u64>,
    /// Endpoints by the status of their condition `Ready`: `True`, `False` or `Unknown`.
    pub endpoints: BTreeMap<String, u64>,
}

impl Census {
    /// Counts one order.
    pub fn add_order(&mut self, phase: Phase) {
        *self.orders.entry(phase).or_default() += 1;
    }

    /// Counts one artifact.
    pub fn add_artifact(&mut self, phase: Phase, reason: &str) {
        *self.artifacts.entry((phase, reason.to_owned())).or_default() += 1;
    }

    /// Counts one endpoint.
    pub fn add_endpoint(&mut self, ready: &str) {
        *self.endpoints.entry(ready.to_owned()).or_default() += 1;
    }
}

type Count = Arc<dyn Fn() -> Census + Send + Sync>;

/// The way to count, while there are stores.
#[derive(Default)]
pub(super) struct Stores(Mutex<Option<Count>>);

impl fmt::Debug for Stores {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Stores").finish_non_exhaustive()
    }
}

impl Stores {
    pub(super) fn count_with(&self, count: Count) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(count);
    }

    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn count(&self) -> Option<Census> {
        let count = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        count.map(|count| count())
    }
}

impl Collector for Stores {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let Some(census) = self.count() else { return Ok(()) };
        let mut orders =
            encoder.encode_descriptor("orders", "Orders by phase", None, MetricType::Gauge)?;
        for (phase, count) in &census.orders {
            let labels = [("phase", phase.as_str())];
            gauge(*count).encode(orders.encode_family(&labels)?)?;
        }
        let mut artifacts = encoder.encode_descriptor(
            "artifacts",
            "Artifacts of all orders by phase and reason",
            None,
            MetricType::Gauge,
        )?;
        for ((phase, reason), count) in &census.artifacts {
            let labels = [("phase", phase.as_str()), ("reason", reason.as_str())];
            gauge(*count).encode(artifacts.encode_family(&labels)?)?;
        }
        let mut endpoints = encoder.encode_descriptor(
            "endpoints",
            "Endpoints by the status of their condition Ready",
            None,
            MetricType::Gauge,
        )?;
        for (ready, count) in &census.endpoints {
            let labels = [("ready", ready.as_str())];
            gauge(*count).encode(endpoints.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 orders")]
fn gauge(count: u64) -> ConstGauge<f64> {
    ConstGauge::new(count as f64)
}
