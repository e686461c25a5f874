//! Objects with a pod template → drafts of their image fields.
//!
//! Called by [`super::scan`]. Not here: which policy a field has.

use std::rc::Rc;

use super::annotations::Annotations;
use super::scan::{Draft, Scope};
use super::yaml::NodeId;
use super::{Part, site};
use crate::finding::Finding;
use crate::quote::quoted;

/// Longest group, kind, namespace or name; Kubernetes allows no more, and every field id repeats them.
const NAME_BYTES_MAX: usize = 253;

/// The lists of containers in a pod spec.
const LISTS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// Who an object is, as its field ids and findings name it.
pub(super) struct Identity {
    /// `group/Kind/namespace/name`
    pub(super) id: String,
    /// `Kind/namespace/name`
    pub(super) object: String,
}

/// Reads who the object is; `None` if it has no kind, or names that Kubernetes would not take.
pub(super) fn identity(scope: &Scope<'_>, object: NodeId) -> Option<Identity> {
    let document = scope.document;
    let kind = document.get_string(object, "kind")?;
    let api_version = document.get_string(object, "apiVersion").unwrap_or_default();
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    let metadata = document.get(object, "metadata");
    let from_metadata =
        |key| metadata.and_then(|metadata| document.get_string(metadata, key)).unwrap_or_default();
    let (namespace, name) = (from_metadata("namespace"), from_metadata("name"));
    if [kind.as_ref(), group, &namespace, &name].iter().any(|text| text.len() > NAME_BYTES_MAX) {
        return None;
    }
    let object = format!("{kind}/{namespace}/{name}");
    Some(Identity { id: format!("{group}/{object}"), object })
}

/// Collects the image fields of an object, or of the items of a list.
pub(super) fn collect(scope: &mut Scope<'_>, object: NodeId) {
    let document = scope.document;
    let Some(kind) = document.get_string(object, "kind") else { return };
    if kind.ends_with("List")
        && let Some(items) = document.get(object, "items")
    {
        for item in document.items(items) {
            collect(scope, *item);
        }
        return;
    }
    let path: &[&str] = match kind.as_ref() {
        "Pod" => &["spec"],
        "PodTemplate" => &["template", "spec"],
        "CronJob" => &["spec", "jobTemplate", "spec", "template", "spec"],
        _ => &["spec", "template", "spec"],
    };
    let Some(pod) = document.path(object, path) else { return };
    let Some(identity) = identity(scope, object) else {
        return scope.finding(object, "the object has a longer name than Kubernetes allows", None);
    };
    let annotations = Annotations::read(scope, object).map(Rc::new);
    for list in LISTS {
        let Some(containers) = document.get(pod, list) else { continue };
        for (index, container) in document.items(containers).iter().enumerate() {
            let name = document.get_string(*container, "name");
            let name = name.map_or_else(|| format!("{list}[{index}]"), std::borrow::Cow::into_owned);
            container_field(scope, &identity, *container, name, annotations.clone());
        }
    }
}

fn container_field(
    scope: &mut Scope<'_>,
    identity: &Identity,
    container: NodeId,
    name: String,
    annotations: Result<Rc<Annotations>, Box<Finding>>,
) {
    let document = scope.document;
    let Some(value) = document.get(container, "image") else { return };
    let Some(image) = site::value(document, value) else { return };
    let site = match site::site(document, value, Part::Whole) {
        Ok(site) => site,
        Err(problem) => {
            let message = format!("the image of container {} cannot be edited: {problem}", quoted(&name));
            return scope.finding(value, message, Some("write it on one line"));
        }
    };
    let id = format!("{}#{}#{name}", scope.path, identity.id);
    let sites = vec![site];
    let object = identity.object.clone();
    let holder = document.target(container);
    scope.drafts.push(Draft { id, object, container: name, image, sites, annotations, holder });
}
