//! Whether the controller is alive and ready, and why not.
//!
//! Alive: every event loop was polled lately. A loop is polled at least each [`BEAT`], busy or not; one that hangs in
//! a computation or a lock is not. A loop that ends takes the process with it, so that is not judged here.
//! Ready: the leader has its stores in step with the API server; a replica that stands by can reach the API server, so
//! that it could take over.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

/// How often an idle event loop is polled.
const BEAT: Duration = Duration::from_secs(5);
/// How long a loop may go without being polled; far beyond any pass, far below what a night shift bears.
const STALE: Duration = Duration::from_secs(60);
/// How long ago the API server may have answered a replica that stands by; it asks every second or so.
const SILENCE: Duration = Duration::from_secs(30);

/// What this replica does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// It just began.
    #[default]
    Starting,
    /// Another one leads; it waits.
    StandingBy,
    /// It leads, and fills its stores.
    Syncing,
    /// It leads, and its stores are in step.
    Leading,
    /// It ends.
    Stopping,
}

#[derive(Debug, Default)]
struct State {
    role: Role,
    answered: Option<Instant>,
    beats: BTreeMap<&'static str, Instant>,
}

/// What the health endpoints answer from.
#[derive(Debug, Default)]
pub struct Health(Mutex<State>);

impl Health {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what this replica does from now on.
    pub fn set_role(&self, role: Role) {
        self.state().role = role;
    }

    /// Returns what this replica does.
    pub fn role(&self) -> Role {
        self.state().role
    }

    /// The stores are in step with the API server; call it once all of them have listed.
    pub fn synced(&self) {
        let mut state = self.state();
        if state.role == Role::Syncing {
            state.role = Role::Leading;
        }
    }

    /// The API server answered.
    pub fn answered(&self) {
        self.state().answered = Some(Instant::now());
    }

    /// Runs an event loop under watch: `/healthz` fails while it is not polled although it is neither at its end nor
    /// dropped.
    pub async fn watch_over<F: Future>(&self, name: &'static str, event_loop: F) -> F::Output {
        let mut event_loop = std::pin::pin!(event_loop);
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let watch = Watch { health: self, name };
        loop {
            watch.beat();
            tokio::select! {
                output = &mut event_loop => return output,
                _ = beat.tick() => {}
            }
        }
    }

    /// Tells whether every event loop moves.
    pub(super) fn check_alive(&self) -> Result<&'static str, String> {
        let state = self.state();
        let stuck: Vec<String> = state
            .beats
            .iter()
            .filter(|(_, beat)| beat.elapsed() > STALE)
            .map(|(name, beat)| {
                format!("event loop {name:?} has not moved for {} s", beat.elapsed().as_secs())
            })
            .collect();
        if stuck.is_empty() { Ok("every event loop moves") } else { Err(stuck.join("; ")) }
    }

    /// Tells whether this replica does its part.
    pub(super) fn check_ready(&self) -> Result<&'static str, String> {
        let state = self.state();
        match state.role {
            Role::Leading => Ok("leading"),
            Role::StandingBy => match state.answered {
                Some(answered) if answered.elapsed() <= SILENCE => Ok("standing by"),
                Some(answered) => {
                    let silence = answered.elapsed().as_secs();
                    Err(format!("the API server has not answered for {silence} s"))
                }
                None => Err("the API server has not answered yet".to_owned()),
            },
            Role::Starting => Err("starting".to_owned()),
            Role::Syncing => Err("leading, stores are not yet in step".to_owned()),
            Role::Stopping => Err("stopping".to_owned()),
        }
    }
}

/// Forgets the loop when it is dropped, which is how work ends that lost its leadership.
struct Watch<'a> {
    health: &'a Health,
    name: &'static str,
}

impl Watch<'_> {
    fn beat(&self) {
        self.health.state().beats.insert(self.name, Instant::now());
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.health.state().beats.remove(self.name);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_idle_loop_stays_alive_and_one_that_hangs_does_not() {
        let health = Arc::new(Health::default());
        let watched = Arc::clone(&health);
        let task = tokio::spawn(async move {
            watched.watch_over("orders", std::future::pending::<()>()).await;
        });
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        assert_eq!(health.check_alive(), Ok("every event loop moves"));
        // A loop that hangs is one that is not polled while it still is.
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        let mut hanging = Box::pin(health.watch_over("orders", std::future::pending::<()>()));
        assert!(futures::poll!(&mut hanging).is_pending());
        tokio::time::advance(Duration::from_secs(61)).await;
        let expected = "event loop \"orders\" has not moved for 61 s".to_owned();
        assert_eq!(health.check_alive(), Err(expected));
        drop(hanging);
        assert_eq!(health.check_alive(), Ok("every event loop moves"));
    }

    #[tokio::test(start_paused = true)]
    async fn ready_means_that_this_replica_does_its_part() {
        let health = Health::default();
        assert_eq!(health.check_ready(), Err("starting".to_owned()));
        health.set_role(Role::StandingBy);
        assert_eq!(health.check_ready(), Err("the API server has not answered yet".to_owned()));
        health.answered();
        assert_eq!(health.check_ready(), Ok("standing by"));
        tokio::time::advance(Duration::from_secs(31)).await;
        let silent = Err("the API server has not answered for 31 s".to_owned());
        assert_eq!(health.check_ready(), silent);
        health.set_role(Role::Syncing);
        let syncing = Err("leading, stores are not yet in step".to_owned());
        assert_eq!(health.check_ready(), syncing);
        health.synced();
        assert_eq!(health.check_ready(), Ok("leading"));
        health.set_role(Role::Stopping);
        health.synced();
        assert_eq!(health.check_ready(), Err("stopping".to_owned()));
    }
}
