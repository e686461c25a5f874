//! What happens to a source over time, one story each.

use tidegate_policy::history::trailer;
use tidegate_policy::update::Decision;

use crate::context::Context;

use super::fakes::PushFault;
use super::*;

const MINUTE: Duration = Duration::from_mins(1);

/// Commits on the branch that carry a decision.
fn ours(world: &World) -> Vec<String> {
    let messages = world.git.messages();
    messages.iter().flat_map(|message| trailer::read(message).decisions).collect()
}

#[tokio::test(start_paused = true)]
async fn a_new_tag_becomes_one_commit_that_is_published() {
    let mut world = World::new("1.4.2", &["1.4.2"]);
    world.start();
    world.until_tag("1.4.2").await;
    world.registry.set(&["1.4.2", "1.4.3", "2.0.0"]);
    let seen = world.until_tag("1.4.3").await;
    world.pass(10 * MINUTE).await;
    assert_eq!((seen.revision.clone(), ours(&world).len()), (world.git.tip(), 1));
    let message = &world.git.messages()[0];
    assert!(message.starts_with("web: 1.4.2 -> 1.4.3\n"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_sync_only_source_is_published_and_never_written() {
    let mut world = World::new("1.4.2", &["1.4.2", "1.4.3"]);
    world.update = false;
    world.start();
    world.until_tag("1.4.2").await;
    world.git.person("by hand", &[("web.yaml", &manifest("r.example.com/web:1.4.1", "semver:~1.4"))]);
    world.until_tag("1.4.1").await;
    world.pass(10 * MINUTE).await;
    assert_eq!((world.git.pushes(), world.registry.scans()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_lost_race_keeps_both_commits_even_on_the_same_file() {
    let mut world = World::new("1.4.2", &["1.4.2", "1.4.3"]);
    world.git.fault(PushFault::Race(Box::new(|git| {
        let text = git.text(&git.tip(), "web.yaml");
        git.person(
            "a label",
            &[("web.yaml", &text.replace("  name: web\n  ann", "  name: web\n  labels: {}\n  ann"))],
        );
    })));
    world.start();
    let seen = world.until_tag("1.4.3").await;
    let text = world.git.text(&seen.revision, "web.yaml");
    assert!(text.contains("labels: {}"), "{text}");
    assert_eq!((world.git.pushes(), ours(&world).len(), world.git.messages().len()), (2, 1, 3));
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_wins_the_race_is_respected() {
    let mut world = World::new("1.4.2", &["1.4.2", "1.4.3"]);
    world.git.fault(PushFault::Race(Box::new(|git| {
        let text = git.text(&git.tip(), "web.yaml");
        let held = text.replace("  annotations:\n", "  annotations:\n    tidegate.io/hold: incident\n");
        git.person("hold", &[("web.yaml", &held)]);
    })));
    world.start();
    world.pass(10 * MINUTE).await;
    assert_eq!((world.git.pushes(), ours(&world).len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_lost_acknowledgement_makes_no_second_commit() {
    let mut world = World::new("1.4.2", &["1.4.2", "1.4.3"]);
    world.git.fault(PushFault::LoseAnswer);
    world.start();
    world.until_tag("1.4.3").await;
    world.pass(10 * MINUTE).await;
    assert_eq!((world.git.pushes(), ours(&world).len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_push_that_never_arrived_is_made_again() {
    let mut world = World::new("1.4.2", &["1.4.2", "1.4.3"]);
    world.git.fault(PushFault::LoseRequest);
    world.start();
    world.until_tag("1.4.3").await;
    assert_eq!((world.git.pushes(), ours(&world).len()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn pushes_that_fail_are_spaced_out() {
    let mut world = World::new("1.4.2", &["1.4.2", "1.4.3"]);
    (0..1_000).for_each(|_| world.git.fault(PushFault::LoseRequest));
    world.start();
    world.pass(Duration::from_hours(1)).await;
    assert!((10..=40).contains(&world.git.pushes()), "{} pushes in an hour", world.git.pushes());
    assert_eq!(ours(&world).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_refused_push_publishes_nothing_and_is_tried_again_after_minutes() {
    let mut world = World::new("1.4.2", &["1.4.2", "1.4.3"]);
    world.git.fault(PushFault::Refuse);
    world.start();
    world.until_tag("1.4.2").await;
    world.pass(4 * MINUTE).await;
    assert_eq!(world.git.pushes(), 1);
    assert_eq!(world.seen.borrow().as_ref().unwrap().revision, world.git.tip());
    world.until_tag("1.4.3").await;
    assert_eq!((world.git.pushes(), ours(&world).len()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_refused_push_is_tried_at_once_when_the_plan_or_the_tip_changes() {
    let mut world = World::new("1.4.2", &["1.4.2", "1.4.3"]);
    world.git.fault(PushFault::Refuse);
    world.git.fault(PushFault::Refuse);
    world.start();
    world.pass(MINUTE).await;
    assert_eq!(world.git.pushes(), 1);
    world.registry.set(&["1.4.2", "1.4.3", "1.4.4"]);
    world.pass(MINUTE).await;
    assert_eq!(world.git.pushes(), 2);
    world.git.person("the hook is mended", &[("notes.md", "x")]);
    world.pass(2 * MINUTE).await;
    assert_eq!((world.git.pushes(), ours(&world).len()), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_fails_three_polls_changes_nothing_and_recovers() {
    let mut world = World::new("1.4.2", &["1.4.2"]);
    world.start();
    world.until_tag("1.4.2").await;
    world.pass(MINUTE).await;
    world.registry.set(&["1.4.1", "1.4.3"]);
    world.registry.fail(3);
    while !world.registry.is_up() {
        assert_eq!(world.git.pushes(), 0);
        world.pass(Duration::from_secs(1)).await;
    }
    world.until_tag("1.4.3").await;
    assert_eq!(ours(&world).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_git_server_that_is_down_is_tried_again_and_nothing_is_forgotten() {
    let mut world = World::new("1.4.2", &["1.4.2", "1.4.3"]);
    world.git.fail_fetches(4);
    world.start();
    world.until_tag("1.4.3").await;
    world.git.fail_fetches(1_000_000);
    world.registry.set(&["1.4.2", "1.4.3", "1.4.4"]);
    let before = world.git.fetches();
    world.pass(Duration::from_hours(1)).await;
    let tries = world.git.fetches() - before;
    assert!((10..=40).contains(&tries), "{tries} tries in an hour");
    world.git.fail_fetches(0);
    world.until_tag("1.4.4").await;
    assert_eq!(ours(&world).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_tag_without_manifest_gives_way_to_the_next_best_until_it_is_there() {
    let mut world = World::new("1.4.2", &["1.4.2", "1.4.3", "1.4.4"]);
    world.registry.lack(&["1.4.4"]);
    world.start();
    world.until_tag("1.4.3").await;
    world.registry.lack(&[]);
    world.until_tag("1.4.4").await;
}

#[tokio::test(start_paused = true)]
async fn a_revert_sticks_through_polls_and_restarts() {
    let mut world = World::new("1.4.2", &["1.4.2", "1.4.3"]);
    world.start();
    world.until_tag("1.4.3").await;
    let before = manifest("r.example.com/web:1.4.2", "semver:~1.4");
    world.git.person("Revert \"web: 1.4.2 -> 1.4.3\"", &[("web.yaml", &before)]);
    world.until_tag("1.4.2").await;
    world.pass(10 * MINUTE).await;
    world.restart();
    world.pass(10 * MINUTE).await;
    assert_eq!(ours(&world).len(), 1);
    world.registry.set(&["1.4.2", "1.4.3", "1.4.4"]);
    world.until_tag("1.4.4").await;
}

#[tokio::test(start_paused = true)]
async fn a_hold_ends_by_itself() {
    let mut world = World::new("1.4.2", &["1.4.2", "1.4.3"]);
    let text = world.git.text(&world.git.tip(), "web.yaml");
    let hold = "  annotations:\n    tidegate.io/hold: x; until=2026-06-01T12:00:30Z\n";
    world.git.person("hold", &[("web.yaml", &text.replace("  annotations:\n", hold))]);
    world.start();
    world.pass(Duration::from_secs(29)).await;
    assert_eq!(world.git.pushes(), 0);
    world.pass(Duration::from_secs(3)).await;
    assert_eq!(world.git.pushes(), 1);
}

/// Tidegate took 1.4.3; then somebody resets the branch to before that.
async fn reset_world() -> (World, String) {
    let mut world = World::new("1.4.2", &["1.4.2", "1.4.3"]);
    let first = world.git.tip();
    world.start();
    let taken = world.until_tag("1.4.3").await.revision.clone();
    world.pass(MINUTE).await;
    world.git.reset(&first);
    (world, taken)
}

#[tokio::test(start_paused = true)]
async fn a_branch_reset_on_the_server_is_followed_and_not_undone() {
    let (mut world, _) = reset_world().await;
    world.until_tag("1.4.2").await;
    world.registry.set(&["1.4.2", "1.4.3", "1.4.4"]);
    world.pass(10 * MINUTE).await;
    assert_eq!(world.git.pushes(), 1, "the field is held");
    assert!(world.records.data("tidegate-source-fleet")["rewrite-changed"].contains("web.yaml#"));
    world.git.person("go on", &[("web.yaml", &manifest("r.example.com/web:1.4.3", "semver:~1.4"))]);
    world.until_tag("1.4.4").await;
}

#[tokio::test(start_paused = true)]
async fn a_rewrite_while_the_process_was_away_holds_too() {
    for forgotten in [false, true] {
        let (mut world, taken) = reset_world().await;
        world.stop.cancel();
        if forgotten {
            world.git.forget(&taken);
        }
        world.restart();
        world.until_tag("1.4.2").await;
        world.pass(10 * MINUTE).await;
        assert_eq!(world.git.pushes(), 1, "the field is held");
        let changed = &world.records.data("tidegate-source-fleet")["rewrite-changed"];
        assert_eq!(changed == "everything", forgotten, "{changed}");
    }
}

#[tokio::test(start_paused = true)]
async fn planning_once_tells_what_would_be_done_and_does_nothing() {
    let world = World::new("1.4.2", &["1.4.2", "1.4.3", "2.0.0"]);
    let context = Context::new(&world.stop, MINUTE);
    let clock = TestClock { start: tokio::time::Instant::now() };
    let scans = world.scanner().subscribe();
    let planned = plan_once(&context, &world.source(), world.git.clone(), scans, None, &clock).await.unwrap();
    assert_eq!(planned.plan.changes[0].to, "r.example.com/web:1.4.3");
    assert_eq!(planned.report.fields[0].decision, Decision::Update);
    assert!(String::from_utf8_lossy(&planned.edited[0].new).contains("web:1.4.3\n"));
    let verdicts = planned.verdicts(&planned.report.fields[0].field).unwrap();
    assert_eq!(verdicts.len(), 3);
    assert_eq!(world.git.pushes(), 0);
}

#[tokio::test(start_paused = true)]
async fn planning_once_ends_when_the_registry_is_down() {
    let world = World::new("1.4.2", &["1.4.2"]);
    world.registry.fail(usize::MAX);
    let context = Context::new(&world.stop, MINUTE);
    let clock = TestClock { start: tokio::time::Instant::now() };
    let scans = world.scanner().subscribe();
    let planned = plan_once(&context, &world.source(), world.git.clone(), scans, None, &clock).await.unwrap();
    assert_eq!(planned.report.fields[0].decision, Decision::Held);
}
