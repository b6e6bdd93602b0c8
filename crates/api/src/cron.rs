//! Repetition of an order, as the Go project of the same API group writes it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::tolerant;

/// Repeats an artifact's delivery on a schedule.
///
/// Scheduling belongs to the controller: `arc run` runs every artifact once, whatever is written here.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cron {
    /// IANA time zone in which `schedules` are read, with its capitals. A time that a change of clocks leaves out is no
    /// run. Empty means UTC. Example: `Europe/Berlin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub timezone: Option<String>,
    /// When to run, each entry five cron fields or one of `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly` and
    /// `@every <duration>`. At least one entry is needed. Two runs may not be closer than the controller allows, 10 minutes
    /// by default. Example: `["0 3 * * *"]`.
    #[serde(
        default,
        deserialize_with = "tolerant::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(min = 1, max = 16), inner(length(min = 1, max = 128)))]
    pub schedules: Vec<String>,
    /// How many seconds late a missed run may still start. Empty means that a missed run is left out. Example: `300`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub starting_deadline_seconds: Option<i64>,
    /// Argo expression that must hold for a run to start; it may ask for `cronworkflow.…` and nothing else.
    /// Empty means always.
    /// Example: `{{= cronworkflow.failed < 3 }}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub when: Option<String>,
    /// `false` switches the schedule off, also one that comes from the order's defaults. Empty means `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}
