//! Debian's version order (Debian Policy 5.6.12, deb-version(7)): `[epoch:]upstream[-revision]`.
//!
//! Written here rather than taken from a crate because it must accept every string:
//! real databases hold versions that the policy's character set does not allow.

use std::cmp::Ordering;

use super::{compare_numbers, take_while};

/// Compares two versions as `dpkg --compare-versions` does.
pub fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (Parts::of(a), Parts::of(b));
    compare_numbers(a.epoch, b.epoch)
        .then_with(|| compare_part(a.upstream, b.upstream))
        .then_with(|| compare_part(a.revision, b.revision))
}

struct Parts<'a> {
    epoch: &'a [u8],
    upstream: &'a [u8],
    revision: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(version: &'a str) -> Self {
        let version = version.trim();
        let (epoch, rest) = match version.split_once(':') {
            // A colon after anything but digits belongs to the upstream version.
            Some((epoch, rest)) if epoch.bytes().all(|byte| byte.is_ascii_digit()) => (epoch, rest),
            _ => ("", version),
        };
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        Self {
            epoch: epoch.as_bytes(),
            upstream: upstream.as_bytes(),
            revision: revision.as_bytes(),
        }
    }
}

/// Compares alternating runs of non-digits and digits; an absent digit run counts as zero.
fn compare_part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let (a_text, a_rest) = take_while(a, |byte| !byte.is_ascii_digit());
        let (b_text, b_rest) = take_while(b, |byte| !byte.is_ascii_digit());
        let (a_number, a_rest) = take_while(a_rest, |byte| byte.is_ascii_digit());
        let (b_number, b_rest) = take_while(b_rest, |byte| byte.is_ascii_digit());
        let ordering =
            compare_text(a_text, b_text).then_with(|| compare_numbers(a_number, b_number));
        if ordering != Ordering::Equal {
            return ordering;
        }
        (a, b) = (a_rest, b_rest);
    }
    Ordering::Equal
}

/// Compares non-digits: `~` before the end of the text, letters before everything else.
fn compare_text(a: &[u8], b: &[u8]) -> Ordering {
    let weight = |text: &[u8], index: usize| match text.get(index) {
        None => 0,
        Some(b'~') => -1,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    };
    (0..a.len().max(b.len()))
        .map(|index| weight(a, index).cmp(&weight(b, index)))
        .find(|ordering| ordering.is_ne())
        .unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests;
