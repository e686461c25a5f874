//! The values that marker comments stand beside, found in one walk over the document.

use std::collections::HashSet;
use std::ops::Range;

use crate::manifest::Part;
use crate::manifest::kustomization::PARTS;
use crate::manifest::scan::Scope;
use crate::manifest::yaml::document::Content;
use crate::manifest::yaml::{NodeId, ScalarStyle};

/// Longest JSON pointer of a value beside a marker: it becomes part of the field id.
const POINTER_BYTES_MAX: usize = 4_096;

/// A value and where it is.
pub(super) struct Place {
    pub(super) value: NodeId,
    pub(super) holder: NodeId,
    pub(super) key: Option<String>,
    pub(super) pointer: String,
}

/// Finds the values on the line of each comment; `comments` are in file order.
pub(super) fn locate(scope: &Scope<'_>, comments: &[Range<usize>]) -> Vec<Vec<Place>> {
    let found = comments.iter().map(|_| Vec::new()).collect();
    let mut walk = Walk { scope, comments, seen: HashSet::new(), pointer: String::new(), found };
    walk.node(scope.document.root, scope.document.root, None);
    walk.found
}

/// Chooses the one value that a marker of this part means.
pub(super) fn choose(mut places: Vec<Place>, part: Option<Part>) -> Result<Place, &'static str> {
    let several = places.len() > 1;
    if several {
        // In a kustomization the key says which value is meant.
        let key = PARTS.iter().find(|(_, is)| Some(*is) == part).map(|(key, _)| *key);
        places.retain(|place| place.key.as_deref() == key);
    }
    match (places.pop(), places.is_empty()) {
        (Some(place), true) => Ok(place),
        (None, _) if !several => Err("the marker stands on a line without a value"),
        _ => Err("the marker stands on a line with several values"),
    }
}

struct Walk<'a> {
    scope: &'a Scope<'a>,
    comments: &'a [Range<usize>],
    /// Merged entries are reached twice.
    seen: HashSet<NodeId>,
    pointer: String,
    found: Vec<Vec<Place>>,
}

impl Walk<'_> {
    fn node(&mut self, node: NodeId, holder: NodeId, key: Option<&str>) {
        if !self.seen.insert(node) {
            return;
        }
        let document = self.scope.document;
        match &document.node(node).content {
            Content::Mapping(entries) => {
                for (key, value) in entries {
                    let name = document.text(*key).unwrap_or_default();
                    self.step(name, *value, node, Some(name));
                }
            }
            Content::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.step(&index.to_string(), *item, *item, None);
                }
            }
            Content::Scalar { .. } | Content::Alias(_) => {
                if self.pointer.len() <= POINTER_BYTES_MAX
                    && let Some(places) = self.comment_of(node).and_then(|index| self.found.get_mut(index))
                {
                    let (key, pointer) = (key.map(str::to_owned), self.pointer.clone());
                    places.push(Place { value: node, holder, key, pointer });
                }
            }
        }
    }

    fn step(&mut self, name: &str, node: NodeId, holder: NodeId, key: Option<&str>) {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
        self.node(node, holder, key);
        self.pointer.truncate(length);
    }

    /// The comment on the line on which the value ends, or on the header line of a block scalar.
    fn comment_of(&self, node: NodeId) -> Option<usize> {
        let document = self.scope.document;
        let node = document.node(node);
        if node.range.is_empty() {
            return None;
        }
        if let Content::Scalar { style: ScalarStyle::Literal | ScalarStyle::Folded, .. } = node.content {
            // The range begins at the content, so the header and its comment come right before it.
            let index =
                self.comments.partition_point(|comment| comment.end <= node.range.start).checked_sub(1)?;
            let gap = document.slice(self.comments.get(index)?.end..node.range.start)?;
            return gap.trim().is_empty().then_some(index);
        }
        let index = self.comments.partition_point(|comment| comment.start < node.range.end);
        let lines = &self.scope.source.lines;
        let line = lines.of(self.comments.get(index)?.start);
        (line == lines.of(node.range.end)).then_some(index)
    }
}
