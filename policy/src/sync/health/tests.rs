use serde_json::json;

use super::*;

const NOW: &str = "2026-01-01T12:00:00Z";

#[track_caller]
fn check(live: &Value, expect: &str) {
    let status = status(live, NOW.parse().unwrap());
    assert_eq!(format!("{}: {}", status.health, status.message), expect);
}

/// A Deployment as the server shows it once it is rolled out, with `more` merged into its status.
fn deployment(more: &Value) -> Value {
    let mut live = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "generation": 3},
        "spec": {"replicas": 2, "progressDeadlineSeconds": 600},
        "status": {
            "observedGeneration": 3, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2,
            "conditions": [
                {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable",
                 "message": "Deployment has minimum availability."},
                {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable",
                 "message": "ReplicaSet \"web-5d5\" has successfully progressed."},
            ],
        },
    });
    for (key, value) in more.as_object().unwrap() {
        live["status"][key] = value.clone();
    }
    live
}

#[test]
fn a_deployment_is_current_when_all_replicas_are_updated_and_ready() {
    check(&deployment(&json!({})), "Current: 2 replicas are ready");
    check(
        &deployment(&json!({"observedGeneration": 2})),
        "InProgress: generation 3 is not observed yet (2 is)",
    );
    check(
        &deployment(&json!({"updatedReplicas": 1, "replicas": 3})),
        "InProgress: 1 of 2 replicas are updated",
    );
    check(&deployment(&json!({"replicas": 3})), "InProgress: 1 replicas are to be stopped");
    check(&deployment(&json!({"availableReplicas": 1})), "InProgress: 1 of 2 replicas are available");
    check(&deployment(&json!({"readyReplicas": 1})), "InProgress: 1 of 2 replicas are ready");
    check(&deployment(&json!({"conditions": []})), "InProgress: the new replica set is not available yet");
}

#[test]
fn a_deployment_that_was_just_created_is_in_progress() {
    let mut live = deployment(&json!({}));
    live["status"] = json!({});
    check(&live, "InProgress: 0 of 2 replicas exist");
}

#[test]
fn a_deployment_past_its_deadline_has_failed() {
    let late = json!([{
        "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
        "message": "ReplicaSet \"web-5d5\" has timed out progressing.",
    }]);
    check(
        &deployment(&json!({"conditions": late, "updatedReplicas": 1})),
        "Failed: ReplicaSet \"web-5d5\" has timed out progressing.",
    );
}

#[test]
fn an_object_being_deleted_is_terminating() {
    let mut live = deployment(&json!({}));
    live["metadata"]["deletionTimestamp"] = NOW.into();
    check(&live, "Terminating: being deleted");
}

#[test]
fn a_stateful_set_is_current_when_its_revision_is_rolled_out() {
    let live = |status: Value, spec: Value| json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"generation": 1}, "spec": spec, "status": status});
    let done = json!({"observedGeneration": 1, "replicas": 2, "readyReplicas": 2, "currentReplicas": 2, "updatedReplicas": 2,
        "currentRevision": "a", "updateRevision": "a"});
    check(&live(done.clone(), json!({"replicas": 2})), "Current: 2 replicas are ready");
    let mut rolling = done.clone();
    rolling["updateRevision"] = "b".into();
    rolling["currentReplicas"] = 1.into();
    check(
        &live(rolling.clone(), json!({"replicas": 2})),
        "InProgress: 1 of 2 replicas are at the current revision",
    );
    rolling["updatedReplicas"] = 1.into();
    let partition = json!({"replicas": 2, "updateStrategy": {"rollingUpdate": {"partition": 1}}});
    check(&live(rolling, partition), "Current: 1 replicas above the partition are updated");
    check(&live(json!({}), json!({"updateStrategy": {"type": "OnDelete"}})), "Current: updated on delete");
}

#[test]
fn a_daemon_set_is_current_when_every_node_has_the_new_pod() {
    let live = |status: Value| json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"generation": 1}, "spec": {}, "status": status});
    let done = json!({"observedGeneration": 1, "desiredNumberScheduled": 3, "currentNumberScheduled": 3,
        "updatedNumberScheduled": 3, "numberAvailable": 3, "numberReady": 3});
    check(&live(done.clone()), "Current: 3 pods are ready");
    let mut rolling = done;
    rolling["updatedNumberScheduled"] = 1.into();
    check(&live(rolling), "InProgress: 1 of 3 pods are updated");
    check(&live(json!({})), "InProgress: not observed yet");
}

#[test]
fn a_replica_set_is_current_when_all_replicas_are_ready() {
    let live = |status: Value| json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "spec": {"replicas": 1}, "status": status});
    check(
        &live(json!({"replicas": 1, "fullyLabeledReplicas": 1, "availableReplicas": 1, "readyReplicas": 1})),
        "Current: 1 replicas are ready",
    );
    check(
        &live(json!({"replicas": 1, "fullyLabeledReplicas": 1})),
        "InProgress: 0 of 1 replicas are available",
    );
    let failure =
        json!({"conditions": [{"type": "ReplicaFailure", "status": "True", "message": "quota exceeded"}]});
    check(&live(failure), "InProgress: quota exceeded");
}

#[test]
fn a_job_is_current_while_it_runs_and_when_it_is_complete() {
    let live = |status: Value| json!({"apiVersion": "batch/v1", "kind": "Job", "status": status});
    check(&live(json!({})), "InProgress: not started yet");
    check(&live(json!({"startTime": NOW, "active": 1})), "Current: running, 1 active");
    check(
        &live(json!({"startTime": NOW, "conditions": [{"type": "Complete", "status": "True"}]})),
        "Current: complete",
    );
    let failed = json!([{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded",
        "message": "Job has reached the specified backoff limit"}]);
    check(
        &live(json!({"startTime": NOW, "conditions": failed})),
        "Failed: Job has reached the specified backoff limit",
    );
    check(&json!({"apiVersion": "batch/v1", "kind": "CronJob", "status": {}}), "Current: exists");
}

#[test]
fn a_pod_in_a_crash_loop_has_failed() {
    let live = |status: Value| json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"creationTimestamp": "2026-01-01T11:59:50Z"}, "status": status});
    check(
        &live(json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]})),
        "Current: ready",
    );
    let crashing = json!([{"name": "web", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]);
    check(
        &live(json!({"phase": "Running", "containerStatuses": crashing})),
        "Failed: container web crashes in a loop",
    );
    check(&live(json!({"phase": "Succeeded"})), "Current: succeeded");
    check(&live(json!({"phase": "Failed"})), "Failed: the pod failed");
    let unschedulable = json!({"phase": "Pending", "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available"}]});
    check(&live(unschedulable.clone()), "InProgress: pending");
    let mut old = live(unschedulable);
    old["metadata"]["creationTimestamp"] = "2026-01-01T11:00:00Z".into();
    check(&old, "Failed: 0/3 nodes are available");
}

#[test]
fn the_remaining_kinds_have_their_own_rules() {
    check(
        &json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "status": {"phase": "Bound"}}),
        "Current: bound",
    );
    check(
        &json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "status": {"phase": "Pending"}}),
        "InProgress: not bound: phase is Pending",
    );
    check(&json!({"apiVersion": "v1", "kind": "Service", "spec": {"type": "ClusterIP"}}), "Current: exists");
    check(
        &json!({"apiVersion": "v1", "kind": "Service", "spec": {"type": "LoadBalancer"}}),
        "InProgress: no cluster address yet",
    );
    check(
        &json!({"apiVersion": "v1", "kind": "Namespace", "status": {"phase": "Terminating"}}),
        "Terminating: being deleted",
    );
    check(&json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget"}), "InProgress: not observed yet");
    let definition = |conditions: Value| json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "status": {"conditions": conditions}});
    check(&definition(json!([{"type": "Established", "status": "True"}])), "Current: established");
    check(&definition(json!([])), "InProgress: being installed");
    check(
        &definition(json!([{"type": "NamesAccepted", "status": "False", "message": "taken"}])),
        "Failed: taken",
    );
}

#[test]
fn a_custom_resource_is_judged_by_its_conditions() {
    let live = |conditions: Value| json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"generation": 2}, "status": {"conditions": conditions}});
    check(&live(json!([])), "Current: exists");
    check(&live(json!([{"type": "Ready", "status": "True"}])), "Current: ready");
    check(
        &live(json!([{"type": "Ready", "status": "False", "message": "no database"}])),
        "InProgress: no database",
    );
    check(&live(json!([{"type": "Stalled", "status": "True", "reason": "BadSpec"}])), "Failed: BadSpec");
    check(
        &live(json!([{"type": "Stalled", "status": "True"}, {"type": "Reconciling", "status": "True"}])),
        "InProgress: Reconciling",
    );
}

#[test]
fn the_worst_object_makes_the_health_of_a_unit() {
    let order = [
        Health::Current,
        Health::Terminating,
        Health::InProgress,
        Health::Unknown,
        Health::NotFound,
        Health::Failed,
    ];
    assert!(order.is_sorted());
}

#[test]
fn metadata_alone_is_enough_for_kinds_without_a_status() {
    let kind = |group: &str, kind: &str| GroupKind { group: group.into(), kind: kind.into() };
    assert!(!needs_content(&kind("", "ConfigMap")) && !needs_content(&kind("", "Secret")));
    assert!(needs_content(&kind("apps", "Deployment")) && needs_content(&kind("example.com", "Widget")));
    check(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}), "Current: exists");
}
