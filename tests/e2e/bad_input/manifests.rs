//! What git holds that cannot be read, cannot be applied or may not be had.

use tidegate_tests::story::apps::WEB;
use tidegate_tests::story::cluster::{config_map as has_config_map, config_map_has, image};
use tidegate_tests::story::steps;
use tidegate_tests::story::world::World;

use super::{config_map, deployment, goes_on, said, world_with};

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_annotation_or_a_misspelt_one_holds_its_object_alone() {
    let files = |world: &World| {
        let (namespace, image) = (&world.namespace, world.image("acme/web", "1.4.1"));
        let typo = "tidegate.io/policy: 'semver:~1.4', tidegate.io/hodl: incident";
        vec![
            ("apps/bare.yaml", deployment("bare", namespace, &image, "tidegate.io/policy: ~1.4")),
            ("apps/typo.yaml", deployment("typo", namespace, &image, typo)),
        ]
    };
    let Some(mut world) = world_with(files).await else { return };
    let setup = world.setup();
    world.start_daemon(setup).await.expect("the daemon starts");
    let held = ["invalid-policy", "hint: "];
    said(
        &world,
        "decision",
        &[held.as_slice(), &["apps/bare.yaml:6", "tidegate.io/policy", "~1.4"]].concat(),
    )
    .await;
    said(
        &world,
        "decision",
        &[held.as_slice(), &["apps/typo.yaml:6", "tidegate.io/hodl", "`hold`"]].concat(),
    )
    .await;
    goes_on(&world).await;
    for name in ["bare", "typo"] {
        let text = steps::file(&world, &format!("apps/{name}.yaml"));
        assert!(text.contains("web:1.4.1"), "{name} moved although it is held");
        assert_eq!(image(&world, name).await, Some(world.image("acme/web", "1.4.1")), "{name} is synced");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_read_are_named_and_their_neighbours_are_applied() {
    let files = |world: &World| {
        let namespace = &world.namespace;
        vec![
            ("apps/kindless.yaml", "# A note.\napiVersion: v1\nmetadata:\n  name: kindless\n".to_owned()),
            (
                "apps/broken.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: broken\ndata:\n".to_owned(),
            ),
            ("apps/tabs.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n\tname: tabs\n".to_owned()),
            ("apps/once.yaml", config_map("twice", namespace)),
            ("apps/again.yaml", config_map("twice", namespace)),
            ("apps/good.yaml", config_map("good", namespace)),
        ]
    };
    let Some(mut world) = world_with(files).await else { return };
    let setup = world.setup();
    world.start_daemon(setup).await.expect("the daemon starts");
    said(&world, "finding", &["apps/kindless.yaml:2", "manifest without kind", "hint: "]).await;
    said(&world, "finding", &["apps/broken.yaml:4", "hint: "]).await;
    said(&world, "finding", &["apps/tabs.yaml:4", "hint: "]).await;
    said(&world, "finding", &["ConfigMap/", "twice", "apps/once.yaml:1", "apps/again.yaml:1", "hint: "])
        .await;
    has_config_map(&world, "good", true).await;
    goes_on(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_the_server_refuses_or_does_not_know_is_named_and_its_neighbours_are_applied() {
    let files = |world: &World| {
        let (namespace, image) = (&world.namespace, world.image("acme/web", "1.4.2"));
        let bad = deployment("bad", namespace, &image, "");
        vec![
            ("apps/bad.yaml", bad.replace("matchLabels: {app: bad}", "matchLabels: {app: other}")),
            ("apps/typo.yaml", deployment("typo", namespace, &image, "").replace("selector:", "selektor:")),
            (
                "apps/widget.yaml",
                "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\n".to_owned(),
            ),
            ("apps/old.yaml", "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: old}\n".to_owned()),
            ("apps/lost.yaml", config_map("lost", "no-such-namespace")),
            ("apps/good.yaml", config_map("good", namespace)),
        ]
    };
    let Some(mut world) = world_with(files).await else { return };
    let setup = world.setup();
    world.start_daemon(setup).await.expect("the daemon starts");
    let url = world.proxies().cluster.url();
    let (bad, typo) =
        (format!("Deployment/{}/bad", world.namespace), format!("Deployment/{}/typo", world.namespace));
    said(&world, "apply-failed", &["apps/bad.yaml:1", &bad, &url, "answers 422", "hint: "]).await;
    said(&world, "apply-failed", &["apps/typo.yaml:1", &typo, &url, "selektor", "hint: "]).await;
    said(&world, "apply-failed", &["apps/lost.yaml:1", "no-such-namespace", "answers 404", "hint: "]).await;
    said(&world, "waiting", &["apps/widget.yaml:1", "Widget.example.com", "hint: "]).await;
    said(&world, "finding", &["apps/old.yaml:1", "batch/v1beta1", "hint: "]).await;
    has_config_map(&world, "good", true).await;
    goes_on(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_two_units_claim_stays_with_the_first_which_is_named_to_the_second() {
    let files = |world: &World| {
        vec![
            ("more/settings.yaml", config_map("settings", &world.namespace)),
            ("more/other.yaml", config_map("other", &world.namespace)),
        ]
    };
    let Some(mut world) = world_with(files).await else { return };
    let mut setup = world.setup();
    setup.units = vec!["apps".to_owned(), "more".to_owned()];
    world.start_daemon(setup).await.expect("the daemon starts");
    let object = format!("ConfigMap/{}/settings", world.namespace);
    let words =
        ["\"unit\":\"more\"", &object, "more/settings.yaml:1", "belongs to unit fleet:apps", "\"hint\""];
    said(&world, "refused", &words).await;
    has_config_map(&world, "other", true).await;
    config_map_has(&world, "settings", "greeting", "hello").await;
    goes_on(&world).await;
    config_map_has(&world, "settings", "greeting", "hello").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_needs_kustomize_is_refused_by_name_and_its_images_move_all_the_same() {
    const OVERLAY: &str = "overlay/kustomization.yaml";
    let files = |world: &World| {
        let web = format!("{}/acme/web", world.image_host);
        let text = format!(
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [deployment.yaml]\n\
             images:\n- name: {web}\n  newTag: 1.4.2 # tidegate: {web}:tag policy=semver:~1.4\n"
        );
        let unpatched = deployment("unpatched", &world.namespace, &web, "");
        vec![(OVERLAY, text), ("overlay/deployment.yaml", unpatched)]
    };
    let Some(mut world) = world_with(files).await else { return };
    let mut setup = world.setup();
    setup.units = vec!["apps".to_owned(), "overlay".to_owned()];
    world.start_daemon(setup).await.expect("the daemon starts");
    said(&world, "finding", &["\"unit\":\"overlay\"", OVERLAY, "`overlay` needs kustomize", "hint: "]).await;
    goes_on(&world).await;
    assert!(steps::file(&world, OVERLAY).contains("newTag: 1.4.3 # tidegate:"));
    assert!(steps::file(&world, WEB).contains("web:1.4.3"));
    assert_eq!(image(&world, "unpatched").await, None, "a file of the refused unit was applied as it is");
}
