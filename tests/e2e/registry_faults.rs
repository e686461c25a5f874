//! A registry that fails.

use tidegate_tests::harness::wait::eventually;
use tidegate_tests::sandbox::proxy::{Action, When};
use tidegate_tests::story::cluster::{image, runs};
use tidegate_tests::story::steps;

use crate::{LIMIT, synced_world};

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_fails_three_polls_changes_nothing_and_recovers() {
    let Some(world) = synced_world().await else { return };
    let before = world.head();
    let lists = When::path("acme/web/tags/list");
    world.proxies().registry.on(lists.clone().times(3), Action::status(503));
    world.registry.push("acme/web", "1.4.3").await.expect("a push");
    eventually("three failed polls", LIMIT, || async {
        let failed = world.daemon().metric("tidegate_scans_total", &["outcome=\"Failed\""]).await;
        if failed >= 3.0 { Ok(()) } else { Err(format!("{failed} failures")) }
    })
    .await;
    assert_eq!(world.head(), before);
    assert_eq!(image(&world, "web").await, Some(world.image("acme/web", "1.4.2")));
    runs(&world, "web", &world.image("acme/web", "1.4.3")).await;
    assert_ne!(world.head(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_lists_less_downgrades_nothing() {
    let Some(world) = synced_world().await else { return };
    let before = world.head();
    let short = Action::Respond {
        status: 200,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: r#"{"name":"acme/web","tags":["1.4.1"]}"#.to_owned(),
    };
    world.proxies().registry.on(When::path("acme/web/tags/list"), short);
    world.after_listings(3).await;
    assert_eq!(world.head(), before);
    assert_eq!(image(&world, "web").await, Some(world.image("acme/web", "1.4.2")));
    world.proxies().registry.clear();
    steps::release(&world, "1.4.3").await.expect("it was alive all the time");
}
