//! What leaves git leaves the cluster, when that is safe.

use super::*;

fn names(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("c{at:02}")).collect()
}

fn files(count: usize) -> String {
    names(count).iter().map(|name| config_map(name, "1")).collect()
}

#[tokio::test(start_paused = true)]
async fn what_left_git_is_pruned_after_the_rest_is_applied() {
    let world = World::new(&[]);
    let first = world.commit(&[("a.yaml", Some(&config_maps(&["a", "b"])))]);
    world.until_healthy(".", &first).await;
    world.rest().await;
    let second = world.commit(&[("a.yaml", Some(&config_maps(&["a", "c"])))]);
    world.until_healthy(".", &second).await;
    assert!(world.cluster.object("ConfigMap/shop/b").is_none());
    let calls = world.cluster.take_calls();
    let place = |what: &str| {
        calls.iter().position(|call| call == what).unwrap_or_else(|| panic!("{what}: {calls:?}"))
    };
    assert!(place("apply ConfigMap/shop/c") < place("delete ConfigMap/shop/b"));
}

#[tokio::test(start_paused = true)]
async fn what_left_git_while_the_process_was_away_is_pruned() {
    let world = World::new(&["apps/*"]);
    let first = world.commit(&[
        ("apps/web/a.yaml", Some(&config_maps(&["a", "b"]))),
        (
            "apps/web/s.yaml",
            Some("apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {type: ClusterIP}\n"),
        ),
    ]);
    world.until_healthy("apps/web", &first).await;
    world.rest().await;
    world.cancel.cancel();
    let seen = world
        .repo
        .commit(&[("apps/web/a.yaml", Some(&config_maps(&["a"]))), ("apps/web/s.yaml", None)], "Remove");
    world.revisions.send_replace(Some(seen));
    let world = world.restart();
    world.until("b is pruned", |world| world.cluster.object("ConfigMap/shop/b").is_none()).await;
    world.until("s is pruned", |world| world.cluster.object("Service/shop/s").is_none()).await;
    assert!(world.cluster.object("ConfigMap/shop/a").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_large_prune_is_held_until_a_commit_allows_it() {
    let world = World::new(&[]);
    let first = world.commit(&[("a.yaml", Some(&files(20)))]);
    world.until_healthy(".", &first).await;
    let second = world.commit(&[("a.yaml", Some(&files(10)))]);
    world.until("the prune is held", |world| world.unit(".").is_some_and(|unit| unit.held.is_some())).await;
    world.until_healthy(".", &second).await;
    world.rest().await;
    assert!(world.cluster.object("ConfigMap/shop/c19").is_some());
    assert!(world.parent(".")["data"]["held"].as_str().unwrap().contains("10 of 20"));
    world.commit_saying(&[], "Say something else\n\nTidegate-Prune: . 9");
    world.rest().await;
    assert!(world.cluster.object("ConfigMap/shop/c19").is_some());
    world.commit_saying(&[], "Remove the old ones\n\nTidegate-Prune: . 10");
    world
        .until("all are pruned", |world| {
            (10..20).all(|at| world.cluster.object(&format!("ConfigMap/shop/c{at}")).is_none())
        })
        .await;
    assert!(world.cluster.object("ConfigMap/shop/c09").is_some());
    world.until("nothing is held", |world| world.unit(".").is_some_and(|unit| unit.held.is_none())).await;
}

#[tokio::test(start_paused = true)]
async fn a_unit_whose_directory_vanished_is_not_emptied() {
    let world = World::new(&["apps/*"]);
    let first = world.commit(&[
        ("apps/web/a.yaml", Some(&config_maps(&["a"]))),
        ("apps/db/b.yaml", Some(&config_maps(&["b"]))),
    ]);
    world.until_healthy("apps/web", &first).await;
    world.commit(&[("apps/web/a.yaml", None)]);
    world
        .until("the prune is held", |world| world.unit("apps/web").is_some_and(|unit| unit.held.is_some()))
        .await;
    world.rest().await;
    let world = world.restart();
    world
        .until("it is held after a restart, too", |world| {
            world.unit("apps/web").is_some_and(|unit| unit.held.is_some())
        })
        .await;
    assert!(world.cluster.object("ConfigMap/shop/a").is_some());
}

#[tokio::test(start_paused = true)]
async fn objects_to_which_a_controller_copied_the_label_stay() {
    let world = World::new(&[]);
    let first = world.commit(&[("a.yaml", Some(&config_maps(&["a", "b"])))]);
    world.until_healthy(".", &first).await;
    let set = label(&world.cluster.object("ConfigMap/shop/a").unwrap()).clone();
    world.cluster.create(
        "ConfigMap/shop/copy",
        "controller",
        json!({"metadata": {"labels": {(PART_OF): set}}}),
    );
    let second = world.commit(&[("a.yaml", Some(&config_maps(&["a"])))]);
    world.until_healthy(".", &second).await;
    world.until("b is pruned", |world| world.cluster.object("ConfigMap/shop/b").is_none()).await;
    assert!(world.cluster.object("ConfigMap/shop/copy").is_some());
}

#[tokio::test(start_paused = true)]
async fn an_object_that_could_not_be_deleted_is_deleted_later() {
    let world = World::new(&[]);
    let first = world.commit(&[("a.yaml", Some(&config_maps(&["a", "b"])))]);
    world.until_healthy(".", &first).await;
    world.rest().await;
    world.cluster.set_down(true);
    world.commit(&[("a.yaml", Some(&config_maps(&["a"])))]);
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert!(world.cluster.object("ConfigMap/shop/b").is_some());
    world.cluster.set_down(false);
    world.until("b is pruned", |world| world.cluster.object("ConfigMap/shop/b").is_none()).await;
}
