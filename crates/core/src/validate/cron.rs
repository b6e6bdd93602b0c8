//! The schedule that holds for an artifact: its own, or the order's.

use arc_api::Cron;
use arc_api::reasons::Reason;
use jiff::SignedDuration;

use super::{Check, value};
use crate::problem::Problem;
use crate::schedule::{self, MAX_ENTRIES, Schedule, when};

/// Returns the schedule, or nothing where there is none or it is switched off.
pub(super) fn resolve(check: &mut Check<'_>) -> Option<Cron> {
    let own = check.artifact.cron.as_ref().map(|cron| (format!("{}.cron", check.path), cron));
    let default = check.order.spec.defaults.as_ref().and_then(|defaults| defaults.cron.as_ref());
    let (path, cron) = own.or(default.map(|cron| ("spec.defaults.cron".to_owned(), cron)))?;
    if cron.enabled == Some(false) {
        return None;
    }
    if cron.schedules.is_empty() {
        let message = format!("the schedule in {path} has no entry in `schedules`");
        let hint =
            "add an entry such as `0 3 * * *`, or switch the schedule off with `enabled: false`";
        check.refuse("cron", Reason::InvalidSchedule, message).hint = Some(hint.to_owned());
    }
    check.problems.extend(schedules(&path, cron, check.fetched.limits.minimum_interval));
    check.problems.extend(rest(&path, cron));
    Some(cron.clone())
}

/// Reads every entry, and measures the distance of their runs when all can be read.
fn schedules(path: &str, cron: &Cron, minimum: SignedDuration) -> Vec<Problem> {
    let path = format!("{path}.schedules");
    let count = cron.schedules.len();
    if count > MAX_ENTRIES {
        let message = format!("{count} entries; at most {MAX_ENTRIES} are allowed");
        return vec![Problem::new(path, Reason::TooLarge, message)];
    }
    let mut problems = Vec::new();
    let mut read = Vec::new();
    for (index, text) in cron.schedules.iter().enumerate() {
        let path = format!("{path}[{index}]");
        if let Some(problem) = value::problem(&path, "", text) {
            problems.push(problem);
            continue;
        }
        match Schedule::parse(text) {
            Ok(schedule) => read.push(schedule),
            Err(wrong) => {
                let message = format!("{text:?} cannot be read as a schedule: {wrong}");
                let hint = "write five fields such as `0 3 * * *`, or `@daily`, or `@every 6h`";
                problems.push(Problem::new(path, Reason::InvalidSchedule, message).hint(hint));
            }
        }
    }
    let is_checked = problems.is_empty() && !minimum.is_zero();
    let shortest = is_checked.then(|| schedule::closer_than(&read, minimum)).flatten();
    if let Some(shortest) = shortest {
        let message = format!(
            "two runs are only {shortest:#} apart; the shortest time that this installation allows is {minimum:#}"
        );
        let hint = "run less often, or ask the operator of this installation for a shorter minimum interval";
        problems.push(Problem::new(path, Reason::InvalidSchedule, message).hint(hint));
    }
    problems
}

/// Time zone, lateness and condition.
fn rest(path: &str, cron: &Cron) -> Vec<Problem> {
    let mut problems = Vec::new();
    let timezone = cron.timezone.as_deref().unwrap_or_default();
    if schedule::time_zone(timezone).is_none() {
        let hint = match schedule::time_zone_meant(timezone) {
            Some(meant) => format!("write {meant:?}"),
            None => {
                "use a name of the IANA database such as `Europe/Berlin`, or leave it out for UTC"
                    .to_owned()
            }
        };
        let message = format!("{timezone:?} is not a time zone");
        let problem = Problem::new(format!("{path}.timezone"), Reason::InvalidSchedule, message);
        problems.push(problem.hint(hint));
    }
    if let Some(late) = cron.starting_deadline_seconds.filter(|late| *late < 0) {
        let message = format!("{late} seconds are not a time to be late");
        let path = format!("{path}.startingDeadlineSeconds");
        problems.push(Problem::new(path, Reason::InvalidSchedule, message));
    }
    if let Some(when) = &cron.when
        && let Some(wrong) = when::problem(when)
    {
        let message = format!("the condition cannot be taken: {wrong}");
        let hint = "ask only for what Argo knows of the schedule, such as `{{= cronworkflow.failed < 3 }}`";
        let problem = Problem::new(format!("{path}.when"), Reason::InvalidSchedule, message);
        problems.push(problem.hint(hint));
    }
    problems
}
