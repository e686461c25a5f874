//! Plans that no planner should make.

use super::*;

/// Spoils the only change of a good plan and returns what the check says.
fn spoil(work: impl FnOnce(&mut UpdatePlan, &mut World)) -> PlanError {
    let mut world = World::web("1.4.2", &[("policy", "semver:~1.4")]);
    world.push(&["1.4.1", "1.4.2", "1.4.3", "2.0.0"]);
    let (mut plan, _) = world.plan();
    work(&mut plan, &mut world);
    world.with_input(|input| check(input, &plan)).unwrap_err()
}

#[test]
fn a_plan_for_another_revision_is_refused() {
    let error = spoil(|_, world| world.replace("# kept", "# moved"));
    assert!(matches!(error, PlanError::OtherParent { .. }), "{error}");
}

#[test]
fn a_field_that_changes_twice_is_refused() {
    let error = spoil(|plan, _| plan.changes.push(plan.changes[0].clone()));
    assert!(matches!(error, PlanError::Twice(_)), "{error}");
}

#[test]
fn a_downgrade_and_a_version_outside_the_range_are_refused() {
    for tag in ["1.4.1", "2.0.0", "1.4.2"] {
        let error = spoil(|plan, _| plan.changes[0].to = format!("r.io/web:{tag}"));
        assert!(matches!(error, PlanError::NotPermitted { .. }), "{error}");
    }
}

#[test]
fn a_tag_that_is_not_listed_or_has_no_manifest_is_refused() {
    let error = spoil(|plan, _| plan.changes[0].to = "r.io/web:1.4.9".into());
    assert!(matches!(error, PlanError::NotThere { .. }), "{error}");
    let error = spoil(|_, world| world.state().manifests.clear());
    assert!(matches!(error, PlanError::NotThere { .. }), "{error}");
}

#[test]
fn an_edit_outside_its_field_is_refused() {
    let error = spoil(|plan, _| plan.changes[0].edits[0].range.start -= 1);
    assert!(matches!(error, PlanError::OutOfRange(_)), "{error}");
}

#[test]
fn a_change_of_what_is_held_or_outside_its_window_is_refused() {
    let mut world = World::web("1.4.2", &[("policy", "semver:~1.4"), ("hold", "x; until=2026-06-01T11:00Z")]);
    world.push(&["1.4.2", "1.4.3"]);
    let (plan, _) = world.plan();
    world.now = "2026-06-01T10:00:00Z".parse().unwrap();
    let refused = |world: &World| world.with_input(|input| check(input, &plan)).unwrap_err();
    assert!(matches!(refused(&world), PlanError::Held(_)));
    let error = spoil(|_, world| {
        world.guards.windows = Windows::parse_list("0 3 * * * for 1h UTC").unwrap();
    });
    assert!(matches!(error, PlanError::Held(_)), "{error}");
}

#[test]
fn a_tag_that_is_too_young_or_of_unknown_age_is_refused() {
    let error = spoil(|_, world| world.guards.min_age = Some(SignedDuration::from_hours(1)));
    assert!(matches!(error, PlanError::TooYoung { .. }), "{error}");
}

#[test]
fn a_digest_that_shall_not_be_written_is_refused() {
    let error = spoil(|plan, _| plan.changes[0].to = format!("r.io/web:1.4.3@{}", digest('0')));
    assert!(matches!(error, PlanError::NotPermitted { .. }), "{error}");
}

#[test]
fn a_change_of_what_has_no_history_is_refused() {
    let error = spoil(|_, world| world.end = HistoryEnd::Shallow);
    assert!(matches!(error, PlanError::NotPermitted { .. }), "{error}");
}
