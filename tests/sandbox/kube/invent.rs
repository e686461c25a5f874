//! What the server itself adds to a new object once its ownership is settled, so that nobody owns it.
//!
//! Uid, time of creation, generation; the addresses of Services, the selector of Jobs, the finalizer of Namespaces.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::apply::managers::now;
use super::kinds::{Generation, Kind};
use super::uid;

/// Completes a new object.
pub fn complete(object: &mut Value, kind: &Kind, namespace: Option<&str>) {
    let uid = uid::fresh();
    let metadata = &mut object["metadata"];
    metadata["uid"] = json!(uid);
    metadata["creationTimestamp"] = json!(now());
    if let Some(namespace) = namespace {
        metadata["namespace"] = json!(namespace);
    }
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.remove("deletionTimestamp");
        metadata.remove("generation");
        if kind.generation != Generation::None {
            metadata.insert("generation".to_owned(), json!(1));
        }
    }
    match kind.kind {
        "Namespace" => object["spec"]["finalizers"] = json!(["kubernetes"]),
        "Service" => address(object),
        "Job" => select_by_uid(object, &uid),
        _ => {}
    }
}

fn address(object: &mut Value) {
    static NEXT: AtomicU32 = AtomicU32::new(10);
    if object.pointer("/spec/type").and_then(Value::as_str) == Some("ExternalName") {
        return;
    }
    let spec = &mut object["spec"];
    if spec["clusterIP"].as_str().unwrap_or_default().is_empty() {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        spec["clusterIP"] = json!(format!("10.96.{}.{}", (number >> 8) & 255, number & 255));
    }
    spec["clusterIPs"] = json!([spec["clusterIP"]]);
    spec["ipFamilies"] = json!(["IPv4"]);
    spec["ipFamilyPolicy"] = json!("SingleStack");
}

/// The addresses that a replacement left out stay as they are.
pub fn keep_address(live: &Value, object: &mut Value) {
    for key in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
        if object["spec"][key].is_null() && !live["spec"][key].is_null() {
            object["spec"][key] = live["spec"][key].clone();
        }
    }
}

fn select_by_uid(object: &mut Value, uid: &str) {
    if object.pointer("/spec/manualSelector") == Some(&json!(true)) {
        return;
    }
    let name = object["metadata"]["name"].clone();
    let labels = [
        ("batch.kubernetes.io/controller-uid", json!(uid)),
        ("batch.kubernetes.io/job-name", name.clone()),
        ("controller-uid", json!(uid)),
        ("job-name", name),
    ];
    for (key, value) in labels {
        object["spec"]["template"]["metadata"]["labels"][key] = value;
    }
    // A Job without labels of its own takes those of its template.
    if object["metadata"]["labels"].is_null() {
        object["metadata"]["labels"] = object["spec"]["template"]["metadata"]["labels"].clone();
    }
    object["spec"]["selector"] = json!({"matchLabels": {"batch.kubernetes.io/controller-uid": uid}});
}
