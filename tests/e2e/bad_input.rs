//! Bad input: each error names the file, line, key or URL and what helps; nothing panics, and the neighbours go on.
//!
//! Refused configurations are in [`config`], what git holds is in [`manifests`], servers are in [`servers`].

mod config;
mod manifests;
mod servers;

use std::time::Duration;

use serde_json::Value;
use tidegate_tests::harness::wait::eventually;
use tidegate_tests::story::cluster::runs;
use tidegate_tests::story::steps;
use tidegate_tests::story::world::{REPOSITORY, World};

/// How long a bad thing may take to be told.
const TOLD_WITHIN: Duration = Duration::from_secs(20);

/// A world whose repository also holds `files`; the daemon is not started yet.
async fn world_with(files: impl FnOnce(&World) -> Vec<(&'static str, String)>) -> Option<World> {
    let world = World::real().await?;
    world.git.commit(REPOSITORY, "Bad input", &files(&world));
    Some(world)
}

/// A Deployment with one container and these annotations.
fn deployment(name: &str, namespace: &str, image: &str, annotations: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  namespace: {namespace}\n  \
         annotations: {{{annotations}}}\nspec:\n  selector:\n    matchLabels: {{app: {name}}}\n  template:\n    \
         metadata:\n      labels: {{app: {name}}}\n    spec:\n      containers:\n      - name: {name}\n        \
         image: {image}\n"
    )
}

fn config_map(name: &str, namespace: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: {namespace}\ndata: {{a: b}}\n"
    )
}

/// Waits for a log line of `event` that holds all of `words`.
async fn said(world: &World, event: &str, words: &[&str]) -> Value {
    eventually(&format!("a line `{event}` with {words:?}"), TOLD_WITHIN, || async {
        let lines = world.daemon().events(event);
        let holds_all = |line: &&Value| words.iter().all(|word| line.to_string().contains(word));
        lines.iter().find(holds_all).cloned().ok_or_else(|| format!("{lines:?}"))
    })
    .await
}

/// The neighbours go on: a release of `web` becomes a commit and a rollout. Nothing has panicked or stalled.
async fn goes_on(world: &World) {
    runs(world, "web", &world.image("acme/web", "1.4.2")).await;
    steps::release(world, "1.4.3").await.expect("the neighbours go on");
    lives(world).await;
}

/// The process lives, makes progress and has not panicked.
async fn lives(world: &World) {
    let (status, words) = world.daemon().get("/healthz").await.expect("the daemon answers");
    assert_eq!(status, 200, "{words}");
    let log = world.daemon().log_text();
    assert!(!log.contains("panicked at") && !log.contains("\"event\":\"panic\""), "{log}");
}
