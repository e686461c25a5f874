//! What a unit's files ask for: one set of objects, fit to be applied, and what was refused.
//!
//! Not here: parsing (see [`crate::manifest`]) and whether the unit may have the objects
//! (see [`super::claims`]). Called by the agent whenever a unit's files change.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::applyset::{self, ApplySetId};
use crate::finding::Finding;
use crate::manifest::FileObjects;
use crate::object::{GroupKind, Object, ObjectId};

/// What the server serves of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Served versions, e.g. `v1`.
    pub versions: Vec<String>,
}

/// The kinds a server serves.
pub type Kinds = BTreeMap<GroupKind, Served>;

/// The bytes of an object as desired: equal hashes mean an equal apply.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash([u8; 32]);

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Hash {
    /// Hashes a JSON value; the order of keys is that of the value's maps, which are sorted.
    pub fn of(value: &Value) -> Self {
        Self(Sha256::digest(value.to_string()).into())
    }
}

/// One object, ready to be applied.
#[derive(Clone, Debug, PartialEq)]
pub struct DesiredObject {
    /// Identity, with the namespace it will live in.
    pub id: ObjectId,
    /// Version part of `apiVersion`, served by the server.
    pub version: String,
    /// The object: part-of label added, what only the server may set left out.
    pub value: Value,
    /// Hash of `value`.
    pub hash: Hash,
    /// File it comes from.
    pub file: String,
    /// 1-based line on which the document starts.
    pub line: usize,
}

impl DesiredObject {
    /// Prints where the object stands in git: `file:line`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

/// An object whose kind the server does not serve (yet).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The kind that is missing.
    pub kind: GroupKind,
    /// File the object comes from.
    pub file: String,
    /// 1-based line on which the document starts.
    pub line: usize,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, file, line } = self;
        write!(f, "{file}:{line}: the server does not serve {kind} ")?;
        write!(f, "(hint: is its CustomResourceDefinition there, and apiVersion and kind spelt right?)")
    }
}

/// All that a unit desires at one revision.
#[derive(Clone, Debug, Default)]
pub struct Desired {
    /// Objects to be applied.
    pub objects: BTreeMap<ObjectId, Arc<DesiredObject>>,
    /// Objects marked `tidegate.io/ignore`: neither applied nor pruned.
    pub ignored: BTreeSet<ObjectId>,
    /// Objects of kinds that the server does not serve (yet), by identity as written.
    pub waiting: BTreeMap<ObjectId, Waiting>,
    /// Problems; with any the unit is incomplete, and nothing is pruned.
    pub findings: Vec<Finding>,
    /// Documents that are no manifests.
    pub skipped: usize,
}

impl Desired {
    /// Tells whether every file was understood: only then may what is missing be pruned.
    pub fn is_complete(&self) -> bool {
        self.findings.is_empty()
    }

    /// Returns the kinds and namespaces of all objects.
    pub fn extent(&self) -> applyset::Extent {
        applyset::Extent {
            kinds: self.objects.keys().map(|id| id.kind.clone()).collect(),
            namespaces: self.objects.keys().filter_map(|id| id.namespace.clone()).collect(),
        }
    }
}

/// What is the same for every object of a unit.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// Namespace for objects that name none and need one.
    pub namespace: &'a str,
    /// The unit's set.
    pub applyset: &'a ApplySetId,
    /// What the server serves.
    pub kinds: &'a Kinds,
}

/// Merges the objects of a unit's files.
///
/// # Guarantees
/// The order of `files` is irrelevant. A bad object or file harms only itself: it becomes a finding.
pub fn build<'a>(
    setting: Setting<'_>,
    files: impl IntoIterator<Item = (&'a str, &'a FileObjects)>,
) -> Desired {
    let mut files: Vec<_> = files.into_iter().collect();
    files.sort_by_key(|(path, _)| *path);
    let mut desired = Desired::default();
    let mut claimed: BTreeMap<ObjectId, Vec<Arc<DesiredObject>>> = BTreeMap::new();
    for (_, file) in files {
        desired.findings.extend(file.findings.iter().cloned());
        desired.skipped += file.skipped;
        for object in &file.objects {
            match read(setting, object) {
                Ok(Read::Apply(object)) => {
                    claimed.entry(object.id.clone()).or_default().push(Arc::new(object));
                }
                Ok(Read::Ignore(id)) => {
                    desired.ignored.insert(id);
                }
                Ok(Read::Wait) => {
                    let kind = object.id.kind.clone();
                    let waiting = Waiting { kind, file: object.file.clone(), line: object.line };
                    desired.waiting.insert(object.id.clone(), waiting);
                }
                Err(finding) => desired.findings.push(*finding),
            }
        }
    }
    for (id, objects) in claimed {
        match objects.as_slice() {
            [only] if !desired.ignored.contains(&id) => {
                desired.objects.insert(id, Arc::clone(only));
            }
            [_] => {}
            several => desired.findings.push(duplicate(&id, several)),
        }
    }
    desired
}

enum Read {
    Apply(DesiredObject),
    Ignore(ObjectId),
    Wait,
}

fn read(setting: Setting<'_>, object: &Object) -> Result<Read, Box<Finding>> {
    let served = setting.kinds.get(&object.id.kind);
    let namespace = match served {
        Some(served) if !served.namespaced => None,
        Some(_) => Some(object.id.namespace.clone().unwrap_or_else(|| setting.namespace.to_owned())),
        None => object.id.namespace.clone(),
    };
    let id = ObjectId { namespace, ..object.id.clone() };
    if is_ignored(object)? {
        return Ok(Read::Ignore(id));
    }
    refuse_unhonoured(object)?;
    let Some(served) = served else { return Ok(Read::Wait) };
    let version =
        object.api_version.rsplit_once('/').map_or(object.api_version.as_str(), |(_, version)| version);
    if !served.versions.iter().any(|known| known == version) {
        return Err(Box::new(Finding {
            value: Some(object.api_version.clone()),
            hint: Some(format!("served versions: {}", served.versions.join(", "))),
            ..finding(
                object,
                Some("apiVersion"),
                format!("the server does not serve this version of {}", id.kind),
            )
        }));
    }
    let value = applicable(setting, object, id.namespace.as_deref())?;
    let hash = Hash::of(&value);
    let (file, line) = (object.file.clone(), object.line);
    Ok(Read::Apply(DesiredObject { id, version: version.to_owned(), value, hash, file, line }))
}

fn is_ignored(object: &Object) -> Result<bool, Box<Finding>> {
    match object.annotation(IGNORE).map(str::trim) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => Err(Box::new(Finding {
            value: Some(other.chars().take(64).collect()),
            hint: Some("`true` leaves the object alone".to_owned()),
            ..finding(object, Some(IGNORE), "not a value of this key".to_owned())
        })),
    }
}

/// Annotation that takes an object out of sync.
const IGNORE: &str = "tidegate.io/ignore";
/// Keys that mean something to sync, but not yet to this build: to ignore a guard rail would be worse than to refuse.
const UNHONOURED: [&str; 4] =
    ["tidegate.io/apply", "tidegate.io/wave", "tidegate.io/depends-on", "tidegate.io/drift-ignore"];
/// Annotations that make an object a step of another tool's process.
const HOOKS: [&str; 2] = ["argocd.argoproj.io/hook", "helm.sh/hook"];

fn refuse_unhonoured(object: &Object) -> Result<(), Box<Finding>> {
    for key in UNHONOURED {
        if object.annotation(key).is_some() {
            return Err(Box::new(Finding {
                hint: Some("remove it, or mark the object `tidegate.io/ignore: \"true\"`".to_owned()),
                ..finding(
                    object,
                    Some(key),
                    "not honoured by this build; the object is not applied".to_owned(),
                )
            }));
        }
    }
    for key in HOOKS {
        if object.annotation(key).is_some() {
            return Err(Box::new(Finding {
                hint: Some("hooks are not run: make it an ordinary object, or mark it `tidegate.io/ignore: \"true\"`".to_owned()),
                ..finding(object, Some(key), "a hook is never applied as a plain object".to_owned())
            }));
        }
    }
    match object.annotation("tidegate.io/prune").map(str::trim) {
        None | Some("disabled") => Ok(()),
        Some(other) => Err(Box::new(Finding {
            value: Some(other.chars().take(64).collect()),
            hint: Some("the one value is `disabled`".to_owned()),
            ..finding(object, Some("tidegate.io/prune"), "not a value of this key".to_owned())
        })),
    }
}

/// What a person may have exported along with an object, and only the server may set.
const SERVER_SIDE: [&str; 6] =
    ["managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink"];

fn applicable(setting: Setting<'_>, object: &Object, namespace: Option<&str>) -> Result<Value, Box<Finding>> {
    let mut value = object.value.clone();
    if let Some(map) = value.as_object_mut() {
        map.remove("status");
    }
    let broken = || Box::new(finding(object, Some("metadata.labels"), "not a mapping".to_owned()));
    let metadata = value.get_mut("metadata").and_then(Value::as_object_mut).ok_or_else(broken)?;
    for key in SERVER_SIDE {
        metadata.remove(key);
    }
    match namespace {
        Some(namespace) => metadata.insert("namespace".to_owned(), namespace.into()),
        None => metadata.remove("namespace"),
    };
    let labels = metadata.entry("labels").or_insert(Value::Null);
    if labels.is_null() {
        *labels = Value::Object(Map::new());
    }
    let labels = labels.as_object_mut().ok_or_else(broken)?;
    if labels.contains_key(applyset::PART_OF) {
        return Err(Box::new(Finding {
            hint: Some("remove the label from the manifest".to_owned()),
            ..finding(
                object,
                Some(applyset::PART_OF),
                "this label says who owns an object, and is set on apply".to_owned(),
            )
        }));
    }
    labels.insert(applyset::PART_OF.to_owned(), setting.applyset.0.clone().into());
    Ok(value)
}

/// Which of the two is meant cannot be known, so neither is applied.
fn duplicate(id: &ObjectId, objects: &[Arc<DesiredObject>]) -> Finding {
    let places: Vec<String> =
        objects.iter().map(|object| format!("{}:{}", object.file, object.line)).collect();
    let (file, line) = objects.first().map_or((String::new(), 0), |first| (first.file.clone(), first.line));
    Finding {
        file,
        line,
        key: None,
        value: None,
        message: format!("{id} is written more than once in this unit: {}", places.join(", ")),
        hint: Some("keep one of them".to_owned()),
    }
}

fn finding(object: &Object, key: Option<&str>, message: String) -> Finding {
    Finding {
        file: object.file.clone(),
        line: object.line,
        key: key.map(str::to_owned),
        value: None,
        message,
        hint: None,
    }
}

#[cfg(test)]
mod tests;
