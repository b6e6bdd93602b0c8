//! Getting the lease, working while it is held, and giving it back.

use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use super::api::Trouble;
use super::decide::{self, Decision};
use super::{Election, Ended, Error};
use crate::serve::Role;

/// A lease that is held.
pub(super) struct Held {
    lease: Lease,
    /// When the write that got or renewed it was sent: the earliest that others can have seen it.
    sent: Instant,
}

/// What was last seen of a lease that others hold.
struct Sighting {
    version: Option<String>,
    since: Instant,
    is_known: bool,
}

impl Sighting {
    fn none() -> Self {
        Self { version: None, since: Instant::now(), is_known: false }
    }

    /// Any change counts, an annotation too: that only makes us wait.
    fn update(&mut self, found: Option<&Lease>) {
        let version = found.and_then(|lease| lease.metadata.resource_version.clone());
        if version != self.version {
            (self.version, self.since) = (version, Instant::now());
        }
        self.is_known |= found.is_some();
    }
}

/// Work that ends when nobody waits for it any more.
struct Work<T>(JoinHandle<T>);

impl<T> Drop for Work<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Election {
    /// Waits until the lease is ours; ends early only where waiting does not help.
    pub(super) async fn acquire(&self) -> Result<Held, Error> {
        let mut sighting = Sighting::none();
        let mut holder = String::new();
        loop {
            let wait = match self.look(&mut sighting, &mut holder).await {
                Ok(Look::Held(held)) => return Ok(*held),
                Ok(Look::Wait(wait)) => wait.min(self.leases.pause()),
                Err(Trouble::Lasting(error)) => return Err(error),
                Err(Trouble::Passing(problem)) => {
                    tracing::warn!(problem, "failed to look at the lease");
                    self.leases.pause()
                }
            };
            sleep(wait).await;
        }
    }

    async fn look(&self, sighting: &mut Sighting, holder: &mut String) -> Result<Look, Trouble> {
        let candidate = &self.leases.candidate;
        let found = self.leases.get().await?;
        self.metrics.health().answered();
        sighting.update(found.as_ref());
        let now_held_by = found.as_ref().map(decide::holder).unwrap_or_default();
        if now_held_by != holder {
            now_held_by.clone_into(holder);
            tracing::info!(holder, "lease seen");
        }
        let unchanged = sighting.since.elapsed();
        match candidate.decide(found.as_ref(), sighting.is_known, unchanged, Timestamp::now()) {
            Decision::Wait(wait) => Ok(Look::Wait(wait)),
            Decision::Take(lease) => {
                let sent = Instant::now();
                let Some(lease) = self.leases.put(&lease).await? else {
                    return Ok(Look::Wait(self.leases.pause()));
                };
                tracing::info!(identity = candidate.identity, "lease taken");
                Ok(Look::Held(Box::new(Held { lease, sent })))
            }
        }
    }

    /// Works while the lease is held.
    pub(super) async fn hold<W, F>(
        &self,
        held: Held,
        shutdown: &CancellationToken,
        work: W,
    ) -> Result<Ended<F::Output>, Error>
    where
        W: FnOnce(CancellationToken) -> F,
        F: Future<Output: Send> + Send + 'static,
    {
        let stop = CancellationToken::new();
        let mut work = Work(tokio::spawn(work(stop.clone())));
        let mut keeping = std::pin::pin!(self.keep(held));
        let mut deadline = None;
        loop {
            tokio::select! {
                biased;
                others_may_lead = &mut keeping => return self.give_up(work, others_may_lead).await,
                ended = &mut work.0 => {
                    self.release().await;
                    return match ended {
                        Ok(output) => Ok(Ended::Done(output)),
                        Err(source) if source.is_cancelled() => Ok(Ended::CutShort),
                        Err(source) => Err(Error::Work { source }),
                    };
                }
                () = shutdown.cancelled(), if deadline.is_none() => {
                    self.metrics.health().set_role(Role::Stopping);
                    stop.cancel();
                    deadline = Some(Instant::now() + self.grace);
                }
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    tracing::warn!("the work did not end in time and is cut short");
                    work.0.abort();
                    // Ends in the arm above, or with the lease.
                    deadline = Some(Instant::now() + self.leases.candidate.duration);
                }
            }
        }
    }

    /// Renews until that fails; tells from when on others may lead.
    async fn keep(&self, mut held: Held) -> Instant {
        let duration = self.leases.candidate.duration;
        loop {
            let (due, end) = (held.sent + duration / 3, held.sent + duration * 2 / 3);
            let others_may_lead = held.sent + duration.mul_f64(decide::PATIENCE);
            sleep_until(due).await;
            match timeout_at(end, self.renew(held.lease)).await {
                Ok(Some(renewed)) => held = renewed,
                Ok(None) => {
                    tracing::warn!("the lease is another's");
                    return others_may_lead;
                }
                Err(_elapsed) => {
                    tracing::warn!("the lease could not be renewed in time");
                    return others_may_lead;
                }
            }
        }
    }

    /// Renews once, with as many attempts as it takes; `None` where the lease is another's.
    async fn renew(&self, mut lease: Lease) -> Option<Held> {
        loop {
            let sent = Instant::now();
            let wanted = self.leases.candidate.taken(&lease, Timestamp::now());
            match self.leases.put(&wanted).await {
                Ok(Some(lease)) => return Some(Held { lease, sent }),
                // Somebody wrote it: another holder, a human with an annotation, or ourselves with a write whose
                // answer was lost. Nobody else is called as we are, so the name decides.
                Ok(None) => match self.leases.get().await {
                    Ok(Some(found)) if self.leases.candidate.holds(&found) => lease = found,
                    Ok(_) => return None,
                    Err(trouble) => report(&trouble),
                },
                Err(trouble) => report(&trouble),
            }
            sleep(self.leases.pause()).await;
        }
    }

    /// Ends the work at once, wherever it stands, before others may lead.
    async fn give_up<T>(
        &self,
        mut work: Work<T>,
        others_may_lead: Instant,
    ) -> Result<Ended<T>, Error> {
        work.0.abort();
        let name = &self.leases.candidate.name;
        // Where another leads already there is no time left; aborting takes as long as one poll.
        let limit = others_may_lead.max(Instant::now() + ABORT_TIME);
        match timeout_at(limit, &mut work.0).await {
            Ok(Err(source)) if source.is_panic() => Err(Error::Work { source }),
            Ok(_) => Ok(Ended::Lost),
            Err(_elapsed) => Err(Error::StopWork { name: name.clone() }),
        }
    }

    /// Gives the lease back, if it is still ours, so that the next need not wait.
    async fn release(&self) {
        let outcome = match self.leases.get().await {
            Ok(Some(lease)) if self.leases.candidate.holds(&lease) => {
                let released = self.leases.candidate.released(&lease, Timestamp::now());
                self.leases.put(&released).await.map(|_| ())
            }
            Ok(_) => Ok(()),
            Err(trouble) => Err(trouble),
        };
        match outcome {
            Ok(()) => tracing::info!("lease released"),
            Err(trouble) => report(&trouble),
        }
    }
}

/// The least time that the work gets to be dropped.
const ABORT_TIME: Duration = Duration::from_millis(500);

/// What a look at the lease came to.
enum Look {
    Held(Box<Held>),
    Wait(Duration),
}

fn report(trouble: &Trouble) {
    match trouble {
        Trouble::Lasting(error) => {
            let cause = std::error::Error::source(error).map(ToString::to_string);
            tracing::warn!(%error, cause, "failed to renew the lease");
        }
        Trouble::Passing(problem) => tracing::warn!(problem, "failed to renew the lease"),
    }
}
