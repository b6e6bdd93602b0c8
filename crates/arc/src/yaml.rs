//! The one place that knows the YAML crate: reading with strict booleans, writing for people.

use serde::Serialize;
use serde_json::Value;

/// Reads all documents of a YAML text; the error has line and column.
///
/// Booleans are strict: `NO` and `on` stay the words they are, as in Kubernetes' JSON.
pub(crate) fn documents(text: &str) -> Result<Vec<Value>, String> {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_multiple_with_options(text, options).map_err(|error| error.to_string())
}

/// Writes one document.
pub(crate) fn write<T: Serialize>(value: &T) -> Result<String, String> {
    serde_saphyr::to_string(value).map_err(|error| error.to_string())
}
