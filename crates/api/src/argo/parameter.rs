//! Parameters, as arguments, inputs and outputs have them.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// What a workflow is started with.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Arguments {
    /// The parameters, unique by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
}

/// One parameter of arguments, inputs or outputs.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameter {
    /// Name of the parameter.
    pub name: String,
    /// Value; where it is missing, `default` or `value_from` counts.
    /// Argo takes numbers and booleans here too and makes strings of them.
    #[serde(default, deserialize_with = "any_string", skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Value to take where there is none.
    #[serde(default, deserialize_with = "any_string", skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Where the value comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_from: Option<ValueFrom>,
}

impl Parameter {
    /// Builds the parameter `name` with the given value.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: Some(value.into()), ..Self::default() }
    }
}

/// Where the value of a parameter comes from.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ValueFrom {
    /// File of the container that holds the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Value to take where the source has none.
    #[serde(deserialize_with = "any_string", skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Reference to an output parameter of another step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// Expression that gives the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
}

/// Reads what Argo calls an any-string: a string, or a number or boolean that stands for its text.
fn any_string<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text),
        Some(other) => Some(other.to_string()),
    })
}
