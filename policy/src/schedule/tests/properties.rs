//! Windows against a minute-by-minute count, and what hostile values cost.

use jiff::tz::TimeZoneDatabase;
use proptest::prelude::*;

use super::*;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// A field as text, and the numbers that it stands for.
type Field = (String, Vec<i8>);

/// Weeks with a change of the clock, and one without.
const WEEKS: &[(&str, &str)] = &[
    ("Europe/Berlin", "2026-03-26T00:00:00Z"),
    ("Europe/Berlin", "2026-10-22T00:00:00Z"),
    ("America/New_York", "2026-03-05T00:00:00Z"),
    ("America/New_York", "2026-10-29T00:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-01T00:00:00Z"),
    ("Australia/Lord_Howe", "2026-04-02T00:00:00Z"),
    ("America/Sao_Paulo", "2018-11-01T00:00:00Z"),
    ("America/Sao_Paulo", "2018-02-15T00:00:00Z"),
    ("Pacific/Apia", "2011-12-27T00:00:00Z"),
    ("UTC", "2027-02-26T00:00:00Z"),
];

fn field(least: i8, most: i8) -> impl Strategy<Value = Field> {
    let list = proptest::collection::btree_set(least..=most, 1..4).prop_map(|numbers| {
        let text: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        (text.join(","), numbers.into_iter().collect())
    });
    let range = (least..=most, least..=most, 1..4i8).prop_map(|(a, b, step)| {
        let (a, b) = (a.min(b), a.max(b));
        (format!("{a}-{b}/{step}"), (a..=b).step_by(step.unsigned_abs() as usize).collect())
    });
    prop_oneof![2 => Just(("*".to_owned(), (least..=most).collect())), 2 => list, 1 => range]
}

#[derive(Clone, Debug)]
struct Case {
    item: String,
    fields: [Field; 5],
    minutes: i64,
}

fn case() -> impl Strategy<Value = Case> {
    let fields = (field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6));
    (fields, 1..3000i64).prop_map(|((minute, hour, day, month, weekday), minutes)| {
        let fields = [minute, hour, day, month, weekday];
        let words: Vec<&str> = fields.iter().map(|(text, _)| text.as_str()).collect();
        Case { item: format!("{} for {minutes}m", words.join(" ")), fields, minutes }
    })
}

/// Every minute of the clocks of a zone around a week, as moments: the skipped moved, the repeated once.
fn clock_minutes(zone: &str, from: Timestamp) -> Vec<(jiff::civil::DateTime, Timestamp)> {
    let zone = TimeZoneDatabase::bundled().get(zone).unwrap();
    let start = zone.to_datetime(from).date().to_datetime(jiff::civil::Time::midnight());
    (-4 * 1440..10 * 1440)
        .map(|minute| {
            let civil = start.checked_add(MINUTE * minute).unwrap();
            (civil, zone.to_ambiguous_timestamp(civil).compatible().unwrap())
        })
        .collect()
}

/// The starts of a case by its definition.
fn starts(case: &Case, minutes: &[(jiff::civil::DateTime, Timestamp)]) -> Vec<Timestamp> {
    let [minute, hour, day, month, weekday] = &case.fields;
    let is_start = |civil: &jiff::civil::DateTime| {
        let by_day = day.1.contains(&civil.day());
        let by_weekday = weekday.1.contains(&civil.weekday().to_sunday_zero_offset());
        let either = day.0 != "*" && weekday.0 != "*";
        let on_day = if either { by_day || by_weekday } else { by_day && by_weekday };
        let on_time = minute.1.contains(&civil.minute()) && hour.1.contains(&civil.hour());
        on_time && month.1.contains(&civil.month()) && on_day
    };
    minutes.iter().filter(|(civil, _)| is_start(civil)).map(|(_, moment)| *moment).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_window_agrees_with_a_count_of_every_minute(case in case(), week in 0..WEEKS.len()) {
        let (zone, from) = WEEKS[week];
        let from = time(from);
        let Ok(windows) = Windows::parse_list(&format!("{} {zone}", case.item)) else {
            // The days are in no month of the set.
            return Ok(());
        };
        let mut starts = starts(&case, &clock_minutes(zone, from));
        starts.sort();
        let length = MINUTE * i32::try_from(case.minutes).unwrap();
        let mut promised = None;
        let mut before = None;
        for minute in 0..7 * 1440 {
            let at = from + MINUTE * minute;
            let begun = starts.partition_point(|start| *start <= at);
            let expect = begun > 0 && starts[begun - 1] + length > at;
            prop_assert_eq!(windows.is_open(at), expect, "{} at {}", case.item, at);
            // A change is never before the moment that was promised.
            if before.is_some_and(|before| before != expect) {
                prop_assert!(promised.is_some_and(|promised| promised <= at), "{} at {}", case.item, at);
            }
            if before != Some(expect) || promised.is_some_and(|promised| promised <= at) {
                promised = windows.next_change(at);
                prop_assert!(promised.is_none_or(|promised| promised > at));
            }
            before = Some(expect);
        }
    }

    #[test]
    fn several_items_agree_with_their_parts(
        open in proptest::collection::vec(case(), 0..3),
        freeze in proptest::collection::vec(case(), 0..3),
        week in 0..WEEKS.len(),
    ) {
        let (zone, from) = WEEKS[week];
        let item = |prefix: &str, case: &Case| format!("{prefix}{} {zone}", case.item);
        let items: Vec<String> =
            open.iter().map(|case| item("", case)).chain(freeze.iter().map(|case| item("freeze ", case))).collect();
        let parts: Vec<Windows> = items.iter().filter_map(|item| Windows::parse_list(item).ok()).collect();
        prop_assume!(parts.len() == items.len() && !items.is_empty());
        let windows = windows(&items.join("\n"));
        let mut at = time(from);
        for _ in 0..50 {
            let (opens, freezes) = parts.split_at(open.len());
            let inside = opens.is_empty() || opens.iter().any(|part| part.is_open(at));
            let expect = inside && freezes.iter().all(|part| part.is_open(at));
            prop_assert_eq!(windows.is_open(at), expect);
            prop_assert_eq!(windows.closed_because(at).is_none(), expect);
            let opening = windows.next_open(at);
            prop_assert!(opening.is_none_or(|opening| opening >= at && windows.is_open(opening)));
            prop_assert_eq!(opening == Some(at), expect);
            let Some(change) = windows.next_change(at) else { break };
            prop_assert!(change > at);
            // Nothing opens in between.
            prop_assert!(expect || opening.is_none_or(|opening| opening >= change));
            at = change;
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[ -~\n]{0,80}", cron in "[0-9*/,?A-Z-]{0,12}") {
        let _ = Windows::parse_list(&text);
        let _ = Poll::parse(&text);
        let _ = Windows::parse_list(&format!("{cron} {cron} * * {cron} for 1h UTC"));
    }
}

#[test]
fn times_at_the_ends_of_the_calendar_are_answered() {
    let windows = windows("0 9 * * MON-THU for 7h Europe/Berlin\nfreeze @yearly for 31d UTC");
    let polls = [Poll::parse("30s").unwrap(), Poll::parse("@daily Europe/Berlin").unwrap()];
    let ends = [Timestamp::MIN, Timestamp::MAX, Timestamp::UNIX_EPOCH, time("0001-01-01T00:00:00Z")];
    for now in ends.into_iter().chain(["1969-12-31T23:59:59.5Z", "2100-12-31T23:59:59Z"].map(time)) {
        let _ = windows.closed_because(now);
        assert!(windows.next_change(now).is_none_or(|change| change > now));
        for poll in &polls {
            assert!(poll.next(now).is_none_or(|next| next > now));
        }
    }
}

#[test]
fn hostile_values_are_refused_or_read_in_time() {
    let long = "1,".repeat(2048);
    let values = [
        long.clone(),
        format!("{long} * * * * for 1h UTC"),
        format!("{} * * * * for 1h UTC", "0-59,".repeat(800) + "0"),
        format!("* * * * * for {} UTC", "1h".repeat(2000)),
        format!("* * * * * for 1h {}", "x/".repeat(2000)),
        "freeze ".repeat(600),
        "for ".repeat(1000),
        "-".repeat(4096),
    ];
    for value in values {
        if let Ok(windows) = Windows::parse_list(&value) {
            assert!(windows.is_open(time("2026-11-30T08:00:00Z")));
        }
        assert!(Poll::parse(&value).is_err());
    }
}

#[test]
fn a_search_that_never_ends_is_given_up() {
    // Each of these renews itself at every minute, for ever: to follow one to the year's end would take minutes.
    let now = time("2026-11-30T08:00:00Z");
    let freezes = windows(&"freeze * * * * * for 1m Europe/Berlin\n".repeat(32));
    assert_eq!(freezes.next_open(now), None);
    assert!(freezes.next_change(now).is_some_and(|change| change < time("2026-11-30T09:00:00Z")));
    // Far fewer questions when each answer reaches further.
    let freeze = windows("freeze * * * * * for 31d UTC");
    assert_eq!(freeze.next_open(now), None);
    assert!(freeze.next_change(now).is_some_and(|change| change > time("2027-01-30T00:00:00Z")));
}
