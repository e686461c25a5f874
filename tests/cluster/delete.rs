//! Deleting what was seen, and only that; and the lists that say what there is.

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use tidegate_agent::cluster::Cluster;

use crate::ground::Ground;

#[tokio::test]
async fn an_object_that_changed_since_it_was_seen_is_not_deleted() {
    let ground = Ground::new("delete").await;
    let kind = ground.kind("", "ConfigMap");
    let seen = ground.apply(&ground.config_map("a", &json!({"x": "1"}))).await.live;
    ground.kubectl(&["annotate", "configmap", "a", "touched=yes"]);
    let delete =
        async |live| ground.cluster.delete(&ground.context, &ground.fence, &kind, live).await.unwrap();
    assert!(!delete(&seen).await);
    let fresh = ground.get(&kind, "a").await.unwrap();
    assert!(delete(&fresh).await);
    assert!(ground.get(&kind, "a").await.is_none());
    assert!(!delete(&fresh).await);
}

#[tokio::test]
async fn another_object_of_the_same_name_is_not_deleted() {
    let ground = Ground::new("delete").await;
    let kind = ground.kind("", "ConfigMap");
    let seen = ground.apply(&ground.config_map("a", &json!({}))).await.live;
    ground.kubectl(&["delete", "configmap", "a"]);
    let mut other = ground.apply(&ground.config_map("a", &json!({}))).await.live;
    assert_ne!(other.uid, seen.uid);
    other.uid = seen.uid;
    assert!(!ground.cluster.delete(&ground.context, &ground.fence, &kind, &other).await.unwrap());
    assert!(ground.get(&kind, "a").await.is_some());
}

#[tokio::test]
async fn the_objects_of_a_deployment_go_with_it() {
    let ground = Ground::new("delete").await;
    let (deployments, sets) = (ground.kind("apps", "Deployment"), ground.kind("apps", "ReplicaSet"));
    ground.apply(&ground.deployment("web", "web:1", 1)).await;
    let count = async || {
        let list = ground.cluster.list(&ground.context, &sets, Some(&ground.namespace), None).await;
        list.unwrap().len()
    };
    crate::ground::until("a ReplicaSet", || async { (count().await == 1).then_some(()) }).await;
    // Its controller writes the status meanwhile, so the delete may have to look again.
    crate::ground::until("the delete", || async {
        let live = ground.get(&deployments, "web").await.unwrap();
        ground
            .cluster
            .delete(&ground.context, &ground.fence, &deployments, &live)
            .await
            .unwrap()
            .then_some(())
    })
    .await;
    crate::ground::until("no ReplicaSet", || async { (count().await == 0).then_some(()) }).await;
}

#[tokio::test]
async fn a_list_has_all_pages_and_only_what_is_selected() {
    const COUNT: usize = 510; // more than a page
    let ground = Ground::new("list").await;
    let names = stream::iter(0..COUNT).map(|number| format!("a-{number}"));
    names
        .map(|name| {
            let object = ground.config_map(&name, &json!({}));
            let ground = &ground;
            async move { ground.try_apply(&object, false).await }
        })
        .buffer_unordered(8)
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    ground.kubectl(&["create", "configmap", "foreign"]);
    let kind = ground.kind("", "ConfigMap");
    let list =
        ground.cluster.list(&ground.context, &kind, Some(&ground.namespace), Some("ours=yes")).await.unwrap();
    assert_eq!(list.len(), COUNT);
    let first = &list[0].value;
    assert_eq!((&first["apiVersion"], &first["kind"]), (&json!("v1"), &json!("ConfigMap")));
    assert_eq!(first["metadata"]["managedFields"][0]["manager"], "tidegate");
    assert!(first.get("data").is_none());
}
