//! The values a field has held along first parents, and who put them there (P1).
//!
//! Not here: reading commits (the agent's git room does) and what follows from history (see [`crate::update`]).

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::manifest::FileScan;

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
    /// Newest first.
    pub commits: Vec<CommitChange>,
    /// Why it is no longer.
    pub end: HistoryEnd,
    /// The scan of every blob named in `commits`, by blob id. The agent caches these by blob id.
    pub scans: HashMap<String, Arc<FileScan>>,
}
