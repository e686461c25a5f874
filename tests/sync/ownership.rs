//! What was there before, and who it belongs to, on the real server.

use super::world::{World, config_map, deployment};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_applied_before_is_adopted_with_its_fields() {
    let world = World::new("sync-adopt", &[]).await;
    world.kubectl(&["create", "deployment", "web", "--image=web:0", "--replicas=3"]);
    let revision =
        world.commit(&[("a.yaml", Some(&deployment("web", "web:1", 1).replace("name: app,", "name: web,")))]);
    world.until_healthy(".", &revision).await;
    assert_eq!(world.field("deployment/web", ".spec.replicas"), "1");
    assert_eq!(world.field("deployment/web", ".spec.template.spec.containers[0].image"), "web:1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_moves_between_units_without_a_gap() {
    let world = World::new("sync-move", &["apps/*"]).await;
    let first = world.commit(&[
        ("apps/a/x.yaml", Some(&(config_map("x", "1") + &config_map("a", "1")))),
        ("apps/b/b.yaml", Some(&config_map("b", "1"))),
    ]);
    world.until_healthy("apps/a", &first).await;
    world.until_healthy("apps/b", &first).await;
    let uid = world.field("configmap/x", ".metadata.uid");
    let second = world.commit(&[
        ("apps/a/x.yaml", Some(&config_map("a", "1"))),
        ("apps/b/x.yaml", Some(&config_map("x", "2"))),
    ]);
    world.until_healthy("apps/a", &second).await;
    world.until_healthy("apps/b", &second).await;
    world.until("it has its new value", |world| world.field("configmap/x", ".data.key") == "2").await;
    assert_eq!(world.field("configmap/x", ".metadata.uid"), uid);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_are_left_to_an_autoscaler() {
    let world = World::new("sync-scale", &[]).await;
    let first = world.commit(&[("a.yaml", Some(&deployment("web", "web:1", 2)))]);
    world.until_healthy(".", &first).await;
    let scale = format!(
        r#"{{"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{{"name":"web","namespace":"{}"}},"spec":{{"replicas":4}}}}"#,
        world.namespace
    );
    let path =
        format!("/apis/apps/v1/namespaces/{}/deployments/web/scale?fieldManager=horizontal", world.namespace);
    let file = std::env::temp_dir().join(format!("{}-scale.json", world.namespace));
    std::fs::write(&file, scale).unwrap();
    world.kubectl(&["replace", "--raw", &path, "-f", file.to_str().unwrap()]);
    std::fs::remove_file(&file).unwrap();
    let second = world.commit(&[("a.yaml", Some(&deployment("web", "web:2", 2)))]);
    world.until_healthy(".", &second).await;
    assert_eq!(world.field("deployment/web", ".spec.template.spec.containers[0].image"), "web:2");
    assert_eq!(world.field("deployment/web", ".spec.replicas"), "4");
}
