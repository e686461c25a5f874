//! The table of kinds that drives routing, discovery, decoding and server-side apply.
//!
//! Not here: how lists of a kind merge (`shape`), what its controller does.

use k8s_openapi::api;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::shape::{self, Fields};

/// What makes `metadata.generation` move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// The kind has none.
    None,
    /// A change outside of metadata and status.
    Spec,
    /// The same, or a change of annotations.
    SpecAndAnnotations,
}

/// A kind as served.
#[derive(Debug)]
#[expect(clippy::struct_field_names, reason = "`kind` is what the API calls it")]
pub struct Kind {
    /// API group, empty for core.
    pub group: &'static str,
    /// The one version served.
    pub version: &'static str,
    /// Kind.
    pub kind: &'static str,
    /// Name in URLs.
    pub plural: &'static str,
    /// Name for people.
    pub singular: &'static str,
    /// Short names for people.
    pub short: &'static [&'static str],
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Whether `/status` is served (and writes elsewhere leave the status alone).
    pub status: bool,
    /// Whether `/scale` is served.
    pub scale: bool,
    /// How generations move.
    pub generation: Generation,
    /// How values below the root merge.
    pub fields: Fields,
    round_trip: fn(Value) -> Result<Value, String>,
}

impl Kind {
    /// `v1` or `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `deployments.apps`, as messages name it.
    pub fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// `Deployment.apps`, as messages name it.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() { self.kind.to_owned() } else { format!("{}.{}", self.kind, self.group) }
    }

    /// `apps/v1, Kind=Deployment`, `/v1, Kind=ConfigMap`.
    pub fn gvk(&self) -> String {
        format!("{}/{}, Kind={}", self.group, self.version, self.kind)
    }

    /// Reads `object` as its Kubernetes type and writes it again: unknown fields are lost, wrong types are errors.
    pub fn round_trip(&self, object: Value) -> Result<Value, String> {
        (self.round_trip)(object)
    }
}

fn typed<T: DeserializeOwned + Serialize>(object: Value) -> Result<Value, String> {
    let read: T = serde_json::from_value(object).map_err(|error| error.to_string())?;
    serde_json::to_value(read).map_err(|error| error.to_string())
}

const BASE: Kind = Kind {
    group: "",
    version: "v1",
    kind: "",
    plural: "",
    singular: "",
    short: &[],
    namespaced: true,
    status: false,
    scale: false,
    generation: Generation::None,
    fields: shape::PLAIN,
    round_trip: typed::<Value>,
};

static KINDS: &[Kind] = &[
    Kind {
        kind: "Namespace",
        plural: "namespaces",
        singular: "namespace",
        short: &["ns"],
        namespaced: false,
        status: true,
        fields: shape::NAMESPACE,
        round_trip: typed::<api::core::v1::Namespace>,
        ..BASE
    },
    Kind {
        kind: "ConfigMap",
        plural: "configmaps",
        singular: "configmap",
        short: &["cm"],
        round_trip: typed::<api::core::v1::ConfigMap>,
        ..BASE
    },
    Kind {
        kind: "Secret",
        plural: "secrets",
        singular: "secret",
        round_trip: typed::<api::core::v1::Secret>,
        ..BASE
    },
    Kind {
        kind: "Service",
        plural: "services",
        singular: "service",
        short: &["svc"],
        status: true,
        fields: shape::SERVICE,
        round_trip: typed::<api::core::v1::Service>,
        ..BASE
    },
    Kind {
        kind: "ServiceAccount",
        plural: "serviceaccounts",
        singular: "serviceaccount",
        short: &["sa"],
        fields: shape::SERVICE_ACCOUNT,
        round_trip: typed::<api::core::v1::ServiceAccount>,
        ..BASE
    },
    Kind {
        kind: "Pod",
        plural: "pods",
        singular: "pod",
        short: &["po"],
        status: true,
        generation: Generation::Spec,
        fields: shape::POD,
        round_trip: typed::<api::core::v1::Pod>,
        ..BASE
    },
    Kind {
        kind: "Event",
        plural: "events",
        singular: "event",
        short: &["ev"],
        fields: shape::CORE_EVENT,
        round_trip: typed::<api::core::v1::Event>,
        ..BASE
    },
    Kind {
        group: "events.k8s.io",
        kind: "Event",
        plural: "events",
        singular: "event",
        short: &["ev"],
        fields: shape::EVENT,
        round_trip: typed::<api::events::v1::Event>,
        ..BASE
    },
    Kind {
        group: "apps",
        kind: "Deployment",
        plural: "deployments",
        singular: "deployment",
        short: &["deploy"],
        status: true,
        scale: true,
        generation: Generation::SpecAndAnnotations,
        fields: shape::WORKLOAD,
        round_trip: typed::<api::apps::v1::Deployment>,
        ..BASE
    },
    Kind {
        group: "apps",
        kind: "ReplicaSet",
        plural: "replicasets",
        singular: "replicaset",
        short: &["rs"],
        status: true,
        scale: true,
        generation: Generation::Spec,
        fields: shape::WORKLOAD,
        round_trip: typed::<api::apps::v1::ReplicaSet>,
        ..BASE
    },
    Kind {
        group: "batch",
        kind: "Job",
        plural: "jobs",
        singular: "job",
        status: true,
        generation: Generation::Spec,
        fields: shape::WORKLOAD,
        round_trip: typed::<api::batch::v1::Job>,
        ..BASE
    },
    Kind {
        group: "batch",
        kind: "CronJob",
        plural: "cronjobs",
        singular: "cronjob",
        short: &["cj"],
        status: true,
        generation: Generation::Spec,
        fields: shape::CRON_JOB,
        round_trip: typed::<api::batch::v1::CronJob>,
        ..BASE
    },
    Kind {
        group: "coordination.k8s.io",
        kind: "Lease",
        plural: "leases",
        singular: "lease",
        round_trip: typed::<api::coordination::v1::Lease>,
        ..BASE
    },
    Kind {
        group: "rbac.authorization.k8s.io",
        kind: "Role",
        plural: "roles",
        singular: "role",
        round_trip: typed::<api::rbac::v1::Role>,
        ..BASE
    },
    Kind {
        group: "rbac.authorization.k8s.io",
        kind: "RoleBinding",
        plural: "rolebindings",
        singular: "rolebinding",
        fields: shape::ROLE_BINDING,
        round_trip: typed::<api::rbac::v1::RoleBinding>,
        ..BASE
    },
];

/// All kinds, in the order of discovery.
pub fn all() -> &'static [Kind] {
    KINDS
}

/// Finds a kind by group, version and URL name.
pub fn by_plural(group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.group == group && kind.version == version && kind.plural == plural)
}

/// Finds a kind by group and kind.
pub fn by_kind(group: &str, kind: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|entry| entry.group == group && entry.kind == kind)
}

/// The groups other than core, each once, in table order.
pub fn groups() -> Vec<&'static str> {
    let mut groups: Vec<&str> = Vec::new();
    for kind in KINDS {
        if !kind.group.is_empty() && !groups.contains(&kind.group) {
            groups.push(kind.group);
        }
    }
    groups
}
