//! Generations, status, and the rollout of a Deployment.

use serde_json::{Value, json};

use crate::world::{Answer, World, deployment, fields_of};

pub async fn generation_moves_with_the_spec(world: &World) {
    let path = world.path("apps/deployments/web");
    let created = world.apply(&path, "alice", &deployment("web", "a:1")).await.ok();
    assert_eq!(created["metadata"]["generation"], 1);
    let mut body = deployment("web", "a:2");
    let changed = world.apply(&path, "alice", &body).await.ok();
    assert_eq!(changed["metadata"]["generation"], 2);
    body["metadata"]["labels"]["more"] = json!("x");
    let labelled = world.apply(&path, "alice", &body).await.ok();
    assert_eq!(labelled["metadata"]["generation"], 2);
    body["metadata"]["annotations"] = json!({"note": "x"});
    let noted = world.apply(&path, "alice", &body).await.ok();
    assert_eq!(noted["metadata"]["generation"], 3);
    let cron = world.path("batch/cronjobs/tick");
    let job = json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "tick"},
        "spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "c", "image": "a:1"}],
        }}}}},
    });
    let created = world.apply(&cron, "alice", &job).await.ok();
    assert_eq!(created["metadata"]["generation"], 1);
    let suspended = world.merge(&cron, "me", &json!({"spec": {"suspend": true}})).await.ok();
    assert_eq!(suspended["metadata"]["generation"], 2);
    let map = crate::world::config_map("a", &json!({}));
    let created = world.apply(&world.path("configmaps/a"), "alice", &map).await.ok();
    assert_eq!(created["metadata"]["generation"], Value::Null);
}

fn is_complete(answer: &Answer) -> bool {
    let object = &answer.body;
    let count = |key: &str| object["status"][key].as_u64().unwrap_or(0);
    let wanted = object["spec"]["replicas"].as_u64().unwrap_or(0);
    object["status"]["observedGeneration"] == object["metadata"]["generation"]
        && ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"]
            .iter()
            .all(|key| count(key) == wanted)
        && condition(object, "Progressing")["reason"] == "NewReplicaSetAvailable"
}

fn condition(object: &Value, kind: &str) -> Value {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().find(|entry| entry["type"] == kind).cloned().unwrap_or_default()
}

pub async fn a_deployment_becomes_available(world: &World) {
    let path = world.path("apps/deployments/web");
    let mut body = deployment("web", "a:1");
    body["spec"]["replicas"] = json!(2);
    let applied = world.apply(&path, "alice", &body).await.ok();
    let live = world.wait(&path, is_complete).await;
    assert_eq!(condition(&live, "Available")["status"], "True");
    assert_eq!(live["status"]["unavailableReplicas"], Value::Null);
    assert_eq!(live["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "1");
    // The controller writes the status through its own door, and leaves generation and the applier's entry alone.
    assert_eq!(live["metadata"]["generation"], applied["metadata"]["generation"]);
    let ours = fields_of(&applied, "alice", "Apply", "");
    assert_eq!(fields_of(&live, "alice", "Apply", ""), ours);
    let theirs = fields_of(&live, "kube-controller-manager", "Update", "status");
    assert_eq!(theirs["f:status"]["f:availableReplicas"], json!({}));
    assert_eq!(theirs["f:metadata"]["f:annotations"]["f:deployment.kubernetes.io/revision"], json!({}));
    // An apply of the same again changes nothing, whatever the controller wrote meanwhile.
    let again = world.apply(&path, "alice", &body).await.ok();
    assert_eq!(again["metadata"]["resourceVersion"], live["metadata"]["resourceVersion"]);
    let sets = world.get(&format!("{}?labelSelector=app%3Dweb", world.path("apps/replicasets"))).await.ok();
    let set = &sets["items"][0];
    assert_eq!(set["metadata"]["ownerReferences"][0]["uid"], live["metadata"]["uid"]);
    assert_eq!(set["status"]["readyReplicas"], 2);
    let pods = world.get(&format!("{}?labelSelector=app%3Dweb", world.path("pods"))).await.ok();
    assert_eq!(pods["items"].as_array().map(Vec::len), Some(2));
}

pub async fn a_new_image_rolls_out(world: &World) {
    let path = world.path("apps/deployments/web");
    world.apply(&path, "alice", &deployment("web", "a:1")).await.ok();
    world.wait(&path, is_complete).await;
    world.apply(&path, "alice", &deployment("web", "a:2")).await.ok();
    let live =
        world.wait(&path, |answer| is_complete(answer) && answer.body["status"]["observedGeneration"] == 2);
    let live = live.await;
    assert_eq!(live["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "2");
    let sets = world.path("apps/replicasets");
    let idle = |answer: &Answer| {
        let items = answer.body["items"].as_array().cloned().unwrap_or_default();
        let sizes: Vec<u64> = items.iter().filter_map(|set| set["status"]["replicas"].as_u64()).collect();
        items.len() == 2 && sizes.iter().sum::<u64>() == 1
    };
    world.wait(&sets, idle).await;
    // Deleting the Deployment takes its sets and pods.
    world.send("DELETE", &path, "application/json", &Value::Null).await.ok();
    world.wait(&sets, |answer| answer.body["items"] == json!([])).await;
    world.wait(&world.path("pods"), |answer| answer.body["items"] == json!([])).await;
}
