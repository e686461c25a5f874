//! Whether a live object works, by the rules of kstatus, kind by kind.
//!
//! Source: `sigs.k8s.io/cli-utils/pkg/kstatus` (behaviour, not code). Called by the agent for every
//! event of a watch, and by `tidegate health`.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::object::GroupKind;

mod workload;

/// The health of an object, or of a unit: the worst of its objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Health {
    /// It is as its spec asks.
    Current,
    /// It is being deleted.
    Terminating,
    /// It is on the way.
    InProgress,
    /// It could not be read.
    Unknown,
    /// It does not exist.
    NotFound,
    /// It will not get there by itself.
    Failed,
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A health and the reason for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The health.
    pub health: Health,
    /// The reason, for people.
    pub message: String,
}

impl Status {
    /// Makes a status.
    pub fn new(health: Health, message: impl Into<String>) -> Self {
        Self { health, message: message.into() }
    }

    fn current(message: impl Into<String>) -> Self {
        Self::new(Health::Current, message)
    }

    fn progress(message: impl Into<String>) -> Self {
        Self::new(Health::InProgress, message)
    }

    fn failed(message: impl Into<String>) -> Self {
        Self::new(Health::Failed, message)
    }
}

/// Tells whether the health of a kind is read from more than its metadata.
pub fn needs_content(kind: &GroupKind) -> bool {
    let is_static = match kind.group.as_str() {
        "" => matches!(
            kind.kind.as_str(),
            "ConfigMap" | "Secret" | "ServiceAccount" | "Endpoints" | "LimitRange" | "PodTemplate" | "Event"
        ),
        "rbac.authorization.k8s.io"
        | "scheduling.k8s.io"
        | "node.k8s.io"
        | "admissionregistration.k8s.io" => true,
        "storage.k8s.io" => matches!(kind.kind.as_str(), "StorageClass" | "CSIDriver"),
        "batch" => kind.kind == "CronJob",
        "networking.k8s.io" => matches!(kind.kind.as_str(), "NetworkPolicy" | "IngressClass"),
        _ => false,
    };
    !is_static
}

/// Reads the health of a live object at `now`.
///
/// An object read as metadata alone is current if it exists and is not being deleted.
pub fn status(live: &Value, now: Timestamp) -> Status {
    if text(live, "/metadata/deletionTimestamp").is_some() {
        return Status::new(Health::Terminating, "being deleted");
    }
    if let Some(status) = generation(live).or_else(|| stalled(live)) {
        return status;
    }
    let group =
        text(live, "/apiVersion").and_then(|version| version.split_once('/')).map_or("", |(group, _)| group);
    match (group, text(live, "/kind").unwrap_or_default()) {
        ("apps", "Deployment") => workload::deployment(live),
        ("apps", "StatefulSet") => workload::stateful_set(live),
        ("apps", "DaemonSet") => workload::daemon_set(live),
        ("apps", "ReplicaSet") => workload::replica_set(live),
        ("batch", "Job") => workload::job(live),
        ("", "Pod") => workload::pod(live, now),
        ("", "PersistentVolumeClaim") => volume_claim(live),
        ("", "Namespace") => namespace(live),
        ("", "Service") => service(live),
        ("policy", "PodDisruptionBudget") => budget(live),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(live),
        _ => ready(live),
    }
}

/// A status that was written for an older spec says nothing of this one.
fn generation(live: &Value) -> Option<Status> {
    let wanted = live.pointer("/metadata/generation")?.as_i64()?;
    let seen = live.pointer("/status/observedGeneration")?.as_i64()?;
    (seen != wanted).then(|| Status::progress(format!("generation {wanted} is not observed yet ({seen} is)")))
}

fn stalled(live: &Value) -> Option<Status> {
    if let Some(condition) = condition(live, "Reconciling").filter(|condition| is(condition, "True")) {
        return Some(Status::progress(reason(condition)));
    }
    let condition = condition(live, "Stalled").filter(|condition| is(condition, "True"))?;
    Some(Status::failed(reason(condition)))
}

fn ready(live: &Value) -> Status {
    match condition(live, "Ready") {
        Some(condition) if is(condition, "True") => Status::current("ready"),
        Some(condition) => Status::progress(reason(condition)),
        None => Status::current("exists"),
    }
}

fn volume_claim(live: &Value) -> Status {
    match text(live, "/status/phase") {
        Some("Bound") => Status::current("bound"),
        phase => Status::progress(format!("not bound: phase is {}", phase.unwrap_or("not set"))),
    }
}

fn namespace(live: &Value) -> Status {
    match text(live, "/status/phase") {
        Some("Terminating") => Status::new(Health::Terminating, "being deleted"),
        _ => Status::current("exists"),
    }
}

fn service(live: &Value) -> Status {
    let waits = text(live, "/spec/type") == Some("LoadBalancer")
        && text(live, "/spec/clusterIP").unwrap_or_default().is_empty();
    if waits { Status::progress("no cluster address yet") } else { Status::current("exists") }
}

fn budget(live: &Value) -> Status {
    if live.pointer("/status/observedGeneration").is_none() {
        return Status::progress("not observed yet");
    }
    Status::current("allowed disruptions are computed")
}

fn definition(live: &Value) -> Status {
    if let Some(refused) = condition(live, "NamesAccepted").filter(|condition| is(condition, "False")) {
        return Status::failed(reason(refused));
    }
    match condition(live, "Established") {
        Some(condition) if is(condition, "True") => Status::current("established"),
        Some(condition) if is(condition, "False") && text(condition, "/reason") != Some("Installing") => {
            Status::failed(reason(condition))
        }
        _ => Status::progress("being installed"),
    }
}

fn text<'a>(live: &'a Value, pointer: &str) -> Option<&'a str> {
    live.pointer(pointer)?.as_str()
}

/// Reads a count; what is not there is `missing`.
fn count(live: &Value, pointer: &str, missing: i64) -> i64 {
    live.pointer(pointer).and_then(Value::as_i64).unwrap_or(missing)
}

fn condition<'a>(live: &'a Value, kind: &str) -> Option<&'a Value> {
    let conditions = live.pointer("/status/conditions")?.as_array()?;
    conditions.iter().find(|condition| text(condition, "/type") == Some(kind))
}

fn is(condition: &Value, status: &str) -> bool {
    text(condition, "/status") == Some(status)
}

fn reason(condition: &Value) -> String {
    let get = |pointer| text(condition, pointer).filter(|text| !text.is_empty());
    let message =
        get("/message").or_else(|| get("/reason")).or_else(|| get("/type")).unwrap_or("no reason given");
    message.chars().take(256).collect()
}

#[cfg(test)]
mod tests;
