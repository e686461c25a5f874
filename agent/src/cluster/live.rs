//! Objects as the server returns them, and the `ConfigMap`s of Tidegate's records.
//!
//! Pure conversions; called by [`super::kubernetes`] and [`super::watch`].

use serde_json::{Value, json};
use tidegate_policy::object::{GroupKind, ObjectId};

use super::{LiveMeta, Record, ServedKind};
use crate::error::Failure;

/// Reads what identifies an object. The value is kept whole; `apiVersion` and `kind`, which members of
/// lists lack and partial objects misname, are those of `kind` at `version`.
pub(super) fn live_meta(kind: &ServedKind, version: &str, mut value: Value) -> Result<LiveMeta, Failure> {
    let text = |key: &str| value.get("metadata")?.get(key)?.as_str().map(str::to_owned);
    let (Some(name), Some(uid), Some(resource_version)) =
        (text("name"), text("uid"), text("resourceVersion"))
    else {
        return Err(Failure::bug(format!("the server returns a {} without name, uid or version", kind.kind)));
    };
    let namespace = text("namespace");
    if let Some(object) = value.as_object_mut() {
        object.insert("apiVersion".into(), api_version(&kind.kind, version).into());
        object.insert("kind".into(), kind.kind.kind.clone().into());
    }
    let id = ObjectId { kind: kind.kind.clone(), namespace, name };
    Ok(LiveMeta { id, uid, resource_version, value })
}

/// `apps/v1`, or `v1` in the core group.
fn api_version(kind: &GroupKind, version: &str) -> String {
    if kind.group.is_empty() { version.to_owned() } else { format!("{}/{version}", kind.group) }
}

/// The kind of records.
pub(super) fn config_maps() -> ServedKind {
    ServedKind {
        kind: GroupKind { group: String::new(), kind: "ConfigMap".into() },
        version: "v1".into(),
        versions: vec!["v1".into()],
        plural: "configmaps".into(),
        namespaced: true,
    }
}

/// Writes a record as a ConfigMap.
pub(super) fn config_map(record: &Record, namespace: &str) -> Value {
    let mut metadata = json!({
        "name": record.name,
        "namespace": namespace,
        "labels": record.labels,
        "annotations": record.annotations,
    });
    if let (Some(version), Some(metadata)) = (&record.resource_version, metadata.as_object_mut()) {
        metadata.insert("resourceVersion".into(), version.as_str().into());
    }
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": record.data})
}

/// Reads a ConfigMap as a record.
pub(super) fn record(value: &Value) -> Result<Record, Failure> {
    let metadata = value.get("metadata");
    let map = |parent: Option<&Value>, key: &str| {
        let entries =
            parent.and_then(|parent| parent.get(key)).and_then(Value::as_object).into_iter().flatten();
        entries.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
    };
    let text = |key: &str| metadata?.get(key)?.as_str().map(str::to_owned);
    let (Some(name), Some(version)) = (text("name"), text("resourceVersion")) else {
        return Err(Failure::bug("the server returns a ConfigMap without name or version"));
    };
    Ok(Record {
        name,
        labels: map(metadata, "labels"),
        annotations: map(metadata, "annotations"),
        data: map(Some(value), "data"),
        resource_version: Some(version),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_its_config_map() {
        let text = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        let written = Record {
            name: "tidegate-unit-a".into(),
            labels: text(&[("tidegate.io/unit", "a")]),
            annotations: text(&[("x", "y")]),
            data: text(&[("revision", "abc")]),
            resource_version: Some("7".into()),
        };
        assert_eq!(record(&config_map(&written, "tidegate")).unwrap(), written);
        assert!(config_map(&Record::default(), "tidegate")["metadata"].get("resourceVersion").is_none());
    }

    #[test]
    fn a_partial_object_gets_its_own_kind_back_and_keeps_managed_fields() {
        let value = json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": {
            "name": "a", "namespace": "shop", "uid": "u", "resourceVersion": "1", "managedFields": [{"manager": "m"}]}});
        let live = live_meta(&config_maps(), "v1", value).unwrap();
        assert_eq!((live.id.to_string().as_str(), live.uid.as_str()), ("ConfigMap/shop/a", "u"));
        assert_eq!((&live.value["apiVersion"], &live.value["kind"]), (&json!("v1"), &json!("ConfigMap")));
        assert_eq!(live.value["metadata"]["managedFields"][0]["manager"], "m");
        assert!(live_meta(&config_maps(), "v1", json!({"metadata": {"name": "a"}})).is_err());
    }
}
