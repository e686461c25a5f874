//! Server-side apply: creation, no-ops, removal, conflicts, force, list maps, subresources.

use serde_json::{Value, json};

use crate::world::{World, config_map, deployment, fields_of, version_of};

pub async fn apply_creates_with_201_and_owns_what_it_sets(world: &World) {
    let path = world.path("configmaps/a");
    let mut body = config_map("a", &json!({"k": "v"}));
    body["metadata"]["labels"] = json!({"app": "a"});
    let answer = world.apply(&path, "alice", &body).await;
    assert_eq!(answer.code, 201);
    let fields = json!({"f:data": {"f:k": {}}, "f:metadata": {"f:labels": {"f:app": {}}}});
    assert_eq!(fields_of(&answer.body, "alice", "Apply", ""), fields);
    assert_eq!(answer.body["metadata"]["managedFields"].as_array().map(Vec::len), Some(1));
    assert_eq!(answer.body["metadata"]["managedFields"][0]["apiVersion"], "v1");
}

pub async fn an_apply_that_changes_nothing_keeps_the_resource_version(world: &World) {
    let path = world.path("configmaps/a");
    let body = config_map("a", &json!({"k": "v"}));
    let first = world.apply(&path, "alice", &body).await.ok();
    // Timestamps have whole seconds: a careless server would show a new one now.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let second = world.apply(&path, "alice", &body).await;
    assert_eq!(second.code, 200);
    assert_eq!(second.body, first);
}

pub async fn a_field_that_is_no_longer_applied_is_removed(world: &World) {
    let path = world.path("configmaps/a");
    world.apply(&path, "alice", &config_map("a", &json!({"keep": "1", "drop": "2"}))).await.ok();
    let merged = world.apply(&path, "alice", &config_map("a", &json!({"keep": "1"}))).await.ok();
    assert_eq!(merged["data"], json!({"keep": "1"}));
    let bare = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
    let empty = world.apply(&path, "alice", &bare).await.ok();
    assert_eq!(empty["data"], Value::Null);
    assert_eq!(empty["metadata"]["managedFields"], Value::Null);
}

pub async fn a_field_that_another_manager_holds_is_a_conflict(world: &World) {
    let path = world.path("apps/deployments/web");
    let mut body = deployment("web", "a:1");
    body["spec"]["replicas"] = json!(2);
    world.apply(&path, "alice", &body).await.ok();
    body["spec"]["replicas"] = json!(3);
    let answer = world.apply(&path, "bob", &body).await;
    assert_eq!(
        answer.body["details"]["causes"],
        json!([{
            "reason": "FieldManagerConflict", "message": "conflict with \"alice\"", "field": ".spec.replicas",
        }])
    );
    let message = answer.refused(409, "Conflict");
    assert_eq!(message, "Apply failed with 1 conflict: conflict with \"alice\": .spec.replicas");

    world.merge(&path, "kubectl-edit", &json!({"spec": {"replicas": 5}})).await.ok();
    body["spec"]["template"]["spec"]["containers"][0]["image"] = json!("a:2");
    let answer = world.apply(&path, "bob", &body).await;
    let mut causes = answer.body["details"]["causes"].as_array().cloned().unwrap_or_default();
    causes.sort_by_key(|cause| cause["field"].to_string());
    assert_eq!(
        json!(causes),
        json!([
            {
                "reason": "FieldManagerConflict",
                "message": "conflict with \"kubectl-edit\" using apps/v1",
                "field": ".spec.replicas",
            },
            {
                "reason": "FieldManagerConflict", "message": "conflict with \"alice\"",
                "field": ".spec.template.spec.containers[name=\"app\"].image",
            },
        ])
    );
    assert_eq!(
        answer.refused(409, "Conflict"),
        "Apply failed with 2 conflicts: conflicts with \"alice\":\n\
         - .spec.template.spec.containers[name=\"app\"].image\n\
         conflicts with \"kubectl-edit\" using apps/v1:\n- .spec.replicas"
    );
}

pub async fn force_takes_the_field(world: &World) {
    let path = world.path("configmaps/a");
    world.apply(&path, "alice", &config_map("a", &json!({"k": "1", "mine": "x"}))).await.ok();
    let taken = world
        .apply_with(&path, "fieldManager=bob&force=true", &config_map("a", &json!({"k": "2"})))
        .await
        .ok();
    assert_eq!(taken["data"], json!({"k": "2", "mine": "x"}));
    assert_eq!(fields_of(&taken, "alice", "Apply", ""), json!({"f:data": {"f:mine": {}}}));
    assert_eq!(fields_of(&taken, "bob", "Apply", ""), json!({"f:data": {"f:k": {}}}));
}

pub async fn an_update_takes_the_field_from_the_applier(world: &World) {
    let path = world.path("configmaps/a");
    world.apply(&path, "alice", &config_map("a", &json!({"k": "1", "other": "x"}))).await.ok();
    let edited = world.merge(&path, "kubectl-edit", &json!({"data": {"k": "2"}})).await.ok();
    assert_eq!(fields_of(&edited, "alice", "Apply", ""), json!({"f:data": {"f:other": {}}}));
    assert_eq!(fields_of(&edited, "kubectl-edit", "Update", ""), json!({"f:data": {"f:k": {}}}));
    // The same manager by another operation is another owner.
    let edited = world.merge(&path, "alice", &json!({"data": {"other": "y"}})).await.ok();
    assert_eq!(fields_of(&edited, "alice", "Apply", ""), Value::Null);
    assert_eq!(fields_of(&edited, "alice", "Update", ""), json!({"f:data": {"f:other": {}}}));
    // A removed field belongs to nobody.
    let edited = world.merge(&path, "kubectl-edit", &json!({"data": {"other": null}})).await.ok();
    assert_eq!(fields_of(&edited, "alice", "Update", ""), Value::Null);
}

pub async fn containers_and_env_merge_by_name(world: &World) {
    let path = world.path("apps/deployments/web");
    let mut body = deployment("web", "a:1");
    let container = "/spec/template/spec/containers/0";
    body.pointer_mut(container).expect("a container")["env"] =
        json!([{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]);
    body.pointer_mut(container).expect("a container")["ports"] = json!([{"containerPort": 80}]);
    world.apply(&path, "alice", &body).await.ok();
    let theirs = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"template": {"spec": {"containers": [
            {"name": "side", "image": "s:1"},
            {"name": "app", "env": [{"name": "C", "value": "3"}]},
        ]}}},
    });
    world.apply(&path, "bob", &theirs).await.ok();
    body.pointer_mut(container).expect("a container")["env"] = json!([{"name": "B", "value": "2"}]);
    let merged = world.apply(&path, "alice", &body).await.ok();
    let containers = merged.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    let containers = containers.cloned().unwrap_or_default();
    let names: Vec<&str> = containers.iter().filter_map(|entry| entry["name"].as_str()).collect();
    assert_eq!(names, ["side", "app"]);
    let env = json!([{"name": "B", "value": "2"}, {"name": "C", "value": "3"}]);
    assert_eq!(containers[1]["env"], env);
    let entry = fields_of(&merged, "alice", "Apply", "");
    let list = &entry["f:spec"]["f:template"]["f:spec"]["f:containers"]["k:{\"name\":\"app\"}"];
    assert_eq!(
        *list,
        json!({
            ".": {}, "f:name": {}, "f:image": {},
            "f:env": {"k:{\"name\":\"B\"}": {".": {}, "f:name": {}, "f:value": {}}},
            "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}}},
        })
    );
}

pub async fn a_shared_field_stays_until_its_last_owner_leaves(world: &World) {
    let path = world.path("configmaps/a");
    let both = config_map("a", &json!({"k": "1"}));
    let none = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
    world.apply(&path, "alice", &both).await.ok();
    world.apply(&path, "bob", &both).await.ok();
    let left = world.apply(&path, "alice", &none).await.ok();
    assert_eq!(left["data"], json!({"k": "1"}));
    let gone = world.apply(&path, "bob", &none).await.ok();
    assert_eq!(gone["data"], Value::Null);
}

pub async fn an_unknown_field_is_refused(world: &World) {
    let path = world.path("configmaps/a");
    let mut body = config_map("a", &json!({"k": "1"}));
    body["bogus"] = json!(1);
    for query in ["fieldManager=alice", "fieldManager=alice&fieldValidation=Strict"] {
        let message = world.apply_with(&path, query, &body).await.refused(500, "");
        let why = ".bogus: field not declared in schema";
        assert_eq!(message, format!("failed to create typed patch object (/a; /v1, Kind=ConfigMap): {why}"));
    }
    let query = format!("{}?fieldValidation=Strict", world.path("configmaps"));
    let message = world.post(&query, &body).await.refused(400, "BadRequest");
    assert!(message.contains("strict decoding error: unknown field \"bogus\""), "{message}");
    let created = world.post(&world.path("configmaps"), &body).await.ok();
    assert_eq!(created["bogus"], Value::Null);
}

pub async fn dry_run_stores_nothing(world: &World) {
    let path = world.path("configmaps/a");
    let body = config_map("a", &json!({"k": "1"}));
    let preview = world.apply_with(&path, "fieldManager=alice&dryRun=All", &body).await;
    assert_eq!(preview.code, 201);
    world.get(&path).await.refused(404, "NotFound");
    let stored = world.apply(&path, "alice", &body).await.ok();
    let changed = config_map("a", &json!({"k": "2"}));
    let preview = world.apply_with(&path, "fieldManager=alice&dryRun=All", &changed).await.ok();
    assert_eq!(preview["data"], json!({"k": "2"}));
    assert_eq!(version_of(&preview), version_of(&stored));
    assert_eq!(world.get(&path).await.ok(), stored);
}

pub async fn scale_has_its_own_entry(world: &World) {
    let path = world.path("apps/deployments/web");
    let mut body = deployment("web", "a:1");
    body["spec"]["replicas"] = json!(1);
    world.apply(&path, "alice", &body).await.ok();
    let scale = format!("{path}/scale");
    assert_eq!(world.get(&scale).await.ok()["spec"], json!({"replicas": 1}));
    let answer = world.merge(&scale, "scaler", &json!({"spec": {"replicas": 4}})).await.ok();
    assert_eq!(answer["kind"], "Scale");
    let scaled = world.get(&path).await.ok();
    assert_eq!(scaled["spec"]["replicas"], 4);
    assert_eq!(fields_of(&scaled, "scaler", "Update", "scale"), json!({"f:spec": {"f:replicas": {}}}));
    assert_eq!(fields_of(&scaled, "alice", "Apply", "")["f:spec"]["f:replicas"], Value::Null);
    let message = world.apply(&path, "alice", &body).await.refused(409, "Conflict");
    assert!(message.contains("\"scaler\" with subresource \"scale\" using apps/v1"), "{message}");
}

pub async fn an_applier_without_name_is_refused(world: &World) {
    let path = world.path("configmaps/a");
    let body = config_map("a", &json!({}));
    world.apply_with(&path, "", &body).await.refused(422, "Invalid");
    let mut body = config_map("a", &json!({}));
    body["metadata"]["managedFields"] = json!([]);
    world.apply(&path, "alice", &body).await.refused(400, "BadRequest");
}
