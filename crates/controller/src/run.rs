//! Starts the stores and the workers, and ends them.

use std::sync::Arc;

use kube::Client;
use tokio_util::sync::CancellationToken;

use crate::{Metrics, Options};

/// Why the operator ended before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Of several replicas none, or not this one, could be made the leader.
    #[error(transparent)]
    Elect(#[from] crate::lease::Error),
}

/// Runs the reconcilers until `shutdown`, without asking whether another replica does.
///
/// # Errors
///
/// None so far.
pub async fn run(
    client: Client,
    options: Options,
    metrics: Arc<Metrics>,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    let _ = (client, options, metrics);
    shutdown.cancelled().await;
    Ok(())
}
