//! Ages, windows, platforms and downgrades: what an annotation or the configuration asks for besides a version.

use jiff::{SignedDuration, ToSpan as _};

use crate::annotation::Platform;
use crate::ledger::FirstSeen;
use crate::schedule::Windows;

use super::*;

const SEMVER: (&str, &str) = ("policy", "semver:~1.4");

impl World {
    /// Lists tags of `r.io/web` so many hours before now, and keeps the ledger.
    fn listed_before(&mut self, hours: i64, tags: &[&str]) {
        self.push(tags);
        let at = self.now - hours.hours();
        let state = self.state();
        let mut seen = state.first_seen.as_deref().cloned().unwrap_or_else(|| FirstSeen::begin(tags, at));
        seen.observe(tags, at);
        state.first_seen = Some(Arc::new(seen));
    }

    fn rejected(&self) -> Vec<&'static str> {
        self.plan().1.fields[0].rejected.keys().copied().collect()
    }
}

#[test]
fn a_tag_is_not_taken_before_it_is_old_enough_and_that_moment_is_when_to_plan_again() {
    let mut world = World::web("1.4.2", &[SEMVER, ("min-age", "2h")]);
    world.listed_before(9, &["1.4.2"]);
    world.listed_before(3, &["1.4.2", "1.4.3"]);
    world.listed_before(1, &["1.4.2", "1.4.3", "1.4.4"]);
    assert_eq!(world.plan().0.wake_at, Some(world.now + 1.hour()));
    assert_eq!(world.tick(), ["r.io/web:1.4.3"]);
    assert_eq!(world.rejected(), ["not-newer", "too-young"]);
    world.now += SignedDuration::from_hours(1);
    assert_eq!(world.tick(), ["r.io/web:1.4.4"]);
    assert_eq!(world.plan().0.wake_at, None, "nothing is too young");
}

#[test]
fn the_stricter_of_min_age_and_its_guard_rail_counts() {
    for (annotation, guard, expect) in [("1h", 5, 0), ("5h", 1, 0), ("1h", 2, 1), ("", 5, 0), ("", 2, 1)] {
        let annotations = [SEMVER, ("min-age", annotation)];
        let mut world = World::web("1.4.2", &annotations[..if annotation.is_empty() { 1 } else { 2 }]);
        world.guards.min_age = Some(SignedDuration::from_hours(guard));
        world.listed_before(9, &["1.4.2"]);
        world.listed_before(3, &["1.4.2", "1.4.3"]);
        assert_eq!(world.tick().len(), expect, "{annotation} {guard}");
    }
}

#[test]
fn without_a_ledger_ages_hold_and_nothing_else_does() {
    for (annotations, expect) in [
        (vec![SEMVER], vec![]),
        (vec![SEMVER, ("min-age", "1h")], vec![HoldReason::NoLedger]),
        (vec![("policy", "newest")], vec![HoldReason::NoLedger]),
    ] {
        let mut world = World::web("1.4.3", &annotations);
        world.push(&["1.4.3"]);
        assert_eq!(world.decision().1, expect, "{annotations:?}");
        world.state().no_ledger = Some("its tags do not fit".into());
        let (_, report) = world.plan();
        assert!(report.fields[0].holds.iter().all(|hold| hold.message.contains("do not fit")));
    }
    let mut world = World::web("1.4.3", &[SEMVER]);
    world.guards.min_age = Some(SignedDuration::from_hours(1));
    assert_eq!(world.decision(), (Decision::Waiting, vec![]), "not listed yet");
    world.push(&["1.4.3"]);
    assert_eq!(world.decision(), (Decision::Held, vec![HoldReason::NoLedger]));
}

#[test]
fn a_new_ledger_changes_nothing_by_itself() {
    for policy in ["newest", "semver:~1.4"] {
        let mut world = World::web("1.4.2", &[("policy", policy), ("min-age", "2h")]);
        world.listed_before(0, &["1.4.2", "1.4.3"]);
        assert!(world.tick().is_empty(), "{policy}");
    }
}

#[test]
fn the_newest_tag_is_taken_and_one_that_a_person_took_out_is_not() {
    let mut world = World::web("b", &[("policy", "newest")]);
    world.listed_before(9, &["a", "b", "z"]);
    assert!(world.tick().is_empty());
    world.listed_before(8, &["a", "b", "z", "c"]);
    assert_eq!(world.tick(), ["r.io/web:c"]);
    world.listed_before(7, &["a", "b", "z", "c", "d"]);
    assert_eq!(world.tick(), ["r.io/web:d"]);
    world.replace(":d", ":c");
    assert!(world.tick().is_empty(), "d was taken out");
    world.listed_before(6, &["a", "b", "z", "c", "d", "e"]);
    assert_eq!(world.tick(), ["r.io/web:e"]);
    world.replace(":e", ":a");
    world.listed_before(5, &["a", "b", "z", "c", "d", "e"]);
    assert!(world.tick().is_empty(), "nothing older than what was taken out either");
}

#[test]
fn outside_its_windows_a_field_is_held_until_one_opens() {
    // NOW is a Monday at 12:00 UTC.
    for (window, guard, expect) in [
        ("0 9 * * MON for 7h UTC", "", 1),
        ("0 13 * * MON for 7h UTC", "", 0),
        ("freeze 0 9 * * MON for 7h UTC", "", 0),
        ("0 9 * * MON for 7h UTC", "0 13 * * * for 1h UTC", 0),
        ("0 9 * * MON for 7h UTC", "0 11 * * * for 2h UTC", 1),
    ] {
        let mut world = World::web("1.4.2", &[SEMVER, ("window", window)]);
        if !guard.is_empty() {
            world.guards.windows = Windows::parse_list(guard).unwrap();
        }
        world.push(&["1.4.2", "1.4.3"]);
        let holds = if expect == 0 { vec![HoldReason::OutsideWindow] } else { vec![] };
        assert_eq!(world.decision().1, holds, "{window} {guard}");
        assert!(world.plan().0.wake_at.is_some());
        assert_eq!(world.tick().len(), expect, "{window} {guard}");
    }
}

#[test]
fn an_image_that_lacks_a_platform_is_passed_over() {
    let mut world = World::web("1.4.2", &[SEMVER, ("platforms", "linux/arm64")]);
    world.push(&["1.4.2", "1.4.3", "1.4.4"]);
    world.point("1.4.4", '4');
    let repository = ImageReference::parse("r.io/web").unwrap().repository;
    assert_eq!(world.plan().0.wanted, [Wanted::Platforms(repository, digest('4'))]);
    let runs = |platform: &str| Arc::from([Platform::parse(platform).unwrap()]);
    world.state().platforms.insert(digest('4'), runs("linux/amd64"));
    world.state().platforms.insert(digest('0'), runs("linux/arm64"));
    assert_eq!(world.tick(), ["r.io/web:1.4.3"]);
    assert_eq!(world.rejected(), ["not-newer", "platform-missing"]);
}

#[test]
fn a_registry_that_contradicts_itself_holds() {
    let mut world = World::web("1.4.2", &[SEMVER]);
    world.push(&["1.4.2", "1.4.3"]);
    let fact = ManifestFact::Mismatch("the content is another".into());
    world.state().manifests.insert(Tag::parse("1.4.3").unwrap(), fact);
    assert_eq!(world.decision(), (Decision::Held, vec![HoldReason::DigestMismatch]));
}

/// A policy that shuts out the running 1.5.0: does the field go down?
#[track_caller]
fn check_downgrade(allowed: bool, between: impl Fn(&mut World), expect: &[&str]) {
    let mut world = World::web("1.5.0", &[("policy", "semver:~1.5"), ("downgrade", "allow")]);
    world.guards.allow_downgrade = allowed;
    world.push(&["1.4.2", "1.4.3", "1.5.0"]);
    between(&mut world);
    assert_eq!(world.tick(), expect);
    let warnings = world.plan().1.fields[0].warnings.join("; ");
    assert_eq!(warnings.contains("not permitted by the configuration"), !allowed, "{warnings}");
    assert!(world.tick().is_empty());
}

#[test]
fn a_changed_range_pulls_a_version_down_where_both_sides_permit_it() {
    check_downgrade(true, |world| world.replace("~1.5", "~1.4"), &["r.io/web:1.4.3"]);
    check_downgrade(false, |world| world.replace("~1.5", "~1.4"), &[]);
    check_downgrade(true, |world| world.push(&["1.4.3"]), &[]);
    let set_by_hand = |world: &mut World| {
        world.replace("~1.5", "~1.4");
        world.replace(":1.5.0", ":1.5.1");
    };
    check_downgrade(true, set_by_hand, &[]);
}

#[test]
fn a_downgrade_that_a_person_undid_is_not_made_again() {
    let mut world = World::web("1.5.0", &[("policy", "semver:~1.5"), ("downgrade", "allow")]);
    world.guards.allow_downgrade = true;
    world.push(&["1.4.3", "1.5.0"]);
    world.replace("~1.5", "~1.4");
    assert_eq!(world.tick(), ["r.io/web:1.4.3"]);
    world.replace(":1.4.3", ":1.5.0");
    assert!(world.tick().is_empty());
}

#[test]
fn holds_stand_in_their_documented_order() {
    let annotations =
        [SEMVER, ("hold", "x"), ("window", "0 13 * * * for 1h UTC"), ("min-age", "1h"), ("group", "g")];
    let mut world = World::web("1.4.2", &annotations);
    world.push(&["1.4.2", "1.4.3"]);
    world.state().error = Some(ScanError::Unreachable("503".into()));
    world.end = HistoryEnd::Shallow;
    let (_, holds) = world.decision();
    assert!(holds.is_sorted());
    assert_eq!(
        holds.iter().map(|hold| hold.code()).collect::<Vec<_>>(),
        ["held", "no-history", "no-ledger", "registry-unreachable", "outside-window"]
    );
}
