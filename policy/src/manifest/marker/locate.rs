//! The value that a marker comment stands beside.

use std::collections::HashSet;
use std::ops::Range;

use crate::manifest::Part;
use crate::manifest::kustomization::PARTS;
use crate::manifest::scan::Scope;
use crate::manifest::yaml::document::Content;
use crate::manifest::yaml::{NodeId, ScalarStyle};

/// A value and where it is.
pub(super) struct Place {
    pub(super) value: NodeId,
    pub(super) holder: NodeId,
    pub(super) key: Option<String>,
    pub(super) pointer: String,
}

/// Finds the one value on the line of a comment.
pub(super) fn locate(
    scope: &Scope<'_>,
    comment: &Range<usize>,
    line: usize,
    part: Option<Part>,
) -> Result<Place, &'static str> {
    let mut search =
        Search { scope, comment, line, seen: HashSet::new(), pointer: String::new(), found: Vec::new() };
    search.node(scope.document.root, scope.document.root, None);
    let mut found = search.found;
    if found.len() > 1 {
        // In a kustomization the key says which value is meant.
        let key = PARTS.iter().find(|(_, is)| Some(*is) == part).map(|(key, _)| *key);
        found.retain(|place| place.key.as_deref() == key);
    }
    match (found.pop(), found.is_empty()) {
        (Some(place), true) => Ok(place),
        (None, _) => Err("the marker stands on a line without a value"),
        (Some(_), false) => Err("the marker stands on a line with several values"),
    }
}

struct Search<'a> {
    scope: &'a Scope<'a>,
    comment: &'a Range<usize>,
    line: usize,
    /// Merged entries are reached twice.
    seen: HashSet<NodeId>,
    pointer: String,
    found: Vec<Place>,
}

impl Search<'_> {
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
                if self.is_beside(node) {
                    let (key, pointer) = (key.map(str::to_owned), self.pointer.clone());
                    self.found.push(Place { value: node, holder, key, pointer });
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

    /// Whether the value ends on the comment's line, or is the block scalar whose header is there.
    fn is_beside(&self, node: NodeId) -> bool {
        let document = self.scope.document;
        let node = document.node(node);
        match node.content {
            Content::Scalar { style: ScalarStyle::Literal | ScalarStyle::Folded, .. } => {
                // The range begins at the content.
                document.slice(self.comment.end..node.range.start).is_some_and(|gap| gap.trim().is_empty())
            }
            _ => {
                !node.range.is_empty()
                    && node.range.end <= self.comment.start
                    && self.scope.source.lines.of(node.range.end) == self.line
            }
        }
    }
}
