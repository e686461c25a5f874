//! What belongs to whom.

use super::*;

#[tokio::test(start_paused = true)]
async fn two_units_that_want_one_object_are_told_and_the_claim_moves_without_a_gap() {
    let world = World::new(&["apps/*"]);
    let first = world.commit(&[
        ("apps/a/x.yaml", Some(&config_maps(&["x", "only-a"]))),
        ("apps/b/x.yaml", Some(&config_maps(&["x", "only-b"]))),
    ]);
    world.until_healthy("apps/a", &first).await;
    world.until("b is told", |world| world.unit("apps/b").is_some_and(|unit| unit.error.is_some())).await;
    assert_eq!(world.unit("apps/b").unwrap().error.unwrap(), "ConfigMap/shop/x belongs to unit fleet:apps/a",);
    assert!(world.cluster.object("ConfigMap/shop/only-b").is_some());
    let before = world.cluster.object("ConfigMap/shop/x").unwrap();
    world.rest().await;
    let second = world.commit(&[("apps/a/x.yaml", Some(&config_maps(&["only-a"])))]);
    world.until_healthy("apps/b", &second).await;
    world.rest().await;
    let after = world.cluster.object("ConfigMap/shop/x").unwrap();
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
    assert_ne!(label(&after), label(&before));
    world.until_healthy("apps/a", &second).await;
}

#[tokio::test(start_paused = true)]
async fn an_object_that_nobody_owns_is_adopted() {
    let world = World::new(&[]);
    world.cluster.create(
        "ConfigMap/shop/a",
        "kubectl-create",
        json!({"data": {"key": "old", "other": "kept"}}),
    );
    let revision = world.commit(&[("a.yaml", Some(&config_maps(&["a"])))]);
    world.until_healthy(".", &revision).await;
    assert_eq!(world.data("ConfigMap/shop/a", "key"), "1");
    assert_eq!(world.data("ConfigMap/shop/a", "other"), "kept");
}

#[tokio::test(start_paused = true)]
async fn an_object_of_another_tool_is_refused() {
    let world = World::new(&[]);
    let helm = json!({"metadata": {
        "labels": {"app.kubernetes.io/managed-by": "Helm"},
        "annotations": {"meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "shop"},
    }, "data": {"key": "old"}});
    world.cluster.create("ConfigMap/shop/a", "helm", helm);
    world.commit(&[("a.yaml", Some(&config_maps(&["a", "b"])))]);
    world.until("it is refused", |world| world.unit(".").is_some_and(|unit| unit.error.is_some())).await;
    world.until("its neighbour is applied", |world| world.cluster.object("ConfigMap/shop/b").is_some()).await;
    assert_eq!(world.unit(".").unwrap().error.unwrap(), "ConfigMap/shop/a belongs to Helm release shop/web");
    assert_eq!(world.data("ConfigMap/shop/a", "key"), "old");
}

#[tokio::test(start_paused = true)]
async fn replicas_are_left_to_an_autoscaler_and_not_to_a_person() {
    let deployment = |image: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec: {{replicas: 2, image: {image}}}\n"
        )
    };
    let world = World::new(&[]);
    world.commit(&[("a.yaml", Some(&deployment("one")))]);
    let replicas = |world: &World| {
        world
            .cluster
            .object("Deployment.apps/shop/web")
            .map_or(Value::Null, |it| it["spec"]["replicas"].clone())
    };
    world.until("it is applied", |world| replicas(world) == 2).await;
    world.rest().await;
    let scale = |manager: &str, count: u8| {
        world.cluster.edit("Deployment.apps/shop/web", manager, Some("scale"), |object| {
            object["spec"]["replicas"] = count.into();
        });
    };
    scale("kubectl", 7);
    world.until("a person's scale is corrected", |world| replicas(world) == 2).await;
    scale("kube-controller-manager", 5);
    world.rest().await;
    assert_eq!(replicas(&world), 5);
    world.commit(&[("a.yaml", Some(&deployment("two")))]);
    world
        .until("the image changes", |world| {
            world.cluster.object("Deployment.apps/shop/web").is_some_and(|it| it["spec"]["image"] == "two")
        })
        .await;
    assert_eq!(replicas(&world), 5);
}

#[tokio::test(start_paused = true)]
async fn who_loses_the_parent_to_another_writer_reads_it_again_before_it_writes() {
    let world = World::new(&[]);
    let first = world.commit(&[("a.yaml", Some(&config_maps(&["a"])))]);
    world.until_healthy(".", &first).await;
    world.rest().await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let name = tidegate_policy::sync::applyset::parent_name(&UnitKey::new("fleet", "."));
    let parent = format!("ConfigMap/tidegate/{name}");
    let mut value = world.cluster.object(&parent).unwrap();
    value["data"]["by"] = "another leader".into();
    world.cluster.create(&parent, "tidegate", value);
    world.cluster.take_calls();
    let second = world.commit(&[("a.yaml", Some(&config_map("a", "2")))]);
    world.until_healthy(".", &second).await;
    let calls = world.cluster.take_calls();
    assert_eq!(calls[0], format!("write record {name}"));
    assert_eq!(calls[1], format!("get record {name}"), "nothing is applied after a lost swap: {calls:?}");
    assert_eq!(world.data("ConfigMap/shop/a", "key"), "2");
}

#[tokio::test(start_paused = true)]
async fn a_definition_is_applied_before_what_it_defines() {
    let world = World::new(&[]);
    let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.com}\nspec: {group: example.com, names: {kind: Widget}}\n";
    let widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {size: 1}\n";
    world.commit(&[("a.yaml", Some(widget)), ("z.yaml", Some(definition))]);
    let crd = "CustomResourceDefinition.apiextensions.k8s.io/widgets.example.com";
    world.until("it is defined", |world| world.cluster.object(crd).is_some()).await;
    world.cluster.serve("Widget.example.com", true);
    world.until("it is applied", |world| world.cluster.object("Widget.example.com/shop/w").is_some()).await;
}
