//! Policies that need more than a list of tags: ages, digests, platforms and the clock.

use super::fakes::PushFault;
use super::*;

const MINUTE: Duration = Duration::from_mins(1);
const LEDGER: &str = "tidegate-ledger-fleet";

/// A manifest with these annotations, as YAML lines.
fn annotated(image: &str, annotations: &[&str]) -> String {
    let lines: String =
        annotations.iter().fold(String::new(), |text, line| text + "    tidegate.io/" + line + "\n");
    manifest(&format!("r.example.com/web:{image}"), "x").replace("    tidegate.io/policy: x\n", &lines)
}

/// A source whose one image is governed so, and a registry that lists `tags`.
fn world(image: &str, annotations: &[&str], tags: &[&str]) -> World {
    let world = World::new("0", tags);
    world.git.person("policy", &[("web.yaml", &annotated(image, annotations))]);
    world
}

/// The line of the image at the tip.
fn image(world: &World) -> String {
    let text = world.git.text(&world.git.tip(), "web.yaml");
    text.lines()
        .find_map(|line| line.trim().strip_prefix("image: r.example.com/web"))
        .expect("an image")
        .to_owned()
}

#[tokio::test(start_paused = true)]
async fn the_newest_tag_is_known_across_restarts() {
    let mut world = world("a1", &["policy: newest"], &["a1", "b7", "c4"]);
    world.start();
    world.until_tag("a1").await;
    world.pass(10 * MINUTE).await;
    assert_eq!(image(&world), ":a1", "what the first listing shows is of unknown age");
    world.registry.set(&["a1", "b7", "c4", "a0"]);
    world.until_tag("a0").await;
    world.restart();
    world.registry.set(&["a1", "b7", "c4", "a0", "Z"]);
    world.until_tag("Z").await;
    assert!(world.records.data(LEDGER)["ledger"].contains("\"Z\""));
}

#[tokio::test(start_paused = true)]
async fn a_lost_ledger_changes_nothing_by_itself() {
    let mut world = world("a", &["policy: newest"], &["a", "b"]);
    world.start();
    world.until_tag("a").await;
    world.pass(10 * MINUTE).await;
    world.records.lose(LEDGER);
    world.restart();
    world.registry.set(&["a", "b", "c"]);
    world.pass(10 * MINUTE).await;
    assert_eq!(image(&world), ":a", "c may be as old as the others");
    world.registry.set(&["a", "b", "c", "d"]);
    world.until_tag("d").await;
}

#[tokio::test(start_paused = true)]
async fn nothing_follows_from_an_age_that_is_not_written_down() {
    let mut world = world("a", &["policy: newest"], &["a"]);
    world.start();
    world.until_tag("a").await;
    world.pass(10 * MINUTE).await;
    world.records.jam(LEDGER);
    world.registry.set(&["a", "b"]);
    world.pass(10 * MINUTE).await;
    assert_eq!(image(&world), ":a");
    world.records.mend();
    world.until_tag("b").await;
}

#[tokio::test(start_paused = true)]
async fn a_tag_is_taken_when_it_is_old_enough_without_another_listing() {
    let mut world = world("1.4.2", &["policy: semver:~1.4", "min-age: 5h", "poll: 24h"], &["1.4.2"]);
    world.start();
    world.until_tag("1.4.2").await;
    world.pass(10 * MINUTE).await;
    world.registry.set(&["1.4.2", "1.4.3"]);
    world.pass(25 * 60 * MINUTE).await; // the next listing shows it
    assert_eq!(image(&world), ":1.4.2");
    let scans = world.registry.scans();
    world.until_tag("1.4.3").await;
    assert_eq!(world.registry.scans(), scans);
}

#[tokio::test(start_paused = true)]
async fn a_window_that_opens_lets_the_commit_out() {
    let window = "window: 0 14 * * * for 1h UTC";
    let mut world = world("1.4.2", &["policy: semver:~1.4", window], &["1.4.2", "1.4.3"]);
    world.start();
    world.until_tag("1.4.2").await;
    world.pass(119 * MINUTE).await; // the clock starts at noon
    assert_eq!((image(&world).as_str(), world.git.pushes()), (":1.4.2", 0));
    world.pass(2 * MINUTE).await;
    assert_eq!(image(&world), ":1.4.3");
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_moves_is_followed_and_a_digest_that_a_person_took_out_is_not_written_again() {
    let mut world = world("main", &["policy: digest:main"], &["main", "1.0.0"]);
    let first = world.registry.point("main", 'a');
    world.start();
    world.until("the digest", |_| true).await;
    world.pass(MINUTE).await;
    assert_eq!(image(&world), format!(":main@{first}"));
    let second = world.registry.point("main", 'b');
    world.pass(2 * MINUTE).await;
    assert_eq!(image(&world), format!(":main@{second}"));
    let back = annotated(&format!("main@{first}"), &["policy: digest:main"]);
    world.git.person("back", &[("web.yaml", &back)]);
    world.pass(10 * MINUTE).await;
    assert_eq!(image(&world), format!(":main@{first}"), "a person took the second out");
    let third = world.registry.point("main", 'c');
    world.pass(2 * MINUTE).await;
    assert_eq!(image(&world), format!(":main@{third}"));
    world.registry.point("main", 'a');
    world.pass(2 * MINUTE).await;
    assert_eq!(image(&world), format!(":main@{first}"), "the registry went back by itself");
}

#[tokio::test(start_paused = true)]
async fn a_tag_without_the_platform_is_passed_over_and_the_rest_is_pinned() {
    let annotations = &["policy: semver:~1.4", "pin: digest", "platforms: linux/amd64"];
    let world_tags = &["1.4.2", "1.4.3", "1.4.4"];
    let mut world = world("1.4.2", annotations, world_tags);
    let three = world.registry.point("1.4.3", '3');
    world.registry.point("1.4.4", '4');
    world.registry.only_for_arm('4');
    world.start();
    world.until("a revision", |_| true).await;
    world.pass(5 * MINUTE).await;
    assert_eq!(image(&world), format!(":1.4.3@{three}"));
}

#[tokio::test(start_paused = true)]
async fn a_lost_race_under_a_digest_policy_is_decided_again() {
    let mut world = world("main", &["policy: digest:main"], &["main"]);
    let first = world.registry.point("main", 'a');
    world.git.fault(PushFault::Race(Box::new(|git| {
        let held = annotated("main", &["policy: digest:main", "hold: incident"]);
        git.person("hold", &[("web.yaml", &held)]);
    })));
    world.start();
    world.pass(10 * MINUTE).await;
    assert_eq!((image(&world).as_str(), world.git.pushes()), (":main", 1));
    world.git.person("go on", &[("web.yaml", &annotated("main", &["policy: digest:main"]))]);
    world.pass(5 * MINUTE).await;
    assert_eq!(image(&world), format!(":main@{first}"));
}
