//! Discovery in both forms: aggregated (`APIGroupDiscoveryList`) and one document per group and version.
//!
//! All of it follows from the table of kinds.

use serde_json::{Value, json};

use super::kinds::{self, Kind};

const VERBS: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const SUBRESOURCE_VERBS: [&str; 3] = ["get", "patch", "update"];

/// The content type of aggregated discovery.
pub const AGGREGATED_TYPE: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// Answers a discovery path, or `None` if it is none.
pub fn answer(path: &str, aggregated: bool) -> Option<Value> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        ["api"] if aggregated => Some(aggregate(&[""])),
        ["apis"] if aggregated => Some(aggregate(&kinds::groups())),
        ["api"] => Some(json!({
            "kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [],
        })),
        ["apis"] => {
            let groups: Vec<Value> = kinds::groups().into_iter().map(group).collect();
            Some(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}))
        }
        ["api", "v1"] => Some(resources("", "v1")),
        ["apis", name] if kinds::groups().contains(name) => {
            let mut group = group(name);
            group["kind"] = json!("APIGroup");
            group["apiVersion"] = json!("v1");
            Some(group)
        }
        ["apis", name, "v1"] if kinds::groups().contains(name) => Some(resources(name, "v1")),
        _ => None,
    }
}

fn group(name: &str) -> Value {
    let version = json!({"groupVersion": format!("{name}/v1"), "version": "v1"});
    json!({"name": name, "versions": [version], "preferredVersion": version})
}

fn of_group(group: &str) -> impl Iterator<Item = &'static Kind> {
    kinds::all().iter().filter(move |kind| kind.group == group)
}

fn subresources(kind: &Kind) -> Vec<(&'static str, Value)> {
    let own = json!({"group": kind.group, "version": kind.version, "kind": kind.kind});
    let scale = json!({"group": "autoscaling", "version": "v1", "kind": "Scale"});
    let mut subs = Vec::new();
    if kind.scale {
        subs.push(("scale", scale));
    }
    if kind.status {
        subs.push(("status", own));
    }
    subs
}

fn aggregate(groups: &[&str]) -> Value {
    let items: Vec<Value> = groups
        .iter()
        .map(|group| {
            let resources: Vec<Value> = of_group(group).map(aggregated_kind).collect();
            let metadata = if group.is_empty() { json!({}) } else { json!({"name": group}) };
            json!({
                "metadata": metadata,
                "versions": [{"version": "v1", "resources": resources, "freshness": "Current"}],
            })
        })
        .collect();
    json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items,
    })
}

fn aggregated_kind(kind: &Kind) -> Value {
    let subresources: Vec<Value> = subresources(kind)
        .into_iter()
        .map(|(name, response)| {
            json!({"subresource": name, "responseKind": response, "verbs": SUBRESOURCE_VERBS})
        })
        .collect();
    json!({
        "resource": kind.plural,
        "responseKind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": kind.singular,
        "verbs": VERBS,
        "shortNames": kind.short,
        "subresources": subresources,
    })
}

fn resources(group: &str, version: &str) -> Value {
    let mut list = Vec::new();
    for kind in of_group(group) {
        list.push(json!({
            "name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced,
            "kind": kind.kind, "verbs": VERBS, "shortNames": kind.short,
        }));
        for (name, response) in subresources(kind) {
            let mut entry = json!({
                "name": format!("{}/{name}", kind.plural), "singularName": "", "namespaced": kind.namespaced,
                "kind": response["kind"], "verbs": SUBRESOURCE_VERBS,
            });
            if response["group"] != kind.group {
                entry["group"] = response["group"].clone();
                entry["version"] = response["version"].clone();
            }
            list.push(entry);
        }
    }
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": list})
}
