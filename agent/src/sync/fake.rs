//! A small API server in memory, for the tests of the sync loop: applies with field ownership, watches, faults.
//!
//! Fields are owned as leaves of mappings; lists are atomic. It is no judge of apply: the real server is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use serde_json::{Map, Value, json};
use tidegate_policy::object::{GroupKind, ObjectId};
use tokio::sync::broadcast;

use crate::cluster::{
    Applied, ApplyOutcome, Catalog, Cluster, Content, FieldConflict, LiveMeta, Record, ServedKind, WatchEvent,
};
use crate::context::Context;
use crate::error::Failure;
use crate::fence::WriteFence;

mod fields;
pub(super) mod repo;

use fields::{entry, leaf, leaves, set_leaf, unset_leaf};

pub(super) struct FakeCluster {
    store: Mutex<Store>,
    changes: broadcast::Sender<(ObjectId, Option<Value>)>,
}

#[derive(Default)]
struct Store {
    objects: BTreeMap<ObjectId, Value>,
    version: u64,
    catalog: Catalog,
    calls: Vec<String>,
    down: bool,
    unwatchable: BTreeSet<String>,
}

pub(super) fn gk(text: &str) -> GroupKind {
    let (kind, group) = text.split_once('.').unwrap_or((text, ""));
    GroupKind { group: group.to_owned(), kind: kind.to_owned() }
}

/// Reads `Kind[.group]/[namespace/]name`.
pub(super) fn id(text: &str) -> ObjectId {
    let parts: Vec<&str> = text.split('/').collect();
    let (kind, namespace, name) = match parts[..] {
        [kind, name] => (kind, None, name),
        [kind, namespace, name] => (kind, Some(namespace.to_owned()), name),
        _ => panic!("{text} is no object"),
    };
    ObjectId { kind: gk(kind), namespace, name: name.to_owned() }
}

impl FakeCluster {
    pub(super) fn new() -> Arc<Self> {
        let fake = Self { store: Mutex::default(), changes: broadcast::channel(4096).0 };
        for kind in ["ConfigMap", "Secret", "Service", "Deployment.apps"] {
            fake.serve(kind, true);
        }
        fake.serve("Namespace", false);
        fake.serve("CustomResourceDefinition.apiextensions.k8s.io", false);
        Arc::new(fake)
    }

    pub(super) fn serve(&self, kind: &str, namespaced: bool) {
        let kind = gk(kind);
        let plural = format!("{}s", kind.kind.to_lowercase());
        let served = ServedKind {
            kind: kind.clone(),
            version: "v1".into(),
            versions: vec!["v1".into()],
            plural,
            namespaced,
        };
        self.store().catalog.kinds.insert(kind, served);
    }

    pub(super) fn set_down(&self, down: bool) {
        self.store().down = down;
    }

    pub(super) fn refuse_watch(&self, kind: &str) {
        self.store().unwatchable.insert(kind.to_owned());
    }

    /// Takes the calls made since the last time, `verb Kind/…` each.
    pub(super) fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut self.store().calls)
    }

    pub(super) fn object(&self, text: &str) -> Option<Value> {
        self.store().objects.get(&id(text)).cloned()
    }

    /// Puts an object there as another manager would.
    pub(super) fn create(&self, text: &str, manager: &str, mut value: Value) {
        let id = id(text);
        let kind = if id.kind.group.is_empty() { "v1".to_owned() } else { format!("{}/v1", id.kind.group) };
        value["apiVersion"] = kind.into();
        value["kind"] = id.kind.kind.clone().into();
        value["metadata"]["name"] = id.name.clone().into();
        if let Some(namespace) = &id.namespace {
            value["metadata"]["namespace"] = namespace.clone().into();
        }
        value["metadata"]["uid"] = format!("uid-{text}").into();
        let owned = leaves(&value);
        value["metadata"]["managedFields"] = json!([entry(manager, "Update", None, &owned)]);
        self.put(&id, value);
    }

    /// Changes an object as another manager would: it owns what it changed from then on.
    pub(super) fn edit(
        &self,
        text: &str,
        manager: &str,
        subresource: Option<&str>,
        change: impl FnOnce(&mut Value),
    ) {
        let id = id(text);
        let before = self.object(text).expect("there is something to edit");
        let mut after = before.clone();
        change(&mut after);
        let (old, new) = (leaves(&before), leaves(&after));
        let touched: BTreeSet<_> =
            old.union(&new).filter(|path| leaf(&before, path) != leaf(&after, path)).cloned().collect();
        fields::disown(&mut after, &touched);
        let kept: BTreeSet<_> = touched.intersection(&new).cloned().collect();
        if let Some(managers) = after["metadata"]["managedFields"].as_array_mut() {
            managers.push(entry(manager, "Update", subresource, &kept));
        }
        self.put(&id, after);
    }

    pub(super) fn remove(&self, text: &str) {
        let id = id(text);
        self.store().objects.remove(&id);
        drop(self.changes.send((id, None)));
    }

    fn put(&self, id: &ObjectId, mut value: Value) -> Value {
        let mut store = self.store();
        store.version += 1;
        value["metadata"]["resourceVersion"] = store.version.to_string().into();
        store.objects.insert(id.clone(), value.clone());
        drop(self.changes.send((id.clone(), Some(value.clone()))));
        value
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap()
    }

    fn called(&self, verb: &str, what: impl std::fmt::Display) -> Result<(), Failure> {
        let mut store = self.store();
        store.calls.push(format!("{verb} {what}"));
        if store.down { Err(Failure::retry("connection refused")) } else { Ok(()) }
    }

    fn selected(&self, kind: &GroupKind, selector: Option<&str>) -> Vec<LiveMeta> {
        let store = self.store();
        let of_kind = store.objects.iter().filter(|(id, _)| id.kind == *kind);
        of_kind.filter(|(_, value)| is_selected(value, selector)).map(|(id, value)| live(id, value)).collect()
    }
}

fn live(id: &ObjectId, value: &Value) -> LiveMeta {
    let text = |key: &str| value["metadata"][key].as_str().unwrap_or_default().to_owned();
    LiveMeta {
        id: id.clone(),
        uid: text("uid"),
        resource_version: text("resourceVersion"),
        value: value.clone(),
    }
}

fn is_selected(value: &Value, selector: Option<&str>) -> bool {
    let Some(selector) = selector else { return true };
    let labels = &value["metadata"]["labels"];
    match selector.split_once('=') {
        Some((key, wanted)) => labels[key] == wanted,
        None => !labels[selector].is_null(),
    }
}

fn id_of(value: &Value, kind: &ServedKind) -> ObjectId {
    let namespace = value["metadata"]["namespace"].as_str().map(str::to_owned);
    let name = value["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    ObjectId { kind: kind.kind.clone(), namespace, name }
}

#[async_trait]
impl Cluster for FakeCluster {
    async fn discover(&self, _: &Context) -> Result<Arc<Catalog>, Failure> {
        self.called("discover", "")?;
        Ok(Arc::new(self.store().catalog.clone()))
    }

    async fn list(
        &self,
        _: &Context,
        kind: &ServedKind,
        namespace: Option<&str>,
        selector: Option<&str>,
    ) -> Result<Vec<LiveMeta>, Failure> {
        self.called("list", &kind.kind)?;
        let mut list = self.selected(&kind.kind, selector);
        list.retain(|live| namespace.is_none() || live.id.namespace.as_deref() == namespace);
        Ok(list)
    }

    async fn get(
        &self,
        _: &Context,
        kind: &ServedKind,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Option<LiveMeta>, Failure> {
        let id = ObjectId {
            kind: kind.kind.clone(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        };
        self.called("get", &id)?;
        Ok(self.store().objects.get(&id).map(|value| live(&id, value)))
    }

    async fn apply(
        &self,
        _: &Context,
        fence: &WriteFence,
        kind: &ServedKind,
        object: &Value,
        force: bool,
    ) -> Result<ApplyOutcome, Failure> {
        fence.check()?;
        let id = id_of(object, kind);
        self.called("apply", &id)?;
        if object["data"]["invalid"].is_string() {
            return Err(Failure::reject(format!("{id} is invalid")));
        }
        let before = self.store().objects.get(&id).cloned();
        let mut after = before
            .clone()
            .unwrap_or_else(|| json!({"metadata": {"uid": format!("uid-{id}"), "managedFields": []}}));
        let wanted = leaves(object);
        let conflicts = fields::conflicts(&after, object, &wanted);
        if !conflicts.is_empty() && !force {
            return Ok(ApplyOutcome::Conflicts(conflicts));
        }
        let ours = fields::of_manager(&after, "tidegate", "Apply");
        let taken: BTreeSet<Vec<String>> =
            wanted.iter().filter(|path| leaf(&after, path) != leaf(object, path)).cloned().collect();
        fields::disown(&mut after, &taken);
        for path in ours.difference(&wanted) {
            unset_leaf(&mut after, path);
        }
        for key in ["apiVersion", "kind"] {
            after[key] = object[key].clone();
        }
        for key in ["name", "namespace"] {
            if !object["metadata"][key].is_null() {
                after["metadata"][key] = object["metadata"][key].clone();
            }
        }
        for path in &wanted {
            set_leaf(&mut after, path, leaf(object, path).cloned().unwrap_or(Value::Null));
        }
        fields::own(&mut after, &wanted);
        let live = if before.as_ref() == Some(&after) {
            live(&id, &after)
        } else {
            live(&id, &self.put(&id, after))
        };
        Ok(ApplyOutcome::Applied(Box::new(Applied { live, created: before.is_none() })))
    }

    async fn delete(
        &self,
        _: &Context,
        fence: &WriteFence,
        _: &ServedKind,
        wanted: &LiveMeta,
    ) -> Result<bool, Failure> {
        fence.check()?;
        self.called("delete", &wanted.id)?;
        let found = self.store().objects.get(&wanted.id).map(|value| live(&wanted.id, value));
        let is_same = found.is_some_and(|found| found.resource_version == wanted.resource_version);
        if is_same {
            self.store().objects.remove(&wanted.id);
            drop(self.changes.send((wanted.id.clone(), None)));
        }
        Ok(is_same)
    }

    fn watch(&self, kind: &ServedKind, selector: Option<&str>, _: Content) -> BoxStream<'static, WatchEvent> {
        if self.store().unwatchable.contains(&kind.kind.kind) {
            return futures::stream::iter([WatchEvent::Failing("forbidden".into())])
                .chain(futures::stream::pending())
                .boxed();
        }
        let changes = self.changes.subscribe();
        let mut start = vec![WatchEvent::Restarted];
        start.extend(
            self.selected(&kind.kind, selector).into_iter().map(|live| WatchEvent::Changed(Box::new(live))),
        );
        start.push(WatchEvent::Listed);
        let (kind, selector) = (kind.kind.clone(), selector.map(str::to_owned));
        let news = futures::stream::unfold(changes, move |mut changes| {
            let (kind, selector) = (kind.clone(), selector.clone());
            async move {
                loop {
                    let (id, value) = changes.recv().await.ok()?;
                    if id.kind != kind {
                        continue;
                    }
                    let event = match value {
                        Some(value) if is_selected(&value, selector.as_deref()) => {
                            WatchEvent::Changed(Box::new(live(&id, &value)))
                        }
                        value => WatchEvent::Deleted(Box::new(live(&id, &value.unwrap_or_default()))),
                    };
                    return Some((event, changes));
                }
            }
        });
        futures::stream::iter(start).chain(news).boxed()
    }

    async fn record(&self, _: &Context, name: &str) -> Result<Option<Record>, Failure> {
        self.called("get", format!("record {name}"))?;
        let id = id(&format!("ConfigMap/tidegate/{name}"));
        Ok(self.store().objects.get(&id).map(|value| Record {
            name: name.to_owned(),
            labels: texts(&value["metadata"]["labels"]),
            annotations: texts(&value["metadata"]["annotations"]),
            data: texts(&value["data"]),
            resource_version: value["metadata"]["resourceVersion"].as_str().map(str::to_owned),
        }))
    }

    async fn write_record(
        &self,
        _: &Context,
        fence: &WriteFence,
        record: &Record,
    ) -> Result<Record, Failure> {
        fence.check()?;
        self.called("write", format!("record {}", record.name))?;
        let id = id(&format!("ConfigMap/tidegate/{}", record.name));
        let found = self.store().objects.get(&id).map(|value| live(&id, value).resource_version);
        if found != record.resource_version {
            return Err(Failure::reject("the record was changed by somebody else"));
        }
        let value = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": record.name, "namespace": "tidegate", "labels": record.labels, "annotations": record.annotations},
            "data": record.data,
        });
        let version = self.put(&id, value)["metadata"]["resourceVersion"].as_str().map(str::to_owned);
        Ok(Record { resource_version: version, ..record.clone() })
    }
}

fn texts(value: &Value) -> BTreeMap<String, String> {
    let map = value.as_object().cloned().unwrap_or_else(Map::new);
    map.into_iter().filter_map(|(key, value)| Some((key, value.as_str()?.to_owned()))).collect()
}

/// Names a conflict as the server does.
fn conflict(path: &[String], manager: &str, subresource: Option<&str>) -> FieldConflict {
    FieldConflict {
        field: format!(".{}", path.join(".")),
        manager: manager.to_owned(),
        subresource: subresource.map(str::to_owned),
    }
}
