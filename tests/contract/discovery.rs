//! Discovery in both forms, as clients use it.

use kube::core::GroupVersionKind;
use kube::discovery::{Discovery, Scope};

use crate::world::World;

#[track_caller]
fn check(discovery: &Discovery, group: &str, kind: &str, plural: &str, namespaced: bool) {
    let found = discovery.resolve_gvk(&GroupVersionKind::gvk(group, "v1", kind));
    let (resource, capabilities) = found.unwrap_or_else(|| panic!("{group}/{kind} is not served"));
    assert_eq!(resource.plural, plural);
    assert_eq!(capabilities.scope == Scope::Namespaced, namespaced);
    assert!(capabilities.operations.iter().any(|verb| verb == "watch"));
}

fn check_all(discovery: &Discovery) {
    check(discovery, "", "Namespace", "namespaces", false);
    check(discovery, "", "ConfigMap", "configmaps", true);
    check(discovery, "", "Secret", "secrets", true);
    check(discovery, "", "Service", "services", true);
    check(discovery, "", "ServiceAccount", "serviceaccounts", true);
    check(discovery, "apps", "Deployment", "deployments", true);
    check(discovery, "batch", "CronJob", "cronjobs", true);
    check(discovery, "batch", "Job", "jobs", true);
    check(discovery, "coordination.k8s.io", "Lease", "leases", true);
    check(discovery, "events.k8s.io", "Event", "events", true);
    assert!(discovery.resolve_gvk(&GroupVersionKind::gvk("example.org", "v1", "Nothing")).is_none());
}

pub async fn aggregated_discovery_resolves_kinds(world: &World) {
    check_all(&Discovery::new(world.client.clone()).run_aggregated().await.expect("discovery"));
}

pub async fn plain_discovery_resolves_kinds(world: &World) {
    check_all(&Discovery::new(world.client.clone()).run().await.expect("discovery"));
    let version = world.client.apiserver_version().await.expect("a version");
    assert_eq!(version.major, "1");
}
