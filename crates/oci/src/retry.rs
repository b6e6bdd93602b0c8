//! How long to wait before asking again.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::{Duration, SystemTime},
};

/// Longest wait that is ours to choose.
const MAX_DELAY: Duration = Duration::from_secs(20);
/// Longest `Retry-After` that is waited for; a registry that asks for more is reported instead.
pub(crate) const MAX_RETRY_AFTER: Duration = Duration::from_secs(120);

/// Returns the wait before repetition `attempt` (from 0), or nothing when the registry asks for more patience than we have.
///
/// Doubles each time, with up to a quarter taken off at random, so that many clients do not come back at once.
pub(crate) fn delay(
    base: Duration,
    attempt: u32,
    retry_after: Option<Duration>,
) -> Option<Duration> {
    if let Some(wanted) = retry_after {
        return (wanted <= MAX_RETRY_AFTER).then_some(wanted);
    }
    let full = base.saturating_mul(2_u32.saturating_pow(attempt)).min(MAX_DELAY);
    let random = RandomState::new().hash_one(attempt) % 256;
    let random = u32::try_from(random).unwrap_or_default();
    Some(full.saturating_sub(full / 4 * random / 256))
}

/// Reads a `Retry-After` header: seconds or a date.
pub(crate) fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_ceiling() {
        let base = Duration::from_millis(100);
        for (attempt, ceiling) in [(0, 100), (1, 200), (3, 800), (30, 20_000)] {
            let ceiling = Duration::from_millis(ceiling);
            let chosen = delay(base, attempt, None).unwrap();
            assert!(chosen <= ceiling && chosen >= ceiling * 3 / 4, "{attempt}: {chosen:?}");
        }
    }

    #[test]
    fn the_registry_decides_when_it_says_so() {
        let base = Duration::from_millis(100);
        assert_eq!(delay(base, 0, Some(Duration::from_secs(7))), Some(Duration::from_secs(7)));
        assert_eq!(delay(base, 0, Some(Duration::from_secs(3600))), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Wed, 21 Oct 2015 07:28:00 GMT").unwrap();
        for (value, expected) in [
            ("5", Some(5)),
            (" 0 ", Some(0)),
            ("Wed, 21 Oct 2015 07:28:09 GMT", Some(9)),
            ("Wed, 21 Oct 2015 07:27:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(
                parse_retry_after(value, now),
                expected.map(Duration::from_secs),
                "{value:?}"
            );
        }
    }
}
