//! The main job, as the demo tells it, on the real servers.

use tidegate_tests::story::steps;
use tidegate_tests::story::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_pushed_tag_becomes_a_commit_and_a_rollout_and_a_revert_sticks() {
    let Some(mut world) = World::real().await else { return };
    let setup = world.setup();
    world.start_daemon(setup).await.expect("the daemon starts");
    steps::first_sync(&world).await.expect("first sync");
    steps::release(&world, "1.4.3").await.expect("a release");
    let explained =
        steps::not_taken(&world, &["2.0.0", "1.5.0-rc.1"]).await.expect("tags that are not taken");
    assert!(explained.contains("out-of-range") && explained.contains("pre-release"), "{explained}");
    steps::revert(&world, "1.4.2").await.expect("a revert");
    steps::release(&world, "1.4.4").await.expect("the next release");
    steps::drift(&world).await.expect("drift");
    steps::prune(&world).await.expect("prune");
}
