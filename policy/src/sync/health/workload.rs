//! The health of what runs: pods, jobs, and the sets that keep pods.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Status, condition, count, is, reason, text};

/// How long a pod may be unschedulable before that counts as a failure: the scheduler may be late.
const SCHEDULE_GRACE: SignedDuration = SignedDuration::from_secs(15);

pub(super) fn deployment(live: &Value) -> Status {
    let progressing = condition(live, "Progressing");
    if let Some(late) = progressing.filter(|it| text(it, "/reason") == Some("ProgressDeadlineExceeded")) {
        return Status::failed(reason(late));
    }
    let wanted = count(live, "/spec/replicas", 1);
    let total = count(live, "/status/replicas", 0);
    let updated = count(live, "/status/updatedReplicas", 0);
    let ready = count(live, "/status/readyReplicas", 0);
    let available = count(live, "/status/availableReplicas", 0);
    if total < wanted {
        return Status::progress(format!("{total} of {wanted} replicas exist"));
    }
    if updated < wanted {
        return Status::progress(format!("{updated} of {wanted} replicas are updated"));
    }
    if total > wanted {
        return Status::progress(format!("{} replicas are to be stopped", total - wanted));
    }
    if available < updated {
        return Status::progress(format!("{available} of {updated} replicas are available"));
    }
    if ready < wanted {
        return Status::progress(format!("{ready} of {wanted} replicas are ready"));
    }
    // A deadline of none at all leaves the condition out.
    let has_deadline =
        live.pointer("/spec/progressDeadlineSeconds").and_then(Value::as_i64) != Some(i64::from(i32::MAX));
    if has_deadline
        && !progressing
            .is_some_and(|it| text(it, "/reason") == Some("NewReplicaSetAvailable") && is(it, "True"))
    {
        return Status::progress("the new replica set is not available yet");
    }
    if !condition(live, "Available").is_some_and(|it| is(it, "True")) {
        return Status::progress("not available");
    }
    Status::current(format!("{ready} replicas are ready"))
}

pub(super) fn stateful_set(live: &Value) -> Status {
    if text(live, "/spec/updateStrategy/type") == Some("OnDelete") {
        return Status::current("updated on delete");
    }
    let wanted = count(live, "/spec/replicas", 1);
    let total = count(live, "/status/replicas", 0);
    let ready = count(live, "/status/readyReplicas", 0);
    let updated = count(live, "/status/updatedReplicas", 0);
    if total < wanted {
        return Status::progress(format!("{total} of {wanted} replicas exist"));
    }
    if ready < wanted {
        return Status::progress(format!("{ready} of {wanted} replicas are ready"));
    }
    if total > wanted {
        return Status::progress(format!("{} replicas are to be stopped", total - wanted));
    }
    let partition = count(live, "/spec/updateStrategy/rollingUpdate/partition", 0);
    if partition > 0 {
        let due = wanted - partition;
        if updated < due {
            return Status::progress(format!("{updated} of {due} replicas above the partition are updated"));
        }
        return Status::current(format!("{updated} replicas above the partition are updated"));
    }
    let current = count(live, "/status/currentReplicas", 0);
    if current < wanted {
        return Status::progress(format!("{current} of {wanted} replicas are at the current revision"));
    }
    if text(live, "/status/currentRevision") != text(live, "/status/updateRevision") {
        return Status::progress("the update revision is not the current one yet");
    }
    Status::current(format!("{ready} replicas are ready"))
}

pub(super) fn daemon_set(live: &Value) -> Status {
    let wanted = count(live, "/status/desiredNumberScheduled", -1);
    if wanted < 0 || live.pointer("/status/observedGeneration").is_none() {
        return Status::progress("not observed yet");
    }
    for (pointer, what) in [
        ("/status/currentNumberScheduled", "scheduled"),
        ("/status/updatedNumberScheduled", "updated"),
        ("/status/numberAvailable", "available"),
        ("/status/numberReady", "ready"),
    ] {
        // Under `OnDelete` people decide when pods are replaced.
        if what == "updated" && text(live, "/spec/updateStrategy/type") == Some("OnDelete") {
            continue;
        }
        let have = count(live, pointer, 0);
        if have < wanted {
            return Status::progress(format!("{have} of {wanted} pods are {what}"));
        }
    }
    Status::current(format!("{wanted} pods are ready"))
}

pub(super) fn replica_set(live: &Value) -> Status {
    if let Some(failure) = condition(live, "ReplicaFailure").filter(|it| is(it, "True")) {
        return Status::progress(reason(failure));
    }
    let wanted = count(live, "/spec/replicas", 1);
    for (pointer, what) in [
        ("/status/fullyLabeledReplicas", "labelled"),
        ("/status/availableReplicas", "available"),
        ("/status/readyReplicas", "ready"),
    ] {
        let have = count(live, pointer, 0);
        if have < wanted {
            return Status::progress(format!("{have} of {wanted} replicas are {what}"));
        }
    }
    let total = count(live, "/status/replicas", 0);
    if total > wanted {
        return Status::progress(format!("{} replicas are to be stopped", total - wanted));
    }
    Status::current(format!("{wanted} replicas are ready"))
}

pub(super) fn job(live: &Value) -> Status {
    let holds = |kind| condition(live, kind).filter(|it| is(it, "True"));
    if holds("Complete").is_some() {
        return Status::current("complete");
    }
    if let Some(failed) = holds("Failed") {
        return Status::failed(reason(failed));
    }
    if holds("Suspended").is_some() {
        return Status::current("suspended");
    }
    if text(live, "/status/startTime").is_none() {
        return Status::progress("not started yet");
    }
    Status::current(format!("running, {} active", count(live, "/status/active", 0)))
}

pub(super) fn pod(live: &Value, now: Timestamp) -> Status {
    match text(live, "/status/phase") {
        Some("Succeeded") => Status::current("succeeded"),
        Some("Failed") => Status::failed(text(live, "/status/message").unwrap_or("the pod failed")),
        Some("Running") if condition(live, "Ready").is_some_and(|it| is(it, "True")) => {
            Status::current("ready")
        }
        Some("Running") => crashing(live).unwrap_or_else(|| Status::progress("not ready")),
        Some("Pending") => {
            crashing(live).or_else(|| unschedulable(live, now)).unwrap_or_else(|| Status::progress("pending"))
        }
        _ => Status::progress("not observed yet"),
    }
}

fn crashing(live: &Value) -> Option<Status> {
    let lists = ["/status/initContainerStatuses", "/status/containerStatuses"];
    let mut containers = lists.iter().filter_map(|list| live.pointer(list)?.as_array()).flatten();
    let container =
        containers.find(|container| text(container, "/state/waiting/reason") == Some("CrashLoopBackOff"))?;
    Some(Status::failed(format!("container {} crashes in a loop", text(container, "/name").unwrap_or("?"))))
}

fn unschedulable(live: &Value, now: Timestamp) -> Option<Status> {
    let scheduled = condition(live, "PodScheduled").filter(|it| is(it, "False"))?;
    if text(scheduled, "/reason") != Some("Unschedulable") {
        return None;
    }
    let created: Timestamp = text(live, "/metadata/creationTimestamp")?.parse().ok()?;
    let late = now.duration_since(created) > SCHEDULE_GRACE;
    late.then(|| Status::failed(reason(scheduled)))
}
