//! Reading, replacing and deleting objects.

use serde_json::{Value, json};

use crate::world::{World, config_map, deployment, version_of};

async fn delete(world: &World, path: &str, options: &Value) -> crate::world::Answer {
    world.send("DELETE", path, "application/json", options).await
}

pub async fn delete_preconditions_are_held(world: &World) {
    let path = world.path("configmaps/a");
    let created = world.post(&world.path("configmaps"), &config_map("a", &json!({}))).await.ok();
    let uid = created["metadata"]["uid"].clone();
    let wrong = json!({"preconditions": {"uid": "00000000-0000-4000-a000-000000000000"}});
    let message = delete(world, &path, &wrong).await.refused(409, "Conflict");
    assert!(message.contains("the UID in the precondition"), "{message}");
    let stale = json!({"preconditions": {"uid": uid, "resourceVersion": "1"}});
    delete(world, &path, &stale).await.refused(409, "Conflict");
    let right = json!({"preconditions": {"uid": uid, "resourceVersion": version_of(&created)}});
    let gone = delete(world, &path, &right).await.ok();
    assert_eq!((&gone["kind"], &gone["status"]), (&json!("Status"), &json!("Success")));
    assert_eq!(gone["details"], json!({"name": "a", "kind": "configmaps", "uid": uid}));
    delete(world, &path, &right).await.refused(404, "NotFound");
}

pub async fn a_stale_replace_is_refused(world: &World) {
    let path = world.path("configmaps/a");
    let created = world.post(&world.path("configmaps"), &config_map("a", &json!({"k": "1"}))).await.ok();
    let put = |body: Value| world.send("PUT", &path, "application/json", Box::leak(Box::new(body)));
    let mut edited = created.clone();
    edited["data"]["k"] = json!("2");
    let stored = put(edited.clone()).await.ok();
    assert_ne!(version_of(&stored), version_of(&created));
    let message = put(edited.clone()).await.refused(409, "Conflict");
    assert!(message.contains("the object has been modified"), "{message}");
    // Without a version it is the last word.
    edited["metadata"].as_object_mut().expect("metadata").remove("resourceVersion");
    edited["data"]["k"] = json!("3");
    let stored = put(edited).await.ok();
    let same = put(stored.clone()).await.ok();
    assert_eq!(version_of(&same), version_of(&stored));
}

pub async fn finalizers_hold_an_object(world: &World) {
    let path = world.path("configmaps/a");
    let mut body = config_map("a", &json!({}));
    body["metadata"]["finalizers"] = json!(["example.org/hold"]);
    world.post(&world.path("configmaps"), &body).await.ok();
    let held = delete(world, &path, &json!({})).await.ok();
    assert_eq!(held["kind"], "ConfigMap");
    assert!(held["metadata"]["deletionTimestamp"].is_string());
    assert_eq!(world.get(&path).await.code, 200);
    world.merge(&path, "me", &json!({"metadata": {"finalizers": null}})).await.ok();
    world.get(&path).await.refused(404, "NotFound");
}

pub async fn dependents_follow_their_owner(world: &World) {
    let maps = world.path("configmaps");
    let owner = world.post(&maps, &config_map("owner", &json!({}))).await.ok();
    let reference = json!([{
        "apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"],
    }]);
    for name in ["followed", "orphaned"] {
        let mut body = config_map(name, &json!({}));
        body["metadata"]["ownerReferences"] = reference.clone();
        world.post(&maps, &body).await.ok();
    }
    world
        .merge(&format!("{maps}/orphaned"), "me", &json!({"metadata": {"ownerReferences": null}}))
        .await
        .ok();
    let background = json!({"propagationPolicy": "Background"});
    delete(world, &format!("{maps}/owner"), &background).await.ok();
    world.wait(&format!("{maps}/followed"), |answer| answer.code == 404).await;
    world.get(&format!("{maps}/orphaned")).await.ok();
}

pub async fn an_ended_namespace_takes_its_contents(world: &World) {
    let path = format!("/api/v1/namespaces/{}", world.namespace);
    world.wait(&world.path("serviceaccounts/default"), |answer| answer.code == 200).await;
    world.post(&world.path("configmaps"), &config_map("a", &json!({}))).await.ok();
    let ending = delete(world, &path, &json!({})).await.ok();
    assert_eq!(ending["status"]["phase"], "Terminating");
    world.wait(&path, |answer| answer.code == 404).await;
    world.get(&world.path("configmaps/a")).await.refused(404, "NotFound");
}

pub async fn selectors_narrow_lists(world: &World) {
    let maps = world.path("configmaps");
    for (name, labels) in [("a", json!({"app": "web", "tier": "front"})), ("b", json!({"app": "api"}))] {
        let mut body = config_map(name, &json!({}));
        body["metadata"]["labels"] = labels;
        world.post(&maps, &body).await.ok();
    }
    for (query, expect) in [
        ("labelSelector=app", &["a", "b"][..]),
        ("labelSelector=app%3Dweb", &["a"]),
        ("labelSelector=app%20in%20(web,api),tier", &["a"]),
        ("labelSelector=app,!tier", &["b"]),
        ("labelSelector=app,app%20notin%20(web)", &["b"]),
        ("labelSelector=app!%3Dweb,app", &["b"]),
        ("fieldSelector=metadata.name%3Da", &["a"]),
    ] {
        let list = world.get(&format!("{maps}?{query}")).await.ok();
        assert_eq!(list["kind"], "ConfigMapList");
        let items = list["items"].as_array().cloned().unwrap_or_default();
        let names: Vec<&str> = items.iter().filter_map(|item| item["metadata"]["name"].as_str()).collect();
        assert_eq!(names, expect, "{query}");
        assert!(items.iter().all(|item| item["kind"].is_null()), "items of a list carry no kind");
    }
    world.get(&format!("{maps}?labelSelector=a%20b")).await.refused(400, "BadRequest");
}

pub async fn refusals_have_codes_and_reasons(world: &World) {
    let maps = world.path("configmaps");
    let message = world.get(&format!("{maps}/none")).await.refused(404, "NotFound");
    assert_eq!(message, "configmaps \"none\" not found");
    let message = world.get(&world.path("apps/deployments/none")).await.refused(404, "NotFound");
    assert_eq!(message, "deployments.apps \"none\" not found");
    world.post(&maps, &config_map("a", &json!({}))).await.ok();
    world.post(&maps, &config_map("a", &json!({}))).await.refused(409, "AlreadyExists");
    world.post(&maps, &config_map("Not A Name", &json!({}))).await.refused(422, "Invalid");
    world.post(&maps, &config_map("b", &json!({"k": 1}))).await.refused(400, "BadRequest");
    world
        .post("/api/v1/namespaces/absent/configmaps", &config_map("a", &json!({})))
        .await
        .refused(404, "NotFound");
    let path = world.path("apps/deployments/web");
    let mut body = deployment("web", "a:1");
    body["spec"]["selector"]["matchLabels"]["app"] = json!("other");
    let message = world.apply(&path, "alice", &body).await.refused(422, "Invalid");
    assert!(message.contains("`selector` does not match template `labels`"), "{message}");
    world.apply(&path, "alice", &deployment("web", "a:1")).await.ok();
    body["spec"]["template"]["metadata"]["labels"]["app"] = json!("other");
    let message = world.apply(&path, "alice", &body).await.refused(422, "Invalid");
    assert!(message.contains("field is immutable"), "{message}");
}
