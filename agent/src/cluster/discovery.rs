//! What the server serves, asked in two requests, or group by group where the server is older than 1.30.
//!
//! One broken group (an aggregated API whose backend is down) costs only itself: it is listed in
//! [`Catalog::unavailable`]. Called by [`super::kubernetes`].

use http::Method;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{
    APIGroupList, APIResourceList, APIVersions, ObjectMeta,
};
use kube::core::discovery::v2::{
    ACCEPT_AGGREGATED_DISCOVERY_V2, APIGroupDiscovery, APIGroupDiscoveryList, APIResourceDiscovery,
    APIVersionDiscovery, GroupVersionKind,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tidegate_policy::object::GroupKind;

use super::connect::Connection;
use super::request::Call;
use super::{Catalog, ServedKind};
use crate::context::Context;
use crate::error::Failure;

const STALE: &str = "Stale";

/// Asks for everything.
pub(super) async fn discover(context: &Context, connection: &Connection) -> Result<Catalog, Failure> {
    let (core, named) =
        futures::try_join!(ask(context, connection, "/api"), ask(context, connection, "/apis"))?;
    let mut groups = Vec::new();
    for (path, answer) in [("/api", core), ("/apis", named)] {
        groups.extend(match answer.get("kind").and_then(Value::as_str) {
            Some("APIGroupDiscoveryList") => read::<APIGroupDiscoveryList>(path, answer)?.items,
            Some("APIVersions") => core_group(context, connection, read(path, answer)?).await?,
            Some("APIGroupList") => named_groups(context, connection, read(path, answer)?).await,
            kind => {
                return Err(Failure::retry(format!("{} answers {path} with {kind:?}", connection.server)));
            }
        });
    }
    Ok(catalog(groups))
}

async fn ask(context: &Context, connection: &Connection, path: &str) -> Result<Value, Failure> {
    let call = Call::new(format!("discover {path}"), Method::GET, path.to_owned());
    call.accept(ACCEPT_AGGREGATED_DISCOVERY_V2).value(context, connection).await
}

async fn core_group(
    context: &Context,
    connection: &Connection,
    versions: APIVersions,
) -> Result<Vec<APIGroupDiscovery>, Failure> {
    let mut group = APIGroupDiscovery::default();
    for version in versions.versions {
        // Without the core group nothing can be done at all.
        let list = resources(context, connection, &format!("/api/{version}")).await?;
        group.versions.push(version_of(version, Some(list)));
    }
    Ok(vec![group])
}

async fn named_groups(
    context: &Context,
    connection: &Connection,
    list: APIGroupList,
) -> Vec<APIGroupDiscovery> {
    let mut groups = Vec::new();
    for mut group in list.groups {
        let preferred = group.preferred_version.map(|preferred| preferred.version);
        group.versions.sort_by_key(|version| Some(&version.version) != preferred.as_ref());
        let metadata = ObjectMeta { name: Some(group.name), ..ObjectMeta::default() };
        let mut discovered = APIGroupDiscovery { metadata: Some(metadata), versions: Vec::new() };
        for version in group.versions {
            let list = resources(context, connection, &format!("/apis/{}", version.group_version)).await;
            if let Err(failure) = &list {
                tracing::warn!(event = "discovery", group = version.group_version, "{}", failure.chain());
            }
            discovered.versions.push(version_of(version.version, list.ok()));
        }
        groups.push(discovered);
    }
    groups
}

async fn resources(
    context: &Context,
    connection: &Connection,
    path: &str,
) -> Result<APIResourceList, Failure> {
    let call = Call::new(format!("discover {path}"), Method::GET, path.to_owned());
    read(path, call.value(context, connection).await?)
}

/// Says in the words of aggregated discovery what an older server said; no list is a stale version.
fn version_of(version: String, list: Option<APIResourceList>) -> APIVersionDiscovery {
    let freshness = list.is_none().then(|| STALE.to_owned());
    let resources = list.map(|list| list.resources).unwrap_or_default();
    let resources = resources.into_iter().map(|resource| APIResourceDiscovery {
        resource: Some(resource.name),
        response_kind: Some(GroupVersionKind { kind: Some(resource.kind), ..GroupVersionKind::default() }),
        scope: Some(if resource.namespaced { "Namespaced" } else { "Cluster" }.to_owned()),
        verbs: resource.verbs,
        ..APIResourceDiscovery::default()
    });
    APIVersionDiscovery { version: Some(version), resources: resources.collect(), freshness }
}

/// Keeps the kinds whose objects can be listed and applied.
fn catalog(groups: Vec<APIGroupDiscovery>) -> Catalog {
    let mut catalog = Catalog::default();
    for group in groups {
        let name = group.metadata.and_then(|metadata| metadata.name).unwrap_or_default();
        // In descending order of preference.
        for version in group.versions {
            let number = version.version.unwrap_or_default();
            if version.freshness.as_deref() == Some(STALE) {
                catalog.unavailable.push(if name.is_empty() {
                    number.clone()
                } else {
                    format!("{name}/{number}")
                });
            }
            for resource in version.resources {
                add(&mut catalog, &name, &number, resource);
            }
        }
    }
    catalog
}

fn add(catalog: &mut Catalog, group: &str, version: &str, resource: APIResourceDiscovery) {
    let can = |verb: &str| resource.verbs.iter().any(|is| is == verb);
    let is_subresource = resource.resource.as_ref().is_none_or(|name| name.contains('/'));
    let (true, true, false) = (can("list"), can("patch"), is_subresource) else { return };
    let Some(kind) = resource.response_kind.and_then(|kind| kind.kind) else { return };
    let kind = GroupKind { group: group.to_owned(), kind };
    let served = catalog.kinds.entry(kind.clone()).or_insert_with(|| ServedKind {
        kind,
        version: version.to_owned(),
        versions: Vec::new(),
        plural: resource.resource.unwrap_or_default(),
        namespaced: resource.scope.as_deref() == Some("Namespaced"),
    });
    if !served.versions.iter().any(|is| is == version) {
        served.versions.push(version.to_owned());
    }
}

fn read<T: DeserializeOwned>(path: &str, answer: Value) -> Result<T, Failure> {
    serde_json::from_value(answer).map_err(|error| {
        Failure::retry(format!("the answer to {path} is not what discovery gives")).because(error)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resource(kind: &str, name: &str, verbs: &[&str]) -> Value {
        json!({"resource": name, "responseKind": {"group": "", "version": "", "kind": kind},
               "scope": "Namespaced", "verbs": verbs})
    }

    fn read_groups(groups: Value) -> Catalog {
        catalog(serde_json::from_value(groups).unwrap())
    }

    const ALL: [&str; 3] = ["get", "list", "patch"];

    #[test]
    fn the_first_version_that_has_a_kind_is_preferred() {
        let catalog = read_groups(json!([{"metadata": {"name": "autoscaling"}, "versions": [
            {"version": "v2", "resources": [resource("Scaler", "scalers", &ALL)]},
            {"version": "v1", "resources": [resource("Scaler", "scalers", &ALL), resource("Old", "olds", &ALL)]},
        ]}]));
        let served = |kind: &str| {
            let kind = GroupKind { group: "autoscaling".into(), kind: kind.into() };
            let served = &catalog.kinds[&kind];
            (served.version.clone(), served.versions.clone())
        };
        assert_eq!(served("Scaler"), ("v2".into(), vec!["v2".into(), "v1".into()]));
        assert_eq!(served("Old"), ("v1".into(), vec!["v1".into()]));
    }

    #[test]
    fn what_cannot_be_applied_is_no_kind() {
        let catalog = read_groups(json!([{"versions": [{"version": "v1", "resources": [
            resource("Binding", "bindings", &["create"]), resource("Scale", "pods/scale", &ALL),
        ]}]}]));
        assert!(catalog.kinds.is_empty());
    }

    #[test]
    fn a_stale_group_is_named_and_costs_only_itself() {
        let catalog = read_groups(json!([
            {"metadata": {"name": "metrics.k8s.io"}, "versions": [{"version": "v1beta1", "freshness": "Stale"}]},
            {"versions": [{"version": "v1", "freshness": "Current", "resources": [resource("Pod", "pods", &ALL)]}]},
        ]));
        assert_eq!(catalog.unavailable, ["metrics.k8s.io/v1beta1"]);
        assert_eq!(catalog.kinds.len(), 1);
    }

    #[test]
    fn an_older_servers_list_says_the_same() {
        let list = json!({"kind": "APIResourceList", "groupVersion": "apps/v1", "resources": [
            {"name": "deployments", "kind": "Deployment", "namespaced": true, "singularName": "", "verbs": ALL},
            {"name": "deployments/scale", "kind": "Scale", "namespaced": true, "singularName": "", "verbs": ALL},
        ]});
        let version = version_of("v1".into(), serde_json::from_value(list).unwrap());
        let metadata = ObjectMeta { name: Some("apps".into()), ..ObjectMeta::default() };
        let group = APIGroupDiscovery {
            metadata: Some(metadata),
            versions: vec![version, version_of("v2".into(), None)],
        };
        let catalog = catalog(vec![group]);
        let served: Vec<_> =
            catalog.kinds.values().map(|served| (served.plural.as_str(), served.namespaced)).collect();
        assert_eq!(served, [("deployments", true)]);
        assert_eq!(catalog.unavailable, ["apps/v2"]);
    }
}
