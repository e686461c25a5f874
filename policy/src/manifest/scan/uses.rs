//! Values that an anchor shares between an image and something else, such as a label.
//!
//! An edit of the one would change the other, so such a field is held. Called by [`super::assemble`]. Not here:
//! images that share a value with each other (see [`super::check`] and [`crate::update`]).

use std::borrow::Cow;
use std::collections::HashMap;

use super::Place;
use crate::manifest::workload;
use crate::manifest::yaml::document::Content;
use crate::manifest::yaml::{Document, NodeId};

/// The keys of an object that the cluster keeps; anchors that stand under others are only there to be referred to.
const KEPT: [&str; 7] = ["apiVersion", "kind", "metadata", "spec", "status", "template", "items"];

/// What keys that only hold anchors begin with, in any file.
const SPARE: &str = "x-";

/// Every place at which each site is read.
pub(super) struct Uses {
    /// By the first byte of the site.
    by_site: HashMap<usize, HashMap<Place, Reads>>,
}

impl Uses {
    /// Finds the places in a document; `starts` are the first bytes of the sites. Without aliases there is one each,
    /// and nothing is looked for.
    pub(super) fn find(
        document: &Document<'_>,
        mut starts: Vec<usize>,
        line: impl Fn(usize) -> usize,
    ) -> Self {
        let mut by_site = HashMap::new();
        let has_alias = document.nodes().any(|node| matches!(node.content, Content::Alias(_)));
        if has_alias && !starts.is_empty() {
            starts.sort_unstable();
            let mut walk = Walk { document, starts: &starts, line: &line, by_site: &mut by_site };
            for (key, value) in document.entries(document.root) {
                let key = document.text(*key).unwrap_or_default();
                if is_kept(document, key) {
                    walk.node(*value, (document.target(document.root), Some(key)), None);
                }
            }
        }
        Self { by_site }
    }

    /// The line of a place that reads the site and is none of `places`, each of which counts once.
    pub(super) fn other(&self, start: usize, places: &[Place]) -> Option<usize> {
        let uses = self.by_site.get(&start)?;
        let known = |place: &Place| places.iter().filter(|known| *known == place).count();
        let others = uses.iter().filter(|(place, reads)| reads.count > known(place));
        others.map(|(place, reads)| if known(place) == 0 { reads.first } else { reads.last }).min()
    }
}

/// How often a place reads a value by different ways, and the lines where the first and the last way begin.
struct Reads {
    count: usize,
    first: usize,
    last: usize,
}

/// Whether what stands under a key of the root means something.
fn is_kept(document: &Document<'_>, key: &str) -> bool {
    let root = document.root;
    let kind = document.get_string(root, "kind");
    let is_known = kind.is_some_and(|kind| {
        kind.ends_with("List") || document.path(root, workload::pod_path(&kind)).is_some()
    });
    if is_known { KEPT.contains(&key) } else { !key.starts_with(SPARE) }
}

struct Walk<'a> {
    document: &'a Document<'a>,
    starts: &'a [usize],
    line: &'a dyn Fn(usize) -> usize,
    by_site: &'a mut HashMap<usize, HashMap<Place, Reads>>,
}

impl Walk<'_> {
    /// Visits what is below a node, aliases followed; `alias` is where the outermost one on the way stands.
    fn node(&mut self, node: NodeId, (holder, key): (NodeId, Option<&str>), alias: Option<usize>) {
        let written = self.document.node(node);
        let alias = alias.or(matches!(written.content, Content::Alias(_)).then_some(written.range.start));
        let target = self.document.target(node);
        let found = self.document.node(target);
        match &found.content {
            Content::Mapping(entries) => {
                for (key, value) in entries {
                    self.node(*value, (target, self.document.text(*key)), alias);
                }
            }
            Content::Sequence(items) => {
                for item in items {
                    self.node(*item, (*item, None), alias);
                }
            }
            Content::Scalar { .. } | Content::Alias(_) => {
                let at = self.starts.partition_point(|start| *start < found.range.start);
                let Some(start) = self.starts.get(at).filter(|start| **start <= found.range.end) else {
                    return;
                };
                let place = (holder, key.map(|key| Cow::Owned(key.to_owned())));
                let line = (self.line)(alias.unwrap_or(found.range.start));
                let uses = self.by_site.entry(*start).or_default();
                let reads = uses.entry(place).or_insert(Reads { count: 0, first: line, last: line });
                *reads = Reads {
                    count: reads.count + 1,
                    first: reads.first.min(line),
                    last: reads.last.max(line),
                };
            }
        }
    }
}
