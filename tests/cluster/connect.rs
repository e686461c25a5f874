//! Reaching the server: kubeconfigs, identities, and servers that do not answer.

use std::fs;
use std::time::Duration;

use futures::StreamExt;
use serde_json::json;
use tidegate_agent::cluster::{Cluster, Content, WatchEvent};
use tidegate_agent::context::Context;
use tidegate_agent::error::Kind;
use tidegate_tests::harness::control_plane::User;
use tokio_util::sync::CancellationToken;

use crate::ground::{Ground, connect, context};

#[tokio::test]
async fn a_server_that_does_not_answer_is_named() {
    let ground = Ground::new("connect").await;
    // Port 1 of loopback: nothing listens there.
    let kubeconfig = ground.plane.kubeconfig_at("https://127.0.0.1:1", User::Admin).unwrap();
    let cluster = connect(&kubeconfig, &ground.namespace).await.unwrap();
    let failure = cluster.discover(&context()).await.unwrap_err();
    assert_eq!(failure.kind, Kind::Retry { after: None });
    let text = failure.chain();
    assert!(
        text.contains("https://127.0.0.1:1") && text.contains("refused") && text.contains("hint:"),
        "{text}"
    );
}

#[tokio::test]
async fn a_certificate_of_somebody_else_is_refused() {
    let ground = Ground::new("connect").await;
    let kubeconfig = fs::read_to_string(ground.plane.kubeconfig()).unwrap();
    let mut kubeconfig: serde_json::Value = serde_json::from_str(&kubeconfig).unwrap();
    kubeconfig["clusters"][0]["cluster"]["certificate-authority"] = json!(null);
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, kubeconfig.to_string()).unwrap();
    let cluster = connect(file.path(), &ground.namespace).await.unwrap();
    let text = cluster.discover(&context()).await.unwrap_err().chain();
    assert!(text.contains("certificate authority"), "{text}");
}

#[tokio::test]
async fn a_kubeconfig_that_runs_a_program_is_refused_before_it_runs() {
    let directory = tempfile::tempdir().unwrap();
    let (file, trace) = (directory.path().join("kubeconfig"), directory.path().join("trace"));
    let exec = json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "/bin/sh",
        "args": ["-c", format!("touch {}", trace.display())],
        "interactiveMode": "Never",
    });
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"exec": exec}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "c",
    });
    fs::write(&file, kubeconfig.to_string()).unwrap();
    let failure = connect(&file, "default").await.err().unwrap();
    assert_eq!(failure.kind, Kind::Reject);
    let text = failure.chain();
    assert!(text.contains("`u`") && text.contains("kubeconfig") && text.contains("`exec`"), "{text}");
    assert!(!trace.exists());
}

#[tokio::test]
async fn a_kubeconfig_that_is_not_there_is_named() {
    let text = connect("/nowhere/kubeconfig".as_ref(), "default").await.err().unwrap().chain();
    assert!(text.contains("/nowhere/kubeconfig") && text.contains("hint:"), "{text}");
}

#[tokio::test]
async fn what_is_forbidden_names_verb_and_resource() {
    let ground = Ground::new("forbidden").await;
    let kubeconfig = ground.plane.kubeconfig_at(&ground.plane.server_url(), User::Nobody).unwrap();
    let nobody = connect(&kubeconfig, &ground.namespace).await.unwrap();
    let kind = ground.kind("", "ConfigMap");
    let object = ground.config_map("a", &json!({}));
    let failure = nobody.apply(&ground.context, &ground.fence, &kind, &object, true).await.unwrap_err();
    assert_eq!(failure.kind, Kind::Reject);
    let text = failure.chain();
    for words in ["User \"nobody\"", "cannot patch resource \"configmaps\"", &ground.namespace, "Role"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let mut watch = nobody.watch(&kind, None, Content::Metadata);
    let failing = loop {
        match tokio::time::timeout(Duration::from_secs(30), watch.next()).await.unwrap().unwrap() {
            WatchEvent::Failing(text) => break text,
            WatchEvent::Restarted => {}
            event => panic!("{event:?}"),
        }
    };
    assert!(failing.contains("cannot list resource \"configmaps\""), "{failing}");
}

#[tokio::test]
async fn a_deadline_ends_the_work() {
    let ground = Ground::new("deadline").await;
    // A listener that accepts and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", silent.local_addr().unwrap());
    let kubeconfig = ground.plane.kubeconfig_at(&url, User::Admin).unwrap();
    let cluster = connect(&kubeconfig, &ground.namespace).await.unwrap();
    let short = Context::new(&CancellationToken::new(), Duration::from_millis(200));
    let failure = cluster.discover(&short).await.unwrap_err();
    assert!(failure.chain().contains(&url), "{}", failure.chain());
    assert_eq!(failure.kind, Kind::Retry { after: None });
}

#[tokio::test]
async fn requests_carry_our_name() {
    let ground = Ground::new("agent").await;
    let ours =
        |event: &serde_json::Value| event["objectRef"]["namespace"].as_str() == Some(&ground.namespace);
    ground.apply(&ground.config_map("a", &json!({}))).await;
    let requests = ground.plane.requests_of("tidegate/").unwrap();
    assert_eq!(requests.iter().filter(|event| ours(event)).count(), 1);
}
