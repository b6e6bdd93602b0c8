//! Reading what other writers write: empty values where ARC would leave a field out.
//!
//! The Go project of the same API group writes `null` for an empty list and `{}` for a missing reference, and templates
//! leave keys without a value behind.

use serde::{Deserialize, Deserializer};

use crate::LocalObjectReference;

/// Reads `null` as the default value.
pub(crate) fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// Reads a reference without a name as no reference.
pub(crate) fn reference<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<LocalObjectReference>, D::Error> {
    Ok(Option::<LocalObjectReference>::deserialize(from)?
        .filter(|reference| !reference.name.is_empty()))
}

/// Reads a word that this version does not know, such as a phase of another one, as none.
pub(crate) fn known<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    let value = serde_json::Value::deserialize(from)?;
    Ok(T::deserialize(value).ok())
}
