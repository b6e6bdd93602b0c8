//! Durations as Kubernetes writes them: `90s`, `10m`, `1h30m`, `1.5h`.

use std::time::Duration;

/// Longest text that is read as a duration: the longest that Go prints is 25 bytes.
const MAX_BYTES: usize = 64;

/// Returns the duration that `text` means, or nothing when Kubernetes would not accept it either; negative is refused.
///
/// ```
/// use std::time::Duration;
/// assert_eq!(arc_core::duration::parse("1h30m"), Some(Duration::from_secs(5400)));
/// assert_eq!(arc_core::duration::parse("1 hour"), None);
/// ```
pub fn parse(text: &str) -> Option<Duration> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let mut total = Duration::ZERO;
    let mut is_empty = true;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(number_end);
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        total = total.checked_add(amount(number, nanoseconds(unit)?)?)?;
        rest = tail;
        is_empty = false;
    }
    (!is_empty).then_some(total)
}

fn nanoseconds(unit: &str) -> Option<u128> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

fn amount(number: &str, unit: u128) -> Option<Duration> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // Nine digits are the nanoseconds of a second; what follows is below what anything here resolves.
    let digits = &fraction[..fraction.len().min(9)];
    let part: u128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    let scale = 10_u128.pow(u32::try_from(digits.len()).ok()?);
    let total = whole.checked_mul(unit)?.checked_add(part * unit / scale)?;
    u64::try_from(total).ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_kubernetes_writes_them() {
        let cases = [
            ("0", Some(0)),
            ("0s", Some(0)),
            ("90s", Some(90_000)),
            ("10m", Some(600_000)),
            ("1h30m", Some(5_400_000)),
            ("1h30m0s", Some(5_400_000)),
            ("1.5h", Some(5_400_000)),
            (".5s", Some(500)),
            ("300ms", Some(300)),
            ("+1s", Some(1000)),
            ("", None),
            ("-1s", None),
            ("10", None),
            ("1d", None),
            ("1 h", None),
            ("h", None),
            (".s", None),
            ("1.2.3s", None),
            ("1hm", None),
            ("99999999999999999999999999999h", None),
            ("9999999999999h", None),
        ];
        for (text, milliseconds) in cases {
            assert_eq!(parse(text), milliseconds.map(Duration::from_millis), "{text:?}");
        }
    }
}
