//! Requests that are refused: code, reason, message and details.

use serde_json::{Value, json};

use super::Story;

const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
const ONE: &str = "/api/v1/namespaces/{ns}/configmaps/a";
const WEB: &str = "/apis/apps/v1/namespaces/{ns}/deployments/web";

fn map() -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "1"}})
}

const SECRET: &str = "/api/v1/namespaces/{ns}/secrets/a";

fn secret(data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": data})
}

fn with(mut object: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer has a slash");
    object.pointer_mut(parent).expect("the parent is there")[key] = value;
    object
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_that_are_not_there_or_not_right() {
    Story::new()
        .get(ONE)
        .get("/apis/apps/v1/namespaces/{ns}/deployments/none")
        .get("/apis/example.org/v1/things")
        .delete(ONE, Value::Null)
        .merge(ONE, json!({"data": {}}))
        .post(MAPS, map())
        .post(MAPS, map())
        .post(MAPS, with(map(), "/metadata/resourceVersion", json!("1")))
        .post(MAPS, with(map(), "/metadata/namespace", json!("elsewhere")))
        .post("/api/v1/namespaces/absent/configmaps", with(map(), "/metadata/namespace", Value::Null))
        .put(ONE, json!({"metadata": {"resourceVersion": "1"}}))
        .put(ONE, json!({"metadata": {"name": "other"}}))
        .put(ONE, json!({"metadata": {"uid": "00000000-0000-4000-a000-000000000000"}}))
        .vaguely()
        .delete(ONE, json!({"preconditions": {"uid": "00000000-0000-4000-a000-000000000000"}}))
        .vaguely()
        .delete(ONE, json!({"propagationPolicy": "Sideways"}))
        .post(&format!("{MAPS}?dryRun=Some"), map())
        .delete(ONE, Value::Null)
        .check("refused-objects")
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn applies_that_are_refused() {
    let strict = "fieldManager=alice&fieldValidation=Strict";
    Story::new()
        .apply(ONE, "", map())
        .apply(ONE, strict, with(map(), "/metadata/name", json!("b")))
        .apply(ONE, strict, with(map(), "/metadata/namespace", json!("elsewhere")))
        .apply(ONE, strict, with(map(), "/kind", json!("Secret")))
        .apply(ONE, strict, with(map(), "/apiVersion", json!("v2")))
        .apply(ONE, strict, with(map(), "/bogus", json!({"a": 1})))
        .apply(ONE, strict, with(map(), "/data/a", json!(1)))
        .vaguely()
        .apply(SECRET, strict, secret(json!({"password": "not base64!"})))
        .vaguely()
        .apply(SECRET, strict, secret(json!({"password": {"nested": "x"}})))
        .vaguely()
        .apply(ONE, strict, with(map(), "/metadata/managedFields", json!([])))
        .apply(ONE, strict, with(map(), "/metadata/resourceVersion", json!("1")))
        .apply(ONE, strict, map())
        .apply(ONE, strict, with(map(), "/metadata/resourceVersion", json!("1")))
        .apply(ONE, "fieldManager=bob", with(map(), "/data/a", json!("2")))
        .apply(
            WEB,
            strict,
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}),
        )
        .check("refused-applies")
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patches_that_are_refused() {
    Story::new()
        .post(MAPS, map())
        .step("PATCH", ONE, "application/json", json!({"data": {}}))
        .step("PATCH", ONE, "text/plain", json!({"data": {}}))
        .merge(ONE, json!({"data": {"a": 1}}))
        .vaguely()
        .merge(ONE, json!({"metadata": {"name": "other"}}))
        .merge(ONE, json!({"bogus": true}))
        .merge(&format!("{ONE}?fieldValidation=Strict"), json!({"bogus": true}))
        .vaguely()
        .merge(ONE, json!({"metadata": {"resourceVersion": "1"}}))
        .merge(&format!("{ONE}?force=true"), json!({}))
        .step("PUT", MAPS, "application/json", map())
        .post(ONE, map())
        .get(&format!("{ONE}/status"))
        .check("refused-patches")
        .await;
}
