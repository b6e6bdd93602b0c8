//! Leader election: of several replicas one works.
//!
//! A holder renews at a third of the lease's duration and stops its work at two thirds, counted from before the last
//! renewal that went through was sent. A candidate takes over when it has seen the lease unchanged for fourteen
//! fifteenths, on its own monotonic clock. Every write carries the version that was read, so of two candidates one
//! gets a conflict. What remains possible is in `docs/operations/controller.md`: somebody who edits or deletes the lease
//! by hand, and a machine that is frozen whole. Names that follow from content make even that harmless: a second
//! leader creates the same objects, and is told that they exist.

mod api;
mod decide;
mod hold;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio_util::sync::CancellationToken;

use self::api::Leases;
use self::decide::Candidate;
use crate::serve::Role;
use crate::{Metrics, Options, run};

/// Why the election ended before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something that waiting does not mend.
    #[error("failed to {verb} lease {name:?} in namespace {namespace:?}")]
    Request {
        /// `get`, `create` or `update`.
        verb: &'static str,
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// What the API server said.
        source: Box<kube::Error>,
    },
    /// The work goes on although the lease is lost; the process must end.
    #[error("the work did not stop although lease {name:?} is lost")]
    StopWork {
        /// Name of the lease.
        name: String,
    },
    /// The work panicked.
    #[error("the work ended abnormally")]
    Work {
        /// How.
        source: tokio::task::JoinError,
    },
    /// No random bytes for the identity.
    #[error("failed to make an identity: {problem}")]
    Identity {
        /// What the system said.
        problem: String,
    },
}

/// Waits for the lease, then [runs](crate::run()) for as long as it is held, and waits again when it is lost.
///
/// # Errors
/// When the work fails, when the API server forbids the lease, or when work would not stop.
pub async fn run_elected(
    client: Client,
    options: Options,
    metrics: Arc<Metrics>,
    shutdown: CancellationToken,
) -> Result<(), crate::Error> {
    let election = Election::new(&client, &options, Arc::clone(&metrics))?;
    let work = |stop| {
        let (client, options, metrics) = (client.clone(), options.clone(), Arc::clone(&metrics));
        run(client, options, metrics, stop)
    };
    match election.lead(&shutdown, work).await? {
        Some(ended) => ended,
        None => Ok(()),
    }
}

/// The candidacy of this process.
pub(crate) struct Election {
    leases: Leases,
    metrics: Arc<Metrics>,
    /// How long a shutdown waits for the work to end.
    grace: Duration,
}

/// How holding the lease ended.
enum Ended<T> {
    /// Another one may lead from now on; the work has stopped.
    Lost,
    /// The work is done, and the lease released.
    Done(T),
    /// The work did not end in time when it was asked to; the lease is released.
    CutShort,
}

impl Election {
    /// A candidacy under the name of the pod and something random: two lives of one pod are two candidates.
    pub(crate) fn new(
        client: &Client,
        options: &Options,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Error> {
        let mut random = [0_u8; 4];
        getrandom::fill(&mut random)
            .map_err(|error| Error::Identity { problem: error.to_string() })?;
        let candidate = Candidate {
            namespace: options.lease_namespace.clone(),
            name: options.lease_name.clone(),
            identity: format!("{}_{:08x}", options.identity, u32::from_be_bytes(random)),
            // Whole seconds, as the lease says them to others.
            duration: Duration::from_secs(options.lease_duration.as_secs().max(1)),
        };
        let leases = Leases::new(client, candidate);
        Ok(Self { leases, metrics, grace: options.shutdown_grace })
    }

    /// Does `work` while the lease is held: `None` when told to end before it was, else what the work gives.
    ///
    /// The token that the work gets asks it to end; when the lease is lost it is dropped at once wherever it stands,
    /// so all of it must be in that one future: what it spawns must end with it.
    pub(crate) async fn lead<W, F>(
        &self,
        shutdown: &CancellationToken,
        work: W,
    ) -> Result<Option<F::Output>, Error>
    where
        W: Fn(CancellationToken) -> F,
        F: Future<Output: Send> + Send + 'static,
    {
        loop {
            self.metrics.set_leader(false);
            self.metrics.health().set_role(Role::StandingBy);
            let acquired = tokio::select! {
                biased;
                () = shutdown.cancelled() => return Ok(None),
                acquired = self.acquire() => acquired?,
            };
            self.metrics.set_leader(true);
            self.metrics.health().set_role(Role::Syncing);
            let ended = self.hold(acquired, shutdown, &work).await;
            self.metrics.set_leader(false);
            match ended? {
                Ended::Lost => tracing::warn!("leadership lost, standing by"),
                Ended::Done(output) => return Ok(Some(output)),
                Ended::CutShort => return Ok(None),
            }
        }
    }
}

#[cfg(test)]
mod tests;
