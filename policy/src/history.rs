//! The values a field has held along first parents, and who put them there (P1).
//!
//! [`trace`] follows every field with a policy backwards from the tip, across renames, until it starts
//! anew. Called by [`crate::update`]. Not here: reading commits (the agent's git room does) and what
//! follows from history (see [`crate::update`]).

mod rename;
mod trace;
pub mod trailer;

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use crate::manifest::{FieldId, FileScan, ImageField};
use crate::snapshot::TreeSnapshot;

pub use trace::trace;

/// What one commit changed against its first parent, YAML files only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitChange {
    /// Commit id, hex.
    pub id: String,
    /// Whole commit message, for its trailers.
    pub message: String,
    /// Committer time.
    pub time: Timestamp,
    /// Files whose blob differs from the first parent's (all files, for a root commit).
    pub files: Vec<FileChange>,
}

/// One file in a [`CommitChange`]; blob ids are hex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// Path in the repository.
    pub path: String,
    /// Blob before; `None` if the file was added.
    pub old: Option<String>,
    /// Blob after; `None` if the file was removed.
    pub new: Option<String>,
}

/// Why the walk along first parents ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryEnd {
    /// At the root commit.
    Root,
    /// At the look-back bound (1,000 commits).
    Limit,
    /// At a shallow boundary: what came before is unknown.
    Shallow,
}

/// The first-parent history of a branch.
#[derive(Clone, Debug)]
pub struct History {
    /// Newest first; the first is the tip.
    pub commits: Vec<CommitChange>,
    /// Why it is no longer.
    pub end: HistoryEnd,
    /// The scan of every blob named in `commits`.
    pub scans: Scans,
}

/// Scans of blobs by path and blob id.
///
/// The path is part of the key because field ids begin with it: one blob at two paths has two scans.
#[derive(Clone, Debug, Default)]
pub struct Scans {
    by_path: HashMap<String, HashMap<String, Arc<FileScan>>>,
    count: usize,
}

impl Scans {
    /// Returns the scan of `blob` as the file at `path`.
    pub fn get(&self, path: &str, blob: &str) -> Option<&Arc<FileScan>> {
        self.by_path.get(path)?.get(blob)
    }

    /// Remembers a scan.
    pub fn insert(&mut self, path: &str, blob: &str, scan: Arc<FileScan>) {
        let before = self.by_path.entry(path.to_owned()).or_default().insert(blob.to_owned(), scan);
        self.count += usize::from(before.is_none());
    }

    /// How many scans there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Keeps the scans for which `keep(path, blob)` holds.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &str) -> bool) {
        self.by_path.retain(|path, blobs| {
            blobs.retain(|blob, _| keep(path, blob));
            !blobs.is_empty()
        });
        self.count = self.by_path.values().map(HashMap::len).sum();
    }
}

/// A rewritten remote: a new tip from which the tip seen before cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrite {
    /// The first tip that was seen after the rewrite.
    pub at: String,
    /// Fields whose value it changed, by their id at `at`; `None` if the tip before cannot be read.
    pub changed: Option<BTreeSet<FieldId>>,
}

impl Rewrite {
    /// Describes the rewrite from the tree `old` (`None` if it cannot be read) to the tree `new`, which is
    /// at the first tip seen since. A rewrite before it that may not be settled yet stays in force.
    pub fn between(old: Option<&TreeSnapshot>, new: &TreeSnapshot, before: Option<&Self>) -> Self {
        let changed = old.and_then(|old| {
            let images: HashMap<&FieldId, &str> =
                fields(old).map(|field| (&field.id, field.image.as_str())).collect();
            let differs = |field: &&ImageField| images.get(&field.id) != Some(&field.image.as_str());
            let mut changed: BTreeSet<FieldId> =
                fields(new).filter(differs).map(|field| field.id.clone()).collect();
            if let Some(before) = before {
                changed.extend(before.changed.as_ref()?.iter().cloned());
            }
            Some(changed)
        });
        Self { at: new.revision.clone(), changed }
    }
}

fn fields(tree: &TreeSnapshot) -> impl Iterator<Item = &ImageField> {
    tree.files.values().flat_map(|scan| &scan.fields)
}

/// The histories of the fields of a tree.
#[derive(Clone, Debug, Default)]
pub struct Traces {
    /// By field id at the tip; fields without a readable policy are absent.
    pub fields: HashMap<FieldId, FieldHistory>,
    /// Every decision id that stands in a trailer.
    pub decisions: HashSet<String>,
}

/// What is known of one field's past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldHistory {
    /// Values since the field last started anew, newest first; the first is the present one.
    pub held: Vec<Held>,
    /// The commit that last changed the value or made the field start anew; `None` if it is older than the
    /// look-back.
    pub changed_by: Option<String>,
    /// Whether the present value was there before the policy last changed, which was its last change: only then
    /// may `downgrade: allow` leave it downwards.
    pub outlived_policy: bool,
    /// Why the past cannot be relied on: the field is held (`no-history`).
    pub gap: Option<Gap>,
}

/// One value that a field held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Image reference as written.
    pub image: String,
    /// Who wrote it; `None` if the commit is older than what was walked.
    pub by: Option<Writer>,
}

/// Who wrote a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// Tidegate: the commit's trailer names field, from and to.
    Tidegate,
    /// Anybody else.
    Person,
}

/// Why a field's past cannot be relied on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    /// The clone is shallow and the field was not seen to start anew.
    Shallow,
    /// In this commit the field may have come from, or gone to, several files.
    Ambiguous(String),
    /// A blob of this path was not scanned.
    Unscanned(String),
    /// The history given does not begin at the tree's revision.
    OtherTip,
    /// The remote was rewritten (first seen at this tip) and that changed the value.
    Rewritten(String),
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shallow => {
                f.write_str("the clone is shallow: values that the field held before are unknown")
            }
            Self::Ambiguous(commit) => {
                write!(f, "commit {commit} moved the field between files, and from which is not clear")
            }
            Self::Unscanned(path) => write!(f, "an older version of {path} could not be read"),
            Self::OtherTip => f.write_str("the history does not begin at the revision that was read"),
            Self::Rewritten(tip) => {
                write!(f, "the branch was rewritten (seen at {tip}), which changed the field")
            }
        }
    }
}
