//! The steps; each returns what it saw, with the time that each part took.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use serde_json::Value;

use super::apps::{BANNER, WEB};
use super::cluster::{config_map, edit_replicas, image, rolled_out, runs, unit_is_current, wants_replicas};
use super::world::{REPOSITORY, World};
use crate::harness::daemon::binary;
use crate::harness::wait::eventually;

const LIMIT: Duration = Duration::from_secs(60);

/// A release, timed from the push of its tag.
#[derive(Clone, Debug)]
pub struct Release {
    /// The update commit.
    pub commit: String,
    /// Tag pushed → a listing of the daemon shows it, by the daemon's own log.
    pub seen: Duration,
    /// Tag pushed → the commit stands on the server.
    pub committed: Duration,
    /// Tag pushed → the Deployment in the cluster names the image.
    pub applied: Duration,
    /// Tag pushed → every replica runs it.
    pub healthy: Duration,
}

/// 1: the apps are synced from git and become healthy.
pub async fn first_sync(world: &World) -> Result<Duration> {
    let begun = Instant::now();
    runs(world, "web", &world.image("acme/web", "1.4.2")).await;
    rolled_out(world, "web").await;
    config_map(world, "settings", true).await;
    unit_is_current(world, &world.head()).await;
    Ok(begun.elapsed())
}

/// 2: a tag is pushed, and becomes a commit and a rollout.
pub async fn release(world: &World, tag: &str) -> Result<Release> {
    let before = world.head();
    let wanted = world.image("acme/web", tag);
    world.registry.push("acme/web", tag).await?;
    let (begun, pushed) = (Instant::now(), Timestamp::now());
    let commit = eventually("a commit", LIMIT, || async {
        let head = world.head();
        if head == before { Err(format!("HEAD is still {head}")) } else { Ok(head) }
    })
    .await;
    let committed = begun.elapsed();
    assert!(file(world, WEB).contains(&wanted), "the commit does not name {wanted}");
    runs(world, "web", &wanted).await;
    let applied = begun.elapsed();
    rolled_out(world, "web").await;
    let healthy = begun.elapsed();
    let seen = listed(world, tag)?.duration_since(pushed);
    // A listing may be quicker than the last answer of the push.
    let seen = Duration::try_from(seen).unwrap_or_default();
    Ok(Release { commit, seen, committed, applied, healthy })
}

/// When the daemon's log says that a listing shows `tag`: it names the new tags, but for the first listing after a
/// start or a reload.
fn listed(world: &World, tag: &str) -> Result<Timestamp> {
    let repository = format!("{}/acme/web", world.image_host);
    let shows = |line: &Value| match line["new"].as_str() {
        _ if line["repository"] != repository => false,
        Some(new) => new.split(' ').any(|word| word == tag),
        None => true,
    };
    let line =
        world.daemon().events("listing").into_iter().rfind(shows).context("no listing shows the tag")?;
    Ok(line["timestamp"].as_str().context("a log line has a timestamp")?.parse()?)
}

/// 3: tags that the policy does not admit are not taken; returns what `tidegate explain` prints.
pub async fn not_taken(world: &World, tags: &[&str]) -> Result<String> {
    let before = world.head();
    for tag in tags {
        world.registry.push("acme/web", tag).await?;
    }
    world.after_listings(3).await;
    assert_eq!(world.head(), before, "a tag that the policy does not admit was committed");
    let output = Command::new(binary())
        .args(["explain", &format!("Deployment/{}/web", world.namespace), "--config"])
        .arg(world.daemon().config())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "explain failed: {}", String::from_utf8_lossy(&output.stderr));
    for tag in tags {
        assert!(text.contains(tag), "explain does not mention {tag}:\n{text}");
    }
    Ok(text)
}

/// What was seen of a revert.
#[derive(Clone, Debug)]
pub struct Reverted {
    /// The person's commit.
    pub commit: String,
    /// Pushed → the cluster runs the old image again.
    pub back: Duration,
}

/// 4a: a person reverts the newest commit; the cluster follows, and three further listings change nothing.
pub async fn revert(world: &World, old_tag: &str) -> Result<Reverted> {
    let old = world.image("acme/web", old_tag);
    let commit = world.git.revert(REPOSITORY, &world.head());
    let begun = Instant::now();
    runs(world, "web", &old).await;
    let back = begun.elapsed();
    world.after_listings(3).await;
    assert_eq!(world.head(), commit, "the revert was fought");
    assert_eq!(image(world, "web").await, Some(old), "the live image moved without a commit");
    rolled_out(world, "web").await;
    Ok(Reverted { commit, back })
}

/// 5a: a person changes the cluster by hand and is corrected.
pub async fn drift(world: &World) -> Result<Duration> {
    edit_replicas(world, "web", 5).await?;
    let begun = Instant::now();
    wants_replicas(world, "web", 2).await;
    Ok(begun.elapsed())
}

/// 5b: a file leaves git and its object is pruned; everything else stays.
pub async fn prune(world: &World) -> Result<Duration> {
    config_map(world, "banner", true).await;
    world.git.remove(REPOSITORY, "Remove the banner", &[BANNER]);
    let begun = Instant::now();
    config_map(world, "banner", false).await;
    let gone = begun.elapsed();
    config_map(world, "settings", true).await;
    Ok(gone)
}

/// The text of a file at the branch's tip.
pub fn file(world: &World, path: &str) -> String {
    world.git.file(REPOSITORY, path).expect("the file exists")
}
