//! The git seam: one branch of one remote, mirrored into a bare repository.
//!
//! Not here: what to commit (`tidegate_policy::update`), when to fetch (the update loop).
//! [`Repository`] is the real implementation: libgit2 on a thread of its own, over an HTTP transport of ours.

mod remote;
mod repository;

mod mirror;
mod store;
mod trouble;

mod commit;
mod fetch;
mod history;
mod push;
mod tree;

mod http;
mod text;
mod transport;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use tidegate_policy::history::{CommitChange, HistoryEnd};

use crate::context::Context;
use crate::error::Failure;
use crate::fence::WriteFence;

pub use remote::{DEFAULT_MAX_PACK_BYTES, RemoteConfig};
pub use repository::Repository;
pub use transport::prepare;

/// One branch of one remote.
///
/// Ids are full hex object ids. All methods work on objects already fetched, but for `fetch` and `push`.
#[async_trait]
pub trait GitRepo: Send + Sync {
    /// Brings the branch's tip here and returns it.
    ///
    /// A branch that does not exist and a repository without commits are `Reject`.
    async fn fetch(&self, context: &Context) -> Result<String, Failure>;

    /// Lists the regular files below `path` (empty = the root) at `revision`, in path order.
    ///
    /// Symlinks, submodules and entries with names no file system should see are left out.
    async fn files(&self, context: &Context, revision: &str, path: &str) -> Result<Vec<TreeFile>, Failure>;

    /// Reads blobs, in the order asked. A blob over `max_bytes` is `None`.
    async fn blobs(
        &self,
        context: &Context,
        ids: Vec<String>,
        max_bytes: usize,
    ) -> Result<Vec<Option<Bytes>>, Failure>;

    /// Walks first parents from `revision`, newest first: at most `limit` commits, ending before `until`.
    ///
    /// Only files below `path` with a YAML or JSON name are listed. The end is `Limit` when `until` was reached.
    async fn history(
        &self,
        context: &Context,
        revision: &str,
        until: Option<&str>,
        limit: usize,
        path: &str,
    ) -> Result<(Vec<CommitChange>, HistoryEnd), Failure>;

    /// Tells whether `ancestor` can be reached from `revision`; `None` if `ancestor` is not known here.
    async fn is_ancestor(
        &self,
        context: &Context,
        ancestor: &str,
        revision: &str,
    ) -> Result<Option<bool>, Failure>;

    /// Writes a commit in memory order: blobs, trees, commit. Moves no ref; returns the new id.
    async fn commit(&self, context: &Context, commit: NewCommit) -> Result<String, Failure>;

    /// Pushes `revision` to the branch if the remote still has it at `expected`: a plain fast-forward, never forced.
    async fn push(
        &self,
        context: &Context,
        fence: &WriteFence,
        revision: &str,
        expected: &str,
    ) -> Result<PushOutcome, Failure>;
}

/// A regular file in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeFile {
    /// Path from the root of the repository.
    pub path: String,
    /// Blob id.
    pub blob: String,
}

/// A commit to write.
#[derive(Clone, Debug)]
pub struct NewCommit {
    /// Its only parent.
    pub parent: String,
    /// New contents by path; each path must exist as a regular file in the parent (its mode is kept).
    pub files: Vec<(String, Bytes)>,
    /// Whole message.
    pub message: String,
    /// Author and committer.
    pub author: Signature,
    /// Author and committer time.
    pub time: Timestamp,
}

/// Who commits.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Name.
    pub name: String,
    /// Address.
    pub email: String,
}

/// What the server said of the ref.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushOutcome {
    /// `ok`: the remote branch is at the pushed commit.
    Accepted,
    /// The remote branch was elsewhere: decide again on the new tree.
    Lost,
    /// `ng` for another reason (a hook, a protected branch); the server's words, made safe to print.
    Refused(String),
}
