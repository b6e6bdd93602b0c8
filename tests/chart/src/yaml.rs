//! YAML in and out, with strict booleans as Kubernetes reads them.

use serde_json::Value;

/// Reads all documents of a text; those that hold nothing are left out.
pub fn documents(text: &str) -> Result<Vec<Value>, String> {
    let options = serde_saphyr::options! { strict_booleans: true };
    let documents: Vec<Value> = serde_saphyr::from_multiple_with_options(text, options)
        .map_err(|error| error.to_string())?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).collect())
}

/// Writes one document; keys are sorted.
pub fn to_yaml(value: &Value) -> String {
    serde_saphyr::to_string(value).unwrap()
}
