//! One scenario each.

use crate::select::Reason::{NotNewer, OutOfRange};

use super::*;

const SEMVER: &[(&str, &str)] = &[("policy", "semver:~1.4")];

#[test]
fn a_newer_tag_is_taken_and_planning_again_gives_nothing() {
    let mut world = World::web("1.4.2", SEMVER);
    world.push(&["1.4.1", "1.4.2", "1.4.3", "1.5.0-rc.1", "2.0.0", "latest"]);
    assert_eq!(world.tick(), ["r.io/web:1.4.3"]);
    assert!(world.files["web.yaml"].contains("image: r.io/web:1.4.3 # kept\n"));
    assert!(world.tick().is_empty());
    assert_eq!(world.decision(), (Decision::UpToDate, vec![]));
}

#[test]
fn a_version_outside_the_range_and_a_pre_release_are_not_taken() {
    let mut world = World::web("1.4.3", SEMVER);
    world.push(&["1.4.3", "2.0.0", "1.4.4-rc.1"]);
    assert!(world.tick().is_empty());
    let (_, report) = world.plan();
    let rejected: Vec<_> = report.fields[0].rejected.keys().copied().collect();
    assert_eq!(rejected, ["not-newer", "out-of-range", "pre-release"]);
}

/// What was taken out, in whatever way, stays out until something newer comes.
#[track_caller]
fn check_taken_out(undo: impl Fn(&mut World)) {
    let mut world = World::web("1.4.2", SEMVER);
    world.push(&["1.4.2", "1.4.3"]);
    world.tick();
    undo(&mut world);
    assert!(world.files["web.yaml"].contains("web:1.4.2 "));
    for _ in 0..3 {
        assert!(world.tick().is_empty());
    }
    world.push(&["1.4.2", "1.4.3", "1.4.4"]);
    assert_eq!(world.tick(), ["r.io/web:1.4.4"]);
}

#[test]
fn a_git_revert_sticks() {
    check_taken_out(|world| {
        let before = deployment("web", "r.io/web:1.4.2", SEMVER);
        world.commit("Revert \"web: 1.4.2 -> 1.4.3\"\n\nThis reverts commit c2.", &[("web.yaml", &before)]);
    });
}

#[test]
fn a_tag_set_by_hand_sticks() {
    check_taken_out(|world| world.replace("1.4.3", "1.4.2"));
}

#[test]
fn a_squash_that_keeps_our_trailers_and_not_the_change_sticks() {
    check_taken_out(|world| {
        let update = world.commits.remove(0);
        world.files.insert("web.yaml".into(), deployment("web", "r.io/web:1.4.2", SEMVER));
        world.commit(&update.message, &[("notes.yaml", "a: 1\n")]);
    });
}

#[test]
fn a_file_deleted_and_restored_at_the_old_tag_sticks() {
    check_taken_out(|world| {
        world.replace("apiVersion", "# gone\n#");
        world.set("web.yaml", &deployment("web", "r.io/web:1.4.2", SEMVER));
    });
}

#[test]
fn a_changed_policy_starts_anew() {
    let mut world = World::web("1.4.2", SEMVER);
    world.push(&["1.4.2", "1.4.3"]);
    world.tick();
    world.replace("1.4.3", "1.4.2");
    world.replace("~1.4", "~1.4.0");
    assert_eq!(world.tick(), ["r.io/web:1.4.3"]);
}

#[test]
fn a_released_field_takes_the_same_step_again_with_another_decision() {
    let mut world = World::web("1.4.2", SEMVER);
    world.push(&["1.4.2", "1.4.3"]);
    let first = world.plan().0.changes[0].decision.clone();
    world.tick();
    world.replace("1.4.3", "1.4.2");
    let field = world.plan().1.fields[0].field.0.clone();
    world.commit(&format!("web: try again\n\nTidegate-Release: {field}"), &[]);
    let second = world.plan().0.changes[0].decision.clone();
    assert_ne!(first, second);
    assert_eq!(world.tick(), ["r.io/web:1.4.3"]);
}

#[test]
fn a_hold_stops_the_field_and_its_end_is_when_to_plan_again() {
    for (hold, wake) in
        [("incident 4711", None), ("x; until=2026-06-01T13:00Z", Some("2026-06-01T13:00:00Z"))]
    {
        let mut world = World::web("1.4.2", &[SEMVER[0], ("hold", hold)]);
        world.push(&["1.4.2", "1.4.3"]);
        assert_eq!(world.decision(), (Decision::Held, vec![HoldReason::Held]));
        let (plan, report) = world.plan();
        assert_eq!(plan.wake_at, wake.map(|at| at.parse().unwrap()));
        assert_eq!(report.fields[0].selected.as_deref(), Some("1.4.3"));
    }
    let mut world = World::web("1.4.2", &[SEMVER[0], ("hold", "over; until=2026-06-01T12:00Z")]);
    world.push(&["1.4.2", "1.4.3"]);
    assert_eq!(world.tick(), ["r.io/web:1.4.3"]);
}

#[test]
fn an_unreadable_policy_or_image_is_held_and_its_neighbours_move() {
    let mut world = World::web("1.4.2", &[("policy", "semver:nonsense")]);
    world.push(&["1.4.2", "1.4.3"]);
    assert_eq!(world.decision(), (Decision::Held, vec![HoldReason::InvalidPolicy]));
    world.set("b.yaml", &deployment("b", "r.io/web:1.4.2", SEMVER));
    let digest = format!("r.io/web@sha256:{}", "0".repeat(64));
    world.set("c.yaml", &deployment("c", &digest, SEMVER));
    world.set("d.yaml", "image: [\n");
    assert_eq!(world.tick(), ["r.io/web:1.4.3"]);
    let (_, report) = world.plan();
    assert!(report.findings.iter().any(|finding| finding.file == "d.yaml"), "{:?}", report.findings);
}

#[test]
fn an_image_without_policy_is_never_touched() {
    let mut world = World::web("1.4.2", &[]);
    world.push(&["1.4.2", "1.4.3"]);
    assert!(world.tick().is_empty());
    assert_eq!(world.decision(), (Decision::NoPolicy, vec![]));
}

#[test]
fn a_missing_manifest_falls_through_to_the_next_best_tag() {
    let mut world = World::web("1.4.2", SEMVER);
    world.push(&["1.4.2", "1.4.3", "1.4.4"]);
    let best = Tag::parse("1.4.4").unwrap();
    world.state().manifests.remove(&best);
    let repository = ImageReference::parse("r.io/web").unwrap().repository;
    assert_eq!(world.plan().0.wanted, [Wanted::Manifest(repository, best.clone())]);
    assert_eq!(world.decision().0, Decision::Waiting);
    world.state().manifests.insert(best, ManifestFact::Missing);
    assert_eq!(world.tick(), ["r.io/web:1.4.3"]);
}

#[test]
fn a_failing_registry_holds_and_its_recovery_moves() {
    let mut world = World::web("1.4.2", SEMVER);
    world.push(&["1.4.2", "1.4.3"]);
    for (error, reason) in [
        (ScanError::Unreachable("503".into()), HoldReason::RegistryUnreachable),
        (ScanError::Incomplete("cut".into()), HoldReason::ListingIncomplete),
    ] {
        world.state().error = Some(error);
        assert_eq!(world.decision(), (Decision::Held, vec![reason]));
        assert!(world.plan().0.wanted.is_empty());
        assert!(world.tick().is_empty());
    }
    world.state().error = None;
    assert_eq!(world.tick(), ["r.io/web:1.4.3"]);
}

#[test]
fn a_repository_that_was_never_listed_is_waited_for() {
    let world = World::web("1.4.2", SEMVER);
    assert_eq!(world.decision(), (Decision::Waiting, vec![]));
}

#[test]
fn a_shrunken_listing_and_a_missing_running_tag_warn_and_nothing_goes_down() {
    let mut world = World::web("1.4.2", SEMVER);
    world.push(&["1.4.0"]);
    world.state().shrunk_from = Some(10);
    let (plan, report) = world.plan();
    assert!(plan.changes.is_empty());
    assert_eq!(report.fields[0].warnings.len(), 2, "{:?}", report.fields[0].warnings);
    assert_eq!(report.fields[0].decision, Decision::UpToDate);
}

#[test]
fn an_image_without_a_version_enters_its_policy_above_what_it_held() {
    let mut world = World::web("latest", SEMVER);
    world.push(&["1.4.2", "1.4.3"]);
    assert!(world.plan().0.changes[0].reason.ends_with("(entering policy)"));
    assert_eq!(world.tick(), ["r.io/web:1.4.3"]);
    world.replace(":1.4.3", "");
    assert!(world.tick().is_empty());
    world.push(&["1.4.2", "1.4.3", "1.4.4"]);
    assert_eq!(world.tick(), ["r.io/web:1.4.4"]);
}

#[test]
fn a_digest_beside_the_tag_is_dropped_when_the_tag_moves() {
    let mut world = World::web(&format!("1.4.2@sha256:{}", "0".repeat(64)), SEMVER);
    world.push(&["1.4.2", "1.4.3"]);
    assert_eq!(world.tick(), ["r.io/web:1.4.3"]);
}

#[test]
fn a_shallow_clone_holds_until_the_field_starts_anew() {
    let mut world = World::web("1.4.2", SEMVER);
    world.push(&["1.4.2", "1.4.3"]);
    world.end = HistoryEnd::Shallow;
    assert_eq!(world.decision(), (Decision::Held, vec![HoldReason::NoHistory]));
    world.replace("~1.4", "~1.4.0");
    assert_eq!(world.tick(), ["r.io/web:1.4.3"]);
}

#[test]
fn a_rewrite_of_unknown_extent_holds_until_a_person_sets_the_image() {
    let mut world = World::web("1.4.2", SEMVER);
    world.push(&["1.4.2", "1.4.3"]);
    world.rewrite = Some(Rewrite { at: "c1".into(), changed: None });
    assert_eq!(world.decision(), (Decision::Held, vec![HoldReason::NoHistory]));
    world.replace("1.4.2", "1.4.1");
    assert_eq!(world.tick(), ["r.io/web:1.4.3"]);
}

#[test]
fn two_fields_of_one_name_are_held() {
    let mut world = World::web("1.4.2", SEMVER);
    world.push(&["1.4.2", "1.4.3"]);
    let twice = format!("{0}---\n{0}", world.files["web.yaml"]);
    world.set("web.yaml", &twice);
    assert!(world.tick().is_empty());
    assert!(world.plan().1.fields.iter().all(|field| field.decision == Decision::Held));
}

#[test]
fn many_apps_move_in_one_plan_in_file_order() {
    let mut world = World::web("1.4.2", SEMVER);
    world.push(&["1.4.2", "1.4.3"]);
    world.set("a.yaml", &deployment("a", "r.io/web:1.4.0", SEMVER));
    world.set("z.yaml", &deployment("z", "r.io/other:1.4.0", SEMVER));
    world.list("r.io/other", &["1.4.9"]);
    assert_eq!(world.tick(), ["r.io/web:1.4.3", "r.io/web:1.4.3", "r.io/other:1.4.9"]);
}

#[test]
fn every_tag_is_explained() {
    let mut world = World::web("1.4.2", SEMVER);
    world.push(&["2.0.0", "1.4.3", "1.4.2"]);
    let id = world.plan().1.fields[0].field.clone();
    let verdicts = world.with_input(|input| verdicts(input, &id)).unwrap();
    let tags: Vec<_> = verdicts.iter().map(|verdict| (verdict.tag.as_str(), verdict.reason)).collect();
    assert_eq!(tags, [("2.0.0", Some(OutOfRange)), ("1.4.3", None), ("1.4.2", Some(NotNewer))]);
}

/// A Pod whose containers `a` and `b` have the given images.
fn pod(a: &str, b: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  annotations:\n    tidegate.io/policy: semver:~1.4\n\
         spec:\n  containers:\n  - name: a\n    image: {a}\n  - name: b\n    image: {b}\n"
    )
}

#[test]
fn containers_that_share_an_anchor_move_together() {
    let mut world = World::web("1.4.3", SEMVER);
    world.push(&["1.4.2", "1.4.3"]);
    world.set("web.yaml", &pod("&i r.io/web:1.4.2", "*i"));
    assert_eq!(world.tick(), ["r.io/web:1.4.3", "r.io/web:1.4.3"]);
    assert!(world.files["web.yaml"].contains("&i r.io/web:1.4.3\n"));
}

#[test]
fn a_shared_anchor_does_not_move_when_one_of_its_containers_may_not() {
    let mut world = World::web("1.4.3", SEMVER);
    world.push(&["1.4.2", "1.4.3", "1.4.4"]);
    world.set("web.yaml", &pod("r.io/web:1.4.2", "r.io/web:1.4.4"));
    world.set("web.yaml", &pod("&i r.io/web:1.4.2", "*i"));
    assert!(world.tick().is_empty(), "b has held 1.4.4 before");
    let (_, report) = world.plan();
    assert_eq!(report.fields[0].holds[0].reason, HoldReason::InvalidPolicy);
    world.push(&["1.4.5"]);
    assert_eq!(world.tick(), ["r.io/web:1.4.5", "r.io/web:1.4.5"]);
}
