//! What the story reads from and does to a cluster, as a person with kubectl would.

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt as _};
use serde_json::json;

use super::world::World;
use crate::harness::wait::eventually;

const LIMIT: Duration = Duration::from_secs(60);

/// Creates a namespace; one that exists is fine.
pub async fn create_namespace(client: &Client, name: &str) -> anyhow::Result<()> {
    let namespace: Namespace = serde_json::from_value(json!({"metadata": {"name": name}}))?;
    match Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &namespace).await {
        Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(()),
        other => other.map(drop).map_err(Into::into),
    }
}

/// The image of the first container of a Deployment, if it exists.
pub async fn image(world: &World, name: &str) -> Option<String> {
    let live = world.api::<Deployment>().get_opt(name).await.ok()??;
    live.spec?.template.spec?.containers.first()?.image.clone()
}

/// Waits until a Deployment's template runs `image`.
pub async fn runs(world: &World, name: &str, expect: &str) {
    eventually(&format!("{name} runs {expect}"), LIMIT, || async {
        let seen = image(world, name).await;
        if seen.as_deref() == Some(expect) { Ok(()) } else { Err(format!("{seen:?}")) }
    })
    .await;
}

/// Waits until a Deployment's rollout is complete: every replica updated and available, status up to date.
pub async fn rolled_out(world: &World, name: &str) {
    let api = world.api::<Deployment>();
    eventually(&format!("{name} is rolled out"), LIMIT, || async {
        let live = api.get_opt(name).await.map_err(|error| error.to_string())?.ok_or("absent")?;
        let wanted = live.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
        let status = live.status.clone().unwrap_or_default();
        let observed = status.observed_generation >= live.metadata.generation;
        let counts = [status.replicas, status.updated_replicas, status.available_replicas];
        if observed && counts.iter().all(|count| count.unwrap_or(0) == wanted) {
            Ok(())
        } else {
            Err(format!("observed {observed}, replicas/updated/available {counts:?} of {wanted}"))
        }
    })
    .await;
}

/// Waits until the status of the unit says that all its objects are Current at `revision`.
pub async fn unit_is_current(world: &World, revision: &str) {
    let api = Api::<ConfigMap>::namespaced(world.client.clone(), &world.own_namespace);
    eventually("the unit is Current", LIMIT, || async {
        let list = api.list(&ListParams::default().labels("tidegate.io/unit")).await;
        let units = list.map_err(|error| error.to_string())?.items;
        let status = units.into_iter().next().ok_or("no unit has a status yet")?.data.unwrap_or_default();
        let is = |key: &str, value: &str| status.get(key).is_some_and(|found| found == value);
        if is("health", "Current") && is("revision", revision) { Ok(()) } else { Err(format!("{status:?}")) }
    })
    .await;
}

/// Changes the replicas of a Deployment the way `kubectl edit` does.
pub async fn edit_replicas(world: &World, name: &str, replicas: i32) -> anyhow::Result<()> {
    let api = world.api::<Deployment>();
    let patch = json!({"spec": {"replicas": replicas}});
    let parameters = PatchParams { field_manager: Some("kubectl-edit".to_owned()), ..PatchParams::default() };
    api.patch(name, &parameters, &Patch::Merge(patch)).await?;
    Ok(())
}

/// Waits until a Deployment wants `expect` replicas.
pub async fn wants_replicas(world: &World, name: &str, expect: i32) {
    let api = world.api::<Deployment>();
    eventually(&format!("{name} wants {expect} replicas"), LIMIT, || async {
        let live = api.get_opt(name).await.map_err(|error| error.to_string())?.ok_or("absent")?;
        let seen = live.spec.and_then(|spec| spec.replicas);
        if seen == Some(expect) { Ok(()) } else { Err(format!("{seen:?}")) }
    })
    .await;
}

/// Waits until a `ConfigMap` of the apps exists, or is gone.
pub async fn config_map(world: &World, name: &str, exists: bool) {
    let api = world.api::<ConfigMap>();
    eventually(&format!("ConfigMap {name} exists: {exists}"), LIMIT, || async {
        let found = api.get_opt(name).await.map_err(|error| error.to_string())?;
        if found.is_some() == exists { Ok(()) } else { Err(format!("{:?}", found.map(|map| map.name_any()))) }
    })
    .await;
}

/// Waits until a `ConfigMap` of the apps has a value.
pub async fn config_map_has(world: &World, name: &str, key: &str, value: &str) {
    let api = world.api::<ConfigMap>();
    eventually(&format!("ConfigMap {name} has {key}: {value}"), LIMIT, || async {
        let found = api.get_opt(name).await.map_err(|error| error.to_string())?.ok_or("absent")?;
        let seen = found.data.unwrap_or_default().remove(key);
        if seen.as_deref() == Some(value) { Ok(()) } else { Err(format!("{seen:?}")) }
    })
    .await;
}

/// Waits until the unit was synced whole at `revision`, prune included.
pub async fn is_synced_whole(world: &World, revision: &str) {
    let api = Api::<ConfigMap>::namespaced(world.client.clone(), &world.own_namespace);
    eventually("the unit is synced whole", LIMIT, || async {
        let list = api.list(&ListParams::default().labels("tidegate.io/unit")).await;
        let units = list.map_err(|error| error.to_string())?.items;
        let seen = units.first().and_then(|unit| unit.annotations().get("tidegate.io/synced").cloned());
        if seen.as_deref() == Some(revision) { Ok(()) } else { Err(format!("{seen:?} of {revision}")) }
    })
    .await;
}
