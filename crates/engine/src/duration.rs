//! Durations as Argo writes them: plain seconds (`10`) or Go's form (`1h30m`, `500ms`).

use std::time::Duration;

/// A year: anything longer is a mistake, and sums of two of these never overflow.
const MAX_SECONDS: f64 = 366.0 * 24.0 * 3600.0;

/// Parses a duration; `None` when it is not one, is negative, or is longer than a year.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return seconds(text.parse().ok()?);
    }
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits =
            rest.find(|character: char| !(character.is_ascii_digit() || character == '.'))?;
        let (number, tail) = rest.split_at(digits);
        let unit_end = tail
            .find(|character: char| character.is_ascii_digit() || character == '.')
            .unwrap_or(tail.len());
        let (unit, next) = tail.split_at(unit_end);
        total += number.parse::<f64>().ok()? * unit_seconds(unit)?;
        rest = next;
    }
    if text.is_empty() { None } else { seconds(total) }
}

fn unit_seconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    })
}

fn seconds(value: f64) -> Option<Duration> {
    (value <= MAX_SECONDS).then(|| Duration::try_from_secs_f64(value).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_argo_reads_them() {
        let cases = [
            ("10", Some(Duration::from_secs(10))),
            ("1h30m", Some(Duration::from_secs(5400))),
            ("1.5s", Some(Duration::from_millis(1500))),
            ("500ms", Some(Duration::from_millis(500))),
            ("", None),
            ("-1s", None),
            ("10x", None),
            ("s", None),
            ("99999999999999999999", None),
            ("9999999h", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }
}
