//! Watches: what they show, and that they go on.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use serde_json::{Value, json};
use tidegate_agent::cluster::{Cluster, Content, LiveMeta, WatchEvent};
use tidegate_agent::fence::WriteFence;
use tidegate_tests::harness::control_plane::ControlPlane;

use crate::ground::{Ground, connect, context};

async fn next(watch: &mut BoxStream<'static, WatchEvent>) -> WatchEvent {
    tokio::time::timeout(Duration::from_secs(60), watch.next())
        .await
        .expect("an event in time")
        .expect("no end")
}

/// Waits for an event that `pick` takes.
async fn find<T>(watch: &mut BoxStream<'static, WatchEvent>, pick: impl Fn(WatchEvent) -> Option<T>) -> T {
    loop {
        if let Some(found) = pick(next(watch).await) {
            return found;
        }
    }
}

fn changed(event: WatchEvent, name: &str) -> Option<LiveMeta> {
    match event {
        WatchEvent::Changed(live) if live.id.name == name => Some(*live),
        _ => None,
    }
}

#[tokio::test]
async fn a_watch_shows_what_is_there_then_changes_then_deletes() {
    let ground = Ground::new("watch").await;
    let kind = ground.kind("", "ConfigMap");
    let first = ground.apply(&ground.config_map("a", &json!({"x": "1"}))).await.live;
    // Other tests use the same label in their namespaces.
    ground.kubectl(&["label", "configmap", "a", "watched=here"]);
    let mut watch = ground.cluster.watch(&kind, Some("watched=here"), Content::Metadata);
    assert!(matches!(next(&mut watch).await, WatchEvent::Restarted));
    let seen = changed(next(&mut watch).await, "a").unwrap();
    assert_eq!((&seen.uid, &seen.id), (&first.uid, &first.id));
    assert_eq!((&seen.value["apiVersion"], &seen.value["kind"]), (&json!("v1"), &json!("ConfigMap")));
    assert!(seen.value.get("data").is_none());
    assert!(matches!(next(&mut watch).await, WatchEvent::Listed));
    ground.apply(&ground.config_map("b", &json!({}))).await; // not selected
    let second = ground.apply(&ground.config_map("a", &json!({"x": "2"}))).await.live;
    assert_eq!(changed(next(&mut watch).await, "a").unwrap().resource_version, second.resource_version);
    ground.kubectl(&["delete", "configmap", "a"]);
    assert!(matches!(next(&mut watch).await, WatchEvent::Deleted(live) if live.id == first.id));
}

#[tokio::test]
async fn a_full_watch_carries_the_status() {
    let ground = Ground::new("watch").await;
    let kind = ground.kind("apps", "Deployment");
    let mut watch = ground.cluster.watch(&kind, None, Content::Full);
    ground.apply(&ground.deployment("web", "web:1", 2)).await;
    let live = find(&mut watch, |event| {
        changed(event, "web").filter(|live| {
            live.id.namespace.as_ref() == Some(&ground.namespace)
                && live.value["status"]["readyReplicas"] == 2
        })
    });
    assert_eq!(live.await.value["spec"]["replicas"], 2);
}

/// Whether the `Apply` entry of our manager holds `.data.x`.
fn we_hold_x(live: &LiveMeta) -> bool {
    let entries = live.value["metadata"]["managedFields"].as_array().unwrap();
    let ours: Vec<&Value> = entries
        .iter()
        .filter(|entry| entry["manager"] == "tidegate" && entry["operation"] == "Apply")
        .collect();
    assert_eq!(ours.len(), 1, "{entries:?}");
    ours[0].pointer("/fieldsV1/f:data/f:x").is_some()
}

#[tokio::test]
async fn an_edit_of_our_field_takes_it_from_our_entry_and_the_watch_shows_it() {
    let ground = Ground::new("drift").await;
    let kind = ground.kind("", "ConfigMap");
    let ours = ground.apply(&ground.config_map("drifting", &json!({"x": "1", "y": "1"}))).await.live;
    assert!(we_hold_x(&ours));
    let mut watch = ground.cluster.watch(&kind, Some("ours=yes"), Content::Metadata);
    assert!(we_hold_x(&find(&mut watch, |event| changed(event, "drifting")).await));
    ground.kubectl(&["patch", "configmap", "drifting", "-p", r#"{"data":{"x":"by hand"}}"#]);
    assert!(!we_hold_x(&find(&mut watch, |event| changed(event, "drifting")).await));
}

#[tokio::test]
async fn a_watch_survives_a_restart_of_the_server_and_a_forgotten_past() {
    // The others share their control plane.
    let plane = ControlPlane::start().unwrap();
    let cluster = connect(&plane.kubeconfig(), "default").await.unwrap();
    let catalog = cluster.discover(&context()).await.unwrap();
    let kind = catalog.kinds.values().find(|kind| kind.plural == "configmaps").unwrap();
    let write = async |name: &str| {
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": "default", "labels": {"watched": "yes"}}});
        cluster.apply(&context(), &WriteFence::default(), kind, &object, false).await.unwrap();
    };
    write("before").await;
    write("going").await;
    let mut watch = cluster.watch(kind, Some("watched=yes"), Content::Metadata);
    find(&mut watch, |event| matches!(event, WatchEvent::Listed).then_some(())).await;

    plane.stop_api_server().unwrap();
    let failing = find(&mut watch, |event| match event {
        WatchEvent::Failing(text) => Some(text),
        _ => None,
    });
    let text = failing.await;
    assert!(text.contains(&plane.server_url()), "{text}");
    plane.restart_api_server().unwrap();
    // While the watch still waits: an object goes and the version that was seen last is forgotten.
    plane.kubectl(&["delete", "configmap", "going"]).unwrap();
    write("after").await;
    plane.compact().unwrap();
    plane.stop_api_server().unwrap();
    plane.restart_api_server().unwrap();

    find(&mut watch, |event| matches!(event, WatchEvent::Restarted).then_some(())).await;
    let mut names = Vec::new();
    loop {
        match next(&mut watch).await {
            WatchEvent::Changed(live) => names.push(live.id.name),
            WatchEvent::Restarted => names.clear(),
            WatchEvent::Listed => break,
            WatchEvent::Deleted(_) | WatchEvent::Failing(_) => {}
        }
    }
    names.sort();
    assert_eq!(names, ["after", "before"]);
    write("later").await;
    find(&mut watch, |event| changed(event, "later")).await;
}
