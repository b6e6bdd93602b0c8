//! The shortest time between two runs of a set of entries.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{SignedDuration, Span};

use super::Schedule;
use super::fields::Fields;

/// Most entries of one schedule, the limit of the CRD.
pub(crate) const MAX_ENTRIES: usize = 16;

const MINUTES_OF_DAY: i64 = 24 * 60;

/// After this many days every day of a month has met every day of a week, leap days included.
const CYCLE_DAYS: usize = 28 * 365 + 7;

/// Returns the shortest time between two runs where it is shorter than `minimum`.
///
/// Times count as on a day without a change of clocks, and entries past [`MAX_ENTRIES`] do not. A run of `@every` has no
/// time of its own, so only its own distance counts.
pub(crate) fn closer_than(
    schedules: &[Schedule],
    minimum: SignedDuration,
) -> Option<SignedDuration> {
    let schedules = &schedules[..schedules.len().min(MAX_ENTRIES)];
    let mut fields = Vec::new();
    let mut every = None;
    for schedule in schedules {
        match schedule {
            Schedule::Every(one) => every = Some(every.map_or(*one, |every| (*one).min(every))),
            Schedule::Fields(one) => fields.push(one),
        }
    }
    // Most schedules are far apart even if every entry ran on every day, which is quickly seen.
    let is_far = closest_if_daily(&fields).is_none_or(|minutes| minutes >= minimum.as_mins());
    let of_fields = if is_far { None } else { closest(&fields) };
    let shortest = every.into_iter().chain(of_fields.map(SignedDuration::from_mins)).min();
    shortest.filter(|shortest| *shortest < minimum)
}

/// The times of one day on which some of the entries run.
struct Day {
    /// Minute of the day of the first run and of the last.
    ends: (i64, i64),
    /// Minutes between the closest two of its runs.
    closest: Option<i64>,
}

impl Day {
    fn of<'a>(fields: impl IntoIterator<Item = &'a Fields>) -> Option<Self> {
        let times: BTreeSet<i64> = fields
            .into_iter()
            .flat_map(Fields::times)
            .map(|(hour, minute)| i64::from(hour) * 60 + i64::from(minute))
            .collect();
        let closest = times.iter().zip(times.iter().skip(1)).map(|(one, next)| next - one).min();
        Some(Self { ends: (*times.first()?, *times.last()?), closest })
    }
}

/// Minutes between the closest two runs if every entry ran on every day.
fn closest_if_daily(fields: &[&Fields]) -> Option<i64> {
    let day = Day::of(fields.iter().copied())?;
    let across_midnight = day.ends.0 + MINUTES_OF_DAY - day.ends.1;
    Some(day.closest.map_or(across_midnight, |closest| closest.min(across_midnight)))
}

/// Minutes between the closest two runs.
fn closest(fields: &[&Fields]) -> Option<i64> {
    let mut kinds_of_day: BTreeMap<u32, Option<Day>> = BTreeMap::new();
    let mut closest: Option<i64> = None;
    // Day number and minute of the last run that was seen.
    let mut last: Option<(i64, i64)> = None;
    let days = Date::constant(2000, 1, 1).series(Span::new().days(1)).take(CYCLE_DAYS);
    for (number, date) in (0_i64..).zip(days) {
        let on = fields.iter().enumerate().filter(|(_, fields)| fields.matches_day(date));
        let mask = on.fold(0_u32, |mask, (place, _)| mask | 1 << place);
        let day = kinds_of_day.entry(mask).or_insert_with(|| {
            let is_on = |place: usize| mask & (1 << place) != 0;
            Day::of(
                fields.iter().enumerate().filter(|(place, _)| is_on(*place)).map(|(_, one)| *one),
            )
        });
        let Some(day) = day else { continue };
        let since = last
            .map(|(last_day, minute)| (number - last_day) * MINUTES_OF_DAY + day.ends.0 - minute);
        closest = [closest, since, day.closest].into_iter().flatten().min();
        last = Some((number, day.ends.1));
    }
    closest
}
