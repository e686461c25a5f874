//! The values that the server fills in when an object leaves them out.
//!
//! Only for the kinds that are really used here; not here: what controllers add.

use serde_json::{Value, json};

use super::kinds::Kind;

/// Fills in defaults; doing it twice changes nothing.
pub fn fill(kind: &Kind, object: &mut Value) {
    match kind.kind {
        "Deployment" => deployment(object),
        "ReplicaSet" => {
            put(object, "/spec", "replicas", &json!(1));
            template(object, "/spec/template", "Always");
        }
        "Job" => job(object),
        "CronJob" => cron_job(object),
        "Pod" => pod_spec(object, "/spec", "Always"),
        "Service" => service(object),
        "Secret" => secret(object),
        "Namespace" => namespace(object),
        _ => {}
    }
}

fn put(object: &mut Value, at: &str, key: &str, value: &Value) {
    if let Some(map) = object.pointer_mut(at).and_then(Value::as_object_mut) {
        map.entry(key).or_insert_with(|| value.clone());
    }
}

fn put_all(object: &mut Value, at: &str, values: &[(&str, Value)]) {
    for (key, value) in values {
        put(object, at, key, value);
    }
}

fn deployment(object: &mut Value) {
    put_all(
        object,
        "/spec",
        &[
            ("replicas", json!(1)),
            ("revisionHistoryLimit", json!(10)),
            ("progressDeadlineSeconds", json!(600)),
            ("strategy", json!({})),
        ],
    );
    put(object, "/spec/strategy", "type", &json!("RollingUpdate"));
    if object.pointer("/spec/strategy/type").and_then(Value::as_str) == Some("RollingUpdate") {
        put(object, "/spec/strategy", "rollingUpdate", &json!({}));
        put_all(
            object,
            "/spec/strategy/rollingUpdate",
            &[("maxSurge", json!("25%")), ("maxUnavailable", json!("25%"))],
        );
    }
    template(object, "/spec/template", "Always");
}

fn job(object: &mut Value) {
    put_all(
        object,
        "/spec",
        &[
            ("backoffLimit", json!(6)),
            ("completionMode", json!("NonIndexed")),
            ("completions", json!(1)),
            ("parallelism", json!(1)),
            ("manualSelector", json!(false)),
            ("podReplacementPolicy", json!("TerminatingOrFailed")),
            ("suspend", json!(false)),
        ],
    );
    template(object, "/spec/template", "Always");
}

fn cron_job(object: &mut Value) {
    put_all(
        object,
        "/spec",
        &[
            ("concurrencyPolicy", json!("Allow")),
            ("failedJobsHistoryLimit", json!(1)),
            ("successfulJobsHistoryLimit", json!(3)),
            ("suspend", json!(false)),
        ],
    );
    template(object, "/spec/jobTemplate/spec/template", "Always");
}

fn template(object: &mut Value, at: &str, restart: &str) {
    pod_spec(object, &format!("{at}/spec"), restart);
}

fn pod_spec(object: &mut Value, at: &str, restart: &str) {
    put_all(
        object,
        at,
        &[
            ("dnsPolicy", json!("ClusterFirst")),
            ("restartPolicy", json!(restart)),
            ("schedulerName", json!("default-scheduler")),
            ("securityContext", json!({})),
            ("terminationGracePeriodSeconds", json!(30)),
        ],
    );
    let account = object.pointer(&format!("{at}/serviceAccountName")).cloned();
    if let Some(account) = account {
        put(object, at, "serviceAccount", &account);
    }
    let volumes = object.pointer_mut(&format!("{at}/volumes")).and_then(Value::as_array_mut);
    volumes.into_iter().flatten().for_each(volume);
    for list in ["containers", "initContainers"] {
        let items = object.pointer_mut(&format!("{at}/{list}")).and_then(Value::as_array_mut);
        items.into_iter().flatten().for_each(container);
    }
}

fn volume(volume: &mut Value) {
    for source in ["configMap", "secret", "projected", "downwardAPI"] {
        put(volume, &format!("/{source}"), "defaultMode", &json!(0o644));
    }
    put(volume, "/hostPath", "type", &json!(""));
    if volume.as_object().is_some_and(|map| map.len() == 1) {
        put(volume, "", "emptyDir", &json!({}));
    }
}

fn container(container: &mut Value) {
    let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
    let name = image.rsplit('/').next().unwrap_or_default();
    let floating = !image.contains('@') && (!name.contains(':') || name.ends_with(":latest"));
    put_all(
        container,
        "",
        &[
            ("imagePullPolicy", json!(if floating { "Always" } else { "IfNotPresent" })),
            ("resources", json!({})),
            ("terminationMessagePath", json!("/dev/termination-log")),
            ("terminationMessagePolicy", json!("File")),
        ],
    );
    for port in container.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        put(port, "", "protocol", &json!("TCP"));
    }
    for env in container.get_mut("env").and_then(Value::as_array_mut).into_iter().flatten() {
        put(env, "/valueFrom/fieldRef", "apiVersion", &json!("v1"));
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let at = format!("/{probe}");
        put_all(
            container,
            &at,
            &[
                ("failureThreshold", json!(3)),
                ("periodSeconds", json!(10)),
                ("successThreshold", json!(1)),
                ("timeoutSeconds", json!(1)),
            ],
        );
        put_all(container, &format!("{at}/httpGet"), &[("path", json!("/")), ("scheme", json!("HTTP"))]);
    }
}

fn service(object: &mut Value) {
    put_all(
        object,
        "/spec",
        &[
            ("internalTrafficPolicy", json!("Cluster")),
            ("sessionAffinity", json!("None")),
            ("type", json!("ClusterIP")),
        ],
    );
    let ports = object.pointer_mut("/spec/ports").and_then(Value::as_array_mut);
    for port in ports.into_iter().flatten() {
        put(port, "", "protocol", &json!("TCP"));
        let number = port.get("port").cloned().unwrap_or_default();
        put(port, "", "targetPort", &number);
    }
    put(object, "", "status", &json!({"loadBalancer": {}}));
}

/// Moves `stringData` into `data`, as the server does on every write.
fn secret(object: &mut Value) {
    use base64::Engine as _;
    put(object, "", "type", &json!("Opaque"));
    let Some(plain) = object.as_object_mut().and_then(|map| map.remove("stringData")) else { return };
    put(object, "", "data", &json!({}));
    for (key, value) in plain.as_object().into_iter().flatten() {
        let text = value.as_str().unwrap_or_default();
        object["data"][key] = json!(base64::engine::general_purpose::STANDARD.encode(text));
    }
}

fn namespace(object: &mut Value) {
    put(object, "", "spec", &json!({}));
    put(object, "", "status", &json!({"phase": "Active"}));
    let name = object.pointer("/metadata/name").cloned().unwrap_or_default();
    put(object, "/metadata", "labels", &json!({}));
    put(object, "/metadata/labels", "kubernetes.io/metadata.name", &name);
}
