//! Schedules as Argo reads them: five cron fields, `@daily` and its like, and `@every <duration>`.
//!
//! What is refused here would be refused by Argo only after the fact, or would mean something else there: seconds,
//! years, `L`, `W`, `#`, a `7` for Sunday, a `TZ=` of the entry's own.
//! Time zones come from the database that is compiled in, whatever the machine has.

mod fields;
mod interval;
pub(crate) mod when;

use arc_api::Cron;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp, Zoned};

use crate::duration;
use fields::Fields;
pub(crate) use interval::{MAX_ENTRIES, closer_than};

/// Longest entry, the limit of the CRD.
const MAX_BYTES: usize = 128;

/// Days to look ahead for the next run: from one 29 February to the next it is eight years at most.
const MAX_DAYS: usize = 8 * 366;

/// One entry of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Schedule {
    /// At times of days.
    Fields(Fields),
    /// At a distance from the run before.
    Every(SignedDuration),
}

impl Schedule {
    /// Reads one entry; the error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("it has {} bytes; at most {MAX_BYTES} are taken", text.len()));
        }
        if let Some(every) = text.strip_prefix("@every ") {
            let every = duration::parse(every.trim())
                .filter(|every| every.as_secs() > 0)
                .and_then(|every| SignedDuration::try_from(every).ok());
            let wrong = || "`@every` needs a duration of at least a second, such as `@every 6h`";
            return every.map(Self::Every).ok_or_else(|| wrong().to_owned());
        }
        let fields = match text {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            word if word.starts_with('@') => {
                return Err(format!(
                    "{word:?} is not known; known are @hourly, @daily, @weekly, @monthly, @yearly and @every"
                ));
            }
            fields => fields,
        };
        Fields::parse(fields).map(Self::Fields)
    }

    /// Returns the first run after `after`, in its time zone.
    fn next(&self, after: &Zoned) -> Option<Timestamp> {
        match self {
            Self::Every(every) => after.timestamp().checked_add(*every).ok(),
            Self::Fields(fields) => {
                let days = after.date().series(jiff::Span::new().days(1)).take(MAX_DAYS);
                days.filter(|day| fields.matches_day(*day)).find_map(|day| {
                    let at = |(hour, minute)| {
                        let time = day.at(hour, minute, 0, 0);
                        let ambiguous = after.time_zone().to_ambiguous_timestamp(time);
                        // A time that a change of clocks leaves out is no run, as with Argo.
                        let is_left_out = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
                        if is_left_out { None } else { ambiguous.compatible().ok() }
                    };
                    fields.times().filter_map(at).find(|time| *time > after.timestamp())
                })
            }
        }
    }
}

/// Returns the time zone of this name; the names are IANA's, letter by letter, as Argo needs them.
pub(crate) fn time_zone(name: &str) -> Option<TimeZone> {
    match name {
        "" | "UTC" => Some(TimeZone::UTC),
        name => {
            let found = TimeZoneDatabase::bundled().get(name).ok()?;
            (found.iana_name() == Some(name)).then_some(found)
        }
    }
}

/// Returns how a time zone is really written, where only capitals differ.
pub(crate) fn time_zone_meant(name: &str) -> Option<String> {
    TimeZoneDatabase::bundled().get(name).ok()?.iana_name().map(str::to_owned)
}

/// Returns when a schedule runs next after `after`; nothing where it never does or cannot be read.
pub fn next_run(cron: &Cron, after: Timestamp) -> Option<Timestamp> {
    let zone = time_zone(cron.timezone.as_deref().unwrap_or_default())?;
    let after = after.to_zoned(zone);
    let schedules = cron.schedules.iter().filter_map(|text| Schedule::parse(text).ok());
    schedules.filter_map(|schedule| schedule.next(&after)).min()
}

#[cfg(test)]
mod tests;
