//! The order in which objects are looked at.

use super::*;
use crate::world::{Key, Kind};

fn subject(name: &str) -> Subject {
    Subject::new(Kind::Order, Key::new("a", name))
}

fn wake(name: &str, urgency: Urgency, after: u64) -> Wake {
    Wake { subject: subject(name), urgency, after: Duration::from_secs(after) }
}

fn all(queue: &mut Queue, now: Instant) -> Vec<String> {
    std::iter::from_fn(|| queue.pop(now)).map(|(subject, _)| subject.key.name.to_string()).collect()
}

#[test]
fn creation_goes_before_bookkeeping_and_each_object_comes_once() {
    let now = Instant::now();
    let mut queue = Queue::default();
    for name in ["a", "b", "a", "c"] {
        queue.push(wake(name, Urgency::Bookkeeping, 0), now);
    }
    queue.push(wake("d", Urgency::Creation, 0), now);
    queue.push(wake("c", Urgency::Creation, 0), now);
    assert_eq!(all(&mut queue, now), ["d", "c", "a", "b"]);
}

#[test]
fn bookkeeping_is_not_starved() {
    let now = Instant::now();
    let mut queue = Queue::default();
    queue.push(wake("status", Urgency::Bookkeeping, 0), now);
    for number in 0..100 {
        queue.push(wake(&format!("new-{number}"), Urgency::Creation, 0), now);
    }
    let place = all(&mut queue, now).iter().position(|name| name == "status");
    assert_eq!(place, Some(15));
}

#[test]
fn a_wish_during_a_pass_means_another_pass_and_never_two_at_once() {
    let now = Instant::now();
    let mut queue = Queue::default();
    queue.push(wake("a", Urgency::Creation, 0), now);
    assert_eq!(all(&mut queue, now), ["a"]);
    queue.push(wake("a", Urgency::Bookkeeping, 0), now);
    assert_eq!(all(&mut queue, now), Vec::<String>::new());
    queue.succeeded(&subject("a"), Some(Duration::from_secs(60)), now);
    assert_eq!(all(&mut queue, now), ["a"]);
    queue.succeeded(&subject("a"), None, now);
    assert_eq!(queue.next_due(), None);
}

#[test]
fn of_two_delayed_wishes_the_earlier_counts() {
    let now = Instant::now();
    let mut queue = Queue::default();
    queue.push(wake("a", Urgency::Bookkeeping, 60), now);
    queue.push(wake("a", Urgency::Bookkeeping, 10), now);
    queue.push(wake("a", Urgency::Bookkeeping, 90), now);
    assert_eq!(queue.next_due(), Some(now + Duration::from_secs(10)));
    assert_eq!(all(&mut queue, now + Duration::from_secs(9)), Vec::<String>::new());
    assert_eq!(all(&mut queue, now + Duration::from_secs(10)), ["a"]);
    assert_eq!(queue.next_due(), None);
}

#[test]
fn failures_wait_longer_and_longer_up_to_the_cap_and_success_forgets_them() {
    let now = Instant::now();
    let cap = Duration::from_secs(1);
    let mut queue = Queue::default();
    let mut waits = Vec::new();
    let mut at = now;
    queue.push(wake("a", Urgency::Creation, 0), now);
    for _ in 0..7 {
        assert_eq!(all(&mut queue, at), ["a"]);
        let wait = queue.failed(&subject("a"), cap, at);
        assert_eq!(all(&mut queue, at), Vec::<String>::new());
        waits.push(wait.as_millis());
        at += wait;
    }
    assert_eq!(waits, [50, 100, 200, 400, 800, 1000, 1000]);
    assert_eq!(all(&mut queue, at), ["a"]);
    queue.push(wake("a", Urgency::Creation, 0), at);
    assert_eq!(queue.failed(&subject("a"), cap, at), FIRST_BACKOFF, "the remedy may have come");
    at += FIRST_BACKOFF;
    assert_eq!(all(&mut queue, at), ["a"]);
    queue.succeeded(&subject("a"), None, at);
    queue.push(wake("a", Urgency::Creation, 0), at);
    assert_eq!(all(&mut queue, at), ["a"]);
    assert_eq!(queue.failed(&subject("a"), cap, at), FIRST_BACKOFF);
}
