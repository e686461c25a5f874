//! Server-side apply and the ownership that other writes take: managed fields, conflicts, removal.
//!
//! Works on plain values; not here: storing, versions, generations (`write`).

pub mod fieldset;
pub mod managers;
pub mod merge;
pub mod walk;

use serde_json::{Value, json};

use self::fieldset::FieldSet;
use self::managers::{Managers, Operation, Owner};
use super::failure::ApiFailure;
use super::kinds::Kind;
use super::shape::Shape;

/// Who writes, and through which door.
#[derive(Clone, Debug)]
pub struct Writer {
    /// Field manager.
    pub manager: String,
    /// `status`, `scale` or empty.
    pub subresource: String,
}

impl Writer {
    /// A writer of the main resource.
    pub fn main(manager: &str) -> Self {
        Self { manager: manager.to_owned(), subresource: String::new() }
    }

    /// A writer of the status.
    pub fn status(manager: &str) -> Self {
        Self { manager: manager.to_owned(), subresource: "status".to_owned() }
    }

    fn owner(&self, operation: Operation, kind: &Kind) -> Owner {
        let api_version = match operation {
            Operation::Apply => String::new(),
            Operation::Update => kind.api_version(),
        };
        Owner { operation, manager: self.manager.clone(), api_version, subresource: self.subresource.clone() }
    }

    /// Leaves out the fields that this door resets: they can be neither written nor owned through it.
    fn visible(&self, kind: &Kind, fields: FieldSet) -> FieldSet {
        let fields = match (self.subresource.as_str(), kind.status) {
            ("status", _) => fields.without_tree(&["spec"]).without_tree(&["metadata", "labels"]),
            ("", true) => fields.without_tree(&["status"]),
            _ => fields,
        };
        ["apiVersion", "kind", "metadata"]
            .iter()
            .fold(fields, |fields, name| fields.without(&[name]))
            .without_server_metadata()
    }
}

impl FieldSet {
    fn without_server_metadata(self) -> Self {
        let names = [
            "name",
            "namespace",
            "creationTimestamp",
            "selfLink",
            "uid",
            "generation",
            "managedFields",
            "resourceVersion",
        ];
        names.iter().fold(self, |fields, name| fields.without(&["metadata", name]))
    }
}

/// Applies `config` to `live` (a skeleton when it is new) and returns the merged object with its managed fields.
pub fn apply(
    kind: &Kind,
    live: &Value,
    config: &Value,
    writer: &Writer,
    force: bool,
) -> Result<Value, ApiFailure> {
    let shape = Shape::Granular(kind.fields);
    let (live, mut managers) = without_managed(live);
    let config = without_nulls(config);
    let owner = writer.owner(Operation::Apply, kind);
    if managers.0.is_empty() && live.pointer("/metadata/uid").is_some() {
        let before = Writer::main("before-first-apply");
        take(kind, &skeleton(kind), &live, &before, &mut managers);
    }
    let previous = managers.fields(&owner);
    let fields = writer.visible(kind, walk::field_set(&config, shape));
    managers.set(&owner, fields.clone(), &kind.api_version());
    let mut merged = merge::merge(&live, &config, shape);
    if !previous.is_empty() {
        merged = merge::prune(&merged, &previous, &managers.everything(), shape);
    }
    let comparison = walk::compare(&live, &merged, shape);
    let touched = writer.visible(kind, comparison.modified.union(&comparison.added));
    let conflicts: Vec<(Owner, FieldSet)> = managers
        .0
        .iter()
        .filter(|(other, _)| **other != owner)
        .map(|(other, holding)| (other.clone(), holding.fields.intersection(&touched)))
        .filter(|(_, fields)| !fields.is_empty())
        .collect();
    if !force && !conflicts.is_empty() {
        return Err(conflict(&conflicts));
    }
    let lost = touched.union(&writer.visible(kind, comparison.removed));
    release(&mut managers, &owner, &lost);
    if merged != live {
        managers.touch(&owner);
    }
    managers.encode(&mut merged);
    Ok(merged)
}

/// Gives `writer` the fields in which `new` differs from `live`, and returns `new` with its managed fields.
pub fn update(kind: &Kind, live: &Value, new: &Value, writer: &Writer) -> Value {
    let (live, stored) = without_managed(live);
    let reset = new.pointer("/metadata/managedFields").and_then(Value::as_array).is_some_and(|entries| {
        entries.is_empty() || (entries.len() == 1 && entries.iter().all(|entry| entry == &json!({})))
    });
    let (mut new, sent) = without_managed(new);
    let mut managers = match (reset, writer.subresource.is_empty() && !sent.0.is_empty()) {
        (true, _) => Managers::default(),
        (false, true) => sent,
        (false, false) => stored,
    };
    // Objects whose managed fields were taken away are not tracked again before somebody applies them.
    if live.pointer("/metadata/uid").is_none() || !managers.0.is_empty() {
        take(kind, &live, &new, writer, &mut managers);
    }
    managers.encode(&mut new);
    new
}

fn take(kind: &Kind, live: &Value, new: &Value, writer: &Writer, managers: &mut Managers) {
    let comparison = walk::compare(live, new, Shape::Granular(kind.fields));
    let touched = writer.visible(kind, comparison.modified.union(&comparison.added));
    let removed = writer.visible(kind, comparison.removed);
    let owner = writer.owner(Operation::Update, kind);
    let held = managers.fields(&owner);
    // Fields that this writer held and removes are lost to it as to the others.
    release(managers, &owner, &touched.union(&removed));
    if touched.is_empty() {
        managers.set(&owner, held.difference(&removed), &kind.api_version());
        return;
    }
    managers.set(&owner, held.difference(&removed).union(&touched), &kind.api_version());
    managers.touch(&owner);
}

fn release(managers: &mut Managers, except: &Owner, fields: &FieldSet) {
    for (owner, holding) in &mut managers.0 {
        if owner != except {
            holding.fields = holding.fields.difference(fields);
        }
    }
    managers.0.retain(|_, holding| !holding.fields.is_empty());
}

/// The object that the server compares a new one with: sections that always exist are not "added".
pub fn skeleton(kind: &Kind) -> Value {
    let mut object = json!({"apiVersion": kind.api_version(), "kind": kind.kind, "metadata": {}});
    let template = json!({"metadata": {}, "spec": {"containers": []}});
    match kind.kind {
        "Deployment" => object["spec"] = json!({"strategy": {}, "template": template}),
        "ReplicaSet" | "Job" => object["spec"] = json!({"template": template}),
        "CronJob" => {
            object["spec"] = json!({"jobTemplate": {"metadata": {}, "spec": {"template": template}}});
        }
        "Pod" => object["spec"] = json!({"containers": []}),
        "Role" => object["rules"] = json!([]),
        "Namespace" | "Service" | "Lease" => object["spec"] = json!({}),
        _ => {}
    }
    if kind.status {
        object["status"] = json!({});
    }
    object
}

fn without_managed(object: &Value) -> (Value, Managers) {
    let managers = Managers::decode(object);
    let mut bare = object.clone();
    if let Some(metadata) = bare.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    (bare, managers)
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(_, inner)| !inner.is_null())
            .map(|(name, inner)| (name.clone(), without_nulls(inner)))
            .collect(),
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

fn conflict(conflicts: &[(Owner, FieldSet)]) -> ApiFailure {
    let causes: Vec<(String, String)> = conflicts
        .iter()
        .flat_map(|(owner, fields)| fields.printed().into_iter().map(|path| (owner.print(), path)))
        .collect();
    let message = match causes.as_slice() {
        [(owner, path)] => format!("Apply failed with 1 conflict: conflict with {owner}: {path}"),
        many => {
            let mut lines = Vec::new();
            for (owner, fields) in conflicts {
                lines.push(format!("conflicts with {}:", owner.print()));
                lines.extend(fields.printed().iter().map(|path| format!("- {path}")));
            }
            format!("Apply failed with {} conflicts: {}", many.len(), lines.join("\n"))
        }
    };
    let causes: Vec<Value> = causes
        .iter()
        .map(|(owner, path)| {
            json!({
                "reason": "FieldManagerConflict",
                "message": format!("conflict with {owner}"),
                "field": path,
            })
        })
        .collect();
    ApiFailure::apply_conflict(message, &causes)
}
