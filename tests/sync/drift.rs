//! What people and controllers change on the real server.

use std::time::{Duration, Instant};

use super::world::{World, config_map, deployment};

const IMAGE: &str = ".spec.template.spec.containers[0].image";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_by_hand_are_corrected_and_status_is_not_drift() {
    let world = World::new("sync-drift", &[]).await;
    let files = format!("{}{}", config_map("a", "1"), deployment("web", "web:1", 1));
    let revision = world.commit(&[("a.yaml", Some(&files))]);
    world.until_healthy(".", &revision).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let patched =
        |world: &World| world.requests().iter().filter(|line| line.starts_with("\"patch\"")).count();
    assert_eq!(patched(&world), 2, "one apply each: {:?}", world.requests());

    world.kubectl(&["set", "image", "deployment/web", "app=web:9"]);
    let edited = Instant::now();
    world.until("the image is back", |world| world.field("deployment/web", IMAGE) == "web:1").await;
    assert!(edited.elapsed() < Duration::from_secs(1), "{:?}", edited.elapsed());
    world.kubectl(&["scale", "deployment/web", "--replicas=3"]);
    world
        .until("the replicas are back", |world| world.field("deployment/web", ".spec.replicas") == "1")
        .await;
    world.kubectl(&["patch", "configmap", "a", "-p", r#"{"data":{"key":"theirs"}}"#]);
    world.until("the value is back", |world| world.field("configmap/a", ".data.key") == "1").await;
    world.kubectl(&["label", "configmap", "a", "applyset.kubernetes.io/part-of-"]);
    let label = r".metadata.labels.applyset\.kubernetes\.io/part-of";
    world.until("the label is back", |world| !world.field("configmap/a", label).is_empty()).await;
    world.kubectl(&["delete", "configmap", "a"]);
    world.until("it is back", |world| world.field("configmap/a", ".data.key") == "1").await;
    world.kubectl(&["delete", "deployment", "web"]);
    world.until("it is back", |world| world.field("deployment/web", IMAGE) == "web:1").await;
    world.until_healthy(".", &revision).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_apply_under_our_name_is_corrected() {
    let world = World::new("sync-name", &[]).await;
    let revision = world.commit(&[("a.yaml", Some(&config_map("a", "1")))]);
    world.until_healthy(".", &revision).await;
    // The time of a field manager's entry has a resolution of one second.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let label = world.field("configmap/a", r".metadata.labels.applyset\.kubernetes\.io/part-of");
    let theirs = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, namespace: {}, labels: {{applyset.kubernetes.io/part-of: {label}}}}}\ndata: {{key: theirs}}\n",
        world.namespace
    );
    world.plane.apply_as("tidegate", &theirs).unwrap();
    world.until("the value is back", |world| world.field("configmap/a", ".data.key") == "1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_changes_nothing() {
    let world = World::new("sync-restart", &[]).await;
    let files = format!("{}{}", config_map("a", "1"), deployment("web", "web:1", 1));
    let revision = world.commit(&[("a.yaml", Some(&files))]);
    world.until_healthy(".", &revision).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let versions = |world: &World| {
        ["configmap/a", "deployment/web"].map(|object| world.field(object, ".metadata.resourceVersion"))
    };
    let before = versions(&world);
    let world = world.restart().await;
    world.until_healthy(".", &revision).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(versions(&world), before);
}
