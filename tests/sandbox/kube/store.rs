//! The objects, the one counter of resourceVersions, and a bounded log of what happened.
//!
//! Not here: what a write means (`write`, `delete`); who is told (`watch` reads the log).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::{Value, json};

use super::kinds::Kind;

/// Where an object lives: group, plural, namespace (empty for cluster-wide kinds), name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// API group.
    pub group: &'static str,
    /// Name of the resource in URLs.
    pub plural: &'static str,
    /// Namespace, or empty.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl Key {
    /// The key of an object of `kind`.
    pub fn new(kind: &Kind, namespace: Option<&str>, name: &str) -> Self {
        Self {
            group: kind.group,
            plural: kind.plural,
            namespace: namespace.unwrap_or_default().to_owned(),
            name: name.to_owned(),
        }
    }

    fn is_of(&self, kind: &Kind) -> bool {
        self.group == kind.group && self.plural == kind.plural
    }
}

/// What happened to an object.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its resourceVersion.
    pub version: u64,
    /// Which.
    pub key: Key,
    /// Before, `None` when it was created.
    pub before: Option<Arc<Value>>,
    /// After, `None` when it was removed.
    pub after: Option<Arc<Value>>,
}

/// All objects.
#[derive(Debug)]
pub struct Store {
    objects: BTreeMap<Key, Arc<Value>>,
    log: VecDeque<Change>,
    log_limit: usize,
    version: u64,
    forgotten: u64,
}

impl Store {
    /// An empty store that remembers `log_limit` changes.
    pub fn new(log_limit: usize) -> Self {
        Self { objects: BTreeMap::new(), log: VecDeque::new(), log_limit, version: 1, forgotten: 0 }
    }

    /// The newest resourceVersion.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The newest resourceVersion whose changes are no longer remembered.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Forgets every change so far, as a compaction does.
    pub fn forget(&mut self) {
        self.forgotten = self.version;
        self.log.clear();
    }

    /// One object.
    pub fn get(&self, key: &Key) -> Option<&Arc<Value>> {
        self.objects.get(key)
    }

    /// All objects of a kind, of one namespace if given, in order of namespace and name.
    pub fn list<'a>(
        &'a self,
        kind: &Kind,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Value>)> {
        let start = Key::new(kind, namespace, "");
        let (group, plural) = (kind.group, kind.plural);
        self.objects
            .range(start..)
            .take_while(move |(key, _)| key.group == group && key.plural == plural)
            .take_while(move |(key, _)| namespace.is_none_or(|namespace| key.namespace == namespace))
    }

    /// Every object.
    pub fn all(&self) -> impl Iterator<Item = (&Key, &Arc<Value>)> {
        self.objects.iter()
    }

    /// Stores an object under a new resourceVersion and returns it.
    pub fn put(&mut self, key: &Key, mut object: Value) -> Arc<Value> {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let object = Arc::new(object);
        let before = self.objects.insert(key.clone(), object.clone());
        self.remember(key, before, Some(object.clone()));
        object
    }

    /// Removes an object; what is returned carries the resourceVersion of its removal.
    pub fn remove(&mut self, key: &Key) -> Option<Arc<Value>> {
        let before = self.objects.remove(key)?;
        self.version += 1;
        let mut last = (*before).clone();
        last["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let last = Arc::new(last);
        self.remember(key, Some(last.clone()), None);
        Some(last)
    }

    fn remember(&mut self, key: &Key, before: Option<Arc<Value>>, after: Option<Arc<Value>>) {
        self.log.push_back(Change { version: self.version, key: key.clone(), before, after });
        while self.log.len() > self.log_limit {
            if let Some(change) = self.log.pop_front() {
                self.forgotten = change.version;
            }
        }
    }

    /// The changes of a kind after `version`; `None` if some of them are forgotten.
    pub fn since(&self, version: u64, kind: &Kind, namespace: Option<&str>) -> Option<Vec<Change>> {
        if version < self.forgotten {
            return None;
        }
        let start = self.log.partition_point(|change| change.version <= version);
        let of_kind = |change: &&Change| {
            change.key.is_of(kind) && namespace.is_none_or(|namespace| change.key.namespace == namespace)
        };
        Some(self.log.range(start..).filter(of_kind).cloned().collect())
    }
}
