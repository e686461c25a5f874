//! What is changed by hand is changed back.

use super::*;

async fn synced() -> World {
    let world = World::new(&[]);
    let revision = world.commit(&[("a.yaml", Some(&config_maps(&["a"])))]);
    world.until_healthy(".", &revision).await;
    world.rest().await;
    world
}

fn set_key(world: &World, manager: &str, value: &str) {
    world.cluster.edit("ConfigMap/shop/a", manager, None, |object| object["data"]["key"] = value.into());
}

#[tokio::test(start_paused = true)]
async fn a_changed_field_is_corrected_within_a_second() {
    let world = synced().await;
    set_key(&world, "kubectl-edit", "theirs");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(world.data("ConfigMap/shop/a", "key"), "1");
}

#[tokio::test(start_paused = true)]
async fn a_removed_field_is_corrected() {
    let world = synced().await;
    world.cluster.edit("ConfigMap/shop/a", "kubectl-edit", None, |object| object["data"] = json!({}));
    world.until("it is back", |world| world.data("ConfigMap/shop/a", "key") == "1").await;
}

#[tokio::test(start_paused = true)]
async fn a_deleted_object_is_created_again() {
    let world = synced().await;
    world.cluster.remove("ConfigMap/shop/a");
    world.until("it is back", |world| world.data("ConfigMap/shop/a", "key") == "1").await;
}

#[tokio::test(start_paused = true)]
async fn a_removed_label_is_put_back() {
    let world = synced().await;
    world.cluster.edit("ConfigMap/shop/a", "kubectl-label", None, |object| {
        object["metadata"]["labels"].as_object_mut().unwrap().remove(PART_OF);
    });
    world
        .until("the label is back", |world| {
            !label(&world.cluster.object("ConfigMap/shop/a").unwrap()).is_null()
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_field_that_git_does_not_set_is_left_to_others() {
    let world = synced().await;
    world.cluster.edit("ConfigMap/shop/a", "controller", None, |object| object["data"]["other"] = "x".into());
    world.rest().await;
    assert_eq!(world.data("ConfigMap/shop/a", "other"), "x");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(world.cluster.take_calls(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_fought_over_is_left_alone_until_the_next_revision() {
    let world = synced().await;
    for round in 0..5 {
        set_key(&world, "other", &format!("theirs-{round}"));
        world.until("it is corrected", |world| world.data("ConfigMap/shop/a", "key") == "1").await;
    }
    set_key(&world, "other", "theirs");
    world.until("it is reported", |world| !world.unit(".").unwrap().fighting.is_empty()).await;
    world.rest().await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(world.data("ConfigMap/shop/a", "key"), "theirs");
    assert!(!world.cluster.take_calls().iter().any(|call| call.starts_with("apply")));
    let files = format!("{}{}", config_map("a", "1"), config_map("b", "1"));
    let revision = world.commit(&[("a.yaml", Some(&files))]);
    world.until("it is corrected", |world| world.data("ConfigMap/shop/a", "key") == "1").await;
    world.until_healthy(".", &revision).await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_watched_is_read_every_ten_minutes() {
    let world = World::new(&[]);
    world.cluster.refuse_watch("ConfigMap");
    let revision = world.commit(&[("a.yaml", Some(&config_maps(&["a"])))]);
    world.until_healthy(".", &revision).await;
    set_key(&world, "kubectl-edit", "theirs");
    tokio::time::sleep(Duration::from_secs(660)).await;
    assert_eq!(world.data("ConfigMap/shop/a", "key"), "1");
}

#[tokio::test(start_paused = true)]
async fn health_follows_the_watch() {
    let world = World::new(&[]);
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 1}\n";
    let revision = world.commit(&[("a.yaml", Some(deployment))]);
    world
        .until("it is in progress", |world| {
            world.unit(".").is_some_and(|unit| unit.health == Health::InProgress && unit.objects == 1)
        })
        .await;
    world.cluster.edit("Deployment.apps/shop/web", "kube-controller-manager", Some("status"), |object| {
        object["status"] = json!({"replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1, "conditions": [
            {"type": "Available", "status": "True"},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
        ]});
    });
    world.until_healthy(".", &revision).await;
}
