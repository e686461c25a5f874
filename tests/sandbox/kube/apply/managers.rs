//! `metadata.managedFields`: who owns which fields, per manager, operation and subresource.
//!
//! Not here: the field sets themselves (`fieldset`), the algorithm that moves them (`apply`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::fieldset::FieldSet;

/// How a field came to be owned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Server-side apply.
    Apply,
    /// Any other write.
    Update,
}

/// One owner. Appliers are the same whatever API version they used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// How.
    pub operation: Operation,
    /// Name.
    pub manager: String,
    /// Version in which it wrote; empty for appliers.
    pub api_version: String,
    /// Subresource, or empty.
    pub subresource: String,
}

impl Owner {
    /// As conflict messages name it.
    pub fn print(&self) -> String {
        let mut text = format!("{:?}", self.manager);
        if !self.subresource.is_empty() {
            text = format!("{text} with subresource {:?}", self.subresource);
        }
        if self.operation == Operation::Update {
            text = format!("{text} using {}", self.api_version);
        }
        text
    }
}

/// What one owner holds, and since when.
#[derive(Clone, Debug, PartialEq)]
pub struct Holding {
    /// The fields.
    pub fields: FieldSet,
    /// RFC 3339, whole seconds.
    pub time: Option<String>,
    /// API version of the entry.
    pub api_version: String,
}

/// All owners of an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Managers(pub BTreeMap<Owner, Holding>);

impl Managers {
    /// Reads the entries of an object.
    pub fn decode(object: &Value) -> Self {
        let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
        let mut managers = BTreeMap::new();
        for entry in entries.into_iter().flatten() {
            let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            let operation = if text("operation") == "Apply" { Operation::Apply } else { Operation::Update };
            let api_version = text("apiVersion");
            let owner = Owner {
                operation,
                manager: text("manager"),
                api_version: if operation == Operation::Apply { String::new() } else { api_version.clone() },
                subresource: text("subresource"),
            };
            let holding = Holding {
                fields: FieldSet::decode(&entry["fieldsV1"]),
                time: Some(text("time")).filter(|time| !time.is_empty()),
                api_version,
            };
            managers.insert(owner, holding);
        }
        Self(managers)
    }

    /// Writes the entries, ordered as the server orders them: appliers first, then by time and name.
    pub fn encode(&self, object: &mut Value) {
        let mut owners: Vec<(&Owner, &Holding)> = self.0.iter().collect();
        owners.sort_by_key(|(owner, holding)| {
            (owner.operation, holding.time.clone(), owner.manager.clone(), owner.subresource.clone())
        });
        let entries: Vec<Value> = owners.into_iter().map(|(owner, holding)| entry(owner, holding)).collect();
        let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
        if entries.is_empty() {
            metadata.remove("managedFields");
        } else {
            metadata.insert("managedFields".to_owned(), Value::Array(entries));
        }
    }

    /// All that anybody holds.
    pub fn everything(&self) -> FieldSet {
        self.0.values().fold(FieldSet::default(), |all, holding| all.union(&holding.fields))
    }

    /// What one owner holds.
    pub fn fields(&self, owner: &Owner) -> FieldSet {
        self.0.get(owner).map(|holding| holding.fields.clone()).unwrap_or_default()
    }

    /// Sets what one owner holds; nothing ends the entry. The time moves only by `touch`.
    pub fn set(&mut self, owner: &Owner, fields: FieldSet, api_version: &str) {
        if fields.is_empty() {
            self.0.remove(owner);
            return;
        }
        let time = self.0.get(owner).and_then(|holding| holding.time.clone());
        let holding = Holding { fields, time, api_version: api_version.to_owned() };
        self.0.insert(owner.clone(), holding);
    }

    /// Marks an owner's entry as written now.
    pub fn touch(&mut self, owner: &Owner) {
        if let Some(holding) = self.0.get_mut(owner) {
            holding.time = Some(now());
        }
    }
}

/// The present in the form of `metav1.Time`.
pub fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn entry(owner: &Owner, holding: &Holding) -> Value {
    let mut entry = Map::new();
    entry.insert("manager".to_owned(), json!(owner.manager));
    let operation = if owner.operation == Operation::Apply { "Apply" } else { "Update" };
    entry.insert("operation".to_owned(), json!(operation));
    entry.insert("apiVersion".to_owned(), json!(holding.api_version));
    if let Some(time) = &holding.time {
        entry.insert("time".to_owned(), json!(time));
    }
    entry.insert("fieldsType".to_owned(), json!("FieldsV1"));
    entry.insert("fieldsV1".to_owned(), holding.fields.encode());
    if !owner.subresource.is_empty() {
        entry.insert("subresource".to_owned(), json!(owner.subresource));
    }
    Value::Object(entry)
}
