//! Version order exactly as the package managers define it, one module per manager.
//!
//! Both comparisons are total: whatever a hostile database holds has a place in the order, and none of it panics.

pub mod apk;
pub mod dpkg;

use std::cmp::Ordering;

use crate::Manager;

/// Compares two versions as the given package manager does.
pub fn compare(manager: Manager, a: &str, b: &str) -> Ordering {
    match manager {
        Manager::Dpkg => dpkg::compare(a, b),
        Manager::Apk => apk::compare(a, b),
    }
}

/// Compares two strings of decimal digits by value, whatever their length.
fn compare_numbers(a: &[u8], b: &[u8]) -> Ordering {
    let (a, b) = (strip_zeros(a), strip_zeros(b));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn strip_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    digits.get(zeros..).unwrap_or_default()
}

/// Splits off the leading bytes that satisfy a condition.
fn take_while(text: &[u8], condition: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| condition(**byte)).count())
}
