//! Images at configured paths → drafts of their fields.
//!
//! Called by [`super::workload`] for the kinds that are configured. Not here: how a path is written (see
//! [`super::image_paths`]).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::image_paths::Step;
use super::scan::{FIELDS_MAX, Scope};
use super::workload::{self, Found, LISTS, Owner, pod_path};
use super::yaml::{Document, NodeId};
use crate::quote::quoted;

/// Longest JSON pointer that is followed: it may become part of the field id.
const POINTER_BYTES_MAX: usize = 4_096;

/// Longest name of a container or template that is taken for the name of its image.
const NAME_BYTES_MAX: usize = 253;

/// Collects the images of an object at the configured paths of its group and kind. `first` is the object's
/// first draft: those that a pod template gave already keep their names.
pub(super) fn collect(
    scope: &mut Scope<'_>,
    owner: &Owner,
    object: NodeId,
    (group, kind): (&str, &str),
    first: usize,
) {
    let mut walk = Walk {
        document: scope.document,
        object,
        built_in: built_in(kind),
        pointer: String::new(),
        seen: HashSet::new(),
        found: Vec::new(),
    };
    for path in scope.paths.of(group, kind) {
        walk.node(At { node: object, holder: object, key: None, name: None }, &path.steps);
    }
    let Walk { found, .. } = walk;
    let mut uses: HashMap<&str, usize> = HashMap::new();
    let names = found.iter().filter_map(|image| image.name);
    let taken: Vec<String> = scope.drafts.iter().skip(first).map(|draft| draft.container.clone()).collect();
    for name in names.chain(taken.iter().map(String::as_str)) {
        *uses.entry(name).or_default() += 1;
    }
    for image in &found {
        let Image { value, holder, key, name, pointer } = image;
        if scope.document.text(*value).is_none() {
            let message = format!("{} is configured as an image and is no text", quoted(pointer));
            scope.finding(
                *value,
                message,
                Some("name the path of a value that holds a whole image reference"),
            );
            continue;
        }
        let name = name.filter(|name| uses.get(name) == Some(&1));
        let container = name.unwrap_or(pointer).to_owned();
        let key = key.map(|key| Cow::Owned(key.to_owned()));
        workload::whole_field(scope, owner, Found { value: *value, holder: *holder, key, container });
    }
}

/// What the pointers of the images in a pod template begin with.
fn built_in(kind: &str) -> String {
    pod_path(kind).iter().fold(String::new(), |path, key| path + "/" + key)
}

/// An image at a path.
struct Image<'a> {
    value: NodeId,
    holder: NodeId,
    key: Option<&'a str>,
    name: Option<&'a str>,
    pointer: String,
}

/// Where the walk is.
#[derive(Clone, Copy)]
struct At<'a> {
    node: NodeId,
    /// The mapping that holds the node, or the node itself in a list.
    holder: NodeId,
    key: Option<&'a str>,
    /// The name of the nearest mapping around it that has one.
    name: Option<&'a str>,
}

struct Walk<'a> {
    document: &'a Document<'a>,
    object: NodeId,
    built_in: String,
    pointer: String,
    /// Two paths may lead to one place.
    seen: HashSet<String>,
    found: Vec<Image<'a>>,
}

impl<'a> Walk<'a> {
    fn node(&mut self, at: At<'a>, steps: &[Step]) {
        let Some((step, rest)) = steps.split_first() else { return self.take(at) };
        let document = self.document;
        let name = self.name(at);
        let holder = document.target(at.node);
        if document.is_sequence(at.node) {
            for (index, item) in document.items(at.node).iter().enumerate() {
                let text = index.to_string();
                if step.admits(&text) {
                    self.below(&text, At { node: *item, holder: *item, key: None, name }, rest);
                }
            }
        } else {
            for (key, value) in document.entries(at.node) {
                let Some(key) = document.text(*key) else { continue };
                if step.admits(key) {
                    self.below(key, At { node: *value, holder, key: Some(key), name }, rest);
                }
            }
        }
    }

    fn below(&mut self, key: &str, at: At<'a>, rest: &[Step]) {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
        if self.pointer.len() <= POINTER_BYTES_MAX && self.found.len() <= FIELDS_MAX {
            self.node(at, rest);
        }
        self.pointer.truncate(length);
    }

    /// The name for what is below `at`; that of the object itself, in `metadata`, tells no image from another.
    fn name(&self, at: At<'a>) -> Option<&'a str> {
        let is_object = at.node == self.object || self.pointer.split('/').nth(1) == Some("metadata");
        let own = self.document.get(at.node, "name").filter(|_| !is_object);
        let own = own.and_then(|name| self.document.text(name));
        own.filter(|name| !name.is_empty() && name.len() <= NAME_BYTES_MAX).or(at.name)
    }

    fn take(&mut self, at: At<'a>) {
        if self.is_built_in() || !self.seen.insert(self.pointer.clone()) {
            return;
        }
        let At { node: value, holder, key, name } = at;
        self.found.push(Image { value, holder, key, name, pointer: self.pointer.clone() });
    }

    /// Whether the place is one that the pod template gave.
    fn is_built_in(&self) -> bool {
        let Some(rest) = self.pointer.strip_prefix(&self.built_in) else { return false };
        let parts: Vec<&str> = rest.split('/').collect();
        match parts.as_slice() {
            ["", list, _, "image"] => LISTS.contains(list),
            ["", "volumes", _, "image", "reference"] => true,
            _ => false,
        }
    }
}

impl Step {
    fn admits(&self, key: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Key(wanted) => wanted == key,
        }
    }
}
