//! Metadata lists and watches, whole watches, bookmarks, versions out of range.

use std::time::Duration;

use futures::{AsyncBufReadExt, StreamExt};
use http::Request;
use serde_json::{Value, json};

use crate::world::{World, config_map, fields_of, version_of};

const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// The first `count` events of a watch.
async fn events(world: &World, path: &str, accept: &str, count: usize) -> Vec<Value> {
    let request =
        Request::get(path).header(http::header::ACCEPT, accept).body(Vec::new()).expect("a request");
    let lines = world.client.request_stream(request).await.expect("the watch opens").lines();
    let read = lines.take(count).map(|line| serde_json::from_str(&line.expect("a line")).expect("JSON"));
    tokio::time::timeout(Duration::from_secs(20), read.collect()).await.expect("the events come in time")
}

fn named(events: &[Value]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    events.iter().map(|event| (text(&event["type"]), text(&event["object"]["metadata"]["name"]))).collect()
}

async fn labelled(world: &World, name: &str, label: &str) -> Value {
    let mut body = config_map(name, &json!({"k": "1"}));
    body["metadata"]["labels"] = json!({label: "yes"});
    world.apply(&world.path(&format!("configmaps/{name}")), "alice", &body).await.ok()
}

pub async fn a_metadata_list_carries_managed_fields(world: &World) {
    labelled(world, "a", "part").await;
    let path = format!("{}?labelSelector=part", world.path("configmaps"));
    let list =
        world.try_send("GET", &path, "application/json", METADATA_LIST, Vec::new()).await.expect("a list");
    let list = list.ok();
    assert_eq!(
        (&list["kind"], &list["apiVersion"]),
        (&json!("PartialObjectMetadataList"), &json!("meta.k8s.io/v1"))
    );
    let item = &list["items"][0];
    assert_eq!(item["data"], Value::Null);
    let fields = json!({"f:data": {"f:k": {}}, "f:metadata": {"f:labels": {"f:part": {}}}});
    assert_eq!(fields_of(item, "alice", "Apply", ""), fields);

    let from = version_of(&list);
    world.merge(&world.path("configmaps/a"), "kubectl-edit", &json!({"data": {"k": "2"}})).await.ok();
    let path = format!("{path}&watch=true&resourceVersion={from}");
    let seen = events(world, &path, METADATA, 1).await;
    let object = &seen[0]["object"];
    assert_eq!(seen[0]["type"], "MODIFIED");
    assert_eq!(
        (&object["kind"], &object["apiVersion"]),
        (&json!("PartialObjectMetadata"), &json!("meta.k8s.io/v1"))
    );
    let fields = json!({"f:metadata": {"f:labels": {"f:part": {}}}});
    assert_eq!(fields_of(object, "alice", "Apply", ""), fields);
}

pub async fn a_watch_continues_from_a_list(world: &World) {
    let maps = world.path("configmaps");
    labelled(world, "before", "part").await;
    let list = world.get(&format!("{maps}?labelSelector=part")).await.ok();
    let from = version_of(&list);
    labelled(world, "a", "part").await;
    labelled(world, "elsewhere", "other").await;
    world.merge(&format!("{maps}/a"), "me", &json!({"data": {"k": "2"}})).await.ok();
    world.send("DELETE", &format!("{maps}/a"), "application/json", &Value::Null).await.ok();
    let path = format!("{maps}?labelSelector=part&watch=true&resourceVersion={from}");
    let seen = events(world, &path, "application/json", 3).await;
    let expect = ["ADDED", "MODIFIED", "DELETED"].map(|kind| (kind.to_owned(), "a".to_owned()));
    assert_eq!(named(&seen), expect);
    let versions: Vec<u64> =
        seen.iter().map(|event| version_of(&event["object"]).parse().expect("a number")).collect();
    assert!(versions.is_sorted_by(|a, b| a < b), "each event has a newer version: {versions:?}");
    assert_eq!(seen[0]["object"]["kind"], "ConfigMap");
}

pub async fn an_object_that_leaves_the_selector_is_deleted_for_the_watch(world: &World) {
    let maps = world.path("configmaps");
    let created = labelled(world, "a", "part").await;
    world.merge(&format!("{maps}/a"), "me", &json!({"metadata": {"labels": {"part": null}}})).await.ok();
    let back =
        world.merge(&format!("{maps}/a"), "me", &json!({"metadata": {"labels": {"part": "y"}}})).await.ok();
    let path = format!("{maps}?labelSelector=part&watch=true&resourceVersion={}", version_of(&created));
    let seen = events(world, &path, "application/json", 2).await;
    let expect = ["DELETED", "ADDED"].map(|kind| (kind.to_owned(), "a".to_owned()));
    assert_eq!(named(&seen), expect);
    // What left is shown as it was, at the version of its leaving.
    assert_eq!(seen[0]["object"]["metadata"]["labels"], json!({"part": "yes"}));
    assert!(version_of(&seen[0]["object"]) > version_of(&created));
    assert_eq!(version_of(&seen[1]["object"]), version_of(&back));
}

pub async fn a_watch_without_version_begins_with_what_is_there(world: &World) {
    labelled(world, "a", "part").await;
    labelled(world, "b", "part").await;
    for query in ["", "&resourceVersion=0"] {
        let path = format!("{}?labelSelector=part&watch=true{query}", world.path("configmaps"));
        let mut seen = named(&events(world, &path, "application/json", 2).await);
        seen.sort();
        let expect = ["a", "b"].map(|name| ("ADDED".to_owned(), name.to_owned()));
        assert_eq!(seen, expect);
    }
    let path = format!("{}?fieldSelector=metadata.name%3Db&watch=true", world.path("configmaps"));
    assert_eq!(named(&events(world, &path, "application/json", 1).await)[0].1, "b");
}

pub async fn a_streaming_list_ends_with_a_bookmark(world: &World) {
    labelled(world, "a", "part").await;
    let path = format!(
        "{}?labelSelector=part&watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan\
         &allowWatchBookmarks=true",
        world.path("configmaps")
    );
    let seen = events(world, &path, METADATA, 2).await;
    assert_eq!(named(&seen)[0], ("ADDED".to_owned(), "a".to_owned()));
    assert_eq!(seen[1]["type"], "BOOKMARK");
    let notes = &seen[1]["object"]["metadata"]["annotations"];
    assert_eq!(*notes, json!({"k8s.io/initial-events-end": "true"}));
    assert!(!version_of(&seen[1]["object"]).is_empty());
}

pub async fn a_watch_from_the_future_is_refused(world: &World) {
    let maps = world.path("configmaps");
    let message = world.get(&format!("{maps}?resourceVersion=9999999999")).await.refused(504, "Timeout");
    assert!(message.contains("Too large resource version"), "{message}");
    world.get(&format!("{maps}?resourceVersion=abc")).await.refused(400, "BadRequest");
}
