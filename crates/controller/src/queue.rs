//! What to look at next: every object at most once at a time, creation before bookkeeping, failures later and later.
//!
//! Plain data, without a clock or a task of its own: the dispatcher in `run` asks and tells.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use tokio::time::Instant;

use crate::world::Subject;

/// One of so many picks is bookkeeping even while there is something to create, so that statuses never stand still.
const BOOKKEEPING_SHARE: u64 = 16;
/// Wait after the first failure; doubled with each that follows.
const FIRST_BACKOFF: Duration = Duration::from_millis(50);

/// How much an object's pass matters to others.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Urgency {
    /// Somebody waits for something to be created.
    Creation,
    /// What is so anyway is written down.
    Bookkeeping,
}

/// A wish to look at an object.
#[derive(Clone, Debug)]
pub(crate) struct Wake {
    pub(crate) subject: Subject,
    pub(crate) urgency: Urgency,
    pub(crate) after: Duration,
}

impl Wake {
    /// A wish to look at an object as soon as can be.
    pub(crate) fn soon(subject: Subject, urgency: Urgency) -> Self {
        Self { subject, urgency, after: Duration::ZERO }
    }
}

#[derive(Clone, Copy, Debug)]
struct Wish {
    due: Instant,
    urgency: Urgency,
}

#[derive(Debug)]
enum Place {
    /// In `delayed` under this key.
    Delayed((Instant, u64), Urgency),
    /// In `ready` under this key.
    Ready((Urgency, u64)),
    /// Under way; with a wish that came meanwhile.
    Running(Option<Wish>),
}

/// What to look at next.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    places: HashMap<Subject, Place>,
    delayed: BTreeMap<(Instant, u64), Subject>,
    ready: BTreeMap<(Urgency, u64), (Subject, Instant)>,
    failures: HashMap<Subject, u32>,
    sequence: u64,
    picks: u64,
}

impl Queue {
    /// Adds a wish; of several for one object the earliest and the most urgent count.
    pub(crate) fn push(&mut self, wake: Wake, now: Instant) {
        let Wake { subject, urgency, after } = wake;
        self.wish(subject, Wish { due: now + after, urgency }, now);
    }

    fn wish(&mut self, subject: Subject, wish: Wish, now: Instant) {
        let mut wish = wish;
        match self.places.get_mut(&subject) {
            Some(Place::Running(again)) => {
                *again = Some(match *again {
                    Some(other) => sooner(other, wish),
                    None => wish,
                });
                return;
            }
            Some(Place::Ready(key)) => {
                let key = *key;
                // It keeps its place in the line unless it moves to the front one.
                if wish.due > now || key.0 <= wish.urgency {
                    return;
                }
                self.ready.remove(&key);
            }
            Some(Place::Delayed(key, urgency)) => {
                let (key, urgency) = (*key, *urgency);
                wish = sooner(Wish { due: key.0, urgency }, wish);
                self.delayed.remove(&key);
            }
            None => {}
        }
        self.sequence += 1;
        let place = if wish.due <= now {
            let key = (wish.urgency, self.sequence);
            self.ready.insert(key, (subject.clone(), now));
            Place::Ready(key)
        } else {
            let key = (wish.due, self.sequence);
            self.delayed.insert(key, subject.clone());
            Place::Delayed(key, wish.urgency)
        };
        self.places.insert(subject, place);
    }

    /// Takes the next object, with how long it was ready.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<(Subject, Duration)> {
        self.release(now);
        self.picks += 1;
        let bookkeeping = (Urgency::Bookkeeping, 0);
        let is_its_turn = self.picks.is_multiple_of(BOOKKEEPING_SHARE);
        let turn = is_its_turn.then(|| self.ready.range(bookkeeping..).next()).flatten();
        let key = *turn.or_else(|| self.ready.iter().next())?.0;
        let (subject, since) = self.ready.remove(&key)?;
        self.places.insert(subject.clone(), Place::Running(None));
        Some((subject, now.saturating_duration_since(since)))
    }

    /// The pass over an object ended well; `again` is when it wants to be looked at by itself.
    pub(crate) fn succeeded(&mut self, subject: &Subject, again: Option<Duration>, now: Instant) {
        self.failures.remove(subject);
        let wish = again.map(|after| Wish { due: now + after, urgency: Urgency::Bookkeeping });
        self.ended(subject, wish, now);
    }

    /// The pass over an object failed; it is repeated after a while that grows up to `cap`.
    pub(crate) fn failed(&mut self, subject: &Subject, cap: Duration, now: Instant) -> Duration {
        let failures = self.failures.entry(subject.clone()).or_default();
        let after = FIRST_BACKOFF.saturating_mul(1 << (*failures).min(20)).min(cap);
        *failures += 1;
        // What came in meanwhile may be the remedy; still, no object is looked at again without a pause.
        let wish = match self.places.get_mut(subject) {
            Some(Place::Running(again)) => again.take(),
            _ => None,
        };
        let after = if wish.is_some() { FIRST_BACKOFF.min(cap) } else { after };
        self.ended(subject, Some(Wish { due: now + after, urgency: Urgency::Bookkeeping }), now);
        after
    }

    /// When the next delayed object is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.delayed.keys().next().map(|(due, _)| *due)
    }

    fn ended(&mut self, subject: &Subject, wish: Option<Wish>, now: Instant) {
        let Some(Place::Running(again)) = self.places.remove(subject) else { return };
        let wishes = [wish, again];
        for wish in wishes.into_iter().flatten() {
            self.wish(subject.clone(), wish, now);
        }
    }

    /// Moves what is due to the ready ones.
    fn release(&mut self, now: Instant) {
        while let Some(entry) = self.delayed.first_entry().filter(|entry| entry.key().0 <= now) {
            let subject = entry.remove();
            let Some(Place::Delayed(_, urgency)) = self.places.remove(&subject) else { continue };
            self.wish(subject, Wish { due: now, urgency }, now);
        }
    }
}

fn sooner(one: Wish, other: Wish) -> Wish {
    Wish { due: one.due.min(other.due), urgency: one.urgency.min(other.urgency) }
}

#[cfg(test)]
mod tests;
