//! Create, replace, patch and apply: one object, from its old state to its new one.
//!
//! Fills in what the server owns (uid, creation time, generation, managed fields), keeps sections apart that have
//! their own door (`status`), refuses stale writes. Not here: deletion (`delete`), HTTP (`routes`).

use std::sync::Arc;

use serde_json::{Value, json};

use super::apply::{self, Writer};
use super::check;
use super::decode::{self, Unknown};
use super::defaults;
use super::failure::ApiFailure;
use super::invent;
use super::kinds::{self, Generation, Kind};
use super::store::{Key, Store};

/// How a write is meant.
#[derive(Clone, Debug)]
pub struct Write {
    /// Who writes, through which door.
    pub writer: Writer,
    /// Everything but storing.
    pub dry_run: bool,
    /// What to do with unknown fields.
    pub unknown: Unknown,
}

impl Write {
    /// A plain write of the main resource.
    pub fn by(manager: &str) -> Self {
        Self { writer: Writer::main(manager), dry_run: false, unknown: Unknown::Drop }
    }

    /// A write of the status.
    pub fn status_by(manager: &str) -> Self {
        Self { writer: Writer::status(manager), ..Self::by(manager) }
    }
}

/// The outcome of a write.
pub struct Written {
    /// The object as stored (or as it would be).
    pub object: Arc<Value>,
    /// Whether it is new.
    pub created: bool,
}

/// Creates an object.
pub fn create(
    store: &mut Store,
    kind: &Kind,
    namespace: Option<&str>,
    body: Value,
    write: &Write,
) -> Result<Written, ApiFailure> {
    let mut object = decode::object(kind, body, write.unknown)?;
    generate_name(store, &mut object);
    let name = name_of(&object);
    let key = Key::new(kind, namespace, &name);
    if object.pointer("/metadata/resourceVersion").is_some_and(|version| version != "") {
        let failure = ApiFailure::internal("resourceVersion should not be set on objects to be created");
        return Err(ApiFailure { reason: "", ..failure });
    }
    let mut object = settle_new(store, kind, namespace, object)?;
    if store.get(&key).is_some() {
        return Err(ApiFailure::exists(kind, &name));
    }
    object = apply::update(kind, &apply::skeleton(kind), &object, &write.writer);
    invent::complete(&mut object, kind, namespace);
    check::object(kind, &object, None)?;
    Ok(Written { object: keep(store, &key, object, write), created: true })
}

/// Replaces an object; a resourceVersion in the body must be the present one.
pub fn replace(
    store: &mut Store,
    kind: &Kind,
    namespace: Option<&str>,
    name: &str,
    body: Value,
    write: &Write,
) -> Result<Written, ApiFailure> {
    let mut object = decode::object(kind, body, write.unknown)?;
    let key = Key::new(kind, namespace, name);
    let sent = name_of(&object);
    if sent != name {
        return Err(ApiFailure::bad_request(format!(
            "the name of the object ({sent}) does not match the name on the URL ({name})"
        )));
    }
    let Some(live) = store.get(&key).cloned() else { return Err(ApiFailure::not_found(kind, name)) };
    check_unchanged(kind, name, &live, &object)?;
    settle_change(kind, &live, &mut object, write);
    let object = apply::update(kind, &live, &object, &write.writer);
    finish(store, kind, &key, &live, object, write)
}

/// Changes an object by `patch` (its JSON after the patch is what `change` returns).
pub fn patch(
    store: &mut Store,
    kind: &Kind,
    namespace: Option<&str>,
    name: &str,
    write: &Write,
    change: impl FnOnce(&Value) -> Result<Value, ApiFailure>,
) -> Result<Written, ApiFailure> {
    let key = Key::new(kind, namespace, name);
    let Some(live) = store.get(&key).cloned() else { return Err(ApiFailure::not_found(kind, name)) };
    let patched = change(&live)?;
    replace(store, kind, namespace, name, patched, write).map_err(|failure| match failure {
        // What cannot be read after a patch is the patch's fault.
        ApiFailure { code: 400, message, .. } if is_unreadable(&message) => {
            ApiFailure::invalid_patch(&message)
        }
        other => other,
    })
}

/// Server-side apply; creates what is not there.
pub fn apply(
    store: &mut Store,
    kind: &Kind,
    namespace: Option<&str>,
    name: &str,
    body: Value,
    force: bool,
    write: &Write,
) -> Result<Written, ApiFailure> {
    if body.pointer("/metadata/managedFields").is_some_and(|fields| !fields.is_null()) {
        return Err(ApiFailure::bad_request("metadata.managedFields must be nil"));
    }
    let mut config = decode::applied(kind, body)?;
    match config.pointer("/metadata/name").and_then(Value::as_str) {
        Some(given) if given != name => {
            return Err(ApiFailure::bad_request(format!(
                "the name of the object ({given}) does not match the name on the URL ({name})"
            )));
        }
        _ => config["metadata"]["name"] = json!(name),
    }
    let key = Key::new(kind, namespace, name);
    let Some(live) = store.get(&key).cloned() else {
        if !write.writer.subresource.is_empty() {
            return Err(ApiFailure::not_found(kind, name));
        }
        // A version in the configuration does not keep the real server from creating, either.
        let merged = apply::apply(kind, &apply::skeleton(kind), &config, &write.writer, force)?;
        let mut object = settle_new(store, kind, namespace, merged)?;
        invent::complete(&mut object, kind, namespace);
        check::object(kind, &object, None)?;
        return Ok(Written { object: keep(store, &key, object, write), created: true });
    };
    check_unchanged(kind, name, &live, &config)?;
    if let Some(metadata) = config["metadata"].as_object_mut() {
        metadata.retain(|field, _| !matches!(field.as_str(), "uid" | "resourceVersion" | "generation"));
    }
    let mut object = apply::apply(kind, &live, &config, &write.writer, force)?;
    settle_change(kind, &live, &mut object, write);
    finish(store, kind, &key, &live, object, write)
}

fn is_unreadable(message: &str) -> bool {
    message.starts_with("strict decoding error") || message.contains("cannot be handled as")
}

fn name_of(object: &Value) -> String {
    object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn generate_name(store: &Store, object: &mut Value) {
    if !name_of(object).is_empty() {
        return;
    }
    let prefix = object.pointer("/metadata/generateName").and_then(Value::as_str).map(str::to_owned);
    if let Some(prefix) = prefix {
        object["metadata"]["name"] = json!(format!("{prefix}{:05x}", store.version()));
    }
}

/// What holds for every new object: its namespace exists and lives; it has no status yet; defaults are there.
fn settle_new(
    store: &Store,
    kind: &Kind,
    namespace: Option<&str>,
    mut object: Value,
) -> Result<Value, ApiFailure> {
    if let Some(namespace) = namespace {
        let given = object.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or(namespace);
        if given != namespace {
            return Err(ApiFailure::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        let spaces = kinds::by_kind("", "Namespace").expect("the table has Namespace");
        let Some(space) = store.get(&Key::new(spaces, None, namespace)) else {
            return Err(ApiFailure::not_found(spaces, namespace));
        };
        if space.pointer("/metadata/deletionTimestamp").is_some() {
            let why = format!(
                "unable to create new content in namespace {namespace} because it is being terminated"
            );
            return Err(ApiFailure::forbidden(kind, &name_of(&object), &why));
        }
    }
    if kind.status {
        object["status"] = json!({});
    }
    defaults_and_tidy(kind, &mut object);
    Ok(object)
}

fn defaults_and_tidy(kind: &Kind, object: &mut Value) {
    if (kind.kind == "Namespace" || kind.kind == "Service")
        && let Some(map) = object.as_object_mut()
        && map.get("status") == Some(&json!({}))
    {
        map.remove("status");
    }
    defaults::fill(kind, object);
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for key in ["labels", "annotations", "finalizers", "ownerReferences"] {
            if metadata.get(key).is_some_and(is_hollow) {
                metadata.remove(key);
            }
        }
    }
    if let Some(map) = object.as_object_mut() {
        for key in ["data", "binaryData"] {
            if map.get(key).is_some_and(is_hollow) {
                map.remove(key);
            }
        }
    }
}

fn is_hollow(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn check_unchanged(kind: &Kind, name: &str, live: &Value, sent: &Value) -> Result<(), ApiFailure> {
    let differs = |pointer: &str| {
        let given = sent.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        !given.is_empty() && Some(given) != live.pointer(pointer).and_then(Value::as_str)
    };
    if differs("/metadata/uid") {
        let why = format!(
            "Precondition failed: UID in precondition: {}, UID in object meta: {}",
            sent["metadata"]["uid"].as_str().unwrap_or_default(),
            live["metadata"]["uid"].as_str().unwrap_or_default()
        );
        return Err(ApiFailure::conflict(kind, name, &why));
    }
    if differs("/metadata/resourceVersion") {
        let why =
            "the object has been modified; please apply your changes to the latest version and try again";
        return Err(ApiFailure::conflict(kind, name, why));
    }
    Ok(())
}

/// Takes the sections that this door does not open, and the metadata that the server owns, from the live object.
fn settle_change(kind: &Kind, live: &Value, object: &mut Value, write: &Write) {
    if write.writer.subresource == "status" {
        let mut kept = live.clone();
        {
            let key = "status";
            set_or_remove(&mut kept, key, object.get(key).cloned());
        }
        let annotations = object.pointer("/metadata/annotations").cloned();
        set_or_remove(&mut kept["metadata"], "annotations", annotations);
        let managed = object.pointer("/metadata/managedFields").cloned();
        set_or_remove(&mut kept["metadata"], "managedFields", managed);
        *object = kept;
    } else {
        if kind.status {
            set_or_remove(object, "status", live.get("status").cloned());
        }
        for key in
            ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"]
        {
            set_or_remove(&mut object["metadata"], key, live["metadata"].get(key).cloned());
        }
        set_or_remove(&mut object["metadata"], "namespace", live["metadata"].get("namespace").cloned());
        if kind.kind == "Service" {
            invent::keep_address(live, object);
        }
        defaults_and_tidy(kind, object);
    }
    set_or_remove(
        &mut object["metadata"],
        "resourceVersion",
        live["metadata"].get("resourceVersion").cloned(),
    );
}

fn set_or_remove(object: &mut Value, key: &str, value: Option<Value>) {
    if let Some(map) = object.as_object_mut() {
        match value {
            Some(value) => map.insert(key.to_owned(), value),
            None => map.remove(key),
        };
    }
}

fn finish(
    store: &mut Store,
    kind: &Kind,
    key: &Key,
    live: &Arc<Value>,
    mut object: Value,
    write: &Write,
) -> Result<Written, ApiFailure> {
    check::object(kind, &object, Some(live))?;
    if write.writer.subresource != "status" && moves_generation(kind, live, &object) {
        let next = live.pointer("/metadata/generation").and_then(Value::as_u64).unwrap_or(0) + 1;
        object["metadata"]["generation"] = json!(next);
    }
    if object == **live {
        return Ok(Written { object: live.clone(), created: false });
    }
    let object = keep(store, key, object, write);
    let ends = object.pointer("/metadata/deletionTimestamp").is_some()
        && object.pointer("/metadata/finalizers").is_none()
        && kind.kind != "Namespace";
    if ends && !write.dry_run {
        store.remove(key);
    }
    Ok(Written { object, created: false })
}

fn moves_generation(kind: &Kind, old: &Value, new: &Value) -> bool {
    let rest = |object: &Value| -> Value {
        let fields = object.as_object().into_iter().flatten();
        fields
            .filter(|(name, _)| !matches!(name.as_str(), "metadata" | "status"))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    match kind.generation {
        Generation::None => false,
        Generation::Spec => rest(old) != rest(new),
        Generation::SpecAndAnnotations => {
            let notes = |object: &Value| object.pointer("/metadata/annotations").cloned();
            rest(old) != rest(new) || notes(old) != notes(new)
        }
    }
}

fn keep(store: &mut Store, key: &Key, object: Value, write: &Write) -> Arc<Value> {
    if write.dry_run { Arc::new(object) } else { store.put(key, object) }
}
