//! Listings one after the other, and the ages that follow.

use proptest::prelude::*;

use super::*;
use crate::reference::ImageReference;

fn day(day: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + day * 86_400).unwrap()
}

fn repository(name: &str) -> Repository {
    ImageReference::parse(name).unwrap().repository
}

/// Observes `listings` (day, tags) and says how each of `expect` was first seen: `before`, `dayN` or `never`.
#[track_caller]
fn check(listings: &[(i64, &[&str])], expect: &[(&str, &str)]) {
    let mut ledger = Ledger::default();
    for (at, tags) in listings {
        ledger.observe(&repository("r.io/web"), tags, day(*at));
    }
    let seen = ledger.get(&repository("r.io/web")).unwrap();
    for (tag, expect) in expect {
        let found = match seen.at(tag) {
            Some(Seen::Before(since)) => {
                assert_eq!(since, day(listings[0].0));
                "before".to_owned()
            }
            Some(Seen::At(at)) => {
                format!("day{}", at.duration_since(day(0)).as_secs() / 86_400)
            }
            None => "never".to_owned(),
        };
        assert_eq!(found, *expect, "{tag}");
    }
}

#[test]
fn tags_of_the_first_listing_are_of_unknown_age_and_later_ones_are_not() {
    check(
        &[(0, &["1", "2"]), (1, &["1", "2", "3"]), (2, &["3", "4"])],
        &[("1", "before"), ("2", "before"), ("3", "day1"), ("4", "day2"), ("5", "never")],
    );
}

#[test]
fn a_tag_that_vanishes_and_comes_back_keeps_its_time() {
    check(&[(0, &["1"]), (1, &["2"]), (2, &[]), (60, &["1", "2"])], &[("1", "before"), ("2", "day1")]);
}

#[test]
fn a_tag_that_was_gone_for_ninety_days_is_forgotten() {
    check(&[(0, &["1"]), (1, &["2"]), (91, &["2"]), (92, &["1", "2"])], &[("1", "day92"), ("2", "day1")]);
    check(&[(0, &["1"]), (1, &["2"]), (90, &["2"]), (91, &["1", "2"])], &[("1", "before")]);
}

#[test]
fn the_time_of_a_listed_tag_is_kept_however_old_it_is() {
    check(&[(0, &["1"]), (1, &["1", "2"]), (400, &["1", "2"])], &[("1", "before"), ("2", "day1")]);
}

#[test]
fn a_clock_that_was_set_back_makes_no_tag_older() {
    check(&[(5, &["1"]), (9, &["1", "2"]), (2, &["1", "2", "3"])], &[("2", "day9"), ("3", "day9")]);
}

#[test]
fn a_listing_that_says_nothing_new_changes_nothing() {
    let mut ledger = Ledger::default();
    let web = repository("r.io/web");
    assert!(ledger.observe(&web, &["1", "2"], day(0)));
    assert!(!ledger.observe(&web, &["2", "1", "1"], day(1)));
    assert!(ledger.observe(&web, &["2"], day(2)));
    assert!(!ledger.observe(&web, &["2"], day(3)));
    assert!(ledger.observe(&web, &["2", "1"], day(4)));
}

#[test]
fn a_repository_is_forgotten_when_nobody_has_asked_for_it_in_ninety_days() {
    let mut ledger = Ledger::default();
    let web = repository("r.io/web");
    ledger.observe(&web, &["1"], day(0));
    assert!(!ledger.want(|_| true, day(1)));
    assert!(ledger.want(|_| false, day(2)));
    assert!(!ledger.want(|_| false, day(91)));
    assert!(ledger.want(|_| true, day(91)), "asked for again");
    ledger.want(|_| false, day(100));
    assert!(ledger.want(|_| false, day(190)));
    assert_eq!(ledger, Ledger::default());
}

#[test]
fn the_text_is_stable_and_names_every_time_once() {
    let mut ledger = Ledger::default();
    ledger.observe(&repository("nginx"), &["b", "a"], day(0));
    ledger.observe(&repository("nginx"), &["b", "d", "c"], day(1));
    let expect = r#"{"version":1,"repositories":{"docker.io/library/nginx":{"since":"2026-05-28T20:26:40Z","before":["a","b"],"seen":{"2026-05-29T20:26:40Z":["c","d"]},"gone":{"2026-05-29T20:26:40Z":["a"]}}}}"#;
    assert_eq!(ledger.to_text(), expect);
    assert_eq!(Ledger::parse(expect).unwrap(), ledger);
    assert_eq!(Ledger::default().to_text().len(), text::EMPTY_BYTES);
}

#[test]
fn what_is_no_ledger_is_refused() {
    let with = |part: &str| format!(r#"{{"version":1,"repositories":{{{part}}}}}"#);
    let day = r#""2026-05-29T20:26:40Z""#;
    for text in [
        String::new(),
        "[]".into(),
        r#"{"version":2,"repositories":[]}"#.into(),
        with(r#""a b":{"since":"2026-05-29T20:26:40Z"}"#),
        with(r#""r.io/web:1":{"since":"2026-05-29T20:26:40Z"}"#),
        with(r#""r.io/web":{"since":"yesterday"}"#),
        with(&format!(r#""r.io/web":{{"since":{day},"before":["a"],"seen":{{{day}:["a"]}}}}"#)),
        with(&format!(r#""r.io/web":{{"since":{day},"gone":{{{day}:["a"]}}}}"#)),
        with(&format!(r#""r.io/web":{{"since":{day},"seen":{{{day}:["a"],"2026-05-30T20:26:40Z":["a"]}}}}"#)),
        with(&format!(r#""nginx":{{"since":{day}}},"docker.io/nginx":{{"since":{day}}}"#)),
    ] {
        assert!(Ledger::parse(&text).is_err(), "{text}");
    }
}

#[test]
fn what_does_not_fit_is_dropped_largest_first_and_the_rest_is_kept() {
    let mut ledger = Ledger::default();
    let tags = |count: usize| (0..count).map(|number| format!("sha-{number:040}")).collect::<Vec<_>>();
    let (large, middle, small) = (repository("r.io/large"), repository("r.io/mid"), repository("r.io/small"));
    ledger.observe(&large, &tags(9_000), day(0));
    ledger.observe(&middle, &tags(8_000), day(0));
    ledger.observe(&small, &tags(10), day(0));
    let mut unwanted = ledger.clone();

    assert_eq!(ledger.fit(), [Dropped { repository: large.clone(), tags: 9_000 }]);
    assert!(ledger.to_text().len() <= LEDGER_BYTES_MAX);
    assert!(ledger.get(&large).is_none() && ledger.get(&middle).is_some() && ledger.get(&small).is_some());
    assert_eq!(ledger.fit(), []);

    unwanted.want(|repository| *repository != middle, day(1));
    assert_eq!(unwanted.fit(), []);
    assert!(unwanted.get(&large).is_some() && unwanted.get(&middle).is_none());
}

fn listings() -> impl Strategy<Value = Vec<(u8, Vec<String>)>> {
    let tag = (0_u8..12).prop_map(|tag| tag.to_string());
    prop::collection::vec((1_u8..50, prop::collection::vec(tag, 0..8)), 1..12)
}

proptest! {
    #[test]
    fn no_tag_looks_older_than_it_is_whatever_is_listed(listings in listings()) {
        let web = repository("r.io/web");
        let (mut ledger, mut turned, mut at) = (Ledger::default(), Ledger::default(), 0);
        let mut first: HashMap<String, Timestamp> = HashMap::new();
        for (days, tags) in listings {
            at += i64::from(days);
            ledger.observe(&web, &tags, day(at));
            let reversed: Vec<_> = tags.iter().chain(&tags).rev().collect();
            turned.observe(&web, &reversed, day(at));
            for tag in &tags {
                first.entry(tag.clone()).or_insert(day(at));
                let seen = match ledger.get(&web).unwrap().at(tag).unwrap() {
                    Seen::Before(at) | Seen::At(at) => at,
                };
                prop_assert!(seen >= first[tag], "{tag}");
            }
            prop_assert_eq!(&Ledger::parse(&ledger.to_text()).unwrap(), &ledger);
        }
        prop_assert_eq!(turned, ledger);
    }
}
