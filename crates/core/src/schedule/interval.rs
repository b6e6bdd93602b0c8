//! The shortest time between two runs of a set of entries.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{SignedDuration, Span};

use super::Schedule;
use super::fields::Fields;

/// Most entries of one schedule, the limit of the CRD.
pub(crate) const MAX_ENTRIES: usize = 16;

const MINUTES_OF_DAY: i64 = 24 * 60;

/// After this many days every day of a month has met every day of a week, leap days included.
const CYCLE_DAYS: usize = 28 * 365 + 7;

/// Returns the shortest time between two runs; nothing where there are no two. Entries past [`MAX_ENTRIES`] do not count.
///
/// Times count as on a day without a change of clocks. A run of `@every` has no time of its own, so only its own
/// distance counts.
pub(crate) fn shortest(schedules: &[Schedule]) -> Option<SignedDuration> {
    let schedules = &schedules[..schedules.len().min(MAX_ENTRIES)];
    let every = schedules.iter().filter_map(|schedule| match schedule {
        Schedule::Every(every) => Some(*every),
        Schedule::Fields(_) => None,
    });
    let fields: Vec<&Fields> = schedules
        .iter()
        .filter_map(|schedule| match schedule {
            Schedule::Fields(fields) => Some(fields),
            Schedule::Every(_) => None,
        })
        .collect();
    every.chain(of_fields(&fields).map(SignedDuration::from_mins)).min()
}

/// Minutes between the closest two runs.
fn of_fields(fields: &[&Fields]) -> Option<i64> {
    let times = |is_on: &dyn Fn(usize) -> bool| -> BTreeSet<i64> {
        let on = fields.iter().enumerate().filter(|(place, _)| is_on(*place));
        on.flat_map(|(_, fields)| fields.times())
            .map(|(hour, minute)| i64::from(hour) * 60 + i64::from(minute))
            .collect()
    };
    let mut seen = BTreeSet::new();
    let mut closest: Option<i64> = None;
    // Day number and minute of the last run that was seen.
    let mut last: Option<(i64, i64)> = None;
    let mut before = 0_u32;
    let days = Date::constant(2000, 1, 1).series(Span::new().days(1)).take(CYCLE_DAYS);
    for (day, date) in (0_i64..).zip(days) {
        let today = fields
            .iter()
            .enumerate()
            .filter(|(_, fields)| fields.matches_day(date))
            .fold(0_u32, |mask, (place, _)| mask | 1 << place);
        let is_new = seen.insert((before, today));
        before = today;
        if today == 0 {
            continue;
        }
        let times = times(&|place| today & (1 << place) != 0);
        let (Some(first), Some(end)) = (times.first(), times.last()) else { continue };
        if let Some((last_day, minute)) = last {
            closest = Some(smaller(closest, (day - last_day) * MINUTES_OF_DAY + first - minute));
        }
        if is_new {
            for (one, next) in times.iter().zip(times.iter().skip(1)) {
                closest = Some(smaller(closest, next - one));
            }
        }
        last = Some((day, *end));
    }
    closest
}

fn smaller(closest: Option<i64>, distance: i64) -> i64 {
    closest.map_or(distance, |closest| closest.min(distance))
}
