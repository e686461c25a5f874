//! The real [`Cluster`]: a Kubernetes API server, spoken to through `kube`.
//!
//! Reads and writes are single requests whose refusals are classified by [`super::refusal`]; nothing is
//! retried here. Made by the verbs `run`, `plan` and `explain`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use http::Method;
use serde_json::{Value, json};
use tidegate_policy::object::ObjectId;

use super::connect::Connection;
use super::live::{config_map, config_maps, live_meta, record};
use super::request::{Answer, Call, collection, object};
use super::{
    Applied, ApplyOutcome, Catalog, Cluster, Content, LiveMeta, Record, ServedKind, WatchEvent, discovery,
    watch,
};
use crate::backoff::{Backoff, Jitter};
use crate::config::ClusterConfig;
use crate::context::Context;
use crate::error::Failure;
use crate::fence::WriteFence;

/// The field manager of everything that Tidegate writes.
pub const FIELD_MANAGER: &str = "tidegate";

const PARTIAL_OBJECT: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const PARTIAL_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
const APPLY_PATCH: &str = "application/apply-patch+yaml";
const JSON: &str = "application/json";
const PAGE_OBJECTS: &str = "500";
const WATCH_WAIT_LEAST: Duration = Duration::from_millis(500);
const WATCH_WAIT_MOST: Duration = Duration::from_secs(30);

/// One API server, as the identity of its kubeconfig or of the pod's service account.
pub struct KubeCluster {
    connection: Connection,
    namespace: String,
    jitter: Jitter,
}

impl KubeCluster {
    /// Reads the kubeconfig, or the service account of the pod; nothing is sent yet. Needs a tokio runtime.
    ///
    /// # Errors
    /// `Reject` if it cannot be read, or if its user gets its credentials from a program: none is ever run.
    pub async fn connect(settings: &ClusterConfig, jitter: Jitter) -> Result<Self, Failure> {
        let connection = Connection::open(settings).await?;
        Ok(Self { connection, namespace: settings.namespace.clone(), jitter })
    }

    /// Base URL of the API server, without credentials.
    pub fn server(&self) -> &str {
        &self.connection.server
    }

    /// One page of a list, and where the next one starts.
    async fn page(
        &self,
        context: &Context,
        kind: &ServedKind,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<(Vec<LiveMeta>, Option<String>), Failure> {
        let call = Call::new(format!("list {}", kind.kind), Method::GET, path.to_owned());
        let mut answer = call.query(query).accept(PARTIAL_LIST).value(context, &self.connection).await?;
        let next =
            answer.pointer("/metadata/continue").and_then(Value::as_str).unwrap_or_default().to_owned();
        let items = match answer.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => items,
            // Go writes an empty list as null. An answer without the key is no list: to take it for an
            // empty one would be to believe that everything is gone.
            Some(Value::Null) => Vec::new(),
            _ => return Err(Failure::retry(format!("cannot list {}: the answer is not a list", kind.kind))),
        };
        let items = items.into_iter().map(|item| live_meta(kind, &kind.version, item));
        Ok((items.collect::<Result<_, _>>()?, (!next.is_empty()).then_some(next)))
    }
}

#[async_trait]
impl Cluster for KubeCluster {
    async fn discover(&self, context: &Context) -> Result<Arc<Catalog>, Failure> {
        discovery::discover(context, &self.connection).await.map(Arc::new)
    }

    async fn list(
        &self,
        context: &Context,
        kind: &ServedKind,
        namespace: Option<&str>,
        label_selector: Option<&str>,
    ) -> Result<Vec<LiveMeta>, Failure> {
        let path = collection(kind, &kind.version, namespace)?;
        let mut objects = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let mut query = vec![("limit", PAGE_OBJECTS)];
            query.extend(label_selector.map(|selector| ("labelSelector", selector)));
            query.extend(next.as_deref().map(|token| ("continue", token)));
            let (page, more) = self.page(context, kind, &path, &query).await?;
            objects.extend(page);
            let Some(more) = more else { return Ok(objects) };
            next = Some(more);
        }
    }

    async fn get(
        &self,
        context: &Context,
        kind: &ServedKind,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Option<LiveMeta>, Failure> {
        let path = object(kind, &kind.version, namespace, name)?;
        let what = format!("get {}", id(kind, namespace, name));
        let call = Call::new(what, Method::GET, path).accept(PARTIAL_OBJECT);
        match call.send(context, &self.connection).await? {
            Answer::Done { value, .. } => live_meta(kind, &kind.version, value).map(Some),
            Answer::Refused(refusal) if refusal.is_missing(&kind.plural, name) => Ok(None),
            Answer::Refused(refusal) => Err(refusal.failure()),
        }
    }

    async fn apply(
        &self,
        context: &Context,
        fence: &WriteFence,
        kind: &ServedKind,
        desired: &Value,
        force: bool,
    ) -> Result<ApplyOutcome, Failure> {
        let text = |pointer: &str| desired.pointer(pointer).and_then(Value::as_str);
        let (Some(api_version), Some(name)) = (text("/apiVersion"), text("/metadata/name")) else {
            return Err(Failure::bug(format!("a {} without apiVersion or name is to be applied", kind.kind)));
        };
        let namespace = text("/metadata/namespace");
        let id = id(kind, namespace, name);
        let version = served_version(kind, api_version, &id)?;
        let force = if force { "true" } else { "false" };
        let query = [("fieldManager", FIELD_MANAGER), ("fieldValidation", "Strict"), ("force", force)];
        let call = Call::new(format!("apply {id}"), Method::PATCH, object(kind, version, namespace, name)?)
            .query(&query)
            .body(APPLY_PATCH, desired)
            .secretive(kind.kind.group.is_empty() && kind.kind.kind == "Secret");
        fence.check()?;
        match call.send(context, &self.connection).await? {
            Answer::Done { created, value } => {
                let live = live_meta(kind, version, value)?;
                Ok(ApplyOutcome::Applied(Box::new(Applied { live, created })))
            }
            Answer::Refused(refusal) => match refusal.field_conflicts() {
                conflicts if conflicts.is_empty() => Err(refusal.failure()),
                conflicts => Ok(ApplyOutcome::Conflicts(conflicts)),
            },
        }
    }

    async fn delete(
        &self,
        context: &Context,
        fence: &WriteFence,
        kind: &ServedKind,
        live: &LiveMeta,
    ) -> Result<bool, Failure> {
        let path = object(kind, &kind.version, live.id.namespace.as_deref(), &live.id.name)?;
        let options = json!({
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": {"uid": live.uid, "resourceVersion": live.resource_version},
        });
        let call = Call::new(format!("delete {}", live.id), Method::DELETE, path).body(JSON, &options);
        fence.check()?;
        match call.send(context, &self.connection).await? {
            Answer::Done { .. } => Ok(true),
            Answer::Refused(refusal)
                if refusal.is_missing(&kind.plural, &live.id.name) || refusal.is_conflict() =>
            {
                Ok(false)
            }
            Answer::Refused(refusal) => Err(refusal.failure()),
        }
    }

    fn watch(
        &self,
        kind: &ServedKind,
        label_selector: Option<&str>,
        content: Content,
    ) -> BoxStream<'static, WatchEvent> {
        let backoff = Backoff::new(WATCH_WAIT_LEAST, WATCH_WAIT_MOST, self.jitter.clone());
        watch::watch(&self.connection, kind, label_selector, content, backoff)
    }

    async fn record(&self, context: &Context, name: &str) -> Result<Option<Record>, Failure> {
        let path = object(&config_maps(), "v1", Some(&self.namespace), name)?;
        let call = Call::new(format!("read the record {}/{name}", self.namespace), Method::GET, path);
        match call.send(context, &self.connection).await? {
            Answer::Done { value, .. } => record(&value).map(Some),
            Answer::Refused(refusal) if refusal.is_missing(&config_maps().plural, name) => Ok(None),
            Answer::Refused(refusal) => Err(refusal.failure()),
        }
    }

    async fn write_record(
        &self,
        context: &Context,
        fence: &WriteFence,
        written: &Record,
    ) -> Result<Record, Failure> {
        let (kind, namespace) = (config_maps(), Some(self.namespace.as_str()));
        let (method, path) = match written.resource_version {
            None => (Method::POST, collection(&kind, "v1", namespace)?),
            Some(_) => (Method::PUT, object(&kind, "v1", namespace, &written.name)?),
        };
        let call = Call::new(format!("write the record {}/{}", self.namespace, written.name), method, path)
            .query(&[("fieldManager", FIELD_MANAGER)])
            .body(JSON, &config_map(written, &self.namespace));
        fence.check()?;
        match call.send(context, &self.connection).await? {
            Answer::Done { value, .. } => record(&value),
            Answer::Refused(refusal)
                if refusal.is_missing(&kind.plural, &written.name) || refusal.is_conflict() =>
            {
                Err(Failure::reject(format!(
                    "the record {}/{} was written by somebody else meanwhile",
                    self.namespace, written.name
                ))
                .hint("does a second Tidegate run with the same namespace?"))
            }
            Answer::Refused(refusal) => Err(refusal.failure()),
        }
    }
}

/// The version of `apiVersion`, which may be another than the preferred one.
fn served_version<'a>(kind: &ServedKind, api_version: &'a str, id: &ObjectId) -> Result<&'a str, Failure> {
    let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
    if group == kind.kind.group && kind.versions.iter().any(|served| served == version) {
        return Ok(version);
    }
    let versions = kind.versions.join(", ");
    Err(Failure::retry(format!("cannot apply {id}: the server does not serve it as `{api_version}`"))
        .hint(format!("served versions of {}: {versions}", kind.kind)))
}

fn id(kind: &ServedKind, namespace: Option<&str>, name: &str) -> ObjectId {
    let namespace = namespace.filter(|_| kind.namespaced).map(str::to_owned);
    ObjectId { kind: kind.kind.clone(), namespace, name: name.to_owned() }
}
