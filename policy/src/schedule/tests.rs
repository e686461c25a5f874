//! Windows and polls by table, daylight saving by zone, and properties against brute force.

use jiff::SignedDuration;

use super::*;

mod clock_changes;
mod grammar;
mod properties;

fn windows(value: &str) -> Windows {
    Windows::parse_list(value).unwrap_or_else(|(problem, hint)| panic!("{value}: {problem}: {hint}"))
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The spans, as `start/end`, in which the windows are open from one time to another.
fn spans(value: &str, from: &str, to: &str) -> Vec<String> {
    let windows = windows(value);
    let (mut at, to) = (time(from), time(to));
    let mut spans: Vec<String> = Vec::new();
    let mut was_open = false;
    while at < to {
        let open = windows.is_open(at);
        match (was_open, open) {
            (false, true) => spans.push(at.to_string()),
            (true, false) => spans.last_mut().unwrap().extend(["/", &at.to_string()]),
            _ => {}
        }
        was_open = open;
        at = windows.next_change(at).unwrap_or(to);
    }
    spans
}

#[track_caller]
fn check_spans(value: &str, from: &str, to: &str, expect: &[&str]) {
    assert_eq!(spans(value, from, to), expect, "{value}");
}

#[test]
fn a_window_holds_its_start_and_not_its_end() {
    let windows = windows("0 9 * * MON-THU for 7h Europe/Berlin");
    // Monday, 2026-11-30.
    for (at, expect) in [
        ("2026-11-30T07:59:59.999999999Z", false),
        ("2026-11-30T08:00:00Z", true),
        ("2026-11-30T14:59:59.999999999Z", true),
        ("2026-11-30T15:00:00Z", false),
        ("2026-12-04T08:00:00Z", false),
    ] {
        assert_eq!(windows.is_open(time(at)), expect, "{at}");
    }
}

#[test]
fn no_windows_are_always_open() {
    let windows = Windows::default();
    let now = time("2026-11-30T08:00:00Z");
    assert!(windows.is_empty() && windows.is_open(now));
    assert_eq!(windows.next_change(now), None);
    assert_eq!(windows.next_open(now), Some(now));
    assert_eq!(windows.closed_because(now), None);
}

#[test]
fn any_of_several_windows_is_enough_and_a_freeze_beats_them() {
    check_spans(
        "0 9 * * * for 1h UTC\n\n 30 9 * * * for 1h UTC\nfreeze 0 0 2 12 * for 24h UTC",
        "2026-12-01T00:00:00Z",
        "2026-12-04T00:00:00Z",
        &["2026-12-01T09:00:00Z/2026-12-01T10:30:00Z", "2026-12-03T09:00:00Z/2026-12-03T10:30:00Z"],
    );
}

#[test]
fn freezes_alone_are_open_outside_of_them() {
    check_spans(
        "freeze 0 0 24 12 * for 240h UTC",
        "2026-12-23T00:00:00Z",
        "2027-12-25T00:00:00Z",
        &["2026-12-23T00:00:00Z/2026-12-24T00:00:00Z", "2027-01-03T00:00:00Z/2027-12-24T00:00:00Z"],
    );
}

#[test]
fn a_window_that_renews_itself_stays_open() {
    let windows = windows("* * * * * for 31d UTC");
    let now = time("2026-11-30T08:00:30Z");
    assert!(windows.is_open(now));
    // Far from every minute.
    assert!(windows.next_change(now).unwrap() > time("2026-12-30T00:00:00Z"));
}

#[track_caller]
fn check_closed(value: &str, now: &str, expect: &str) {
    assert_eq!(windows(value).closed_because(time(now)).as_deref(), Some(expect));
}

#[test]
fn the_sentence_names_the_window_and_the_opening() {
    check_closed(
        "0 9 * * MON-THU for 7h Europe/Berlin",
        "2026-11-27T12:00:00Z",
        "outside the window `0 9 * * MON-THU for 7h Europe/Berlin`; opens 2026-11-30T08:00:00Z",
    );
    check_closed(
        "freeze 0 0 24 12 * for 240h UTC",
        "2026-12-25T12:00:00Z",
        "inside the freeze `freeze 0 0 24 12 * for 240h UTC`; opens 2027-01-03T00:00:00Z",
    );
    check_closed(
        "0 9 * * * for 1h UTC\nfreeze 0 0 24 12 * for 240h UTC",
        "2026-12-25T12:00:00Z",
        "inside the freeze `freeze 0 0 24 12 * for 240h UTC`; opens 2027-01-03T09:00:00Z",
    );
    check_closed(
        "0 1 * * * for 1h UTC\n0 2 * * * for 1h UTC\n0 3 * * * for 1h UTC\n0 4 * * * for 1h UTC",
        "2026-12-25T12:00:00Z",
        "outside the windows `0 1 * * * for 1h UTC`, `0 2 * * * for 1h UTC`, `0 3 * * * for 1h UTC` and 1 more; \
         opens 2026-12-26T01:00:00Z",
    );
    check_closed(
        "0 9 * * * for 1h UTC\nfreeze * * * * * for 31d UTC",
        "2026-12-25T12:00:00Z",
        "inside the freeze `freeze * * * * * for 31d UTC`; no opening is known within a year",
    );
    check_closed(
        "0 0 29 2 * for 1h UTC",
        "2025-12-25T12:00:00Z",
        "outside the window `0 0 29 2 * for 1h UTC`; no opening is known within a year",
    );
    assert_eq!(windows("@daily for 24h UTC").closed_because(time("2026-12-25T12:00:00Z")), None);
}
