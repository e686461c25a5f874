//! `newest`, `digest` and `min-age`, platforms, and leaving a version downwards.

use std::collections::HashMap;

use super::*;
use crate::ledger::FirstSeen;

/// Minutes after the first listing at which tags were first seen.
fn ledger(seen: &[(&str, i64)]) -> FirstSeen {
    let since: Timestamp = "2026-06-01T00:00Z".parse().unwrap();
    let at = |minutes: i64| since + SignedDuration::from_mins(minutes);
    let tags: HashMap<String, Timestamp> =
        seen.iter().map(|(tag, minutes)| ((*tag).to_owned(), at(*minutes))).collect();
    let before = ["old", "1.4.5"].map(str::to_owned).into();
    FirstSeen { since, before, tags, ..FirstSeen::default() }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

/// Judges tags an hour after the first listing; as in [`Case::check`].
#[track_caller]
fn check(policy: &str, input: &SelectInput<'_>, expect: &[&str]) {
    let tags: Vec<&str> = expect.iter().map(|line| line.split(' ').next().unwrap_or_default()).collect();
    let settings = [Setting { key: "policy".into(), value: policy.into(), line: 1 }];
    let policy = ImagePolicy::resolve(&settings, "web").unwrap().unwrap();
    let input = SelectInput { now: "2026-06-01T01:00Z".parse().unwrap(), ..*input };
    let selection = select(&policy, &tags, &input);
    let found: Vec<_> = selection.verdicts.iter().map(line).collect();
    assert_eq!(found, expect);
    assert_eq!(choose(&policy, &tags, &input).selected, selection.selected);
}

#[test]
fn newest_is_the_tag_first_seen_last() {
    let ledger = ledger(&[("a", 10), ("b", 30), ("c", 20)]);
    let input = SelectInput { first_seen: Some(&ledger), ..SelectInput::default() };
    check("newest", &input, &["old not-newer", "a +", "b *", "c +"]);
    let running = |current| SelectInput { current: Some(current), ..input };
    check("newest", &running("c"), &["a not-newer", "b *", "c not-newer"]);
    check("newest", &running("b"), &["a not-newer", "b not-newer", "c not-newer"]);
    check("newest", &running("old"), &["old not-newer", "a +", "b *"]);
    check("newest", &running("gone"), &["old not-newer", "a *"]);
}

#[test]
fn of_tags_seen_at_once_the_greater_spelling_is_newest_and_none_replaces_the_other() {
    let ledger = ledger(&[("build-9", 10), ("build-10", 10)]);
    let input = SelectInput { first_seen: Some(&ledger), ..SelectInput::default() };
    check("newest", &input, &["build-9 +", "build-10 *"]);
    let running = SelectInput { current: Some("build-9"), ..input };
    check("newest", &running, &["build-9 not-newer", "build-10 not-newer"]);
}

#[test]
fn without_a_ledger_nothing_is_newest_and_nothing_is_old_enough() {
    check("newest", &SelectInput::default(), &["a not-newer"]);
    let min_age = SelectInput { min_age: Some(SignedDuration::from_hours(1)), ..SelectInput::default() };
    check("semver:*", &min_age, &["1.0.0 too-young"]);
}

#[test]
fn nothing_older_than_what_was_taken_out_is_newest() {
    let ledger = ledger(&[("a", 10), ("b", 20), ("c", 30), ("d", 40)]);
    let barred = owned(&["c"]);
    let input = SelectInput {
        first_seen: Some(&ledger),
        current: Some("a"),
        barred: &barred,
        ..SelectInput::default()
    };
    check("newest", &input, &["a not-newer", "b taken-out", "c taken-out"]);
    check("newest", &input, &["b taken-out", "c taken-out", "d *"]);
    let unknown = owned(&["old"]);
    let input = SelectInput { barred: &unknown, ..input };
    check("newest", &input, &["old taken-out", "b *"]);
}

#[test]
fn a_tag_must_be_old_enough_and_the_next_best_is_looked_at() {
    let ledger = ledger(&[("1.4.7", 50), ("1.4.6", 20)]);
    let input = SelectInput {
        first_seen: Some(&ledger),
        min_age: Some(SignedDuration::from_mins(30)),
        ..SelectInput::default()
    };
    check("semver:~1.4", &input, &["1.4.5 +", "1.4.6 *", "1.4.7 too-young"]);
    check("newest", &input, &["1.4.5 not-newer", "1.4.6 *", "1.4.7 too-young"]);
    // What the first listing showed counts from that listing.
    let strict = SelectInput { min_age: Some(SignedDuration::from_mins(61)), ..input };
    check("semver:~1.4", &strict, &["1.4.5 too-young", "1.4.6 too-young"]);
}

#[test]
fn the_first_tag_to_come_of_age_says_when_to_ask_again() {
    let ledger = ledger(&[("1.4.7", 50), ("1.4.6", 40), ("9.0.0", 31)]);
    let settings = [Setting { key: "policy".into(), value: "semver:~1.4".into(), line: 1 }];
    let policy = ImagePolicy::resolve(&settings, "web").unwrap().unwrap();
    let input = SelectInput {
        now: "2026-06-01T01:00Z".parse().unwrap(),
        first_seen: Some(&ledger),
        min_age: Some(SignedDuration::from_mins(30)),
        ..SelectInput::default()
    };
    let at = Judge::new(&policy, &input).comes_of_age(&["1.4.7", "1.4.6", "9.0.0", "1.4.5"]);
    assert_eq!(at, Some("2026-06-01T01:10Z".parse().unwrap()));
}

#[test]
fn only_the_tag_that_is_followed_is_a_candidate() {
    let input = SelectInput::default();
    check("digest:main", &input, &["main *", "1.0.0 not-in-tags"]);
    check("digest:main", &SelectInput { current: Some("1.0.0"), ..input }, &["main *", "1.0.0 not-in-tags"]);
    check("digest:main", &SelectInput { current: Some("main"), ..input }, &["main not-newer"]);
    let held = owned(&["main"]);
    check("digest:main", &SelectInput { held: &held, ..input }, &["main *"]);
}

#[test]
fn an_image_that_lacks_a_platform_is_passed_over() {
    let (missing, lacking) = (owned(&["1.4.8"]), owned(&["1.4.7"]));
    let input = SelectInput { missing: &missing, lacking_platform: &lacking, ..SelectInput::default() };
    check("semver:~1.4", &input, &["1.4.6 *", "1.4.7 platform-missing", "1.4.8 manifest-missing"]);
}

#[test]
fn a_permitted_downgrade_leaves_only_what_the_policy_no_longer_admits() {
    let down = SelectInput { may_downgrade: true, ..SelectInput::default() };
    let running = |current| SelectInput { current: Some(current), ..down };
    check("semver:~1.4", &running("2.0.0"), &["1.4.2 +", "1.4.7 *", "2.0.0 out-of-range"]);
    check("semver:~1.4", &running("1.4.7"), &["1.4.2 not-newer", "1.4.7 not-newer"]);
    check("semver:~1.4", &running("2.0.0"), &["1.4 fewer-parts"]);
    let held = owned(&["1.4.3"]);
    check("semver:~1.4", &SelectInput { held: &held, ..running("2.0.0") }, &["1.4.2 taken-out", "1.4.7 *"]);
}

#[test]
fn sentences_of_ages_and_platforms_name_the_values() {
    let ledger = ledger(&[("1.4.7", 20), ("1.4.6", 5)]);
    let lacking = owned(&["1.4.6"]);
    let settings = [
        Setting { key: "policy".into(), value: "semver:~1.4".into(), line: 1 },
        Setting { key: "platforms".into(), value: "linux/amd64\nlinux/arm/v7".into(), line: 2 },
    ];
    let policy = ImagePolicy::resolve(&settings, "web").unwrap().unwrap();
    let input = SelectInput {
        now: "2026-06-01T01:00Z".parse().unwrap(),
        first_seen: Some(&ledger),
        min_age: Some(SignedDuration::from_mins(45)),
        lacking_platform: &lacking,
        ..SelectInput::default()
    };
    let judge = Judge::new(&policy, &input);
    let selection = judge.select(&["1.4.7", "1.4.6"]);
    let found: Vec<_> =
        selection.verdicts.iter().map(|verdict| judge.sentence(&selection, verdict)).collect();
    assert_eq!(
        found,
        [
            "1.4.7 was first seen 2026-06-01T00:20:00Z, 40m ago, and min-age asks for 45m",
            "1.4.6 has no image for linux/amd64 and linux/arm/v7",
        ]
    );
}

#[test]
fn standings_of_equal_versions_are_equal_between_members() {
    let policy = |text: &str| {
        let settings = [Setting { key: "policy".into(), value: text.into(), line: 1 }];
        ImagePolicy::resolve(&settings, "web").unwrap().unwrap()
    };
    let (web, api) = (policy("semver:~1.4"), policy("semver:>=1"));
    let (numbers, down) = (policy("numeric"), policy("numeric:desc"));
    let input = SelectInput { current: Some("1.4.2"), ..SelectInput::default() };
    let (web, api) = (Judge::new(&web, &input), Judge::new(&api, &input));
    assert_eq!(web.standing("v1.4.3"), api.standing("1.4.3"));
    assert!(web.standing("1.4.4") > web.standing("1.4.3"));
    assert_eq!(web.standing("1.5.0"), None);
    assert_eq!(web.current_standing(), api.current_standing());
    let free = SelectInput::default();
    let (numbers, down) = (Judge::new(&numbers, &free), Judge::new(&down, &free));
    assert!(numbers.standing("2") > numbers.standing("1"));
    assert!(down.standing("2") < down.standing("1"));
    assert_ne!(numbers.standing("2"), down.standing("2"));
}
