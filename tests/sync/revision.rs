//! What a revision does on the real server.

use std::time::Duration;

use super::world::{World, config_map, deployment};

const SERVICE: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n---\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revision_is_applied_and_becomes_healthy() {
    let world = World::new("sync-apply", &[]).await;
    let files = format!("{}{}{SERVICE}", config_map("a", "1"), deployment("web", "web:1", 2));
    let revision = world.commit(&[("a.yaml", Some(&files))]);
    world.until_healthy(".", &revision).await;
    assert_eq!(world.field("deployment/web", ".status.readyReplicas"), "2");
    world
        .until("the parent tells it", |world| {
            let list = world.kubectl(&[
                "get",
                "configmap",
                "-l",
                "tidegate.io/unit",
                "-o",
                "jsonpath={.items[*].data}",
            ]);
            list.contains("\"health\":\"Current\"") && list.contains(&revision)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_changed_image_costs_three_requests_and_idling_none() {
    let world = World::new("sync-cost", &["apps/*"]).await;
    let first = world.commit(&[
        ("apps/web/a.yaml", Some(&deployment("web", "web:1", 1))),
        ("apps/db/a.yaml", Some(&deployment("db", "db:1", 1))),
    ]);
    world.until_healthy("apps/web", &first).await;
    world.until_healthy("apps/db", &first).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    let before = world.requests().len();
    let second = world.commit(&[("apps/web/a.yaml", Some(&deployment("web", "web:2", 1)))]);
    world
        .until("it is rolled out", |world| {
            world.field("deployment/web", ".spec.template.spec.containers[0].image") == "web:2"
        })
        .await;
    world.until_healthy("apps/web", &second).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let requests: Vec<String> = world.requests().split_off(before);
    let statuses = requests.iter().filter(|line| line.contains("configmaps")).count();
    assert_eq!(requests.len() - statuses, 1, "one apply: {requests:?}");
    assert!(
        statuses <= 3,
        "one swap before the apply, and at most one status a second after it: {requests:?}"
    );
    let before = world.requests().len();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(world.requests().len(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_left_git_is_pruned_and_what_controllers_made_stays() {
    let world = World::new("sync-prune", &[]).await;
    let files = format!("{}{}{SERVICE}", config_map("gone", "1"), deployment("web", "web:1", 1));
    let first = world.commit(&[("a.yaml", Some(&files)), ("b.yaml", Some(&config_map("stays", "1")))]);
    world.until_healthy(".", &first).await;
    let has_slices = |world: &World| !world.kubectl(&["get", "endpointslices", "-o", "name"]).is_empty();
    world.until("the service has endpoints", |world| has_slices(world)).await;
    let files = format!("{}{SERVICE}", deployment("web", "web:1", 1));
    world.commit(&[("a.yaml", Some(&files))]);
    world.until("it is pruned", |world| !world.exists("configmap/gone")).await;
    assert!(world.exists("configmap/stays") && world.exists("endpoints/web") && has_slices(&world));
    world.stop();
    let seen = world.repo.commit(&[("b.yaml", None)], "Remove the other while nobody looks");
    drop(seen);
    let world = world.restart().await;
    let revision = world.commit(&[]);
    world.until_healthy(".", &revision).await;
    world.until("it is pruned, too", |world| !world.exists("configmap/stays")).await;
    assert!(world.exists("endpoints/web") && has_slices(&world));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_definition_and_its_objects_come_in_one_revision() {
    let world = World::new("sync-crd", &[]).await;
    let group = format!("{}.example.com", world.namespace);
    let definition = format!(
        "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: widgets.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{kind: Widget, plural: widgets}}
  versions: [{{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}}}]
"
    );
    let widget = format!("apiVersion: {group}/v1\nkind: Widget\nmetadata: {{name: w}}\nspec: {{size: 1}}\n");
    let revision =
        world.commit(&[("a-widget.yaml", Some(&widget)), ("z-definition.yaml", Some(&definition))]);
    world.until_healthy(".", &revision).await;
    assert_eq!(world.field(&format!("widgets.{group}/w"), ".spec.size"), "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_that_the_server_refuses_is_told_and_its_neighbours_are_applied() {
    let world = World::new("sync-refused", &[]).await;
    let unknown = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad}\ndatum: {a: b}\n";
    world.commit(&[("a.yaml", Some(&config_map("a", "1"))), ("bad.yaml", Some(unknown))]);
    world.until("its neighbour is applied", |world| world.exists("configmap/a")).await;
    world.until("it is told", |world| world.unit(".").is_some_and(|unit| unit.error.is_some())).await;
    let error = world.unit(".").unwrap().error.unwrap();
    assert!(error.contains("/bad") && error.contains("datum"), "{error}");
}
