//! The few things read from a live object's metadata, whole object or metadata alone.
//!
//! Called by [`super::claims`], [`super::prune`] and [`super::drift`].

use serde_json::Value;

use super::MANAGER;
use super::applyset::PART_OF;

/// Returns a label of a live object.
pub fn label<'a>(live: &'a Value, key: &str) -> Option<&'a str> {
    live.get("metadata")?.get("labels")?.get(key)?.as_str()
}

/// Returns an annotation of a live object.
pub fn annotation<'a>(live: &'a Value, key: &str) -> Option<&'a str> {
    live.get("metadata")?.get("annotations")?.get(key)?.as_str()
}

/// Returns `metadata.generation`; kinds without a spec have none.
pub fn generation(live: &Value) -> Option<i64> {
    live.get("metadata")?.get("generation")?.as_i64()
}

/// Returns `metadata.resourceVersion`, or nothing.
pub fn resource_version(live: &Value) -> Option<&str> {
    live.get("metadata")?.get("resourceVersion")?.as_str()
}

/// Returns the `managedFields` entry of our own server-side applies.
pub fn our_entry(live: &Value) -> Option<&Value> {
    managers(live).find(|entry| {
        entry.get("manager").and_then(Value::as_str) == Some(MANAGER)
            && entry.get("operation").and_then(Value::as_str) == Some("Apply")
            && entry.get("subresource").and_then(Value::as_str).is_none_or(str::is_empty)
    })
}

/// Iterates over the `managedFields` entries.
pub fn managers(live: &Value) -> impl Iterator<Item = &Value> {
    live.get("metadata")
        .and_then(|metadata| metadata.get("managedFields"))
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// Tells whether the part-of label was put there by an apply of ours: controllers copy labels.
pub fn is_labelled_by_us(live: &Value) -> bool {
    our_entry(live)
        .and_then(|entry| {
            entry.get("fieldsV1")?.get("f:metadata")?.get("f:labels")?.get(format!("f:{PART_OF}"))
        })
        .is_some()
}

/// Returns `Kind/name` of the controller that owns the object.
pub fn controller(live: &Value) -> Option<String> {
    let owners = live.get("metadata")?.get("ownerReferences")?.as_array()?;
    let owner = owners.iter().find(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true))?;
    let text = |key| owner.get(key).and_then(Value::as_str).unwrap_or("?");
    Some(format!("{}/{}", text("kind"), text("name")))
}
