//! A repository in memory: trees of files, blobs named by their content.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use tidegate_agent::context::Context;
use tidegate_agent::error::Failure;
use tidegate_agent::fence::WriteFence;
use tidegate_agent::git::{GitRepo, NewCommit, PushOutcome, TreeFile};
use tidegate_agent::source::SeenRevision;
use tidegate_policy::history::{CommitChange, HistoryEnd};

#[derive(Default)]
pub struct MemoryRepo {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tree: BTreeMap<String, String>,
    blobs: HashMap<String, Bytes>,
    /// Oldest first: id and message.
    commits: Vec<(String, String)>,
}

impl MemoryRepo {
    /// Writes files (`None` removes one) and returns the revision.
    pub fn commit(&self, files: &[(&str, Option<&str>)], message: &str) -> Arc<SeenRevision> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for (path, content) in files {
            if let Some(content) = content {
                let blob = format!("blob:{content}");
                state.blobs.insert(blob.clone(), Bytes::copy_from_slice(content.as_bytes()));
                state.tree.insert((*path).to_owned(), blob);
            } else {
                state.tree.remove(*path);
            }
        }
        let revision = format!("{:040x}", state.commits.len() + 1);
        state.commits.push((revision.clone(), message.to_owned()));
        let files = state.tree.iter().map(|(path, blob)| TreeFile { path: path.clone(), blob: blob.clone() });
        Arc::new(SeenRevision { revision, files: Arc::new(files.collect()) })
    }
}

#[async_trait]
impl GitRepo for MemoryRepo {
    async fn fetch(&self, _: &Context) -> Result<String, Failure> {
        Err(Failure::bug("the sync loop does not fetch"))
    }

    async fn files(&self, _: &Context, _: &str, _: &str) -> Result<Vec<TreeFile>, Failure> {
        Err(Failure::bug("the sync loop is given the files"))
    }

    async fn blobs(&self, _: &Context, ids: Vec<String>, _: usize) -> Result<Vec<Option<Bytes>>, Failure> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(ids.iter().map(|id| state.blobs.get(id).cloned()).collect())
    }

    async fn history(
        &self,
        _: &Context,
        revision: &str,
        until: Option<&str>,
        limit: usize,
        _: &str,
    ) -> Result<(Vec<CommitChange>, HistoryEnd), Failure> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = state.commits.iter().rev().skip_while(|(id, _)| id != revision);
        let walked = newest.take_while(|(id, _)| Some(id.as_str()) != until).take(limit);
        let change = |(id, message): &(String, String)| CommitChange {
            id: id.clone(),
            message: message.clone(),
            time: Timestamp::UNIX_EPOCH,
            files: Vec::new(),
        };
        Ok((walked.map(change).collect(), HistoryEnd::Limit))
    }

    async fn is_ancestor(&self, _: &Context, _: &str, _: &str) -> Result<Option<bool>, Failure> {
        Ok(Some(true))
    }

    async fn commit(&self, _: &Context, _: NewCommit) -> Result<String, Failure> {
        Err(Failure::bug("the sync loop does not commit"))
    }

    async fn push(&self, _: &Context, _: &WriteFence, _: &str, _: &str) -> Result<PushOutcome, Failure> {
        Err(Failure::bug("the sync loop does not push"))
    }
}
