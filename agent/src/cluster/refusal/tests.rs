use serde_json::{Value, json};

use super::*;
use crate::error::Kind;

fn refusal(code: u16, status: Value) -> Refusal {
    let status = serde_json::from_value::<Status>(status).unwrap().with_code(code).boxed();
    let what = "apply Deployment/shop/web".to_owned();
    Refusal { what, server: "https://api:6443".into(), status, retry_after: None, secretive: false }
}

#[track_caller]
fn check(code: u16, status: Value, kind: Kind, expect: &str) {
    let failure = refusal(code, status).failure();
    assert_eq!(failure.kind, kind, "{}", failure.chain());
    let text = failure.chain();
    assert!(text.contains(expect) && text.contains("https://api:6443"), "{text}");
}

const RETRY: Kind = Kind::Retry { after: None };

#[test]
fn refusals_are_classified_and_explained() {
    let forbidden = r#"configmaps is forbidden: User "x" cannot patch resource "configmaps" in API group """#;
    check(403, json!({"message": forbidden}), Kind::Reject, "Role");
    check(
        403,
        json!({"message": "admission webhook \"w\" denied the request"}),
        Kind::Reject,
        "webhook \"w\"",
    );
    let terminating = json!({"message": "x", "details": {"causes": [{"reason": "NamespaceTerminating"}]}});
    check(403, terminating, RETRY, "being deleted");
    let namespace = json!({"message": "gone", "details": {"kind": "namespaces", "name": "shop"}});
    check(404, namespace, RETRY, "create the namespace");
    check(404, json!({"message": "404 page not found"}), RETRY, "CustomResourceDefinition");
    check(422, json!({"message": "spec.selector: field is immutable"}), Kind::Reject, "another name");
    check(400, json!({"message": ".spec.x: field not declared in schema"}), Kind::Reject, "spelling");
    let malformed = "failed to create typed patch object (a/b; v1): .spec: expected map, got 1";
    check(500, json!({"message": malformed}), Kind::Reject, "schema");
    check(500, json!({"message": "failed calling webhook \"w\""}), RETRY, "does not work");
    check(401, json!({"message": "Unauthorized"}), RETRY, "token");
    check(500, json!({"message": "etcdserver: request is too large"}), Kind::Reject, "1.5 MiB");
    check(503, json!({"reason": "ServiceUnavailable"}), RETRY, "answers 503: ServiceUnavailable");
    check(418, json!({"message": "teapot"}), Kind::Reject, "teapot");
}

#[test]
fn a_servers_wish_to_wait_is_kept() {
    let seven = Some(Duration::from_secs(7));
    let mut asked = refusal(429, json!({"message": "too many"}));
    asked.retry_after = seven;
    assert_eq!(asked.failure().kind, Kind::Retry { after: seven });
    let status = json!({"message": "busy", "details": {"retryAfterSeconds": 7}});
    check(503, status, Kind::Retry { after: seven }, "busy");
}

#[test]
fn an_object_is_missing_only_if_the_server_names_it() {
    let named = |kind: &str| refusal(404, json!({"details": {"name": "web", "kind": kind}}));
    assert!(named("deployments").is_missing("deployments", "web"));
    assert!(!named("deployments").is_missing("deployments", "other"));
    assert!(!named("namespaces").is_missing("deployments", "web"), "its namespace is missing");
    assert!(named("namespaces").is_missing("namespaces", "web"));
    assert!(!refusal(404, json!({"message": "404 page not found"})).is_missing("deployments", "web"));
}

#[test]
fn words_about_a_secret_are_withheld() {
    let status = json!({
        "message": "data.password: Invalid value: \"hunter2\"",
        "details": {"causes": [{"reason": "FieldValueInvalid", "message": "hunter2", "field": "data.password"}]},
    });
    let mut refusal = refusal(422, status);
    refusal.secretive = true;
    let text = refusal.failure().chain();
    assert!(text.contains("data.password") && !text.contains("hunter2"), "{text}");
}

#[test]
fn long_words_are_cut_and_lines_are_joined() {
    let text = refusal(422, json!({"message": format!("a\nb {}", "ü".repeat(2000))})).failure().message;
    assert!(text.contains("a b ü") && text.ends_with('…') && text.len() < 1200, "{text}");
}

#[track_caller]
fn check_conflict(message: &str, manager: &str, subresource: Option<&str>) {
    let causes = json!([{"reason": "FieldManagerConflict", "message": message, "field": ".spec.replicas"}]);
    let conflicts = refusal(409, json!({"details": {"causes": causes}})).field_conflicts();
    let [conflict] = conflicts.as_slice() else { panic!("{conflicts:?}") };
    assert_eq!(conflict.field, ".spec.replicas");
    assert_eq!((conflict.manager.as_str(), conflict.subresource.as_deref()), (manager, subresource));
}

#[test]
fn conflicts_name_the_manager_and_the_subresource() {
    check_conflict(r#"conflict with "kubectl" using apps/v1"#, "kubectl", None);
    check_conflict(r#"conflict with "flux""#, "flux", None);
    check_conflict(
        r#"conflict with "kube-controller-manager" with subresource "scale" using apps/v1 at 2026-01-01T00:00:00Z"#,
        "kube-controller-manager",
        Some("scale"),
    );
    check_conflict(
        r#"conflict with "a \" with subresource \"b" using v1"#,
        r#"a " with subresource "b"#,
        None,
    );
    check_conflict("something new", "something new", None);
}

#[test]
fn another_conflict_is_no_field_conflict() {
    let status =
        json!({"reason": "Conflict", "message": "the object has been modified", "details": {"name": "web"}});
    assert!(refusal(409, status.clone()).field_conflicts().is_empty());
    check(409, status, RETRY, "modified");
}
