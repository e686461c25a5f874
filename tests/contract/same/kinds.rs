//! Every kind that the sandbox shares with agents and demo: created, applied, patched, replaced.

use serde_json::{Value, json};

use super::Story;

const CORE: &str = "/api/v1/namespaces/{ns}";
const APPS: &str = "/apis/apps/v1/namespaces/{ns}";
const BATCH: &str = "/apis/batch/v1/namespaces/{ns}";

fn template() -> Value {
    json!({
        "metadata": {"labels": {"app": "web"}},
        "spec": {
            "containers": [{
                "name": "app", "image": "example.org/web:1.2",
                "ports": [{"containerPort": 8080, "name": "http"}],
                "env": [{"name": "A", "value": "1"}],
                "readinessProbe": {"httpGet": {"port": 8080}},
                "resources": {"limits": {"cpu": "1", "memory": "64Mi"}},
                "volumeMounts": [{"name": "data", "mountPath": "/data"}],
            }],
            "initContainers": [{"name": "init", "image": "busybox"}],
            "volumes": [{"name": "data", "emptyDir": {}}, {"name": "conf", "configMap": {"name": "c"}}],
        },
    })
}

fn web() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": template()},
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_created_deployment_is_patched_in_every_way() {
    let one = format!("{APPS}/deployments/web");
    let at = |manager: &str| format!("{one}?fieldManager={manager}");
    Story::new()
        .post(&format!("{APPS}/deployments?fieldManager=maker"), web())
        .merge(&at("editor"), json!({"spec": {"minReadySeconds": 3, "revisionHistoryLimit": 2}}))
        .strategic(
            &at("patcher"),
            json!({"spec": {"template": {"spec": {"containers": [
                {"name": "app", "image": "example.org/web:1.3", "env": [{"name": "B", "value": "2"}]},
                {"name": "side", "image": "example.org/side@sha256:\
                  0000000000000000000000000000000000000000000000000000000000000000"},
            ]}}}}),
        )
        .strategic(
            &at("patcher"),
            json!({"spec": {"template": {"spec": {"containers": [{"name": "side", "$patch": "delete"}]}}}}),
        )
        .put(
            &at("putter"),
            json!({"spec": {"paused": true, "template": {"spec": {"nodeSelector": {"a": "b"}}}}}),
        )
        .put(&at("putter"), json!({"metadata": {"annotations": {"note": "x"}}}))
        .put(&at("putter"), json!({"metadata": {"annotations": {"note": "x"}}}))
        .apply(&one, "fieldManager=applier", web())
        .apply(&one, "fieldManager=applier&force=true", web())
        .get(&format!("{one}/scale"))
        .merge(&format!("{one}/scale?fieldManager=scaler"), json!({"spec": {"replicas": 0}}))
        .check("created-deployment")
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_applied_deployment_changes_shape() {
    let one = format!("{APPS}/deployments/web");
    let alice = "fieldManager=alice&fieldValidation=Strict";
    let mut recreate = web();
    recreate["spec"]["strategy"] = json!({"type": "Recreate"});
    let mut rolling = web();
    rolling["spec"]["strategy"] = json!({"rollingUpdate": {"maxSurge": 1}});
    let mut bare = web();
    bare["spec"]["template"]["spec"] = json!({"containers": [{"name": "app", "image": "b"}]});
    Story::new()
        .apply(&one, alice, web())
        .apply(&one, alice, rolling)
        .apply(&one, alice, web())
        .apply(&one, alice, bare)
        .apply(&one, alice, recreate)
        .apply(&one, alice, web())
        .check("applied-deployment")
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_and_their_ports() {
    let one = format!("{CORE}/services/web");
    let service = |ports: Value| {
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
            "spec": {"selector": {"app": "web"}, "ports": ports},
        })
    };
    let headless = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "headless"},
        "spec": {"clusterIP": "None", "selector": {"app": "web"}, "ports": [{"port": 80}]},
    });
    Story::new()
        .apply(&one, "fieldManager=alice", service(json!([{"port": 80, "name": "http"}])))
        .apply(
            &one,
            "fieldManager=bob",
            service(json!([{"port": 443, "name": "https", "targetPort": "tls"}])),
        )
        .apply(&one, "fieldManager=alice", service(json!([{"port": 81, "name": "http"}])))
        .merge(&format!("{one}?fieldManager=me"), json!({"spec": {"sessionAffinity": "None"}}))
        .put(&format!("{one}?fieldManager=me"), json!({"spec": {"selector": {"more": "x"}}}))
        .post(&format!("{CORE}/services?fieldManager=maker"), headless)
        .check("services")
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cron_jobs_and_jobs() {
    let job = json!({"template": {"spec": {
        "restartPolicy": "Never", "containers": [{"name": "c", "image": "example.org/job:1"}],
    }}});
    let cron = json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "tick"},
        "spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": job}},
    });
    let mut once = json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once"}, "spec": job,
    });
    once["spec"]["suspend"] = json!(true);
    let mut image = cron.clone();
    *image.pointer_mut("/spec/jobTemplate/spec/template/spec/containers/0/image").expect("an image") =
        json!("example.org/job:2");
    Story::new()
        .apply(&format!("{BATCH}/cronjobs/tick"), "fieldManager=alice", cron)
        .apply(&format!("{BATCH}/cronjobs/tick"), "fieldManager=alice", image)
        .apply(&format!("{BATCH}/jobs/once"), "fieldManager=alice", once.clone())
        .apply(&format!("{BATCH}/jobs/once"), "fieldManager=alice", once.clone())
        .delete(&format!("{BATCH}/jobs/once"), json!({"propagationPolicy": "Background"}))
        .post(&format!("{BATCH}/jobs?fieldManager=maker"), once)
        .check("cron-jobs")
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_kinds() {
    let maker = "?fieldManager=maker";
    let named =
        |kind: &str, version: &str| json!({"apiVersion": version, "kind": kind, "metadata": {"name": "x"}});
    let with = |mut object: Value, key: &str, value: Value| {
        object[key] = value;
        object
    };
    let secret = with(named("Secret", "v1"), "stringData", json!({"password": "p"}));
    let account = with(named("ServiceAccount", "v1"), "imagePullSecrets", json!([{"name": "pull"}]));
    let rules = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]);
    let role = with(named("Role", "rbac.authorization.k8s.io/v1"), "rules", rules);
    let binding = with(
        named("RoleBinding", "rbac.authorization.k8s.io/v1"),
        "roleRef",
        json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "x"}),
    );
    let binding =
        with(binding, "subjects", json!([{"kind": "ServiceAccount", "name": "x", "namespace": "{ns}"}]));
    let lease = with(
        named("Lease", "coordination.k8s.io/v1"),
        "spec",
        json!({"holderIdentity": "a", "leaseDurationSeconds": 15, "renewTime": "2026-01-01T00:00:00.000000Z"}),
    );
    let rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}";
    let leases = "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases";
    Story::new()
        .post(&format!("{CORE}/secrets{maker}"), secret.clone())
        .apply(&format!("{CORE}/secrets/x"), "fieldManager=alice&force=true", secret)
        .post(&format!("{CORE}/serviceaccounts{maker}"), account.clone())
        .apply(&format!("{CORE}/serviceaccounts/x"), "fieldManager=alice", account)
        .apply(&format!("{rbac}/roles/x"), "fieldManager=alice", role)
        .apply(&format!("{rbac}/rolebindings/x"), "fieldManager=alice", binding)
        .post(&format!("{leases}{maker}"), lease)
        .merge(&format!("{leases}/x{maker}"), json!({"spec": {"holderIdentity": "b"}}))
        .get("/api/v1/namespaces/{ns}")
        .apply(
            "/api/v1/namespaces/{ns}",
            "fieldManager=alice",
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "{ns}", "labels": {"a": "b"}}}),
        )
        .check("small-kinds")
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events() {
    let event = json!({
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "x"},
        "eventTime": "2026-01-01T00:00:00.000000Z", "action": "Sync", "reason": "Synced", "type": "Normal",
        "note": "a note", "reportingController": "tidegate", "reportingInstance": "tidegate-0",
        "regarding": {"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "namespace": "{ns}"},
    });
    let events = "/apis/events.k8s.io/v1/namespaces/{ns}/events";
    Story::new()
        .post(&format!("{events}?fieldManager=maker"), event)
        .merge(
            &format!("{events}/x?fieldManager=maker"),
            json!({"series": {"count": 2, "lastObservedTime": "2026-01-01T00:00:01.000000Z"}}),
        )
        .check("events")
        .await;
}
