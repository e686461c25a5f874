//! `kill -9` at chosen moments, a lost state directory, and an orderly end.

use std::time::Duration;

use tidegate_tests::harness::wait::eventually;
use tidegate_tests::sandbox::proxy::{Moment, When};
use tidegate_tests::story::apps::WEB;
use tidegate_tests::story::cluster::{config_map_has, image, runs};
use tidegate_tests::story::steps;
use tidegate_tests::story::world::{REPOSITORY, World};

use crate::{LIMIT, synced_world, update_commits};

/// How long the process may go on after SIGTERM.
const DRAIN_LIMIT: Duration = Duration::from_secs(20);

/// Kills the daemon at the stop and starts it again without the fault.
async fn die_here(world: &mut World, stop: tidegate_tests::sandbox::proxy::Stop) {
    stop.reached(LIMIT).await;
    world.daemon_mut().kill();
    stop.abandon();
    world.daemon_mut().restart().await.expect("the daemon starts again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_between_push_and_apply_converges_with_one_commit() {
    let Some(mut world) = synced_world().await else { return };
    let stop = world.proxies().cluster.stop(When::new("PATCH", "/deployments/web"), Moment::BeforeForwarding);
    world.registry.push("acme/web", "1.4.3").await.expect("a push");
    stop.reached(LIMIT).await;
    assert_eq!(update_commits(&world).len(), 1, "the push came before the apply");
    assert_eq!(image(&world, "web").await, Some(world.image("acme/web", "1.4.2")), "nothing is applied yet");
    die_here(&mut world, stop).await;
    runs(&world, "web", &world.image("acme/web", "1.4.3")).await;
    world.after_listings(2).await;
    assert_eq!(update_commits(&world).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_before_the_push_is_acknowledged_converges_with_one_commit() {
    let Some(mut world) = synced_world().await else { return };
    let stop = world.proxies().git.stop(When::new("POST", "git-receive-pack"), Moment::AfterAnswer);
    world.registry.push("acme/web", "1.4.3").await.expect("a push");
    die_here(&mut world, stop).await;
    runs(&world, "web", &world.image("acme/web", "1.4.3")).await;
    world.after_listings(2).await;
    assert_eq!(update_commits(&world).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_between_two_applies_converges() {
    let Some(mut world) = synced_world().await else { return };
    let stop = world.proxies().cluster.stop(When::new("PATCH", "/deployments/web"), Moment::BeforeForwarding);
    let web = steps::file(&world, WEB).replace("replicas: 2", "replicas: 3");
    let settings =
        steps::file(&world, "apps/settings.yaml").replace("greeting: hello", "greeting: good morning");
    let files = [(WEB, &web), ("apps/settings.yaml", &settings)];
    world.git.commit(REPOSITORY, "Change two objects", &files);
    stop.reached(LIMIT).await;
    config_map_has(&world, "settings", "greeting", "good morning").await;
    die_here(&mut world, stop).await;
    tidegate_tests::story::cluster::wants_replicas(&world, "web", 3).await;
    assert!(update_commits(&world).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn losing_the_state_directory_changes_no_decision() {
    let Some(mut world) = synced_world().await else { return };
    steps::release(&world, "1.4.3").await.expect("a release");
    steps::revert(&world, "1.4.2").await.expect("a revert");
    let head = world.head();
    world.daemon_mut().kill();
    world.daemon().lose_state().expect("the state directory is there");
    world.daemon_mut().restart().await.expect("the daemon starts again");
    world.after_listings(3).await;
    assert_eq!(world.head(), head, "what was taken out is not proposed again");
    steps::release(&world, "1.4.4").await.expect("something newer is taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_lets_a_push_under_way_end() {
    let Some(mut world) = synced_world().await else { return };
    let stop = world.proxies().git.stop(When::new("POST", "git-receive-pack"), Moment::BeforeForwarding);
    world.registry.push("acme/web", "1.4.3").await.expect("a push");
    stop.reached(LIMIT).await;
    world.daemon_mut().ask_to_end().expect("it runs");
    eventually("the daemon is stopping", LIMIT, || async {
        if world.daemon().events("stopping").is_empty() { Err("not yet".to_owned()) } else { Ok(()) }
    })
    .await;
    stop.release();
    let code = world.daemon_mut().ended(DRAIN_LIMIT).expect("it ends");
    assert_eq!(code, Some(0));
    assert_eq!(update_commits(&world).len(), 1);
    assert_eq!(world.daemon().events("commit").len(), 1, "what became of the push is known");
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_the_process_within_twenty_seconds_though_a_push_hangs() {
    let Some(mut world) = synced_world().await else { return };
    let stop = world.proxies().git.stop(When::new("POST", "git-receive-pack"), Moment::BeforeForwarding);
    world.registry.push("acme/web", "1.4.3").await.expect("a push");
    stop.reached(LIMIT).await;
    world.daemon_mut().ask_to_end().expect("it runs");
    let code = world.daemon_mut().ended(DRAIN_LIMIT).expect("it ends");
    assert_eq!(code, Some(0));
}
