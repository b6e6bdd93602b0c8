//! The schedule that holds for an artifact: its own, or the order's.

use arc_api::Cron;
use arc_api::reasons::Reason;

use super::{Check, value};

/// Returns the schedule, or nothing where there is none or it is switched off.
///
/// Only its form is checked; reading the schedules belongs to who runs them.
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
    for (index, schedule) in cron.schedules.iter().enumerate() {
        check.problems.extend(value::problem(&format!("{path}.schedules[{index}]"), "", schedule));
    }
    if let Some(timezone) = &cron.timezone {
        check.problems.extend(value::problem(&format!("{path}.timezone"), "", timezone));
    }
    Some(cron.clone())
}
