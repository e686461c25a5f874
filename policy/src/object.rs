//! The identity of a Kubernetes object and the few things read from any object.

use std::fmt;

use serde::Serialize;

/// Group and kind, as in `apps` / `Deployment`; the core group is the empty string.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct GroupKind {
    /// API group without version; empty for the core group.
    pub group: String,
    /// Kind, in `CamelCase`.
    pub kind: String,
}

impl fmt::Display for GroupKind {
    /// Prints `Kind.group`, or `Kind` for the core group (the form used by `ApplySet`, KEP-3659).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.group.is_empty() {
            f.write_str(&self.kind)
        } else {
            write!(f, "{}.{}", self.kind, self.group)
        }
    }
}

/// The identity of one object, whatever API version it is written in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct ObjectId {
    /// Group and kind.
    pub kind: GroupKind,
    /// Namespace; `None` for cluster-scoped objects and for manifests that name none.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
}

impl fmt::Display for ObjectId {
    /// Prints `Kind/namespace/name`, or `Kind/name` without a namespace.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{}/{namespace}/{}", self.kind.kind, self.name),
            None => write!(f, "{}/{}", self.kind.kind, self.name),
        }
    }
}

/// One object as a manifest in git describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// `apiVersion` as written, e.g. `apps/v1`.
    pub api_version: String,
    /// Identity; the namespace is the one written (the default is filled in by the sync loop,
    /// which knows the scope of the kind).
    pub id: ObjectId,
    /// The whole object, scalars resolved as kubectl resolves them.
    pub value: serde_json::Value,
    /// Path of the file in the repository.
    pub file: String,
    /// 1-based line on which the document starts.
    pub line: usize,
}

impl Object {
    /// Returns the value of one of the object's own annotations.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.value.get("metadata")?.get("annotations")?.get(key)?.as_str()
    }
}
