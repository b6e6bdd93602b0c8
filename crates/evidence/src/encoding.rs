//! Hexadecimal, base64 and JSON with sorted keys.
//!
//! Sorted keys make the bytes independent of the features another crate of the build switches on in `serde_json`.

use std::collections::BTreeMap;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// Returns lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| char::from(DIGITS[usize::from(nibble)]))
        .collect()
}

/// Decodes hexadecimal digits, in the lower case that every log and registry writes.
pub(crate) fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(nibble(*high)? << 4 | nibble(*low)?)).collect()
}

/// Returns standard base64 with padding, the only form ARC writes.
pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Decodes standard or URL base64, both with padding: what Go's verifiers read.
pub(crate) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let engine = if text.contains(['-', '_']) { URL_SAFE } else { STANDARD };
    engine.decode(text).ok()
}

/// Serialises a JSON value with its object keys sorted at every level.
pub(crate) fn sorted<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    Sorted(value).serialize(serializer)
}

/// Returns the JSON bytes of a value with its object keys sorted at every level.
pub(crate) fn sorted_bytes(value: &Value) -> Vec<u8> {
    to_bytes(&Sorted(value))
}

/// Returns the JSON bytes of a value that always serialises.
pub(crate) fn to_bytes<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("a tree of strings, numbers and string keys serialises")
}

/// Returns the JSON value of a type that always serialises.
pub(crate) fn to_value<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("a tree of strings, numbers and string keys serialises")
}

struct Sorted<'a>(&'a Value);

impl Serialize for Sorted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Array(items) => serializer.collect_seq(items.iter().map(Sorted)),
            Value::Object(fields) => {
                let fields: BTreeMap<_, _> =
                    fields.iter().map(|(key, value)| (key, Sorted(value))).collect();
                fields.serialize(serializer)
            }
            scalar => scalar.serialize(serializer),
        }
    }
}
