//! The controllers: Deployment → `ReplicaSet` → Pod, the contents of new namespaces, garbage collection.
//!
//! One task runs them after every write and when a pod is due. They write through the same doors as anybody, as
//! `kube-controller-manager` and `kubelet`. Not here: `CronJobs` and Jobs, which nothing runs.

mod deployment;
mod replica_set;

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::delete;
use super::kinds::{self, Kind};
use super::server::{Options, Server};
use super::store::{Key, Store};
use super::write::{self, Write};

/// The field manager of the controllers.
const CONTROLLER: &str = "kube-controller-manager";

/// What the controllers remember between rounds.
struct Memory {
    /// When each pod (by uid) becomes ready.
    due: HashMap<String, Instant>,
    /// Since when each deployment (by uid) works on a template (by hash).
    since: HashMap<String, (String, Instant)>,
    options: Options,
    broken_images: Vec<String>,
}

impl Memory {
    fn next_due(&self) -> Option<Instant> {
        self.due.values().min().copied()
    }
}

/// Runs the controllers until the server stops.
pub async fn run(server: Arc<Server>) {
    let options = server.options.clone();
    let mut memory =
        Memory { due: HashMap::new(), since: HashMap::new(), options, broken_images: Vec::new() };
    let mut written = server.subscribe();
    loop {
        written.borrow_and_update();
        memory.broken_images.clone_from(&server.broken_images.lock().expect("no holder panics"));
        server.write(|store| settle(store, &mut memory));
        // A slow heartbeat notices what no write announces: a passed progress deadline, an image mended by a test.
        let wake =
            memory.next_due().unwrap_or_else(|| Instant::now() + std::time::Duration::from_millis(250));
        tokio::select! {
            () = server.stop.cancelled() => return,
            () = tokio::time::sleep_until(wake) => {}
            changed = written.changed() => if changed.is_err() { return },
        }
    }
}

/// Runs all controllers until none has anything to do (bounded: they could disagree).
fn settle(store: &mut Store, memory: &mut Memory) {
    for _ in 0..20 {
        let before = store.version();
        fill_namespaces(store);
        for object in objects(store, "apps", "Deployment") {
            deployment::sync(store, &object, memory);
        }
        for object in objects(store, "apps", "ReplicaSet") {
            replica_set::sync(store, &object, memory);
        }
        replica_set::start_pods(store, memory);
        delete::collect(store);
        if store.version() == before {
            return;
        }
    }
}

fn kind_of(group: &str, kind: &str) -> &'static Kind {
    kinds::by_kind(group, kind).expect("controllers name kinds of the table")
}

/// All objects of a kind that are not being deleted.
fn objects(store: &Store, group: &str, kind: &str) -> Vec<Arc<Value>> {
    let kind = kind_of(group, kind);
    let found = store.list(kind, None).map(|(_, object)| object.clone());
    found.filter(|object| object.pointer("/metadata/deletionTimestamp").is_none()).collect()
}

/// The objects of a kind whose controlling owner is `owner`.
fn controlled(store: &Store, group: &str, kind: &str, owner: &Value) -> Vec<Arc<Value>> {
    let uid = &owner["metadata"]["uid"];
    let mut found = objects(store, group, kind);
    found.retain(|object| {
        let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        owners.into_iter().flatten().any(|entry| entry["controller"] == json!(true) && entry["uid"] == *uid)
    });
    found
}

fn owner_reference(owner: &Value, kind: &Kind) -> Value {
    json!([{
        "apiVersion": kind.api_version(), "kind": kind.kind, "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
    }])
}

fn place(object: &Value) -> (Option<&str>, &str) {
    let text = |key: &str| object["metadata"][key].as_str();
    (text("namespace"), text("name").unwrap_or_default())
}

/// Changes an object in place; a refusal (it went away meanwhile) is left to the next round.
fn change(store: &mut Store, kind: &Kind, object: &Value, write: &Write, edit: impl FnOnce(&mut Value)) {
    let (namespace, name) = place(object);
    let done = write::patch(store, kind, namespace, name, write, |live| {
        let mut edited = live.clone();
        edit(&mut edited);
        Ok(edited)
    });
    drop(done);
}

/// What every namespace gets: a `ServiceAccount` and the cluster's root certificates.
fn fill_namespaces(store: &mut Store) {
    let (accounts, maps) = (kind_of("", "ServiceAccount"), kind_of("", "ConfigMap"));
    for space in objects(store, "", "Namespace") {
        let (_, name) = place(&space);
        let wanted = [
            (accounts, json!({"metadata": {"name": "default"}})),
            (maps, json!({"metadata": {"name": "kube-root-ca.crt"}, "data": {"ca.crt": ""}})),
        ];
        for (kind, object) in wanted {
            let key = Key::new(kind, Some(name), object["metadata"]["name"].as_str().unwrap_or_default());
            if store.get(&key).is_none() {
                drop(write::create(store, kind, Some(name), object, &Write::by(CONTROLLER)));
            }
        }
    }
}

fn count(object: &Value, pointer: &str) -> u64 {
    object.pointer(pointer).and_then(Value::as_u64).unwrap_or(0)
}

/// A status without the counts that are zero, as Go leaves them out.
fn without_zeros(mut status: Value) -> Value {
    if let Some(map) = status.as_object_mut() {
        map.retain(|_, value| *value != json!(0));
    }
    status
}
