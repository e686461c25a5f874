//! Who owns what after writes of every kind, by several managers.

use serde_json::{Value, json};

use super::Story;

const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
const ONE: &str = "/api/v1/namespaces/{ns}/configmaps/a";
const WEB: &str = "/apis/apps/v1/namespaces/{ns}/deployments/web";

fn map(data: Value) -> Value {
    let mut object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
    if !data.is_null() {
        object["data"] = data;
    }
    object
}

fn with_metadata(mut object: Value, key: &str, value: Value) -> Value {
    object["metadata"][key] = value;
    object
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_config_map_passes_through_many_hands() {
    Story::new()
        .post(
            &format!("{MAPS}?fieldManager=maker"),
            with_metadata(map(json!({"a": "1", "b": "2"})), "labels", json!({"l": "1"})),
        )
        .apply(ONE, "fieldManager=alice", map(json!({"a": "1"})))
        .apply(ONE, "fieldManager=alice", map(json!({"a": "changed"})))
        .apply(ONE, "fieldManager=alice&force=true", map(json!({"a": "changed", "c": "3"})))
        .apply(ONE, "fieldManager=alice", map(json!({"c": "3"})))
        .merge(&format!("{ONE}?fieldManager=maker"), json!({"data": {"b": null}}))
        .merge(&format!("{ONE}?fieldManager=maker"), json!({"data": null}))
        .apply(ONE, "fieldManager=alice", map(json!({})))
        .apply(ONE, "fieldManager=alice", map(Value::Null))
        .put(&format!("{ONE}?fieldManager=putter"), json!({"data": {"x": "y"}, "binaryData": {"z": "AA=="}}))
        .put(&format!("{ONE}?fieldManager=putter"), json!({"data": null, "immutable": true}))
        .merge(&format!("{ONE}?fieldManager=putter"), json!({"data": {"x": "z"}}))
        .check("many-hands")
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_managed_fields_are_found_again_by_an_apply() {
    Story::new()
        .post(&format!("{MAPS}?fieldManager=maker"), map(json!({"a": "1", "b": "2"})))
        .merge(&format!("{ONE}?fieldManager=me"), json!({"metadata": {"managedFields": []}}))
        .merge(&format!("{ONE}?fieldManager=me"), json!({"data": {"a": "2"}}))
        .apply(ONE, "fieldManager=alice", map(json!({"a": "2", "c": "3"})))
        .apply(ONE, "fieldManager=alice", map(json!({"a": "3"})))
        .merge(&format!("{ONE}?fieldManager=me"), json!({"metadata": {"managedFields": [{}]}}))
        .merge(
            &format!("{ONE}?fieldManager=me"),
            json!({"metadata": {"managedFields": [{
                "manager": "given", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1",
                "fieldsV1": {"f:data": {"f:a": {}}},
            }]}}),
        )
        .apply(ONE, "fieldManager=given", map(json!({"c": "4"})))
        .check("lost-fields")
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sets_and_keyed_lists_in_metadata() {
    let owner = |uid: &str| json!({"apiVersion": "v1", "kind": "Node", "name": "n", "uid": uid});
    let two = json!([owner("u-1"), owner("u-2")]);
    Story::new()
        .apply(ONE, "fieldManager=alice", with_metadata(map(Value::Null), "finalizers", json!(["example.org/a", "example.org/b"])))
        .apply(ONE, "fieldManager=bob", with_metadata(map(Value::Null), "finalizers", json!(["example.org/c"])))
        .apply(ONE, "fieldManager=alice", with_metadata(map(Value::Null), "finalizers", json!(["example.org/b"])))
        .delete(ONE, json!({"propagationPolicy": "Orphan"}))
        .merge(&format!("{ONE}?fieldManager=me"), json!({"metadata": {"finalizers": null}}))
        .get(ONE)
        // Owners that nobody has would be collected: held by a finalizer, and only seen on the way.
        .apply(
            &format!("{MAPS}/b"),
            "fieldManager=alice&dryRun=All",
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b", "ownerReferences": two}}),
        )
        .check("metadata-lists")
        .await;
}

fn web(containers: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {
            "replicas": 0, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": containers}},
        },
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn containers_come_and_go() {
    let app =
        json!({"name": "app", "image": "a:1", "resources": {"limits": {"cpu": "1"}}, "args": ["x", "y"]});
    let slim = json!({"name": "app", "image": "a:1", "args": ["x"]});
    let side = json!({"name": "side", "image": "s:1", "env": [{"name": "A", "value": "1"}]});
    let partial = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"template": {
            "metadata": {"annotations": {"note": "1"}},
            "spec": {"containers": [{"name": "app", "resources": {"limits": {"cpu": "2"}}}]},
        }},
    });
    let mut nothing = partial.clone();
    nothing["spec"] = json!({});
    Story::new()
        .apply(WEB, "fieldManager=alice", web(&json!([app, side])))
        .apply(WEB, "fieldManager=alice", web(&json!([side, app])))
        .apply(WEB, "fieldManager=bob", partial.clone())
        .apply(WEB, "fieldManager=bob&force=true", partial)
        .apply(WEB, "fieldManager=alice", web(&json!([slim])))
        .apply(WEB, "fieldManager=bob", nothing)
        .merge(
            &format!("{WEB}?fieldManager=me"),
            json!({"spec": {"template": {"spec": {"containers": [{"name": "other", "image": "o:1"}]}}}}),
        )
        .apply(WEB, "fieldManager=alice", web(&json!([slim])))
        .check("containers")
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_has_a_door_of_its_own() {
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]},
    });
    let one = "/api/v1/namespaces/{ns}/services/s";
    let condition = json!({
        "type": "Ready", "status": "True", "reason": "Yes", "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    let status = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "status": {"conditions": [condition]},
    });
    let mut other = condition.clone();
    other["reason"] = json!("Other");
    let mut both = service.clone();
    both["status"] = json!({"conditions": [condition]});
    Story::new()
        .apply(one, "fieldManager=alice", both)
        .apply(&format!("{one}/status"), "fieldManager=carol", status)
        .merge(
            &format!("{one}/status?fieldManager=dave"),
            json!({"spec": {"sessionAffinity": "ClientIP"}, "status": {"conditions": [other]}}),
        )
        .get(&format!("{one}/status"))
        .apply(one, "fieldManager=alice", service)
        .check("status-door")
        .await;
}
