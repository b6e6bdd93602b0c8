//! Byte ranges: `Range` of downloads (RFC 9110) and `Content-Range` of chunked uploads (distribution specification).

use http::{HeaderMap, header};

/// What part of a blob a download asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Whole,
    /// First byte and number of bytes.
    Part(u64, u64),
    Unsatisfiable,
}

/// Reads `Range`; anything but one byte range asks for the whole, as RFC 9110 allows.
pub(crate) fn wanted(headers: &HeaderMap, size: u64) -> Wanted {
    let Some(value) = headers.get(header::RANGE).and_then(|value| value.to_str().ok()) else {
        return Wanted::Whole;
    };
    let Some((first, last)) = value.strip_prefix("bytes=").and_then(|range| range.split_once('-'))
    else {
        return Wanted::Whole;
    };
    let (first, last) = (first.trim(), last.trim());
    match (number(first), number(last)) {
        (None, Some(suffix)) if first.is_empty() => match suffix.min(size) {
            0 => Wanted::Unsatisfiable,
            length => Wanted::Part(size - length, length),
        },
        (Some(first), None) if last.is_empty() && first < size => Wanted::Part(first, size - first),
        (Some(first), Some(last)) if first <= last && first < size => {
            Wanted::Part(first, last.min(size - 1) - first + 1)
        }
        (Some(first), Some(last)) if first > last => Wanted::Whole,
        (Some(_), Some(_)) => Wanted::Unsatisfiable,
        (Some(_), None) if last.is_empty() => Wanted::Unsatisfiable,
        _ => Wanted::Whole,
    }
}

/// The announced position of an uploaded chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chunk {
    /// No `Content-Range`: the body continues where the upload stands.
    Unannounced,
    /// First byte and number of bytes.
    At(u64, u64),
    Malformed,
}

/// Reads `Content-Range: <first>-<last>`, both inclusive; `bytes ` in front is tolerated.
pub(crate) fn chunk(headers: &HeaderMap) -> Chunk {
    let Some(value) = headers.get(header::CONTENT_RANGE) else { return Chunk::Unannounced };
    let parse = |value: &str| {
        let range = value.strip_prefix("bytes ").unwrap_or(value);
        let (first, last) = range.split('/').next()?.split_once('-')?;
        let (first, last) = (number(first)?, number(last)?);
        Some(Chunk::At(first, last.checked_sub(first)?.checked_add(1)?))
    };
    value.to_str().ok().and_then(parse).unwrap_or(Chunk::Malformed)
}

/// Parses decimal digits only: no sign, no blanks.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
