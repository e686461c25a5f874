//! Deletion: preconditions, finalizers, propagation; and the garbage collector behind it.
//!
//! The collector runs after every write (`controller` calls it): dependents whose owners are all gone are deleted,
//! contents of ending namespaces too.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::apply::managers::now;
use super::failure::ApiFailure;
use super::kinds::{self, Generation, Kind};
use super::store::{Key, Store};

/// What becomes of dependents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// Deleted afterwards.
    Background,
    /// Deleted before.
    Foreground,
    /// Left alone, without the owner reference.
    Orphan,
}

/// `DeleteOptions`, from the body or the query.
#[derive(Clone, Debug)]
pub struct DeleteOptions {
    /// What becomes of dependents.
    pub propagation: Propagation,
    /// Refuse unless the object has this uid.
    pub uid: Option<String>,
    /// Refuse unless the object has this resourceVersion.
    pub resource_version: Option<String>,
    /// Check only.
    pub dry_run: bool,
}

/// Deletes an object; answers with it if finalizers keep it, else with a `Status`.
pub fn delete(
    store: &mut Store,
    kind: &Kind,
    namespace: Option<&str>,
    name: &str,
    options: &DeleteOptions,
) -> Result<Value, ApiFailure> {
    let key = Key::new(kind, namespace, name);
    let Some(live) = store.get(&key).cloned() else { return Err(ApiFailure::not_found(kind, name)) };
    check_preconditions(kind, name, &live, options)?;
    let success = success(kind, name, &live);
    if options.dry_run {
        return Ok(success);
    }
    let mut finalizers = list_of(&live, "/metadata/finalizers");
    match options.propagation {
        Propagation::Background => {}
        Propagation::Foreground => finalizers.push(json!("foregroundDeletion")),
        Propagation::Orphan => finalizers.push(json!("orphan")),
    }
    if finalizers.is_empty() && kind.kind != "Namespace" {
        store.remove(&key);
        return Ok(success);
    }
    if live.pointer("/metadata/deletionTimestamp").is_some() {
        return Ok((*live).clone());
    }
    let mut ending = (*live).clone();
    ending["metadata"]["deletionTimestamp"] = json!(now());
    if kind.kind == "Namespace" {
        ending["status"]["phase"] = json!("Terminating");
    } else {
        finalizers.dedup();
        ending["metadata"]["deletionGracePeriodSeconds"] = json!(0);
        ending["metadata"]["finalizers"] = json!(finalizers);
    }
    if kind.generation != Generation::None {
        let generation = live.pointer("/metadata/generation").and_then(Value::as_u64).unwrap_or(0);
        ending["metadata"]["generation"] = json!(generation + 1);
    }
    Ok((*store.put(&key, ending)).clone())
}

fn check_preconditions(
    kind: &Kind,
    name: &str,
    live: &Value,
    options: &DeleteOptions,
) -> Result<(), ApiFailure> {
    let checks = [
        ("UID", &options.uid, "/metadata/uid", "deleted and then recreated"),
        ("ResourceVersion", &options.resource_version, "/metadata/resourceVersion", "modified"),
    ];
    for (what, wanted, pointer, guess) in checks {
        let have = live.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        if let Some(wanted) = wanted.as_deref().filter(|wanted| *wanted != have) {
            let why = format!(
                "the {what} in the precondition ({wanted}) does not match the {what} in record ({have}). \
                 The object might have been {guess}"
            );
            return Err(ApiFailure::precondition(kind, name, &why));
        }
    }
    Ok(())
}

fn success(kind: &Kind, name: &str, live: &Value) -> Value {
    let mut details = json!({"name": name, "kind": kind.plural, "uid": live["metadata"]["uid"]});
    if !kind.group.is_empty() {
        details["group"] = json!(kind.group);
    }
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}

fn list_of(object: &Value, pointer: &str) -> Vec<Value> {
    object.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn owner_uids(object: &Value) -> Vec<String> {
    list_of(object, "/metadata/ownerReferences")
        .iter()
        .filter_map(|owner| owner["uid"].as_str().map(str::to_owned))
        .collect()
}

/// Objects that wait for the collector under one of its own finalizers, without it.
fn take_finalizer(store: &Store, name: &str) -> Vec<(Key, Value)> {
    let waits = |object: &Value| list_of(object, "/metadata/finalizers").contains(&json!(name));
    let found = store.all().filter(|(_, object)| waits(object));
    found
        .map(|(key, object)| {
            let mut object = (**object).clone();
            let mut finalizers = list_of(&object, "/metadata/finalizers");
            finalizers.retain(|finalizer| finalizer != name);
            object["metadata"]["finalizers"] = json!(finalizers);
            (key.clone(), object)
        })
        .collect()
}

/// Stores an object that lost a finalizer; the last one ends it.
fn release(store: &mut Store, key: &Key, mut object: Value) {
    if !list_of(&object, "/metadata/finalizers").is_empty() {
        store.put(key, object);
        return;
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("finalizers");
    }
    store.put(key, object);
    store.remove(key);
}

fn finish_orphaning(store: &mut Store) -> bool {
    let waiting = take_finalizer(store, "orphan");
    let changed = !waiting.is_empty();
    for (key, object) in waiting {
        orphan_dependents(store, &object);
        release(store, &key, object);
    }
    changed
}

fn orphan_dependents(store: &mut Store, owner: &Value) {
    let uid = owner["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    let dependents: Vec<(Key, Value)> = store
        .all()
        .filter(|(_, object)| owner_uids(object).contains(&uid))
        .map(|(key, object)| (key.clone(), (**object).clone()))
        .collect();
    for (key, mut object) in dependents {
        let mut owners = list_of(&object, "/metadata/ownerReferences");
        owners.retain(|owner| owner["uid"] != uid.as_str());
        if owners.is_empty() {
            object["metadata"].as_object_mut().map(|metadata| metadata.remove("ownerReferences"));
        } else {
            object["metadata"]["ownerReferences"] = json!(owners);
        }
        store.put(&key, object);
    }
}

/// One round of garbage collection; `true` if it changed something.
pub fn collect(store: &mut Store) -> bool {
    // First of all: dependents that shall stay must not look abandoned.
    let mut changed = finish_orphaning(store);
    let uids: HashSet<String> = store
        .all()
        .filter_map(|(_, object)| object.pointer("/metadata/uid").and_then(Value::as_str).map(str::to_owned))
        .collect();
    let ending: HashSet<String> = store
        .all()
        .filter(|(key, object)| {
            key.plural == "namespaces" && object.pointer("/metadata/deletionTimestamp").is_some()
        })
        .map(|(key, _)| key.name.clone())
        .collect();
    let doomed: Vec<Key> = store
        .all()
        .filter(|(key, object)| {
            let owners = owner_uids(object);
            let orphaned = !owners.is_empty() && !owners.iter().any(|uid| uids.contains(uid));
            let waits = object.pointer("/metadata/deletionTimestamp").is_some();
            (orphaned || ending.contains(&key.namespace)) && !waits
        })
        .map(|(key, _)| key.clone())
        .collect();
    let options = DeleteOptions {
        propagation: Propagation::Background,
        uid: None,
        resource_version: None,
        dry_run: false,
    };
    for key in doomed {
        if let Some(kind) = kinds::by_plural(key.group, "v1", key.plural) {
            let namespace = Some(key.namespace.as_str()).filter(|namespace| !namespace.is_empty());
            changed |= delete(store, kind, namespace, &key.name, &options).is_ok();
        }
    }
    changed | finish_foreground(store) | finish_namespaces(store, &ending)
}

fn finish_foreground(store: &mut Store) -> bool {
    let waiting = take_finalizer(store, "foregroundDeletion");
    let changed = !waiting.is_empty();
    for (key, object) in waiting {
        let uid = object["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        let dependents: Vec<Key> = store
            .all()
            .filter(|(_, dependent)| owner_uids(dependent).contains(&uid))
            .map(|(key, _)| key.clone())
            .collect();
        for dependent in dependents {
            store.remove(&dependent);
        }
        release(store, &key, object);
    }
    changed
}

fn finish_namespaces(store: &mut Store, ending: &HashSet<String>) -> bool {
    let mut changed = false;
    for name in ending {
        if store.all().all(|(key, _)| key.namespace != *name) {
            let kind = kinds::by_kind("", "Namespace").expect("the table has Namespace");
            changed |= store.remove(&Key::new(kind, None, name)).is_some();
        }
    }
    changed
}
