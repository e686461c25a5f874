//! Deployments: one `ReplicaSet` for each template, the newest scaled up, the others down once it is ready.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{CONTROLLER, Memory, change, controlled, count, kind_of, owner_reference, place, without_zeros};
use crate::sandbox::kube::apply::managers::now;
use crate::sandbox::kube::store::{Key, Store};
use crate::sandbox::kube::uid;
use crate::sandbox::kube::write::{self, Write};

const REVISION: &str = "deployment.kubernetes.io/revision";
const HASH: &str = "pod-template-hash";

/// One step towards what the deployment wants, and its status.
pub(super) fn sync(store: &mut Store, deployment: &Value, memory: &mut Memory) {
    let hash = template_hash(deployment);
    let sets = controlled(store, "apps", "ReplicaSet", deployment);
    let revision_of = |set: &Value| -> u64 {
        let text = set["metadata"]["annotations"][REVISION].as_str();
        text.and_then(|text| text.parse().ok()).unwrap_or(0)
    };
    let highest = sets.iter().map(|set| revision_of(set)).max().unwrap_or(0);
    let current = sets.iter().find(|set| set["metadata"]["labels"][HASH] == hash.as_str());
    let paused = deployment.pointer("/spec/paused").and_then(Value::as_bool) == Some(true);
    if !paused {
        match current {
            None => create_set(store, deployment, &hash, highest + 1),
            Some(set) => {
                // Going back to an old template makes its set the newest again.
                let revision = revision_of(set);
                let revision = if revision < highest { highest + 1 } else { revision };
                move_to(store, deployment, set, &sets, revision);
            }
        }
    }
    write_status(store, deployment, &hash, memory);
}

fn template_hash(deployment: &Value) -> String {
    uid::hex(&deployment["spec"]["template"].to_string()).chars().take(10).collect()
}

fn create_set(store: &mut Store, deployment: &Value, hash: &str, revision: u64) {
    let (namespace, name) = place(deployment);
    let mut template = deployment["spec"]["template"].clone();
    template["metadata"]["labels"][HASH] = json!(hash);
    let mut selector = deployment["spec"]["selector"].clone();
    selector["matchLabels"][HASH] = json!(hash);
    let kind = kind_of("apps", "Deployment");
    let recreate = deployment.pointer("/spec/strategy/type").and_then(Value::as_str) == Some("Recreate");
    let replicas = if recreate { json!(0) } else { deployment["spec"]["replicas"].clone() };
    let set = json!({
        "metadata": {
            "name": format!("{name}-{hash}"),
            "labels": template["metadata"]["labels"],
            "annotations": {REVISION: revision.to_string()},
            "ownerReferences": owner_reference(deployment, kind),
        },
        "spec": {"replicas": replicas, "selector": selector, "template": template},
    });
    drop(write::create(store, kind_of("apps", "ReplicaSet"), namespace, set, &Write::by(CONTROLLER)));
}

fn move_to(
    store: &mut Store,
    deployment: &Value,
    current: &Value,
    sets: &[std::sync::Arc<Value>],
    revision: u64,
) {
    let kind = kind_of("apps", "ReplicaSet");
    let write = Write::by(CONTROLLER);
    let wanted = count(deployment, "/spec/replicas");
    let recreate = deployment.pointer("/spec/strategy/type").and_then(Value::as_str) == Some("Recreate");
    let others = || sets.iter().filter(|set| set["metadata"]["uid"] != current["metadata"]["uid"]);
    let others_stopped = others().all(|set| count(set, "/status/replicas") == 0);
    if !recreate || others_stopped {
        change(store, kind, current, &write, |set| {
            set["spec"]["replicas"] = json!(wanted);
            set["metadata"]["annotations"][REVISION] = json!(revision.to_string());
        });
    }
    let is_ready = count(current, "/status/readyReplicas") >= wanted;
    if recreate || is_ready {
        for set in others().filter(|set| count(set, "/spec/replicas") > 0) {
            change(store, kind, set, &write, |set| set["spec"]["replicas"] = json!(0));
        }
    }
}

fn write_status(store: &mut Store, seen: &Value, hash: &str, memory: &mut Memory) {
    let kind = kind_of("apps", "Deployment");
    let (namespace, name) = place(seen);
    let Some(deployment) = store.get(&Key::new(kind, namespace, name)).cloned() else { return };
    let sets = controlled(store, "apps", "ReplicaSet", &deployment);
    let sum = |pointer: &str| -> u64 { sets.iter().map(|set| count(set, pointer)).sum() };
    let current = sets.iter().find(|set| set["metadata"]["labels"][HASH] == hash);
    let wanted = count(&deployment, "/spec/replicas");
    let (replicas, available) = (sum("/status/replicas"), sum("/status/availableReplicas"));
    let updated = current.map_or(0, |set| count(set, "/status/replicas"));
    let ready_now = current.map_or(0, |set| count(set, "/status/availableReplicas"));
    let complete = updated == wanted && replicas == wanted && ready_now >= wanted && current.is_some();
    let set_name = current.map_or("", |set| place(set).1);
    let conditions = json!([
        available_condition(
            &deployment,
            available >= wanted.saturating_sub(max_unavailable(&deployment, wanted))
        ),
        progressing_condition(&deployment, complete, is_late(&deployment, hash, complete, memory), set_name),
    ]);
    let status = without_zeros(json!({
        "observedGeneration": deployment["metadata"]["generation"],
        "replicas": replicas,
        "updatedReplicas": updated,
        "readyReplicas": sum("/status/readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": wanted.max(replicas).saturating_sub(available),
        "conditions": conditions,
    }));
    let revision = current.map(|set| set["metadata"]["annotations"][REVISION].clone());
    change(store, kind, &deployment, &Write::status_by(CONTROLLER), |live| {
        live["status"] = status;
        if let Some(revision) = revision {
            live["metadata"]["annotations"][REVISION] = revision;
        }
    });
}

/// The default of 25 %, or what the strategy says, in pods.
fn max_unavailable(deployment: &Value, wanted: u64) -> u64 {
    match deployment.pointer("/spec/strategy/rollingUpdate/maxUnavailable") {
        Some(Value::String(percent)) => {
            let percent: u64 = percent.trim_end_matches('%').parse().unwrap_or(0);
            wanted * percent / 100
        }
        Some(number) => number.as_u64().unwrap_or(0),
        None => 0,
    }
}

fn is_late(deployment: &Value, hash: &str, complete: bool, memory: &mut Memory) -> bool {
    let uid = deployment["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    let since = memory.since.entry(uid).or_insert_with(|| (hash.to_owned(), Instant::now()));
    if since.0 != hash || complete {
        *since = (hash.to_owned(), Instant::now());
    }
    let limit = count(deployment, "/spec/progressDeadlineSeconds");
    since.1.elapsed() > Duration::from_secs(limit)
}

fn available_condition(deployment: &Value, available: bool) -> Value {
    let (status, reason, message) = if available {
        ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    };
    condition(deployment, "Available", status, reason, message)
}

fn progressing_condition(deployment: &Value, complete: bool, late: bool, set: &str) -> Value {
    let (status, reason, message) = match (complete, late) {
        (true, _) => {
            ("True", "NewReplicaSetAvailable", format!("ReplicaSet \"{set}\" has successfully progressed."))
        }
        (false, true) => {
            ("False", "ProgressDeadlineExceeded", format!("ReplicaSet \"{set}\" has timed out progressing."))
        }
        (false, false) => ("True", "ReplicaSetUpdated", format!("ReplicaSet \"{set}\" is progressing.")),
    };
    condition(deployment, "Progressing", status, reason, &message)
}

/// A condition that keeps its times while it says the same.
fn condition(deployment: &Value, kind: &str, status: &str, reason: &str, message: &str) -> Value {
    let conditions = deployment.pointer("/status/conditions").and_then(Value::as_array);
    let old = conditions.into_iter().flatten().find(|condition| condition["type"] == kind);
    let same = |key: &str, value: &str| old.is_some_and(|old| old[key] == value);
    let unchanged = same("status", status) && same("reason", reason) && same("message", message);
    let time = |keep: bool, key: &str| match old {
        Some(old) if keep => old[key].clone(),
        _ => json!(now()),
    };
    json!({
        "type": kind, "status": status, "reason": reason, "message": message,
        "lastTransitionTime": time(same("status", status), "lastTransitionTime"),
        "lastUpdateTime": time(unchanged, "lastUpdateTime"),
    })
}
