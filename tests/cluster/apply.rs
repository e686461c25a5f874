//! Server-side apply: creating, changing, leaving alone, conflicts, and what the server refuses.

use serde_json::{Value, json};
use tidegate_agent::cluster::{ApplyOutcome, FieldConflict};
use tidegate_agent::error::{Failure, Kind};

use crate::ground::Ground;

#[tokio::test]
async fn an_apply_creates_then_configures_then_changes_nothing() {
    let ground = Ground::new("apply").await;
    let first = ground.apply(&ground.config_map("a", &json!({"x": "1"}))).await;
    assert!(first.created);
    assert_eq!(first.live.id.to_string(), format!("ConfigMap/{}/a", ground.namespace));
    let second = ground.apply(&ground.config_map("a", &json!({"x": "2"}))).await;
    assert!(!second.created);
    assert_eq!(second.live.value["data"]["x"], "2");
    assert_ne!(second.live.resource_version, first.live.resource_version);
    let third = ground.apply(&ground.config_map("a", &json!({"x": "2"}))).await;
    assert!(!third.created);
    assert_eq!(third.live.resource_version, second.live.resource_version);
    assert_eq!(third.live.uid, first.live.uid);
}

#[tokio::test]
async fn a_field_that_left_the_manifest_leaves_the_cluster() {
    let ground = Ground::new("apply").await;
    ground.apply(&ground.config_map("a", &json!({"x": "1", "y": "1"}))).await;
    let applied = ground.apply(&ground.config_map("a", &json!({"x": "1"}))).await;
    assert_eq!(applied.live.value["data"], json!({"x": "1"}));
}

#[tokio::test]
async fn a_conflict_names_field_and_manager_and_writes_nothing() {
    let ground = Ground::new("conflict").await;
    let theirs = ground.deployment("web", "web:1", 5);
    ground.plane.apply_as("ana", &theirs.to_string()).unwrap();
    let before = ground.get(&ground.kind("apps", "Deployment"), "web").await.unwrap();
    let ours = ground.deployment("web", "web:2", 2);
    let ApplyOutcome::Conflicts(mut conflicts) = ground.try_apply(&ours, false).await.unwrap() else {
        panic!("no conflict")
    };
    conflicts.sort_by(|a, b| a.field.cmp(&b.field));
    let conflict =
        |field: &str| FieldConflict { field: field.into(), manager: "ana".into(), subresource: None };
    assert_eq!(
        conflicts,
        [conflict(".spec.replicas"), conflict(".spec.template.spec.containers[name=\"app\"].image")]
    );
    let after = ground.get(&ground.kind("apps", "Deployment"), "web").await.unwrap();
    assert_eq!(generation(&after.value), generation(&before.value));

    let ApplyOutcome::Applied(applied) = ground.try_apply(&ours, true).await.unwrap() else {
        panic!("not taken")
    };
    assert_eq!(applied.live.value["spec"]["replicas"], 2);
    assert!(!applied.created);
}

fn generation(object: &Value) -> &Value {
    &object["metadata"]["generation"]
}

#[tokio::test]
async fn a_conflict_names_the_subresource() {
    let ground = Ground::new("conflict").await;
    ground.apply(&ground.deployment("web", "web:1", 2)).await;
    ground.kubectl(&["scale", "deployment", "web", "--replicas=3"]);
    let outcome = ground.try_apply(&ground.deployment("web", "web:1", 2), false).await.unwrap();
    let ApplyOutcome::Conflicts(conflicts) = outcome else { panic!("no conflict") };
    let expect = FieldConflict {
        field: ".spec.replicas".into(),
        manager: "kubectl".into(),
        subresource: Some("scale".into()),
    };
    assert_eq!(conflicts, [expect]);
}

#[tokio::test]
async fn a_closed_fence_writes_nothing() {
    let ground = Ground::new("fence").await;
    ground.fence.close();
    let outcome = ground.try_apply(&ground.config_map("a", &json!({})), false).await;
    assert_eq!(outcome.unwrap_err().kind, Kind::Cancelled);
    assert!(ground.get(&ground.kind("", "ConfigMap"), "a").await.is_none());
}

#[track_caller]
fn check(failure: &Failure, kind: Kind, expect: &[&str]) {
    let text = failure.chain();
    assert_eq!(failure.kind, kind, "{text}");
    for words in expect {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(text.contains("https://127.0.0.1:"), "{text}");
}

#[tokio::test]
async fn an_unknown_field_is_named() {
    let ground = Ground::new("refused").await;
    let mut object = ground.deployment("web", "web:1", 1);
    object["spec"]["replica"] = json!(3);
    let failure = ground.try_apply(&object, true).await.unwrap_err();
    check(&failure, Kind::Reject, &["Deployment/", "/web", ".spec.replica", "spelling"]);
}

#[tokio::test]
async fn an_immutable_field_is_named() {
    let ground = Ground::new("refused").await;
    ground.apply(&ground.deployment("web", "web:1", 1)).await;
    let mut object = ground.deployment("web", "web:1", 1);
    object["spec"]["selector"]["matchLabels"]["app"] = json!("other");
    object["spec"]["template"]["metadata"]["labels"]["app"] = json!("other");
    let failure = ground.try_apply(&object, true).await.unwrap_err();
    check(&failure, Kind::Reject, &["spec.selector", "cannot be changed in place"]);
}

#[tokio::test]
async fn a_missing_namespace_is_named_and_may_come() {
    let ground = Ground::new("refused").await;
    let mut object = ground.config_map("a", &json!({}));
    object["metadata"]["namespace"] = json!("nowhere");
    let failure = ground.try_apply(&object, true).await.unwrap_err();
    check(
        &failure,
        Kind::Retry { after: None },
        &["ConfigMap/nowhere/a", "\"nowhere\" not found", "create the namespace"],
    );
}

#[tokio::test]
async fn a_version_that_is_not_served_is_named() {
    let ground = Ground::new("refused").await;
    let mut object = ground.deployment("web", "web:1", 1);
    object["apiVersion"] = json!("apps/v1beta1");
    let failure = ground.try_apply(&object, true).await.unwrap_err();
    let text = failure.chain();
    assert!(text.contains("`apps/v1beta1`") && text.contains("Deployment.apps: v1"), "{text}");
}

#[tokio::test]
async fn an_invalid_secret_is_refused_without_its_content() {
    let ground = Ground::new("refused").await;
    for data in [json!({"password": {"hunter2": "hunter2"}}), json!({"password": "hunter2!"})] {
        let secret = json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "s", "namespace": ground.namespace}, "data": data});
        let failure = ground.try_apply(&secret, true).await.unwrap_err();
        check(&failure, Kind::Reject, &["Secret/", "/s"]);
        assert!(!failure.chain().contains("hunter2"), "{}", failure.chain());
    }
}

#[tokio::test]
async fn a_name_with_a_slash_never_reaches_another_object() {
    let ground = Ground::new("refused").await;
    ground.apply(&ground.config_map("a", &json!({"x": "1"}))).await;
    let failure =
        ground.try_apply(&ground.config_map("../configmaps/a", &json!({})), true).await.unwrap_err();
    assert_eq!(failure.kind, Kind::Reject, "{}", failure.chain());
}
