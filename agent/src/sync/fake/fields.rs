//! Field ownership in the fake: paths of leaves, kept in `managedFields` as the server keeps them.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::conflict;
use crate::cluster::FieldConflict;

type Paths = BTreeSet<Vec<String>>;

/// Lists what can be owned of an object: labels, annotations, and all outside metadata.
pub(super) fn leaves(object: &Value) -> Paths {
    let mut paths = Paths::new();
    walk(object, &mut Vec::new(), &mut paths);
    paths.retain(|path| match path[0].as_str() {
        "apiVersion" | "kind" => false,
        "metadata" => {
            matches!(path.get(1).map(String::as_str), Some("labels" | "annotations")) && path.len() > 2
        }
        _ => true,
    });
    paths
}

fn walk(value: &Value, path: &mut Vec<String>, paths: &mut Paths) {
    match value.as_object().filter(|map| !map.is_empty()) {
        Some(map) => {
            for (key, value) in map {
                path.push(key.clone());
                walk(value, path, paths);
                path.pop();
            }
        }
        None if !path.is_empty() => drop(paths.insert(path.clone())),
        None => {}
    }
}

pub(super) fn leaf<'a>(object: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, key| value.get(key))
}

pub(super) fn set_leaf(object: &mut Value, path: &[String], value: Value) {
    let place = path.iter().fold(object, |object, key| {
        if !object.is_object() {
            *object = Value::Object(Map::new());
        }
        &mut object[key.as_str()]
    });
    *place = value;
}

pub(super) fn unset_leaf(object: &mut Value, path: &[String]) {
    let (last, parents) = path.split_last().expect("a leaf has a name");
    let parent = parents.iter().try_fold(object, |object, key| object.get_mut(key));
    if let Some(parent) = parent.and_then(Value::as_object_mut) {
        parent.remove(last);
    }
}

pub(super) fn entry(manager: &str, operation: &str, subresource: Option<&str>, paths: &Paths) -> Value {
    let mut fields = json!({});
    for path in paths {
        let path: Vec<String> = path.iter().map(|key| format!("f:{key}")).collect();
        set_leaf(&mut fields, &path, json!({}));
    }
    let mut entry =
        json!({"manager": manager, "operation": operation, "fieldsType": "FieldsV1", "fieldsV1": fields});
    if let Some(subresource) = subresource {
        entry["subresource"] = subresource.into();
    }
    entry
}

fn paths(entry: &Value) -> Paths {
    let mut found = Paths::new();
    walk(&entry["fieldsV1"], &mut Vec::new(), &mut found);
    found.into_iter().map(|path| path.iter().map(|key| key[2..].to_owned()).collect()).collect()
}

fn managers(object: &Value) -> Vec<Value> {
    object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default()
}

pub(super) fn of_manager(object: &Value, manager: &str, operation: &str) -> Paths {
    let is_it = |entry: &&Value| entry["manager"] == manager && entry["operation"] == operation;
    managers(object).iter().find(is_it).map(paths).unwrap_or_default()
}

/// Takes fields from everybody.
pub(super) fn disown(object: &mut Value, taken: &Paths) {
    let rewrite = |mut old: Value| {
        let left: Paths = paths(&old).difference(taken).cloned().collect();
        let new = entry("", "", None, &left);
        old["fieldsV1"] = new["fieldsV1"].clone();
        (!left.is_empty()).then_some(old)
    };
    object["metadata"]["managedFields"] = managers(object).into_iter().filter_map(rewrite).collect();
}

/// Makes fields ours, and no others.
pub(super) fn own(object: &mut Value, wanted: &Paths) {
    let is_other = |entry: &Value| !(entry["manager"] == "tidegate" && entry["operation"] == "Apply");
    let mut all: Vec<Value> = managers(object).into_iter().filter(is_other).collect();
    all.insert(0, entry("tidegate", "Apply", None, wanted));
    object["metadata"]["managedFields"] = all.into();
}

/// Lists wanted fields that others hold at another value.
pub(super) fn conflicts(live: &Value, object: &Value, wanted: &Paths) -> Vec<FieldConflict> {
    let mut found = Vec::new();
    for entry in managers(live) {
        let manager = entry["manager"].as_str().unwrap_or_default();
        if manager == "tidegate" && entry["operation"] == "Apply" {
            continue;
        }
        for path in paths(&entry).intersection(wanted) {
            if leaf(live, path) != leaf(object, path) {
                found.push(conflict(path, manager, entry["subresource"].as_str()));
            }
        }
    }
    found
}
