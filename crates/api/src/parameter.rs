//! A name and a value for the steps of a workflow template.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::tolerant;

/// One parameter of a workflow template.
#[derive(
    Clone, Debug, Default, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "camelCase")]
pub struct Parameter {
    /// Name of the parameter as the workflow template declares it. Example: `scanSeverity`.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Value of the parameter, always a string: quote numbers and booleans. Empty is the empty string.
    /// Example: `HIGH,CRITICAL`.
    #[serde(default, deserialize_with = "tolerant::or_default")]
    #[schemars(length(max = 65_536))]
    pub value: String,
}

impl Parameter {
    /// Builds the parameter `name` with the given value.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}
