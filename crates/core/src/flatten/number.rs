//! Numbers as text: the value in canonical JSON's shortest digits, never with an exponent.
//!
//! An API server keeps a number's value, not its spelling (`1.10` is stored as `1.1`, `1e3` and `1000.0` as `1000`), so
//! the spelling cannot be relied on anywhere; the documentation tells authors to quote versions.

use serde_json::Number;

/// Above this a double no longer holds every whole number, so digits have been lost before we see them.
const FIRST_INEXACT: f64 = 9_007_199_254_740_992.0;

/// Longest text that a double becomes here; more digits mean a tiny number that nobody wrote out.
const MAX_DIGITS: usize = 32;

/// Returns the number's text, or nothing when a double cannot hold what was written.
pub(super) fn canonical(number: &Number) -> Option<String> {
    if let Some(whole) = number.as_u64() {
        return Some(whole.to_string());
    }
    if let Some(whole) = number.as_i64() {
        return Some(whole.to_string());
    }
    let double =
        number.as_f64().filter(|double| double.is_finite() && double.abs() < FIRST_INEXACT)?;
    if double == 0.0 {
        return Some("0".to_owned());
    }
    // Rust prints the shortest digits that read back as the same double, and never an exponent.
    let text = double.to_string();
    (text.len() <= MAX_DIGITS).then_some(text)
}
