//! `ReplicaSets` and their pods: as many as wanted, ready after a delay unless their image is broken.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    CONTROLLER, Memory, change, controlled, count, kind_of, objects, owner_reference, place, without_zeros,
};
use crate::sandbox::kube::apply::managers::now;
use crate::sandbox::kube::store::{Key, Store};
use crate::sandbox::kube::uid;
use crate::sandbox::kube::write::{self, Write};

/// Creates or deletes pods and writes the status.
pub(super) fn sync(store: &mut Store, set: &Value, memory: &mut Memory) {
    let wanted = usize::try_from(count(set, "/spec/replicas")).unwrap_or(0);
    let pods = controlled(store, "", "Pod", set);
    for _ in pods.len()..wanted {
        create_pod(store, set);
    }
    for pod in pods.iter().skip(wanted) {
        let (namespace, name) = place(pod);
        store.remove(&Key::new(kind_of("", "Pod"), namespace, name));
        memory.due.remove(pod["metadata"]["uid"].as_str().unwrap_or_default());
    }
    let pods = controlled(store, "", "Pod", set);
    let ready = pods.iter().filter(|pod| is_ready(pod)).count();
    // Even an empty ReplicaSet reports how many replicas it has.
    let mut status = without_zeros(json!({
        "fullyLabeledReplicas": pods.len(), "readyReplicas": ready, "availableReplicas": ready,
        "observedGeneration": set["metadata"]["generation"],
    }));
    status["replicas"] = json!(pods.len());
    change(store, kind_of("apps", "ReplicaSet"), set, &Write::status_by(CONTROLLER), |live| {
        live["status"] = status;
    });
}

fn create_pod(store: &mut Store, set: &Value) {
    let (namespace, name) = place(set);
    let template = &set["spec"]["template"];
    let mut metadata = template["metadata"].clone();
    metadata["name"] = json!(format!("{name}-{}", uid::suffix()));
    metadata["generateName"] = json!(format!("{name}-"));
    metadata["ownerReferences"] = owner_reference(set, kind_of("apps", "ReplicaSet"));
    let pod = json!({"metadata": metadata, "spec": template["spec"]});
    drop(write::create(store, kind_of("", "Pod"), namespace, pod, &Write::by(CONTROLLER)));
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().any(|entry| entry["type"] == "Ready" && entry["status"] == "True")
}

/// Starts the pods that are due; those with a broken image wait for ever.
pub(super) fn start_pods(store: &mut Store, memory: &mut Memory) {
    for pod in objects(store, "", "Pod") {
        if is_ready(&pod) || pod.pointer("/metadata/ownerReferences").is_none() {
            continue;
        }
        let id = pod["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        let start = memory.options.pod_start;
        if is_broken(&pod, &memory.broken_images) {
            memory.due.remove(&id);
            write_status(store, &pod, false);
            continue;
        }
        let due = *memory.due.entry(id.clone()).or_insert_with(|| Instant::now() + start);
        if due <= Instant::now() {
            memory.due.remove(&id);
            write_status(store, &pod, true);
        }
    }
    let living: Vec<String> = objects(store, "", "Pod")
        .iter()
        .filter_map(|pod| pod["metadata"]["uid"].as_str().map(str::to_owned))
        .collect();
    memory.due.retain(|id, _| living.contains(id));
}

fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    pod.pointer("/spec/containers").and_then(Value::as_array).into_iter().flatten()
}

fn is_broken(pod: &Value, broken: &[String]) -> bool {
    containers(pod).any(|container| {
        container["image"].as_str().is_some_and(|image| broken.iter().any(|entry| entry == image))
    })
}

fn write_status(store: &mut Store, pod: &Value, ready: bool) {
    let old = pod.pointer("/status/conditions/0/lastTransitionTime");
    let time = if ready { json!(now()) } else { old.cloned().unwrap_or_else(|| json!(now())) };
    let truth = if ready { "True" } else { "False" };
    let conditions: Vec<Value> = ["ContainersReady", "Ready"]
        .iter()
        .map(|kind| {
            let mut condition = json!({"type": kind, "status": truth, "lastTransitionTime": time});
            if !ready {
                condition["reason"] = json!("ContainersNotReady");
            }
            condition
        })
        .collect();
    let state = if ready {
        json!({"running": {"startedAt": time}})
    } else {
        json!({"waiting": {"reason": "ImagePullBackOff", "message": "the image was declared broken by a test"}})
    };
    let statuses: Vec<Value> = containers(pod)
        .map(|container| {
            json!({
                "name": container["name"], "image": container["image"], "imageID": "", "ready": ready,
                "started": ready, "restartCount": 0, "state": state,
            })
        })
        .collect();
    let phase = if ready { "Running" } else { "Pending" };
    let status = json!({"phase": phase, "conditions": conditions, "containerStatuses": statuses});
    change(store, kind_of("", "Pod"), pod, &Write::status_by("kubelet"), |live| live["status"] = status);
}
