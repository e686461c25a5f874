//! Daylight saving, a case each: skipped times, repeated times, and the length of a day.

use super::*;

/// The first times of a poll after a moment.
#[track_caller]
fn check_times(cron: &str, after: &str, expect: &[&str]) {
    let poll = Poll::parse(cron).unwrap_or_else(|(problem, hint)| panic!("{cron}: {problem}: {hint}"));
    let mut at = time(after);
    let mut times = Vec::new();
    for _ in expect {
        at = poll.next(at).expect("a next time");
        times.push(at.to_string());
    }
    assert_eq!(times, expect, "{cron}");
}

#[test]
fn a_skipped_start_comes_as_much_later_as_the_clock_jumps() {
    // Berlin, 2026-03-29: 02:00 (01:00Z) becomes 03:00. 02:30 comes at 03:30, once.
    check_spans(
        "30 2 * * * for 15m Europe/Berlin",
        "2026-03-28T00:00:00Z",
        "2026-03-31T00:00:00Z",
        &[
            "2026-03-28T01:30:00Z/2026-03-28T01:45:00Z",
            "2026-03-29T01:30:00Z/2026-03-29T01:45:00Z",
            "2026-03-30T00:30:00Z/2026-03-30T00:45:00Z",
        ],
    );
    // New York, 2026-03-08: 02:00 (07:00Z) becomes 03:00.
    check_spans(
        "30 2 * * * for 15m America/New_York",
        "2026-03-08T00:00:00Z",
        "2026-03-10T00:00:00Z",
        &["2026-03-08T07:30:00Z/2026-03-08T07:45:00Z", "2026-03-09T06:30:00Z/2026-03-09T06:45:00Z"],
    );
}

#[test]
fn a_repeated_start_counts_at_its_first_coming() {
    // Berlin, 2026-10-25: 03:00 (01:00Z) becomes 02:00. 02:30 is at 00:30Z, and again at 01:30Z.
    check_spans(
        "30 2 * * * for 15m Europe/Berlin",
        "2026-10-25T00:00:00Z",
        "2026-10-27T00:00:00Z",
        &["2026-10-25T00:30:00Z/2026-10-25T00:45:00Z", "2026-10-26T01:30:00Z/2026-10-26T01:45:00Z"],
    );
    // New York, 2026-11-01: 02:00 (06:00Z) becomes 01:00.
    check_spans(
        "30 1 * * * for 15m America/New_York",
        "2026-11-01T00:00:00Z",
        "2026-11-03T00:00:00Z",
        &["2026-11-01T05:30:00Z/2026-11-01T05:45:00Z", "2026-11-02T06:30:00Z/2026-11-02T06:45:00Z"],
    );
}

#[test]
fn a_window_over_a_change_of_the_clock_keeps_its_length() {
    // Four hours from midnight: until 05:00 on the day of 23 hours, until 03:00 on that of 25.
    check_spans(
        "0 0 * * SUN for 4h Europe/Berlin",
        "2026-03-28T12:00:00Z",
        "2026-03-29T12:00:00Z",
        &["2026-03-28T23:00:00Z/2026-03-29T03:00:00Z"],
    );
    check_spans(
        "0 0 * * SUN for 4h Europe/Berlin",
        "2026-10-24T12:00:00Z",
        "2026-10-25T12:00:00Z",
        &["2026-10-24T22:00:00Z/2026-10-25T02:00:00Z"],
    );
    // A window that began at 02:30, before the clock went back, is open in the repeated hour too.
    check_spans(
        "30 2 * * * for 2h Europe/Berlin",
        "2026-10-25T00:00:00Z",
        "2026-10-25T12:00:00Z",
        &["2026-10-25T00:30:00Z/2026-10-25T02:30:00Z"],
    );
    // 02:10, at its second coming.
    assert!(windows("30 2 * * * for 2h Europe/Berlin").is_open(time("2026-10-25T01:10:00Z")));
}

#[test]
fn a_day_of_25_hours_is_not_filled_by_24() {
    check_spans(
        "@daily for 24h Europe/Berlin",
        "2026-10-24T12:00:00Z",
        "2026-10-26T12:00:00Z",
        &["2026-10-24T12:00:00Z/2026-10-25T22:00:00Z", "2026-10-25T23:00:00Z"],
    );
}

#[test]
fn half_hourly_starts_skip_nothing_and_come_once() {
    // Spring: 01:30, then 03:00, which 02:00 falls on as well, then 03:30.
    check_times(
        "*/30 * * * * Europe/Berlin",
        "2026-03-29T00:10:00Z",
        &["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:00:00Z"],
    );
    // Autumn: 02:30, then nothing in the repeated hour, then 03:00.
    check_times(
        "*/30 * * * * Europe/Berlin",
        "2026-10-25T00:10:00Z",
        &["2026-10-25T00:30:00Z", "2026-10-25T02:00:00Z", "2026-10-25T02:30:00Z"],
    );
}

#[test]
fn skipped_starts_and_those_after_the_jump_keep_the_order_of_time() {
    // 02:50 is moved to 03:50, behind 03:10.
    check_times(
        "10,50 2,3 * * * Europe/Berlin",
        "2026-03-29T00:59:00Z",
        &[
            "2026-03-29T01:10:00Z", // 03:10, and 02:10
            "2026-03-29T01:50:00Z", // 03:50, and 02:50
            "2026-03-30T00:10:00Z",
        ],
    );
    check_times(
        "50 2 * * * Europe/Berlin",
        "2026-03-29T01:10:00Z",
        &["2026-03-29T01:50:00Z", "2026-03-30T00:50:00Z"],
    );
    check_times(
        "10 3 * * * Europe/Berlin",
        "2026-03-29T00:59:00Z",
        &["2026-03-29T01:10:00Z", "2026-03-30T01:10:00Z"],
    );
}

#[test]
fn a_moved_start_does_not_hide_an_earlier_one() {
    // Lord Howe: 02:20 is moved to 02:50, behind 02:40.
    let expect = ["2026-10-03T15:40:00Z", "2026-10-03T15:50:00Z", "2026-10-04T15:20:00Z"];
    check_times("20,40 2 * * * Australia/Lord_Howe", "2026-10-03T15:29:00Z", &expect);
    check_times("20,40 2 * * * Australia/Lord_Howe", "2026-10-03T15:35:00Z", &expect);
}

#[test]
fn the_moment_of_the_jump_is_a_start_like_any_other() {
    check_times("0 3 * * * Europe/Berlin", "2026-03-29T00:59:59Z", &["2026-03-29T01:00:00Z"]);
    check_times(
        "0 2 * * * Europe/Berlin",
        "2026-03-29T00:59:59Z",
        &["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"],
    );
    check_times("0 3 * * * Europe/Berlin", "2026-10-25T00:59:59Z", &["2026-10-25T02:00:00Z"]);
    check_times(
        "0 2 * * * Europe/Berlin",
        "2026-10-24T23:59:59Z",
        &["2026-10-25T00:00:00Z", "2026-10-26T01:00:00Z"],
    );
}

#[test]
fn the_clock_may_jump_by_half_an_hour() {
    // Lord Howe, 2026-10-04: 02:00 (2026-10-03T15:30Z) becomes 02:30; 2026-04-05: 02:00 (15:00Z) becomes 01:30.
    check_spans(
        "15 2 * * * for 10m Australia/Lord_Howe",
        "2026-10-03T12:00:00Z",
        "2026-10-05T00:00:00Z",
        &["2026-10-03T15:45:00Z/2026-10-03T15:55:00Z", "2026-10-04T15:15:00Z/2026-10-04T15:25:00Z"],
    );
    check_spans(
        "45 1 * * * for 10m Australia/Lord_Howe",
        "2026-04-04T12:00:00Z",
        "2026-04-06T00:00:00Z",
        &["2026-04-04T14:45:00Z/2026-04-04T14:55:00Z", "2026-04-05T15:15:00Z/2026-04-05T15:25:00Z"],
    );
}

#[test]
fn midnight_itself_may_be_skipped_or_repeated() {
    // São Paulo, 2018-11-04: 00:00 (03:00Z) becomes 01:00; 2018-02-18: 00:00 (02:00Z) becomes 23:00.
    check_spans(
        "@daily for 30m America/Sao_Paulo",
        "2018-11-03T12:00:00Z",
        "2018-11-05T12:00:00Z",
        &["2018-11-04T03:00:00Z/2018-11-04T03:30:00Z", "2018-11-05T02:00:00Z/2018-11-05T02:30:00Z"],
    );
    check_spans(
        "30 23 * * * for 15m America/Sao_Paulo",
        "2018-02-17T12:00:00Z",
        "2018-02-19T12:00:00Z",
        &["2018-02-18T01:30:00Z/2018-02-18T01:45:00Z", "2018-02-19T02:30:00Z/2018-02-19T02:45:00Z"],
    );
    // No daylight saving there since 2019.
    check_times(
        "@daily America/Sao_Paulo",
        "2026-11-01T00:00:00Z",
        &["2026-11-01T03:00:00Z", "2026-11-02T03:00:00Z"],
    );
}

#[test]
fn a_whole_day_may_be_skipped() {
    // Apia went from the 29th of December 2011 to the 31st.
    check_times(
        "0 12 * * * Pacific/Apia",
        "2011-12-29T00:00:00Z",
        &["2011-12-29T22:00:00Z", "2011-12-30T22:00:00Z", "2011-12-31T22:00:00Z"],
    );
}

#[test]
fn a_zone_that_turns_its_clock_back_for_ramadan_is_known() {
    // Casablanca, 2026-02-15: 03:00 (02:00Z) becomes 02:00.
    check_times(
        "30 2 * * * Africa/Casablanca",
        "2026-02-14T12:00:00Z",
        &["2026-02-15T01:30:00Z", "2026-02-16T02:30:00Z"],
    );
}
