//! The `scale` subresource: the replicas of a workload under their own door, as autoscalers and `kubectl scale` use it.

use serde_json::{Value, json};

use super::failure::ApiFailure;

/// The Scale of a workload.
pub fn of(object: &Value) -> Value {
    let metadata = &object["metadata"];
    let labels = object.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
    let selector: Vec<String> = labels
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    let mut spec = json!({"replicas": object.pointer("/spec/replicas").cloned().unwrap_or(json!(0))});
    if spec["replicas"] == json!(0) {
        spec = json!({});
    }
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"], "creationTimestamp": metadata["creationTimestamp"],
        },
        "spec": spec,
        "status": {
            "replicas": object.pointer("/status/replicas").cloned().unwrap_or(json!(0)),
            "selector": selector.join(","),
        },
    })
}

/// The workload after its Scale was changed.
pub fn put(object: &Value, scale: &Value) -> Result<Value, ApiFailure> {
    let replicas = scale.pointer("/spec/replicas").cloned().unwrap_or(json!(0));
    if !replicas.is_u64() {
        return Err(ApiFailure::bad_request(format!(
            "spec.replicas must be a natural number, not {replicas}"
        )));
    }
    let mut object = object.clone();
    object["spec"]["replicas"] = replicas;
    if let Some(version) = scale.pointer("/metadata/resourceVersion").filter(|version| version.is_string()) {
        object["metadata"]["resourceVersion"] = version.clone();
    }
    Ok(object)
}
