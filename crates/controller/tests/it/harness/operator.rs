//! An operator that can be stopped and killed.

use std::sync::Arc;

use arc_controller::{Metrics, Options};
use kube::Client;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::cluster::Cluster;

/// Who the operator is for the server in memory.
pub(crate) const OPERATOR: &str = "arc-controller";

/// An operator at work; dropping it kills it.
pub(crate) struct Operator {
    task: JoinHandle<Result<(), arc_controller::Error>>,
    shutdown: CancellationToken,
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Operator {
    /// One without election, which begins at once.
    pub(crate) fn start(cluster: &Cluster) -> Self {
        Self::with(cluster, Self::options(cluster))
    }

    pub(crate) fn with(cluster: &Cluster, options: Options) -> Self {
        let shutdown = CancellationToken::new();
        let metrics = Arc::new(Metrics::default());
        let work =
            arc_controller::run(cluster.operators_client(), options, metrics, shutdown.clone());
        Self { task: tokio::spawn(work), shutdown }
    }

    /// One that is elected first, under a name of its own.
    pub(crate) fn elected(cluster: &Cluster, client: Client, identity: &str) -> Self {
        let shutdown = CancellationToken::new();
        let options = Options { identity: identity.to_owned(), ..Self::options(cluster) };
        let metrics = Arc::new(Metrics::default());
        let work = arc_controller::run_elected(client, options, metrics, shutdown.clone());
        Self { task: tokio::spawn(work), shutdown }
    }

    /// The usual options, with the cluster's clock.
    pub(crate) fn options(cluster: &Cluster) -> Options {
        let starts_at = (!cluster.is_real()).then(|| cluster.now());
        Options { starts_at, ..Options::default() }
    }

    /// The process is gone from one moment to the next.
    pub(crate) async fn kill(mut self) {
        self.task.abort();
        let ended = (&mut self.task).await;
        assert!(
            ended.as_ref().is_err_and(tokio::task::JoinError::is_cancelled),
            "it ended by itself: {ended:?}"
        );
    }

    /// The process is asked to end.
    pub(crate) async fn stop(mut self) {
        self.shutdown.cancel();
        (&mut self.task).await.unwrap().unwrap();
    }
}
