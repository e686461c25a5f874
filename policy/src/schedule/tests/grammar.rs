//! What is read, what is refused, and the answers.

use super::*;

#[track_caller]
fn check_error(item: &str, expect: &str) {
    let (problem, hint) = Windows::parse_list(item).expect_err(item);
    assert_eq!(format!("{problem}: {hint}"), expect, "{item}");
}

/// The first starts of a cron expression in UTC from 2026-01-01 on, a Thursday.
fn starts(cron: &str, count: usize) -> Vec<String> {
    let poll = Poll::parse(cron).unwrap_or_else(|(problem, hint)| panic!("{cron}: {problem}: {hint}"));
    let mut at = time("2025-12-31T23:59:59Z");
    let next = || {
        at = poll.next(at)?;
        Some(at.strftime("%m-%d %H:%M").to_string())
    };
    std::iter::from_fn(next).take(count).collect()
}

#[track_caller]
fn check_starts(cron: &str, expect: &[&str]) {
    assert_eq!(starts(cron, expect.len()), expect, "{cron}");
}

#[test]
fn lists_ranges_steps_and_names_are_read() {
    check_starts("0,30 9 * * *", &["01-01 09:00", "01-01 09:30", "01-02 09:00"]);
    check_starts("*/20 9-10 * * *", &["01-01 09:00", "01-01 09:20", "01-01 09:40", "01-01 10:00"]);
    check_starts("5-59/20 0 * * *", &["01-01 00:05", "01-01 00:25", "01-01 00:45", "01-02 00:05"]);
    check_starts("0 0 1 JAN,jul *", &["01-01 00:00", "07-01 00:00", "01-01 00:00"]);
    check_starts("0 0 1 */4 *", &["01-01 00:00", "05-01 00:00", "09-01 00:00", "01-01 00:00"]);
    check_starts("0 0 31 * *", &["01-31 00:00", "03-31 00:00", "05-31 00:00", "07-31 00:00"]);
}

#[test]
fn weekdays_count_from_sunday_which_is_0_and_7() {
    check_starts("0 0 * * 0", &["01-04 00:00", "01-11 00:00"]);
    check_starts("0 0 * * 7", &["01-04 00:00", "01-11 00:00"]);
    check_starts("0 0 * * SUN", &["01-04 00:00", "01-11 00:00"]);
    check_starts("0 0 * * 1", &["01-05 00:00", "01-12 00:00"]);
    check_starts("0 0 * * MON", &["01-05 00:00", "01-12 00:00"]);
    check_starts("0 0 * * 6", &["01-03 00:00", "01-10 00:00"]);
    check_starts("0 0 * * MON-FRI/2", &["01-02 00:00", "01-05 00:00", "01-07 00:00", "01-09 00:00"]);
    check_starts("0 0 * * 5-7", &["01-02 00:00", "01-03 00:00", "01-04 00:00", "01-09 00:00"]);
    check_starts("0 0 * * SAT-SUN", &["01-03 00:00", "01-04 00:00", "01-10 00:00"]);
    check_starts("0 0 * * 0-7", &["01-01 00:00", "01-02 00:00", "01-03 00:00", "01-04 00:00"]);
    check_starts("0 0 * * sun,WED", &["01-04 00:00", "01-07 00:00"]);
}

#[test]
fn a_day_of_the_month_or_of_the_week_is_enough_if_both_are_restricted() {
    check_starts("0 0 13 * FRI", &["01-02 00:00", "01-09 00:00", "01-13 00:00", "01-16 00:00"]);
    check_starts("0 0 30 2 MON", &["02-02 00:00", "02-09 00:00", "02-16 00:00"]);
    // A field that starts with `*` does not restrict: both must hold.
    check_starts("0 0 */2 * FRI", &["01-09 00:00", "01-23 00:00", "02-13 00:00"]);
    check_starts("0 0 ? * FRI", &["01-02 00:00", "01-09 00:00"]);
}

#[test]
fn named_schedules_are_those_of_cron() {
    check_starts("@hourly", &["01-01 00:00", "01-01 01:00"]);
    check_starts("@daily", &["01-01 00:00", "01-02 00:00"]);
    check_starts("@midnight", &["01-01 00:00", "01-02 00:00"]);
    check_starts("@weekly", &["01-04 00:00", "01-11 00:00"]);
    check_starts("@monthly", &["01-01 00:00", "02-01 00:00"]);
    check_starts("@yearly", &["01-01 00:00", "01-01 00:00"]);
}

#[test]
fn a_leap_day_is_found_years_ahead() {
    let poll = Poll::parse("0 0 29 2 *").unwrap();
    assert_eq!(poll.next(time("2024-02-29T00:00:00Z")), Some(time("2028-02-29T00:00:00Z")));
    let windows = windows("0 0 29 2 * for 1d UTC");
    assert!(windows.is_open(time("2028-02-29T23:59:59Z")));
    assert_eq!(windows.next_change(time("2026-01-01T00:00:00Z")), Some(time("2028-02-29T00:00:00Z")));
}

#[test]
fn fields_that_say_nothing_sound_are_refused_with_a_hint() {
    let number = |from: u32, to: u32| format!("write a number from {from} to {to}");
    for (cron, expect) in [
        ("60 * * * *", format!("`60` is no minute: {}", number(0, 59))),
        ("* 24 * * *", format!("`24` is no hour: {}", number(0, 23))),
        ("* * 0 * *", format!("`0` is no day of the month: {}", number(1, 31))),
        ("* * * 13 *", format!("`13` is no month: {}, or `JAN` to `DEC`", number(1, 12))),
        ("* * * * 8", format!("`8` is no day of the week: {}, or `SUN` to `SAT`", number(0, 7))),
        ("* * * * MO", format!("`MO` is no day of the week: {}, or `SUN` to `SAT`", number(0, 7))),
        ("* * * * monday", "`monday` is no day of the week: did you mean `MON`?".to_owned()),
        ("* * * * THR", "`THR` is no day of the week: did you mean `THU`?".to_owned()),
        ("1, * * * *", format!("a number is missing in the minute: {}", number(0, 59))),
        ("-1 * * * *", format!("a number is missing in the minute: {}", number(0, 59))),
        ("1--2 * * * *", format!("`-2` is no minute: {}", number(0, 59))),
        ("+1 * * * *", format!("`+1` is no minute: {}", number(0, 59))),
        ("* * L * *", format!("`L` is no day of the month: {}", number(1, 31))),
        ("* * * * MON#1", "`MON#1` is no day of the week: did you mean `MON`?".to_owned()),
        ("*/0 * * * *", "`*/0` has no step that fits the minute: write a step from 1 to 59".to_owned()),
        ("*/90 * * * *", "`*/90` has no step that fits the minute: write a step from 1 to 59".to_owned()),
        ("*/ * * * *", "`*/` has no step that fits the minute: write a step from 1 to 59".to_owned()),
        ("0/15 * * * *", "`0/15` has a step without a range: write `0-59/15`".to_owned()),
        ("* * * * FRI-MON", "`FRI-MON` runs backwards: write `FRI-SAT,SUN-MON`".to_owned()),
        ("* 22-6 * * *", "`22-6` runs backwards: write `22-23,0-6`".to_owned()),
        ("0 0 30 2 *", "no month of `2` has a day `30`: the expression names no time at all".to_owned()),
        (
            "0 0 31 4,6,9,11 *",
            "no month of `4,6,9,11` has a day `31`: the expression names no time at all".to_owned(),
        ),
    ] {
        check_error(&format!("{cron} for 1h UTC"), &expect);
        let (problem, hint) = Poll::parse(cron).expect_err(cron);
        assert_eq!(format!("{problem}: {hint}"), expect, "{cron}");
    }
}

#[test]
fn items_that_are_not_windows_are_refused_with_a_hint() {
    let form = window::FORM;
    let cron = cron::FORM;
    check_error("", &format!("no window is given: {form}"));
    check_error(" \n ", &format!("no window is given: {form}"));
    check_error("0 9 * * *", &format!("`for` and a duration are missing: {form}"));
    check_error("0 9 * * * for", &format!("the duration and the time zone are missing: {form}"));
    check_error("0 9 * * * for 7h", &format!("the time zone is missing: {form}"));
    check_error("0 9 * * * for UTC", &format!("the time zone is missing: {form}"));
    check_error("for 7h UTC", &format!("the cron expression is missing: {cron}"));
    check_error("freeze for 7h UTC", &format!("the cron expression is missing: {cron}"));
    check_error("0 9 * * for 7h UTC", &format!("4 fields, a cron expression has five: {cron}"));
    check_error("9-17 for 7h UTC", &format!("1 field, a cron expression has five: {cron}"));
    let six =
        format!("6 fields, a cron expression has five: there are no fields for seconds and years: {cron}");
    check_error("0 0 9 * * MON for 7h UTC", &six);
    check_error(
        "0 9 * * * for 7h Europe/Berln",
        "`Europe/Berln` is no time zone: did you mean `Europe/Berlin`?",
    );
    check_error("0 9 * * * for 30s UTC", "`30s` is shorter than 1m: write a duration from 1m to 31d");
    check_error("0 9 * * * for 32d UTC", "`32d` is longer than 31d: write a duration from 1m to 31d");
    check_error("0 9 * * * for 7 UTC", "a unit is missing after `7`: write `7s`, `7m`, `7h` or `7d`");
    check_error(
        "@reboot for 7h UTC",
        "`@reboot` is not known here: write `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly` or five fields",
    );
    check_error(
        &"@daily for 1h UTC\n".repeat(33),
        "33 items, at most 32 are allowed: join some of them with lists, as in `0 9,14 * * *`",
    );
    // One bad item is enough.
    check_error("@daily for 1h UTC\n@daily for 1h", &format!("the time zone is missing: {form}"));
}

#[test]
fn spaces_are_no_difference_and_the_text_is_kept() {
    let windows = windows("  0  9 * *\tMON-THU   for 1h 30m Europe/Berlin  ");
    assert_eq!(windows.open[0].text, "0  9 * *\tMON-THU   for 1h 30m Europe/Berlin");
    assert!(windows.is_open(time("2026-11-30T09:29:59Z")));
    assert!(!windows.is_open(time("2026-11-30T09:30:00Z")));
}

#[test]
fn a_poll_is_an_interval_or_a_schedule() {
    let after = time("2026-11-30T08:00:30Z");
    for (value, interval, next) in [
        ("30s", Some(30), "2026-11-30T08:01:00Z"),
        ("@every 30s", Some(30), "2026-11-30T08:01:00Z"),
        ("1h 30m", Some(5400), "2026-11-30T09:30:30Z"),
        ("*/5 * * * *", None, "2026-11-30T08:05:00Z"),
        ("0 6 * * * Europe/Berlin", None, "2026-12-01T05:00:00Z"),
        ("0 6 * * *", None, "2026-12-01T06:00:00Z"),
        ("@hourly", None, "2026-11-30T09:00:00Z"),
        ("@daily Asia/Kolkata", None, "2026-11-30T18:30:00Z"),
    ] {
        let poll = Poll::parse(value).unwrap_or_else(|(problem, hint)| panic!("{value}: {problem}: {hint}"));
        assert_eq!(poll.text, value);
        assert_eq!(poll.interval(), interval.map(SignedDuration::from_secs), "{value}");
        assert_eq!(poll.next(after), Some(time(next)), "{value}");
    }
    assert_eq!(Poll::parse("30s"), Poll::parse(" 30s "));
    assert_ne!(Poll::parse("30s"), Poll::parse("31s"));
}

#[test]
fn a_poll_that_is_neither_is_refused_with_a_hint() {
    for (value, expect) in [
        ("", "the duration is missing"),
        ("30", "a unit is missing after `30`"),
        ("100ms", "`100ms` is shorter than 500ms"),
        ("25h", "`25h` is longer than 1d"),
        ("@every", "the duration is missing"),
        ("often", "`often` is no duration"),
        ("*/5 * * *", "4 fields, a cron expression has five"),
        ("0 */5 * * * *", "6 fields, a cron expression has five"),
        ("0 0 9 * * MON", "6 fields, a cron expression has five"),
        ("0 9 * * * Mars/Olympus", "`Mars/Olympus` is no time zone"),
        ("@daily UTC UTC", "`UTC` follows the time zone"),
    ] {
        let (problem, hint) = Poll::parse(value).expect_err(value);
        assert_eq!(problem, expect, "{value}");
        assert!(!hint.is_empty());
    }
}
