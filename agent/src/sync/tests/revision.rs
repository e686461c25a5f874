//! What a revision does.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_revision_is_applied_and_reported_healthy() {
    let world = World::new(&[]);
    let revision = world.commit(&[("a.yaml", Some(&config_maps(&["a", "b"])))]);
    world.until_healthy(".", &revision).await;
    let object = world.cluster.object("ConfigMap/shop/a").unwrap();
    assert!(label(&object).as_str().unwrap().starts_with("applyset-"));
    world.rest().await;
    let parent = world.parent(".");
    assert_eq!(parent["data"]["health"], "Current");
    assert_eq!(parent["data"]["revision"], revision.as_str());
    assert_eq!(parent["metadata"]["annotations"]["applyset.kubernetes.io/contains-group-kinds"], "ConfigMap");
    assert_eq!(parent["metadata"]["annotations"]["applyset.kubernetes.io/additional-namespaces"], "shop");
    assert_eq!(parent["metadata"]["labels"]["applyset.kubernetes.io/id"], *label(&object));
}

#[tokio::test(start_paused = true)]
async fn one_changed_object_costs_three_calls() {
    let world = World::new(&["apps/*"]);
    let first = world.commit(&[
        ("apps/web/a.yaml", Some(&config_maps(&["a", "b", "c"]))),
        ("apps/web/d.yaml", Some(&config_map("d", "1"))),
        ("apps/db/e.yaml", Some(&config_map("e", "1"))),
    ]);
    world.until_healthy("apps/web", &first).await;
    world.until_healthy("apps/db", &first).await;
    world.rest().await;
    world.repo.take_reads();
    let second = world.commit(&[("apps/web/d.yaml", Some(&config_map("d", "2")))]);
    world.until_healthy("apps/web", &second).await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    let calls = world.cluster.take_calls();
    assert!(calls.len() <= 3, "{calls:?}");
    assert_eq!(calls.iter().filter(|call| call.starts_with("apply")).count(), 1, "{calls:?}");
    assert_eq!(world.repo.take_reads(), 1, "only the changed file is read");
    assert_eq!(world.unit("apps/db").unwrap().revision, first, "the other unit is none of its business");
    assert_eq!(world.data("ConfigMap/shop/d", "key"), "2");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_or_written_while_nothing_changes() {
    let world = World::new(&[]);
    let revision = world.commit(&[("a.yaml", Some(&config_maps(&["a"])))]);
    world.until_healthy(".", &revision).await;
    world.rest().await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(world.cluster.take_calls(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_restart_writes_no_object() {
    let world = World::new(&[]);
    let revision = world.commit(&[("a.yaml", Some(&config_maps(&["a"])))]);
    world.until_healthy(".", &revision).await;
    world.rest().await;
    let before = world.cluster.object("ConfigMap/shop/a");
    let world = world.restart();
    world.until_healthy(".", &revision).await;
    world.rest().await;
    assert_eq!(world.cluster.object("ConfigMap/shop/a"), before);
}

#[tokio::test(start_paused = true)]
async fn a_broken_manifest_does_not_stop_its_neighbours_and_stops_the_prune() {
    let world = World::new(&[]);
    let first = world.commit(&[
        ("a.yaml", Some(&config_map("a", "1"))),
        ("b.yaml", Some(&config_map("b", "1"))),
        ("c.yaml", Some(&config_map("c", "1"))),
    ]);
    world.until_healthy(".", &first).await;
    world.commit(&[("a.yaml", Some(&config_map("a", "2"))), ("b.yaml", Some("kind: [")), ("c.yaml", None)]);
    world.until("a is changed", |world| world.data("ConfigMap/shop/a", "key") == "2").await;
    world.rest().await;
    assert!(world.cluster.object("ConfigMap/shop/b").is_some());
    assert!(world.cluster.object("ConfigMap/shop/c").is_some());
    let report = world.unit(".").unwrap();
    assert_eq!(report.health, Health::Failed);
    assert!(report.error.unwrap().starts_with("b.yaml:"));
    let mended = world.commit(&[("b.yaml", Some(&config_map("b", "1")))]);
    world.until_healthy(".", &mended).await;
    world.until("c is pruned", |world| world.cluster.object("ConfigMap/shop/c").is_none()).await;
}

#[tokio::test(start_paused = true)]
async fn an_object_that_the_server_refuses_does_not_stop_its_neighbours() {
    let world = World::new(&[]);
    let invalid = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad}\ndata: {invalid: x}\n";
    world.commit(&[("a.yaml", Some(&config_maps(&["a"]))), ("bad.yaml", Some(invalid))]);
    world.until("a is applied", |world| world.cluster.object("ConfigMap/shop/a").is_some()).await;
    world
        .until("the unit has failed", |world| {
            world.unit(".").is_some_and(|unit| unit.health == Health::Failed)
        })
        .await;
    assert!(world.unit(".").unwrap().error.unwrap().contains("ConfigMap/shop/bad is invalid"));
}

#[tokio::test(start_paused = true)]
async fn a_unit_that_needs_kustomize_is_refused_by_name() {
    let world = World::new(&["apps/*"]);
    let revision = world.commit(&[
        ("apps/db/a.yaml", Some(&config_map("db", "1"))),
        ("apps/web/a.yaml", Some(&config_map("web", "1"))),
        ("apps/web/kustomization.yaml", Some("resources: [a.yaml]\n")),
    ]);
    world.until_healthy("apps/db", &revision).await;
    world
        .until("the unit has failed", |world| {
            world.unit("apps/web").is_some_and(|unit| unit.health == Health::Failed)
        })
        .await;
    assert!(world.unit("apps/web").unwrap().error.unwrap().contains("`apps/web` needs kustomize"));
    assert!(world.cluster.object("ConfigMap/shop/web").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_away_is_waited_for() {
    let world = World::new(&[]);
    world.cluster.set_down(true);
    let revision = world.commit(&[("a.yaml", Some(&config_maps(&["a"])))]);
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert!(world.cluster.take_calls().len() < 40, "it is not asked all the time");
    world.cluster.set_down(false);
    world.until_healthy(".", &revision).await;
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_is_defined_later_is_waited_for() {
    let world = World::new(&[]);
    let widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {size: 1}\n";
    let revision = world.commit(&[("a.yaml", Some(&config_maps(&["a"]))), ("w.yaml", Some(widget))]);
    world.until("a is applied", |world| world.cluster.object("ConfigMap/shop/a").is_some()).await;
    world.rest().await;
    assert_eq!(world.unit(".").unwrap().health, Health::InProgress);
    world.cluster.serve("Widget.example.com", true);
    world.until_healthy(".", &revision).await;
    assert!(world.cluster.object("Widget.example.com/shop/w").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_plan_lists_what_would_change_and_writes_nothing() {
    let world = World::new(&[]);
    let first = world.commit(&[("a.yaml", Some(&config_maps(&["a", "b", "c"])))]);
    world.until_healthy(".", &first).await;
    world.rest().await;
    let files = format!("{}{}{}", config_map("a", "2"), config_map("b", "1"), config_map("new", "1"));
    let seen = world.repo.commit(&[("a.yaml", Some(&files))], "Change");
    let context = Context::new(&world.cancel, Duration::from_secs(60));
    let cluster = Arc::clone(&world.cluster) as Arc<dyn Cluster>;
    let plans =
        plan_once(&context, &cluster, "tidegate", &world.source(), &*world.repo, &seen).await.unwrap();
    let outline = serde_json::to_value(&plans[0].outline).unwrap();
    assert_eq!(
        outline,
        json!({"source": "fleet", "unit": ".", "apply": ["ConfigMap/shop/a", "ConfigMap/shop/new"],
               "prune": ["ConfigMap/shop/c"], "held": null}),
    );
    let calls = world.cluster.take_calls();
    assert!(
        calls.iter().all(|call| ["discover", "list", "get"].iter().any(|verb| call.starts_with(verb))),
        "{calls:?}"
    );
}
