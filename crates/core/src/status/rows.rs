//! Keeps the rows of an order small: an object of Kubernetes may have 1.5 MiB, and a thousand artifacts are allowed.
//!
//! The whole text is in the artifact workflow that the row names, or, of a problem, in the event.

use arc_api::OrderArtifactStatus;

use super::MAX_MESSAGE_CHARS;
use crate::text::shorten;

/// Characters for the messages of all rows together.
const ALL_MESSAGES_CHARS: usize = 160_000;
/// Characters that every message may have, however many rows there are.
const SHORTEST_MESSAGE_CHARS: usize = 160;
/// Longest reference, in bytes; half a reference would be a wrong one, so a longer one is left out.
const MAX_REFERENCE_BYTES: usize = 512;
/// Longest digest, in bytes: sha512 in hexadecimal, and room for its name.
const MAX_DIGEST_BYTES: usize = 144;
/// Bytes of JSON for what rows may say freely: types, messages and references.
const MAX_FREE_BYTES: usize = 512 * 1024;

/// Shortens what rows say until all of them fit.
pub(super) fn bound(rows: &mut [OrderArtifactStatus]) {
    let chars =
        (ALL_MESSAGES_CHARS / rows.len().max(1)).clamp(SHORTEST_MESSAGE_CHARS, MAX_MESSAGE_CHARS);
    let mut used = 0;
    for row in rows {
        row.message = row.message.take().map(|text| shorten(&text, chars));
        row.destination = row.destination.take().filter(|text| text.len() <= MAX_REFERENCE_BYTES);
        row.digest = row.digest.take().filter(|text| text.len() <= MAX_DIGEST_BYTES);
        let free = [&row.type_, &row.message, &row.destination];
        used += free.into_iter().flatten().map(|text| written_bytes(text)).sum::<usize>();
        if used > MAX_FREE_BYTES {
            (row.type_, row.message, row.destination) = (None, None, None);
        }
    }
}

/// Bytes of a text in JSON, at most.
fn written_bytes(text: &str) -> usize {
    text.bytes()
        .map(|byte| match byte {
            b'"' | b'\\' => 2,
            0..0x20 => 6,
            _ => 1,
        })
        .sum()
}
