//! Tidegate's own view of a server: the `Cluster` seam on the sandbox and on the real control plane.

use std::time::Duration;

use futures::StreamExt;
use serde_json::{Value, json};
use tidegate_agent::backoff::Jitter;
use tidegate_agent::cluster::{ApplyOutcome, Cluster, Content, KubeCluster, Record, ServedKind, WatchEvent};
use tidegate_agent::config::ClusterConfig;
use tidegate_agent::context::Context;
use tidegate_agent::error::Failure;
use tidegate_agent::fence::WriteFence;
use tidegate_policy::object::GroupKind;
use tokio_util::sync::CancellationToken;

use crate::world::{World, config_map, deployment};

struct Seam {
    cluster: KubeCluster,
    context: Context,
    fence: WriteFence,
}

impl Seam {
    async fn new(world: &World) -> Self {
        let settings =
            ClusterConfig { kubeconfig: Some(world.kubeconfig.clone()), namespace: world.namespace.clone() };
        let cluster = KubeCluster::connect(&settings, Jitter::new(1)).await.expect("it connects");
        let context = Context::new(&CancellationToken::new(), Duration::from_secs(60));
        Self { cluster, context, fence: WriteFence::default() }
    }

    async fn kind(&self, group: &str, kind: &str) -> ServedKind {
        let catalog = self.cluster.discover(&self.context).await.expect("discovery");
        catalog.kinds[&GroupKind { group: group.into(), kind: kind.into() }].clone()
    }

    async fn apply(&self, kind: &ServedKind, object: &Value, force: bool) -> Result<ApplyOutcome, Failure> {
        self.cluster.apply(&self.context, &self.fence, kind, object, force).await
    }
}

fn placed(mut object: Value, world: &World) -> Value {
    object["metadata"]["namespace"] = json!(world.namespace);
    object["metadata"]["labels"]["part"] = json!(world.namespace);
    object
}

pub async fn the_seam_applies_watches_lists_and_deletes(world: &World) {
    let seam = Seam::new(world).await;
    let kind = seam.kind("", "ConfigMap").await;
    let object = placed(config_map("a", &json!({"k": "1"})), world);
    let Ok(ApplyOutcome::Applied(first)) = seam.apply(&kind, &object, false).await else {
        panic!("a conflict")
    };
    assert!(first.created);
    let Ok(ApplyOutcome::Applied(again)) = seam.apply(&kind, &object, false).await else {
        panic!("a conflict")
    };
    assert_eq!((again.created, &again.live), (false, &first.live));

    let selector = format!("part={}", world.namespace);
    let mut watch = seam.cluster.watch(&kind, Some(&selector), Content::Metadata);
    let mut next = async || {
        tokio::time::timeout(Duration::from_secs(20), watch.next()).await.expect("in time").expect("an event")
    };
    assert!(matches!(next().await, WatchEvent::Restarted));
    assert!(matches!(next().await, WatchEvent::Changed(live) if live.uid == first.live.uid));
    assert!(matches!(next().await, WatchEvent::Listed));
    world.merge(&world.path("configmaps/a"), "kubectl-edit", &json!({"data": {"k": "2"}})).await.ok();
    let WatchEvent::Changed(drifted) = next().await else { panic!("no change is seen") };
    assert!(drifted.value.get("data").is_none(), "metadata only");

    let Ok(ApplyOutcome::Conflicts(conflicts)) = seam.apply(&kind, &object, false).await else {
        panic!("no conflict")
    };
    let seen: Vec<(&str, &str)> =
        conflicts.iter().map(|conflict| (conflict.field.as_str(), conflict.manager.as_str())).collect();
    assert_eq!(seen, [(".data.k", "kubectl-edit")]);
    let Ok(ApplyOutcome::Applied(forced)) = seam.apply(&kind, &object, true).await else {
        panic!("a conflict")
    };
    assert!(matches!(next().await, WatchEvent::Changed(_)));

    let namespace = Some(world.namespace.as_str());
    let list = seam.cluster.list(&seam.context, &kind, namespace, Some(&selector)).await.expect("a list");
    assert_eq!(list.iter().map(|live| &live.uid).collect::<Vec<_>>(), [&first.live.uid]);
    let delete =
        async |live| seam.cluster.delete(&seam.context, &seam.fence, &kind, live).await.expect("an answer");
    assert!(!delete(&first.live).await, "it has changed since");
    assert!(delete(&forced.live).await);
    assert!(matches!(next().await, WatchEvent::Deleted(live) if live.uid == first.live.uid));
    assert!(!delete(&forced.live).await, "it is gone");
}

pub async fn the_seam_names_what_is_refused(world: &World) {
    let seam = Seam::new(world).await;
    let kind = seam.kind("apps", "Deployment").await;
    let check = async |object: &Value, expect: &[&str]| {
        let text = seam.apply(&kind, object, true).await.expect_err("a refusal").chain();
        assert!(expect.iter().all(|part| text.contains(part)), "{text}");
    };
    let mut object = placed(deployment("web", "a:1"), world);
    object["spec"]["replica"] = json!(3);
    check(&object, &["Deployment/", "/web", ".spec.replica", "spelling"]).await;
    let mut object = placed(deployment("web", "a:1"), world);
    assert!(seam.apply(&kind, &object, true).await.is_ok());
    object["spec"]["selector"]["matchLabels"]["app"] = json!("other");
    object["spec"]["template"]["metadata"]["labels"]["app"] = json!("other");
    check(&object, &["spec.selector", "cannot be changed in place"]).await;
    object["metadata"]["namespace"] = json!("nowhere");
    check(&object, &["\"nowhere\" not found", "create the namespace"]).await;
}

pub async fn the_seam_swaps_records(world: &World) {
    let seam = Seam::new(world).await;
    let record = |revision: &str| Record {
        name: "unit".to_owned(),
        data: [("revision".to_owned(), revision.to_owned())].into(),
        ..Record::default()
    };
    let write = async |record: &Record| seam.cluster.write_record(&seam.context, &seam.fence, record).await;
    let first = write(&record("1")).await.expect("created");
    let second = write(&Record { data: record("2").data, ..first.clone() }).await.expect("swapped");
    assert!(write(&record("3")).await.is_err(), "it was created meanwhile");
    assert!(write(&first).await.is_err(), "it was written meanwhile");
    let read = seam.cluster.record(&seam.context, "unit").await.expect("an answer");
    assert_eq!(read, Some(second));
}
