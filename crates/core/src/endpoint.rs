//! What is known of an endpoint, and the workflow that finds out more.

use arc_api::argo::Workflow;
use arc_api::{Endpoint, EndpointStatus};
use jiff::Timestamp;

pub use crate::facts::Side;

/// `ClusterWorkflowTemplate` that probes an endpoint. It gets the parameters of a delivery's source: `srcType`,
/// `srcRemoteURL`, `srcSecret`, `srcCaBundle`, `srcInsecureSkipVerify`, and the volume `src-secret-vol`.
/// Its output parameter `result` is an [`arc_api::ProbeResult`].
pub const PROBE_TEMPLATE: &str = "endpoint-probe";

/// Derives the status of an endpoint.
///
/// `users` are the orders that name it, once for each side; `probe` is the workflow of [`probe_workflow`] as far as it
/// exists. Conditions of an earlier probe stay.
pub fn derive_status(
    endpoint: &Endpoint,
    users: &[(&str, Side)],
    secret_exists: bool,
    probe: Option<&Workflow>,
    now: Timestamp,
) -> EndpointStatus {
    let _ = (users, secret_exists, probe, now);
    endpoint.status.clone().unwrap_or_default()
}

/// Returns the moment that the annotation `probe-at` asks to probe at, while no probe answered it; it may be to come.
pub fn probe_wanted(endpoint: &Endpoint) -> Option<Timestamp> {
    let _ = endpoint;
    None
}

/// Returns the workflow that probes `endpoint` for the wish of the moment `at`; its name tells both.
pub fn probe_workflow(endpoint: &Endpoint, at: Timestamp) -> Workflow {
    let _ = (endpoint, at);
    Workflow::default()
}
