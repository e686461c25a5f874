//! Races, refusals and rewrites on the git server.

use tidegate_tests::harness::wait::eventually;
use tidegate_tests::sandbox::proxy::{Action, Moment, When};
use tidegate_tests::story::apps::WEB;
use tidegate_tests::story::cluster::{config_map_has, image, is_synced_whole, runs, wants_replicas};
use tidegate_tests::story::steps;
use tidegate_tests::story::world::{REPOSITORY, World};

use crate::{LIMIT, synced_world, update_commits};

/// Pushes 1.4.3, lets `person` act while Tidegate's push is on its way, and waits until both are there.
async fn race(world: &World, path: &str, person: impl Fn(&str) -> String) {
    let stop = world.proxies().git.stop(When::new("POST", "git-receive-pack"), Moment::BeforeForwarding);
    world.registry.push("acme/web", "1.4.3").await.expect("a push");
    stop.reached(LIMIT).await;
    let changed = person(&steps::file(world, path));
    let theirs = world.git.commit(REPOSITORY, "A person's change", &[(path, &changed)]);
    stop.release();
    runs(world, "web", &world.image("acme/web", "1.4.3")).await;
    let log = world.git.log(REPOSITORY);
    assert!(log.iter().any(|commit| commit.id == theirs), "the person's commit is lost");
    assert_eq!(update_commits(world).len(), 1);
    assert!(steps::file(world, WEB).contains("web:1.4.3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_push_racing_ours_keeps_both() {
    let Some(world) = synced_world().await else { return };
    race(&world, "apps/settings.yaml", |text| text.replace("hello", "good morning")).await;
    assert!(steps::file(&world, "apps/settings.yaml").contains("good morning"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_push_racing_ours_on_the_same_file_keeps_both() {
    let Some(world) = synced_world().await else { return };
    race(&world, WEB, |text| text.replace("replicas: 2", "replicas: 3")).await;
    assert!(steps::file(&world, WEB).contains("replicas: 3"));
    wants_replicas(&world, "web", 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_the_server_declines_is_a_failure_and_nothing_is_applied() {
    let Some(world) = synced_world().await else { return };
    let before = world.head();
    world.git.set_hook(REPOSITORY, "pre-receive", "echo declined by policy >&2; exit 1");
    world.registry.push("acme/web", "1.4.3").await.expect("a push");
    eventually("the refusal is counted", LIMIT, || async {
        let refused = world.daemon().metric("tidegate_pushes_total", &["outcome=\"Refused\""]).await;
        if refused >= 1.0 { Ok(()) } else { Err(format!("{refused} refusals")) }
    })
    .await;
    world.after_listings(2).await;
    assert_eq!(world.head(), before);
    assert_eq!(image(&world, "web").await, Some(world.image("acme/web", "1.4.2")));
    let revisions = world.daemon().events("revision");
    assert!(
        revisions.iter().all(|line| line["revision"] == *before),
        "a commit was used before it was there"
    );
    world.git.remove_hook(REPOSITORY, "pre-receive");
    let settings = steps::file(&world, "apps/settings.yaml").replace("hello", "good morning");
    let files = [("apps/settings.yaml", &settings)];
    world.git.commit(REPOSITORY, "A new tip is a new chance", &files);
    runs(&world, "web", &world.image("acme/web", "1.4.3")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_acknowledgement_makes_no_second_commit() {
    let Some(world) = synced_world().await else { return };
    world.proxies().git.on(When::new("POST", "git-receive-pack").times(1), Action::DropAnswer);
    world.registry.push("acme/web", "1.4.3").await.expect("a push");
    runs(&world, "web", &world.image("acme/web", "1.4.3")).await;
    world.after_listings(3).await;
    assert_eq!(update_commits(&world).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_was_reset_on_the_server_is_followed_and_not_restored() {
    let Some(world) = synced_world().await else { return };
    let before = world.head();
    steps::release(&world, "1.4.3").await.expect("a release");
    world.git.reset(REPOSITORY, &before);
    runs(&world, "web", &world.image("acme/web", "1.4.2")).await;
    world.after_listings(3).await;
    assert_eq!(world.head(), before, "the reset was undone");
    assert_eq!(world.daemon().events("rewritten").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_was_reset_while_nobody_looked_is_not_restored() {
    let Some(mut world) = synced_world().await else { return };
    let before = world.head();
    let commit = steps::release(&world, "1.4.3").await.expect("a release").commit;
    is_synced_whole(&world, &commit).await;
    world.daemon_mut().kill();
    world.daemon().lose_state().expect("the state directory is there");
    world.git.reset(REPOSITORY, &before);
    world.daemon_mut().restart().await.expect("the daemon starts again");
    runs(&world, "web", &world.image("acme/web", "1.4.2")).await;
    world.after_listings(3).await;
    assert_eq!(world.head(), before, "the reset was undone");
    assert_eq!(world.daemon().events("rewritten").len(), 1);
}

/// Takes a person's commit away while the request `at` of a push on top of it is on its way.
async fn reset_during(at: When) {
    let Some(world) = synced_world().await else { return };
    let first = world.head();
    let settings = steps::file(&world, "apps/settings.yaml").replace("hello", "a mistake");
    let files = [("apps/settings.yaml", &settings)];
    let mistake = world.git.commit(REPOSITORY, "A mistake", &files);
    config_map_has(&world, "settings", "greeting", "a mistake").await;
    let stop = world.proxies().git.stop(at, Moment::BeforeForwarding);
    world.registry.push("acme/web", "1.4.3").await.expect("a push");
    stop.reached(LIMIT).await;
    world.git.reset(REPOSITORY, &first);
    stop.release();
    config_map_has(&world, "settings", "greeting", "hello").await;
    runs(&world, "web", &world.image("acme/web", "1.4.3")).await;
    let log = world.git.log(REPOSITORY);
    assert!(log.iter().all(|commit| commit.id != mistake), "the push brought the mistake back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_is_reset_before_our_push_looks_at_it_is_not_undone() {
    // What is left is an ancestor of our commit: to the server a fast-forward like any other.
    reset_during(When::new("GET", "service=git-receive-pack")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_is_reset_while_we_push_is_not_undone() {
    reset_during(When::new("POST", "git-receive-pack")).await;
}
