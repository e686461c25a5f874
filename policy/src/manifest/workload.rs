//! Objects with a pod template → drafts of their image fields.
//!
//! Called by [`super::scan`]. Not here: fields of other kinds (see [`super::custom`]), which policy a field has.

use std::borrow::Cow;
use std::rc::Rc;

use super::annotations::Annotations;
use super::scan::{Draft, Scope};
use super::yaml::{Document, NodeId};
use super::{Part, custom, site};
use crate::finding::Finding;
use crate::quote::quoted;

/// Longest group, kind, namespace or name; Kubernetes allows no more, and every field id repeats them.
const NAME_BYTES_MAX: usize = 253;

/// The lists of containers in a pod spec.
pub(super) const LISTS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// What an object is; the items of a typed list may leave that to the list.
#[derive(Clone)]
struct Type<'a> {
    group: Cow<'a, str>,
    kind: Cow<'a, str>,
}

impl<'a> Type<'a> {
    /// Reads the type of `object`; kubectl gives an item that says nothing of itself the type of its `list`.
    fn of(document: &'a Document<'_>, object: NodeId, list: Option<&Type<'a>>) -> Option<Self> {
        let api_version = document.get_string(object, "apiVersion").unwrap_or_default();
        let Some(kind) = document.get_string(object, "kind") else {
            let kind =
                list?.kind.strip_suffix("List").filter(|kind| !kind.is_empty() && api_version.is_empty())?;
            return Some(Self { group: list?.group.clone(), kind: Cow::Owned(kind.to_owned()) });
        };
        let group = match api_version {
            Cow::Borrowed(text) => Cow::Borrowed(text.split_once('/').map_or("", |(group, _)| group)),
            Cow::Owned(text) => Cow::Owned(text.split_once('/').map_or("", |(group, _)| group).to_owned()),
        };
        Some(Self { group, kind })
    }
}

/// Who an object is, as its field ids and findings name it.
pub(super) struct Identity {
    /// `group/Kind/namespace/name`
    pub(super) id: String,
    /// `Kind/namespace/name`
    pub(super) object: String,
}

/// Reads who the object is; `None` if it has no kind, or names that Kubernetes would not take.
pub(super) fn identity(scope: &Scope<'_>, object: NodeId) -> Option<Identity> {
    identity_as(scope, object, &Type::of(scope.document, object, None)?)
}

fn identity_as(scope: &Scope<'_>, object: NodeId, Type { group, kind }: &Type<'_>) -> Option<Identity> {
    let document = scope.document;
    let metadata = document.get(object, "metadata");
    let from_metadata =
        |key| metadata.and_then(|metadata| document.get_string(metadata, key)).unwrap_or_default();
    let (namespace, name) = (from_metadata("namespace"), from_metadata("name"));
    if [kind, group, &namespace, &name].iter().any(|text| text.len() > NAME_BYTES_MAX) {
        return None;
    }
    let object = format!("{kind}/{namespace}/{name}");
    Some(Identity { id: format!("{group}/{object}"), object })
}

/// Collects the image fields of an object, or of the items of a list.
pub(super) fn collect(scope: &mut Scope<'_>, object: NodeId) {
    collect_as(scope, object, None);
}

fn collect_as(scope: &mut Scope<'_>, object: NodeId, list: Option<&Type<'_>>) {
    let document = scope.document;
    let Some(what) = Type::of(document, object, list) else { return };
    if what.kind.ends_with("List")
        && let Some(items) = document.get(object, "items")
    {
        for item in document.items(items) {
            collect_as(scope, *item, Some(&what));
        }
        return;
    }
    let pod = document.path(object, pod_path(&what.kind));
    let is_custom = scope.paths.of(&what.group, &what.kind).next().is_some();
    if pod.is_none() && !is_custom {
        return;
    }
    let Some(identity) = identity_as(scope, object, &what) else {
        return scope.finding(object, "the object has a longer name than Kubernetes allows", None);
    };
    let annotations = Annotations::read(scope, object).map(Rc::new);
    let owner = Owner { identity, annotations };
    let first = scope.drafts.len();
    if let Some(pod) = pod {
        pod_fields(scope, &owner, pod);
    }
    if is_custom {
        custom::collect(scope, &owner, object, (&what.group, &what.kind), first);
    }
}

/// Where the pod spec of a kind is.
pub(super) fn pod_path(kind: &str) -> &'static [&'static str] {
    match kind {
        "Pod" => &["spec"],
        "PodTemplate" => &["template", "spec"],
        "CronJob" => &["spec", "jobTemplate", "spec", "template", "spec"],
        _ => &["spec", "template", "spec"],
    }
}

/// The object that holds images.
pub(super) struct Owner {
    pub(super) identity: Identity,
    pub(super) annotations: Result<Rc<Annotations>, Box<Finding>>,
}

/// Collects containers and image volumes.
fn pod_fields(scope: &mut Scope<'_>, owner: &Owner, pod: NodeId) {
    let document = scope.document;
    for list in LISTS {
        let Some(containers) = document.get(pod, list) else { continue };
        for (index, container) in document.items(containers).iter().enumerate() {
            let name = document.get_string(*container, "name");
            let name = name.map_or_else(|| format!("{list}[{index}]"), Cow::into_owned);
            field(scope, owner, Place { holder: *container, key: "image".into(), container: name });
        }
    }
    let Some(volumes) = document.get(pod, "volumes") else { return };
    for (index, volume) in document.items(volumes).iter().enumerate() {
        let Some(image) = document.get(*volume, "image") else { continue };
        let name = document.get_string(*volume, "name");
        let name = name.map_or_else(|| format!("volumes[{index}]"), |name| format!("volumes/{name}"));
        field(scope, owner, Place { holder: image, key: "reference".into(), container: name });
    }
}

/// Where an image stands in its object.
struct Place {
    holder: NodeId,
    key: Cow<'static, str>,
    container: String,
}

fn field(scope: &mut Scope<'_>, owner: &Owner, Place { holder, key, container }: Place) {
    let document = scope.document;
    let Some(value) = document.get(holder, &key) else { return };
    let holder = document.target(holder);
    whole_field(scope, owner, Found { value, holder, key: Some(key), container });
}

/// A value that holds a whole reference.
pub(super) struct Found {
    pub(super) value: NodeId,
    /// The mapping that holds it; the value itself in a list.
    pub(super) holder: NodeId,
    pub(super) key: Option<Cow<'static, str>>,
    pub(super) container: String,
}

/// Drafts the field of a whole reference; an empty value is none.
pub(super) fn whole_field(scope: &mut Scope<'_>, owner: &Owner, found: Found) {
    let Found { value, holder, key, container } = found;
    let Some(image) = site::value(scope.document, value) else { return };
    let site = match site::site(scope.document, value, Part::Whole) {
        Ok(site) => site,
        Err(problem) => {
            let message =
                format!("the image of container {} cannot be edited: {problem}", quoted(&container));
            return scope.finding(value, message, Some("write it on one line"));
        }
    };
    let id = format!("{}#{}#{container}", scope.path, owner.identity.id);
    let object = owner.identity.object.clone();
    let (sites, annotations) = (vec![site], owner.annotations.clone());
    scope.draft(Draft { id, object, container, image, sites, annotations, places: vec![(holder, key)] });
}
