//! What to do about a lease that was seen: pure, so that every case is a line of a table.
//!
//! The times in a lease are for people. Whether it still holds is judged by how long *this* process has seen it
//! unchanged, on its own monotonic clock; the API server's clock and the holder's clock are never compared with it.

use std::time::Duration;

use jiff::{Timestamp, ToSpan as _};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};

/// Who wants the lease.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) identity: String,
    pub(super) duration: Duration,
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Decision {
    /// Write this lease; it carries the version that was read, or none where it is to be created.
    Take(Box<Lease>),
    /// Somebody else has it; look again after at most this time.
    Wait(Duration),
}

/// How long a foreign lease must have been seen unchanged, as a part of its duration.
///
/// A holder stops at two thirds of it. Not the whole: with the time until the next look (a fifteenth) added, a dead
/// holder is replaced within the duration.
pub(super) const PATIENCE: f64 = 14.0 / 15.0;
/// A lease may not say that nobody may ever take it over: a day.
const MAX_STATED: Duration = Duration::from_secs(86_400);

impl Candidate {
    /// Decides about the lease that was read just now; `unchanged` is how long it has been seen like this.
    ///
    /// `known` tells whether a lease was there before: one that somebody deleted may still be held by a process that
    /// does not know yet.
    pub(super) fn decide(
        &self,
        found: Option<&Lease>,
        known: bool,
        unchanged: Duration,
        now: Timestamp,
    ) -> Decision {
        let Some(lease) = found else {
            let wait = self.duration.mul_f64(PATIENCE).saturating_sub(unchanged);
            return if known && !wait.is_zero() {
                Decision::Wait(wait)
            } else {
                Decision::Take(Box::new(self.taken(&Lease::default(), now)))
            };
        };
        let holder = holder(lease);
        if holder.is_empty() || holder == self.identity {
            return Decision::Take(Box::new(self.taken(lease, now)));
        }
        let wait =
            stated(lease).unwrap_or(self.duration).mul_f64(PATIENCE).saturating_sub(unchanged);
        if wait.is_zero() {
            Decision::Take(Box::new(self.taken(lease, now)))
        } else {
            Decision::Wait(wait)
        }
    }

    /// The lease as it is held by this candidate from now on, or still.
    pub(super) fn taken(&self, lease: &Lease, now: Timestamp) -> Lease {
        let before = lease.spec.clone().unwrap_or_default();
        let is_mine = before.holder_identity.as_deref() == Some(&self.identity);
        let now = after(now, before.renew_time.as_ref());
        let transitions = match (is_mine, before.lease_transitions) {
            (true, transitions) => transitions,
            (false, transitions) if lease.metadata.resource_version.is_some() => {
                Some(transitions.unwrap_or_default().saturating_add(1))
            }
            (false, _) => Some(0),
        };
        self.lease(
            lease,
            LeaseSpec {
                acquire_time: before
                    .acquire_time
                    .clone()
                    .filter(|_| is_mine)
                    .or(Some(MicroTime(now))),
                holder_identity: Some(self.identity.clone()),
                lease_duration_seconds: Some(seconds(self.duration)),
                lease_transitions: transitions,
                renew_time: Some(MicroTime(now)),
                ..before
            },
        )
    }

    /// The lease as it is held by nobody; the next candidate need not wait.
    pub(super) fn released(&self, lease: &Lease, now: Timestamp) -> Lease {
        let before = lease.spec.clone().unwrap_or_default();
        let now = after(now, before.renew_time.as_ref());
        self.lease(
            lease,
            LeaseSpec {
                holder_identity: None,
                lease_duration_seconds: Some(1),
                renew_time: Some(MicroTime(now)),
                ..before
            },
        )
    }

    fn lease(&self, before: &Lease, spec: LeaseSpec) -> Lease {
        let metadata = ObjectMeta {
            name: Some(self.name.clone()),
            namespace: Some(self.namespace.clone()),
            ..before.metadata.clone()
        };
        // What the server keeps of who wrote which field is not ours to send back.
        Lease { metadata: ObjectMeta { managed_fields: None, ..metadata }, spec: Some(spec) }
    }

    /// Tells whether the lease is held by this candidate.
    pub(super) fn holds(&self, lease: &Lease) -> bool {
        holder(lease) == self.identity
    }
}

/// Who holds a lease; empty for nobody.
pub(super) fn holder(lease: &Lease) -> &str {
    lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref()).unwrap_or_default()
}

/// The duration that the holder goes by.
fn stated(lease: &Lease) -> Option<Duration> {
    let seconds = lease.spec.as_ref()?.lease_duration_seconds?;
    let seconds = u64::try_from(seconds).ok().filter(|seconds| *seconds > 0)?;
    Some(Duration::from_secs(seconds).min(MAX_STATED))
}

fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs().max(1)).unwrap_or(i32::MAX)
}

/// A time after the last one, even where the clock of this machine stands still or goes back: a renewal that changes
/// nothing would not be seen by others.
fn after(now: Timestamp, last: Option<&MicroTime>) -> Timestamp {
    let Some(last) = last else { return now };
    let next = last.0.checked_add(1.microsecond()).unwrap_or(last.0);
    now.max(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-21T02:00:00Z";

    fn now() -> Timestamp {
        NOW.parse().unwrap()
    }

    fn candidate() -> Candidate {
        Candidate {
            namespace: "arc-system".to_owned(),
            name: "arc-controller".to_owned(),
            identity: "me".to_owned(),
            duration: Duration::from_secs(15),
        }
    }

    fn lease(holder: &str, seconds: i32, renewed: &str) -> Lease {
        Lease {
            metadata: ObjectMeta {
                name: Some("arc-controller".to_owned()),
                namespace: Some("arc-system".to_owned()),
                resource_version: Some("7".to_owned()),
                ..ObjectMeta::default()
            },
            spec: Some(LeaseSpec {
                holder_identity: Some(holder.to_owned()),
                lease_duration_seconds: Some(seconds),
                lease_transitions: Some(3),
                acquire_time: Some(MicroTime("2026-11-21T01:00:00Z".parse().unwrap())),
                renew_time: Some(MicroTime(renewed.parse().unwrap())),
                ..LeaseSpec::default()
            }),
        }
    }

    /// Holder, transitions, renewal and version of what is to be written, or the seconds to wait.
    fn check(found: Option<&Lease>, known: bool, unchanged: u64) -> String {
        match candidate().decide(found, known, Duration::from_secs(unchanged), now()) {
            Decision::Wait(wait) => format!("wait {}", wait.as_secs()),
            Decision::Take(lease) => {
                let spec = lease.spec.unwrap();
                format!(
                    "take transitions={} acquired={} renewed={} version={}",
                    spec.lease_transitions.unwrap(),
                    spec.acquire_time.unwrap().0,
                    spec.renew_time.unwrap().0,
                    lease.metadata.resource_version.unwrap_or_default(),
                )
            }
        }
    }

    #[test]
    fn a_lease_is_taken_when_it_is_free_mine_or_seen_unchanged_for_long_enough() {
        let past = "2026-11-21T01:59:00Z";
        let taken = |transitions| {
            format!("take transitions={transitions} acquired={NOW} renewed={NOW} version=7")
        };
        let created = format!("take transitions=0 acquired={NOW} renewed={NOW} version=");
        let mine =
            format!("take transitions=3 acquired=2026-11-21T01:00:00Z renewed={NOW} version=7");
        // What is found, whether one was there before, seconds unchanged, what to do.
        let cases = [
            (None, false, 0, created.clone()),
            // Deleted under a holder that may still work.
            (None, true, 3, "wait 11".to_owned()),
            (None, true, 15, created),
            (Some(lease("", 1, past)), true, 0, taken(4)),
            (Some(lease("me", 15, past)), true, 0, mine),
            (Some(lease("other", 15, past)), true, 0, "wait 14".to_owned()),
            (Some(lease("other", 15, past)), true, 10, "wait 4".to_owned()),
            (Some(lease("other", 15, past)), true, 14, taken(4)),
            // The holder goes by its own duration, not by ours.
            (Some(lease("other", 60, past)), true, 15, "wait 41".to_owned()),
            (Some(lease("other", 60, past)), true, 56, taken(4)),
            (Some(lease("other", 0, past)), true, 13, "wait 1".to_owned()),
            (Some(lease("other", -5, past)), true, 14, taken(4)),
            // The time in the lease says nothing: a year old and seen just now, or a year ahead and unchanged.
            (Some(lease("other", 15, "2025-11-21T02:00:00Z")), true, 0, "wait 14".to_owned()),
        ];
        for (found, known, unchanged, expected) in cases {
            assert_eq!(check(found.as_ref(), known, unchanged), expected, "{found:?} {unchanged}");
        }
        let ahead = lease("other", 15, "2027-11-21T02:00:00Z");
        let decision = candidate().decide(Some(&ahead), true, Duration::from_secs(15), now());
        assert!(matches!(decision, Decision::Take(_)));
    }

    #[test]
    fn a_renewal_is_always_a_change_even_when_the_clock_stands_still() {
        let held = lease("me", 15, NOW);
        let renewed = candidate().taken(&held, now()).spec.unwrap().renew_time.unwrap();
        assert_eq!(renewed.0.to_string(), "2026-11-21T02:00:00.000001Z");
        let ahead = lease("me", 15, "2027-01-01T00:00:00Z");
        let renewed = candidate().taken(&ahead, now()).spec.unwrap().renew_time.unwrap();
        assert_eq!(renewed.0.to_string(), "2027-01-01T00:00:00.000001Z");
    }

    #[test]
    fn a_released_lease_has_no_holder_and_can_be_taken_at_once() {
        let released = candidate().released(&lease("me", 15, NOW), now());
        assert_eq!(holder(&released), "");
        let time = "2026-11-21T02:00:00.000002Z";
        let taken = format!("take transitions=4 acquired={time} renewed={time} version=7");
        assert_eq!(check(Some(&released), true, 0), taken);
    }
}
