//! How many requests a registry gets at the same time: more while it keeps up, fewer when it refuses or slows down.
//!
//! Additive increase, multiplicative decrease, as TCP does it. A client has one for reads and one for writes:
//! a transfer holds a read of its source while it waits for a write of its destination, so two registries that are
//! copied in both directions cannot wait for each other.

use std::{
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

/// Where it starts: enough to hide the latency of small requests, few enough for any registry.
const START: f64 = 64.0;
/// Never more requests than this at the same time, per registry and direction.
const CEILING: f64 = 128.0;
/// Latency that is never held against a registry.
const TOLERATED: Duration = Duration::from_millis(50);
/// How many times its usual latency a registry may need before it gets fewer requests.
const SLOWDOWN: u32 = 4;

#[derive(Debug)]
pub(crate) struct Limiter {
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug)]
struct State {
    limit: f64,
    in_use: u32,
    /// Until the first refusal, every answer makes room for one more.
    is_starting: bool,
    /// The registry asked to be left alone until then.
    resume_at: Option<Instant>,
    /// The last decrease; answers of requests from before it say nothing new.
    cut_at: Option<Instant>,
    /// Least latency seen, and the recent average.
    floor: Duration,
    average: Duration,
}

/// The right to have one request under way; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit<'a>(&'a Limiter);

impl Default for Limiter {
    fn default() -> Self {
        let state = State {
            limit: START,
            in_use: 0,
            is_starting: true,
            resume_at: None,
            cut_at: None,
            floor: Duration::MAX,
            average: Duration::ZERO,
        };
        Self { state: Mutex::new(state), freed: Notify::new() }
    }
}

impl Limiter {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for room.
    pub(crate) async fn permit(&self) -> Permit<'_> {
        loop {
            let mut freed = pin!(self.freed.notified());
            freed.as_mut().enable();
            let resume_at = {
                let mut state = self.lock();
                let resume_at = state.resume_at.filter(|at| *at > Instant::now());
                if resume_at.is_none() && state.has_room() {
                    state.in_use += 1;
                    return Permit(self);
                }
                resume_at
            };
            match resume_at {
                Some(at) => tokio::time::sleep_until(at).await,
                None => freed.await,
            }
        }
    }

    /// Takes note of an answer, and after which time it came where that tells something about the registry.
    pub(crate) fn answered(&self, latency: Option<Duration>) {
        let mut state = self.lock();
        if latency.is_some_and(|latency| state.is_slower(latency)) {
            let pause = state.average;
            state.cut(0.8, pause);
        } else if f64::from(state.in_use) + 1.0 >= state.limit {
            let step = if state.is_starting { 1.0 } else { 1.0 / state.limit };
            state.limit = (state.limit + step).min(CEILING);
        }
        drop(state);
        self.freed.notify_one();
    }

    /// Takes note of a refusal because of too many requests.
    pub(crate) fn refused(&self, retry_after: Option<Duration>) {
        let mut state = self.lock();
        let pause = state.average.max(TOLERATED);
        state.cut(0.5, pause);
        if let Some(wait) = retry_after {
            state.resume_at = Some(Instant::now() + wait);
        }
    }

    #[cfg(test)]
    fn limit(&self) -> f64 {
        self.lock().limit
    }

    #[cfg(test)]
    fn has_room(&self) -> bool {
        self.lock().has_room()
    }
}

impl State {
    fn has_room(&self) -> bool {
        f64::from(self.in_use) < self.limit.floor()
    }

    /// Adds a latency, and returns whether the recent ones are far above the best.
    fn is_slower(&mut self, latency: Duration) -> bool {
        // A floor from better times fades.
        self.floor = latency.min(self.floor.saturating_add(self.floor / 256));
        self.average =
            if self.average.is_zero() { latency } else { (self.average * 7 + latency) / 8 };
        self.average > self.floor.saturating_mul(SLOWDOWN).saturating_add(TOLERATED)
    }

    fn cut(&mut self, factor: f64, pause: Duration) {
        if self.cut_at.is_some_and(|at| at.elapsed() < pause) {
            return;
        }
        self.cut_at = Some(Instant::now());
        self.is_starting = false;
        self.limit = (self.limit * factor).max(1.0);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.lock().in_use -= 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: Duration = Duration::from_millis(10);

    /// Keeps all permits busy for so many answers.
    async fn answer(limiter: &Limiter, answers: usize, latency: Duration) {
        for _ in 0..answers {
            let mut held = Vec::new();
            while limiter.has_room() {
                held.push(limiter.permit().await);
            }
            tokio::time::advance(latency).await;
            limiter.answered(Some(latency));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_registry_that_keeps_up_gets_more_up_to_the_ceiling() {
        let limiter = Limiter::default();
        answer(&limiter, 200, FAST).await;
        assert!((limiter.limit() - CEILING).abs() < 0.01);
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_halve_it_once_per_round_and_never_end_it() {
        let limiter = Limiter::default();
        answer(&limiter, 200, FAST).await;
        for _ in 0..10 {
            limiter.refused(None);
        }
        assert!((limiter.limit() - 64.0).abs() < 0.01);
        for _ in 0..20 {
            tokio::time::advance(TOLERATED).await;
            limiter.refused(None);
        }
        assert!((limiter.limit() - 1.0).abs() < 0.01);
        // From there it grows again, slower than at the start.
        answer(&limiter, 20, FAST).await;
        assert!((3.0..12.0).contains(&limiter.limit()), "{}", limiter.limit());
    }

    #[tokio::test(start_paused = true)]
    async fn rising_latency_lowers_it() {
        let limiter = Limiter::default();
        answer(&limiter, 200, FAST).await;
        answer(&limiter, 50, FAST * 30).await;
        assert!(limiter.limit() < 10.0, "{}", limiter.limit());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_starts_before_the_registry_allows_it() {
        let limiter = Limiter::default();
        limiter.refused(Some(Duration::from_secs(7)));
        let before = Instant::now();
        drop(limiter.permit().await);
        assert_eq!(before.elapsed().as_secs(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn a_permit_that_is_given_back_goes_to_the_next() {
        let limiter = Limiter::default();
        let mut held = Vec::new();
        for _ in 0..64 {
            held.push(limiter.permit().await);
        }
        let mut next = pin!(limiter.permit());
        assert!(futures::poll!(next.as_mut()).is_pending());
        held.pop();
        drop(next.await);
    }
}
