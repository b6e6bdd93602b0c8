use super::*;

fn cron(timezone: Option<&str>, schedules: &[&str]) -> Cron {
    Cron {
        timezone: timezone.map(str::to_owned),
        schedules: schedules.iter().map(|text| (*text).to_owned()).collect(),
        ..Cron::default()
    }
}

#[track_caller]
fn check_next(timezone: Option<&str>, schedules: &[&str], after: &str, expected: Option<&str>) {
    let next = next_run(&cron(timezone, schedules), after.parse().expect("a time"));
    assert_eq!(next.map(|time| time.to_string()).as_deref(), expected, "{schedules:?}");
}

#[test]
fn the_next_run_is_the_first_of_all_entries() {
    let after = "2026-11-20T19:27:21Z"; // A Friday.
    for (schedule, expected) in [
        ("0 3 * * *", "2026-11-21T03:00:00Z"),
        ("*/15 * * * *", "2026-11-20T19:30:00Z"),
        ("27 19 * * *", "2026-11-21T19:27:00Z"),
        ("28 19 20 11 ?", "2026-11-20T19:28:00Z"),
        ("0 0 * * 0", "2026-11-22T00:00:00Z"),
        ("0 0 * * MON-fri/2", "2026-11-23T00:00:00Z"),
        ("0 0 13 * FRI", "2026-11-27T00:00:00Z"),
        ("0 0 13 * *", "2026-12-13T00:00:00Z"),
        ("0 0 29 2 *", "2028-02-29T00:00:00Z"),
        ("5/20 10-12,22 * jan *", "2027-01-01T10:05:00Z"),
        ("@hourly", "2026-11-20T20:00:00Z"),
        ("@daily", "2026-11-21T00:00:00Z"),
        ("@weekly", "2026-11-22T00:00:00Z"),
        ("@monthly", "2026-12-01T00:00:00Z"),
        ("@yearly", "2027-01-01T00:00:00Z"),
        ("@every 1h30m", "2026-11-20T20:57:21Z"),
    ] {
        check_next(None, &[schedule], after, Some(expected));
    }
    check_next(None, &["0 3 * * *", "0 22 * * *"], after, Some("2026-11-20T22:00:00Z"));
    check_next(None, &["0 0 31 2 *"], after, None);
}

#[test]
fn schedules_follow_the_clocks_of_their_zone() {
    let berlin = Some("Europe/Berlin");
    check_next(berlin, &["0 3 * * *"], "2026-07-01T00:00:00Z", Some("2026-07-01T01:00:00Z"));
    check_next(berlin, &["0 3 * * *"], "2026-12-01T00:00:00Z", Some("2026-12-01T02:00:00Z"));
    // 02:30 does not exist on 29 March 2026, and exists twice on 25 October.
    check_next(berlin, &["30 2 * * *"], "2026-03-28T12:00:00Z", Some("2026-03-30T00:30:00Z"));
    check_next(berlin, &["30 2 * * *"], "2026-10-24T12:00:00Z", Some("2026-10-25T00:30:00Z"));
    check_next(Some("Mars/Olympus"), &["@daily"], "2026-03-28T12:00:00Z", None);
}

#[test]
fn time_zones_are_known_without_the_machine_s_own_and_letter_by_letter() {
    for (name, known) in [
        ("Europe/Berlin", true),
        ("UTC", true),
        ("", true),
        ("Asia/Kolkata", true),
        ("europe/berlin", false),
        ("Local", false),
        ("Mars/Olympus", false),
        ("../../etc/passwd", false),
    ] {
        assert_eq!(time_zone(name).is_some(), known, "{name:?}");
    }
    assert_eq!(time_zone_meant("europe/berlin").as_deref(), Some("Europe/Berlin"));
}

#[test]
fn what_argo_would_not_read_is_refused_with_what_is_wrong() {
    for (text, wrong) in [
        (
            "",
            "it has 0 fields; five are needed: minute, hour, day of the month, month, day of the week",
        ),
        (
            "0 0 3 * * *",
            "it has 6 fields; five are needed: minute, hour, day of the month, month, day of the week",
        ),
        ("60 * * * *", "\"60\" is not a minute (0 to 59)"),
        ("0 24 * * *", "\"24\" is not a hour (0 to 23)"),
        ("0 0 0 * *", "\"0\" is not a day of the month (1 to 31)"),
        ("0 0 * 13 *", "\"13\" is not a month (1 to 12)"),
        ("0 0 * * 7", "\"7\" is not a day of the week (0 to 6)"),
        ("0 0 L * *", "\"L\" is not a day of the month (1 to 31)"),
        ("0 0 * * 5#2", "\"5#2\" is not a day of the week (0 to 6)"),
        ("*/0 * * * *", "\"*/0\" is not a minute (0 to 59)"),
        ("30-10 * * * *", "\"30-10\" is not a minute (0 to 59)"),
        ("1,,2 * * * *", "\"\" is not a minute (0 to 59)"),
        ("+1 * * * *", "\"+1\" is not a minute (0 to 59)"),
        (
            "@reboot",
            "\"@reboot\" is not known; known are @hourly, @daily, @weekly, @monthly, @yearly and @every",
        ),
        ("@every soon", "`@every` needs a duration of at least a second, such as `@every 6h`"),
        ("@every 10ms", "`@every` needs a duration of at least a second, such as `@every 6h`"),
        (&"9".repeat(200), "it has 200 bytes; at most 128 are taken"),
    ] {
        assert_eq!(Schedule::parse(text), Err(wrong.to_owned()), "{text:?}");
    }
}

#[test]
fn the_shortest_distance_counts_all_entries_and_only_days_that_meet() {
    let minutes = |entries: &[&str]| {
        let schedules: Vec<_> =
            entries.iter().map(|text| Schedule::parse(text).expect("a schedule")).collect();
        let shortest = closer_than(&schedules, SignedDuration::MAX);
        shortest.map(|distance| distance.as_secs() / 60)
    };
    for (entries, expected) in [
        (&["*/10 * * * *"][..], Some(10)),
        (&["* * * * *"], Some(1)),
        (&["0 3 * * *"], Some(24 * 60)),
        (&["@every 90m"], Some(90)),
        (&["0 3 * * *", "5 3 * * *"], Some(5)),
        (&["0 3 * * *", "0 3 * * *"], Some(24 * 60)),
        // On different days they are far apart.
        (&["0 3 * * 1", "5 3 * * 4"], Some(3 * 24 * 60 + 5)),
        // Across midnight, and only at the end of a month.
        (&["58 23 * * *", "0 0 1 * *"], Some(2)),
        (&["58 23 28 2 *", "1 0 1 3 *"], Some(3)),
        (&["58 23 * * 5", "0 0 * * 0"], Some(24 * 60 + 2)),
        (&["0 0 29 2 *"], Some(4 * 365 * 24 * 60 + 24 * 60)),
        (&["0 0 31 2 *"], None),
        (&[], None),
    ] {
        assert_eq!(minutes(entries), expected, "{entries:?}");
    }
}

#[test]
fn a_condition_is_about_the_schedule_only() {
    for when in [
        "{{= cronworkflow.failed < 3 }}",
        "{{=cronworkflow.lastScheduledTime == nil || (now() - cronworkflow.lastScheduledTime).Seconds() > 30}}",
        "{{cronworkflow.failed}} < 3",
        "{{ cronworkflow.labels.team }} == 'a}'",
        "{{= cronworkflow.name startsWith \"workflow.x\" and not false }}",
    ] {
        assert_eq!(when::problem(when), None, "{when}");
    }
    for (when, wrong) in [
        ("{{workflow.parameters.a}}", "\"workflow.parameters.a\" is not about the schedule"),
        ("{{= workflow.uid == '' }}", "\"workflow.uid\" is not about the schedule"),
        ("{{= sprig.env('HOME') }}", "\"sprig.env\" is not about the schedule"),
        ("{{= $env }}", "\"$env\" is not about the schedule"),
        ("{{= cronworkflow.failed < limit }}", "\"limit\" is not about the schedule"),
        ("{{= 'a }}", "\"'a\" is not about the schedule"),
        ("{{cronworkflow.failed", "it has a `{{` without `}}`"),
        ("cronworkflow.failed }} {{", "it has a `}}` without `{{`"),
        ("1 < 2", "it has no `{{…}}`, so it always says the same"),
    ] {
        assert_eq!(when::problem(when).as_deref(), Some(wrong), "{when}");
    }
    assert!(when::problem(&"x".repeat(2000)).is_some());
}

#[test]
fn what_is_far_apart_is_not_reported() {
    let closer = |text: &str, minutes| {
        let schedule = Schedule::parse(text).expect("a schedule");
        closer_than(&[schedule], SignedDuration::from_mins(minutes)).is_some()
    };
    assert!(!closer("*/10 * * * *", 10) && closer("*/10 * * * *", 11));
    assert!(!closer("@every 10m", 10) && closer("@every 599s", 10));
    // Midnight is a border only of days that follow each other.
    assert!(!closer("0,59 0,23 * * 3", 59) && closer("0,59 0,23 * * *", 59));
    assert!(closer("0,59 0,23 * * 3,4", 59));
}
