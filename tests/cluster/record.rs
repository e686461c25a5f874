//! Records: each a `ConfigMap` of Tidegate's own, swapped at the version that was read.

use tidegate_agent::cluster::{Cluster, Record};
use tidegate_agent::error::Kind;

use crate::ground::Ground;

fn record(revision: &str) -> Record {
    let map = |key: &str, value: &str| [(key.to_owned(), value.to_owned())].into();
    Record {
        name: "tidegate-unit-a-00000000".into(),
        labels: map("tidegate.io/unit", "a"),
        annotations: map("applyset.kubernetes.io/tooling", "tidegate/v0"),
        data: map("revision", revision),
        resource_version: None,
    }
}

#[tokio::test]
async fn a_record_is_created_read_and_swapped() {
    let ground = Ground::new("record").await;
    let write =
        async |record: &Record| ground.cluster.write_record(&ground.context, &ground.fence, record).await;
    let read = async || ground.cluster.record(&ground.context, &record("").name).await.unwrap();
    assert_eq!(read().await, None);
    let first = write(&record("1")).await.unwrap();
    assert_eq!(first, Record { resource_version: first.resource_version.clone(), ..record("1") });
    assert_eq!(read().await.as_ref(), Some(&first));
    let second =
        write(&Record { resource_version: first.resource_version.clone(), ..record("2") }).await.unwrap();
    assert_eq!(second.data["revision"], "2");
    assert_ne!(second.resource_version, first.resource_version);
}

#[tokio::test]
async fn a_lost_swap_is_refused_and_changes_nothing() {
    let ground = Ground::new("record").await;
    let write =
        async |record: &Record| ground.cluster.write_record(&ground.context, &ground.fence, record).await;
    let lost = async |record: &Record| {
        let failure = write(record).await.unwrap_err();
        assert_eq!(failure.kind, Kind::Reject);
        assert!(
            failure.chain().contains(&format!("{}/{}", ground.namespace, record.name)),
            "{}",
            failure.chain()
        );
    };
    let first = write(&record("1")).await.unwrap();
    let second = write(&Record { data: record("2").data, ..first.clone() }).await.unwrap();
    lost(&record("3")).await; // created meanwhile
    lost(&Record { data: record("3").data, ..first }).await; // written meanwhile
    let read = ground.cluster.record(&ground.context, &second.name).await.unwrap().unwrap();
    assert_eq!(read, second);
    ground.kubectl(&["delete", "configmap", &second.name]);
    lost(&second).await; // deleted meanwhile
    assert_eq!(ground.cluster.record(&ground.context, &second.name).await.unwrap(), None);
}

#[tokio::test]
async fn a_closed_fence_keeps_the_record() {
    let ground = Ground::new("record").await;
    ground.fence.close();
    let outcome = ground.cluster.write_record(&ground.context, &ground.fence, &record("1")).await;
    assert_eq!(outcome.unwrap_err().kind, Kind::Cancelled);
    assert_eq!(ground.cluster.record(&ground.context, &record("").name).await.unwrap(), None);
}
