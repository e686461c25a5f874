//! The cluster seam: one Kubernetes API server, as one identity.
//!
//! Not here: what to apply, in which order, what to prune (`tidegate_policy::sync`).

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use serde_json::Value;
use tidegate_policy::object::{GroupKind, ObjectId};

use crate::context::Context;
use crate::error::Failure;
use crate::fence::WriteFence;

mod connect;
mod discovery;
mod kubernetes;
mod live;
mod refusal;
mod request;
mod watch;

pub use kubernetes::{FIELD_MANAGER, KubeCluster};

/// One API server, as one identity. There is no way to have a `Cluster` without an identity.
#[async_trait]
pub trait Cluster: Send + Sync {
    /// Asks what kinds the server serves.
    async fn discover(&self, context: &Context) -> Result<Arc<Catalog>, Failure>;

    /// Lists the metadata of a kind, from a quorum read (no `resourceVersion`): fit for prune.
    async fn list(
        &self,
        context: &Context,
        kind: &ServedKind,
        namespace: Option<&str>,
        label_selector: Option<&str>,
    ) -> Result<Vec<LiveMeta>, Failure>;

    /// Reads one object's metadata.
    async fn get(
        &self,
        context: &Context,
        kind: &ServedKind,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Option<LiveMeta>, Failure>;

    /// Server-side apply with field manager `tidegate` and strict field validation.
    ///
    /// Without `force`, fields of other managers are not taken: they come back as [`ApplyOutcome::Conflicts`].
    async fn apply(
        &self,
        context: &Context,
        fence: &WriteFence,
        kind: &ServedKind,
        object: &Value,
        force: bool,
    ) -> Result<ApplyOutcome, Failure>;

    /// Deletes in the background if uid and resourceVersion still match; `false` if it was gone or had changed.
    async fn delete(
        &self,
        context: &Context,
        fence: &WriteFence,
        kind: &ServedKind,
        live: &LiveMeta,
    ) -> Result<bool, Failure>;

    /// Watches a kind. The stream restarts itself with back-off and never ends by itself.
    fn watch(
        &self,
        kind: &ServedKind,
        label_selector: Option<&str>,
        content: Content,
    ) -> BoxStream<'static, WatchEvent>;

    /// Reads a ConfigMap of Tidegate's own namespace.
    async fn record(&self, context: &Context, name: &str) -> Result<Option<Record>, Failure>;

    /// Creates (no `resource_version`) or replaces it at its `resource_version`; a lost swap is `Reject`.
    async fn write_record(
        &self,
        context: &Context,
        fence: &WriteFence,
        record: &Record,
    ) -> Result<Record, Failure>;
}

/// What a server serves: for each group and kind, the preferred version.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// By group and kind; the value's `versions` holds every served version.
    pub kinds: HashMap<GroupKind, ServedKind>,
    /// `group/version`s that the server announces and could not describe (an aggregated API whose
    /// backend is down): a kind of theirs that is missing above is not known to be gone.
    pub unavailable: Vec<String>,
}

/// A kind as served.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServedKind {
    /// Group and kind.
    pub kind: GroupKind,
    /// Preferred version, e.g. `v1`.
    pub version: String,
    /// All served versions.
    pub versions: Vec<String>,
    /// Resource name in URLs, e.g. `deployments`.
    pub plural: String,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
}

/// How much of each object a watch carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Content {
    /// `PartialObjectMetadata`: labels, annotations, managedFields, generation.
    Metadata,
    /// The whole object, for kinds whose health is read from it.
    Full,
}

/// What happened to the objects of a watch.
#[derive(Clone, Debug)]
pub enum WatchEvent {
    /// A (re)list begins: objects not seen again before `Listed` are gone.
    Restarted,
    /// The list is complete.
    Listed,
    /// Seen or changed.
    Changed(Box<LiveMeta>),
    /// Gone.
    Deleted(Box<LiveMeta>),
    /// The server refuses the watch (RBAC) or cannot be reached; the stream tries again by itself.
    Failing(String),
}

/// What is read from a live object.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveMeta {
    /// Identity.
    pub id: ObjectId,
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.resourceVersion`.
    pub resource_version: String,
    /// The object; for [`Content::Metadata`] only `apiVersion`, `kind` and `metadata`.
    pub value: Value,
}

/// What an apply did.
#[derive(Clone, Debug)]
pub enum ApplyOutcome {
    /// The object as it is now.
    Applied(Box<Applied>),
    /// Other managers hold fields that the object sets; nothing was written.
    Conflicts(Vec<FieldConflict>),
}

/// A successful apply.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The object after the apply, whole.
    pub live: LiveMeta,
    /// Whether it was created by this apply (HTTP 201).
    pub created: bool,
}

/// A field that another manager holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldConflict {
    /// Path as the server prints it, e.g. `.spec.replicas`.
    pub field: String,
    /// Manager.
    pub manager: String,
    /// Subresource through which it is held, e.g. `scale`.
    pub subresource: Option<String>,
}

/// A ConfigMap of Tidegate's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Name.
    pub name: String,
    /// Labels.
    pub labels: std::collections::BTreeMap<String, String>,
    /// Annotations.
    pub annotations: std::collections::BTreeMap<String, String>,
    /// Data.
    pub data: std::collections::BTreeMap<String, String>,
    /// As read; `None` creates.
    pub resource_version: Option<String>,
}
