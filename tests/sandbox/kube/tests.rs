//! What the sandbox offers to tests beyond a real server: faults, broken images, forgotten history, its log.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use kube::runtime::watcher;
use serde_json::{Value, json};

use super::{Fault, FaultRule, Options, SandboxCluster};

const SOON: Duration = Duration::from_secs(10);

fn map(name: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}})).expect("a ConfigMap")
}

fn web(image: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {
            "progressDeadlineSeconds": 1, "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "app", "image": image}]},
            },
        },
    })
}

fn condition(object: Option<&Value>, kind: &str) -> Value {
    let conditions = object.and_then(|object| object.pointer("/status/conditions")?.as_array());
    conditions.into_iter().flatten().find(|entry| entry["type"] == kind).cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_fault_meets_the_next_matching_request_only() {
    let cluster = SandboxCluster::start().await.expect("it starts");
    let maps: Api<ConfigMap> = Api::namespaced(cluster.client().expect("a client"), "default");
    let rule =
        |fault| FaultRule { method: "POST".to_owned(), path_part: "/configmaps".to_owned(), fault, times: 1 };
    cluster.fail(rule(Fault::Status(503)));
    let refused = maps.create(&PostParams::default(), &map("a")).await.expect_err("the fault");
    assert!(matches!(refused, kube::Error::Api(status) if status.code == 503));
    maps.create(&PostParams::default(), &map("a")).await.expect("the fault is used up");
    cluster.fail(rule(Fault::DropAnswer));
    maps.create(&PostParams::default(), &map("b")).await.expect_err("no answer");
    assert!(cluster.get("", "ConfigMap", "default", "b").is_some(), "the server acted");
    let posts = cluster.requests().into_iter().filter(|request| request.method == "POST");
    assert_eq!(posts.map(|request| request.status).collect::<Vec<_>>(), [503, 201, 201]);
}

#[tokio::test]
async fn a_broken_image_misses_its_deadline_until_it_is_mended() {
    let cluster = SandboxCluster::start().await.expect("it starts");
    cluster.set_broken("a:1", true);
    let deployments: Api<Deployment> = Api::namespaced(cluster.client().expect("a client"), "default");
    deployments.patch("web", &PatchParams::apply("me"), &Patch::Apply(&web("a:1"))).await.expect("applied");
    let wait = |reason: &'static str| {
        cluster.wait_for("apps", "Deployment", "default", "web", SOON, move |object| {
            condition(object, "Progressing")["reason"] == reason
        })
    };
    let late = wait("ProgressDeadlineExceeded").await.expect("in time");
    assert_eq!(condition(late.as_ref(), "Available")["status"], "False");
    let pods = cluster.list("", "Pod", "default");
    assert_eq!(pods[0]["status"]["containerStatuses"][0]["state"]["waiting"]["reason"], "ImagePullBackOff");
    cluster.set_broken("a:1", false);
    let done = wait("NewReplicaSetAvailable").await.expect("in time");
    assert_eq!(condition(done.as_ref(), "Available")["status"], "True");
}

#[tokio::test]
async fn an_edit_takes_fields_from_the_applier() {
    let cluster = SandboxCluster::start().await.expect("it starts");
    let deployments: Api<Deployment> = Api::namespaced(cluster.client().expect("a client"), "default");
    deployments.patch("web", &PatchParams::apply("me"), &Patch::Apply(&web("a:1"))).await.expect("applied");
    let image = "/spec/template/spec/containers/0/image";
    let edited = cluster.edit("apps", "Deployment", "default", "web", |object| {
        *object.pointer_mut(image).expect("an image") = json!("a:2");
    });
    let entries = edited.expect("edited")["metadata"]["managedFields"].to_string();
    assert!(entries.contains("kubectl-edit"), "{entries}");
    let error = deployments.patch("web", &PatchParams::apply("me"), &Patch::Apply(&web("a:1"))).await;
    assert!(matches!(error, Err(kube::Error::Api(status)) if status.is_conflict()));
}

#[tokio::test]
async fn a_watch_behind_the_log_gets_410_and_a_watcher_recovers() {
    let options = Options { log_limit: 5, ..Options::default() };
    let cluster = SandboxCluster::start_with(options).await.expect("it starts");
    let maps: Api<ConfigMap> = Api::namespaced(cluster.client().expect("a client"), "default");
    let mut watcher = watcher(maps.clone(), watcher::Config::default().any_semantic()).boxed();
    for number in 0..10 {
        maps.create(&PostParams::default(), &map(&format!("m{number}"))).await.expect("created");
    }
    let mut stale = maps.watch(&WatchParams::default(), "1").await.expect("it opens").boxed();
    let event = stale.try_next().await.expect("an event").expect("an event");
    assert!(matches!(event, WatchEvent::Error(status) if status.code == 410));
    let mut names = std::collections::BTreeSet::new();
    let all = async {
        while names.len() < 11 {
            if let Some(Ok(watcher::Event::InitApply(map) | watcher::Event::Apply(map))) =
                watcher.next().await
            {
                names.insert(map.metadata.name);
            }
        }
    };
    // Ten of ours, and the cluster's own certificates.
    tokio::time::timeout(SOON, all).await.expect("the watcher sees everything");
}

#[tokio::test]
async fn dropping_the_cluster_ends_it() {
    let cluster = SandboxCluster::start().await.expect("it starts");
    let dir = tempfile::tempdir().expect("a directory");
    let path = cluster.kubeconfig(dir.path()).expect("a kubeconfig");
    let kubeconfig = kube::config::Kubeconfig::read_from(path).expect("it is one");
    let choice = kube::config::KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &choice).await;
    let mut config = config.expect("a config");
    config.default_retry = false;
    let maps: Api<ConfigMap> = Api::default_namespaced(kube::Client::try_from(config).expect("a client"));
    let mut events = maps.watch(&WatchParams::default(), "0").await.expect("it opens").boxed();
    drop(cluster);
    let rest = async { while let Some(Ok(_)) = events.next().await {} };
    tokio::time::timeout(SOON, rest).await.expect("the watch ends");
    let gone = async {
        while matches!(maps.get("a").await, Err(kube::Error::Api(_))) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, gone).await.expect("nobody answers");
}
