//! A branch, a registry and a record store in memory, with faults on demand.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use serde_json::Value;
use tidegate_policy::annotation::Platform;
use tidegate_policy::history::{CommitChange, FileChange, HistoryEnd};
use tidegate_policy::reference::{Digest, Tag};

use crate::cluster::{ApplyOutcome, Catalog, Cluster, Content, LiveMeta, Record, ServedKind, WatchEvent};
use crate::context::Context;
use crate::error::Failure;
use crate::git::{GitRepo, NewCommit, PushOutcome, TreeFile};
use crate::registry::Registry;

use super::*;

/// What the server does with the next push, instead of taking it.
pub(super) enum PushFault {
    /// Somebody else's commit arrives first.
    Race(Box<dyn Fn(&FakeGit) + Send>),
    /// It takes the commit and the answer is lost.
    LoseAnswer,
    /// It does not take the commit, and the answer is lost.
    LoseRequest,
    /// A hook says no.
    Refuse,
}

#[derive(Clone)]
struct FakeCommit {
    parent: Option<String>,
    message: String,
    time: Timestamp,
    files: BTreeMap<String, Bytes>,
}

#[derive(Default)]
struct State {
    commits: BTreeMap<String, FakeCommit>,
    /// The remote's tip.
    remote: Option<String>,
    faults: VecDeque<PushFault>,
    /// Fetches that will fail.
    down: usize,
    pushes: usize,
    fetches: usize,
}

/// One branch; local and remote objects are the same store.
#[derive(Default)]
pub(super) struct FakeGit {
    state: Mutex<State>,
}

impl FakeGit {
    /// A person's push to the remote; an empty text removes the file. Returns the commit.
    pub(super) fn person(&self, message: &str, files: &[(&str, &str)]) -> String {
        let mut state = self.state.lock().unwrap();
        let parent = state.remote.clone();
        let mut tree = parent.as_ref().map(|id| state.commits[id].files.clone()).unwrap_or_default();
        for (path, text) in files {
            tree.insert((*path).to_owned(), Bytes::from((*text).to_owned()));
        }
        let id = state.add(FakeCommit {
            parent,
            message: message.into(),
            time: Timestamp::UNIX_EPOCH,
            files: tree,
        });
        state.remote = Some(id.clone());
        id
    }

    /// A person resets the branch.
    pub(super) fn reset(&self, revision: &str) {
        self.state.lock().unwrap().remote = Some(revision.to_owned());
    }

    /// Forgets a commit, as a fresh clone of a rewritten branch does.
    pub(super) fn forget(&self, revision: &str) {
        self.state.lock().unwrap().commits.remove(revision);
    }

    pub(super) fn fault(&self, fault: PushFault) {
        self.state.lock().unwrap().faults.push_back(fault);
    }

    pub(super) fn fail_fetches(&self, count: usize) {
        self.state.lock().unwrap().down = count;
    }

    pub(super) fn tip(&self) -> String {
        self.state.lock().unwrap().remote.clone().unwrap()
    }

    pub(super) fn pushes(&self) -> usize {
        self.state.lock().unwrap().pushes
    }

    pub(super) fn fetches(&self) -> usize {
        self.state.lock().unwrap().fetches
    }

    pub(super) fn text(&self, revision: &str, path: &str) -> String {
        let state = self.state.lock().unwrap();
        String::from_utf8(state.commits[revision].files[path].to_vec()).unwrap()
    }

    /// Messages along first parents from the remote's tip, newest first.
    pub(super) fn messages(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        state.line(&state.remote.clone().unwrap()).into_iter().map(|(_, commit)| commit.message).collect()
    }
}

impl State {
    fn add(&mut self, commit: FakeCommit) -> String {
        let id = format!("{:040}", self.commits.len() + 1);
        self.commits.insert(id.clone(), commit);
        id
    }

    fn line(&self, from: &str) -> Vec<(String, FakeCommit)> {
        let mut line = Vec::new();
        let mut next = Some(from.to_owned());
        while let Some(id) = next {
            let Some(commit) = self.commits.get(&id) else { break };
            next = commit.parent.clone();
            line.push((id, commit.clone()));
        }
        line
    }
}

fn blob(bytes: &Bytes) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[async_trait]
impl GitRepo for FakeGit {
    async fn fetch(&self, _: &Context) -> Result<String, Failure> {
        let mut state = self.state.lock().unwrap();
        state.fetches += 1;
        if state.down > 0 {
            state.down -= 1;
            return Err(Failure::retry("the git server is down"));
        }
        Ok(state.remote.clone().unwrap())
    }

    async fn files(&self, _: &Context, revision: &str, _: &str) -> Result<Vec<TreeFile>, Failure> {
        let state = self.state.lock().unwrap();
        let commit = state.commits.get(revision).ok_or_else(|| Failure::bug("unknown revision"))?;
        let files =
            commit.files.iter().map(|(path, bytes)| TreeFile { path: path.clone(), blob: blob(bytes) });
        Ok(files.collect())
    }

    async fn blobs(&self, _: &Context, ids: Vec<String>, _: usize) -> Result<Vec<Option<Bytes>>, Failure> {
        Ok(ids.into_iter().map(|id| Some(Bytes::from(id))).collect())
    }

    async fn history(
        &self,
        _: &Context,
        revision: &str,
        until: Option<&str>,
        limit: usize,
        _: &str,
    ) -> Result<(Vec<CommitChange>, HistoryEnd), Failure> {
        let state = self.state.lock().unwrap();
        let mut changes = Vec::new();
        for (id, commit) in state.line(revision) {
            if Some(id.as_str()) == until || changes.len() == limit {
                return Ok((changes, HistoryEnd::Limit));
            }
            let none = BTreeMap::new();
            let before = commit.parent.as_ref().map_or(&none, |parent| &state.commits[parent].files);
            let touched = commit.files.iter().filter(|(path, bytes)| before.get(*path) != Some(bytes));
            let files = touched.map(|(path, bytes)| FileChange {
                path: path.clone(),
                old: before.get(path).map(blob),
                new: Some(blob(bytes)),
            });
            changes.push(CommitChange {
                id,
                message: commit.message,
                time: commit.time,
                files: files.collect(),
            });
        }
        Ok((changes, HistoryEnd::Root))
    }

    async fn is_ancestor(
        &self,
        _: &Context,
        ancestor: &str,
        revision: &str,
    ) -> Result<Option<bool>, Failure> {
        let state = self.state.lock().unwrap();
        let known = state.commits.contains_key(ancestor);
        Ok(known.then(|| state.line(revision).iter().any(|(id, _)| id == ancestor)))
    }

    async fn commit(&self, _: &Context, commit: NewCommit) -> Result<String, Failure> {
        let mut state = self.state.lock().unwrap();
        let mut files = state.commits[&commit.parent].files.clone();
        for (path, bytes) in commit.files {
            assert!(files.insert(path, bytes).is_some(), "a new file");
        }
        let (parent, message, time) = (Some(commit.parent), commit.message, commit.time);
        Ok(state.add(FakeCommit { parent, message, time, files }))
    }

    async fn push(
        &self,
        _: &Context,
        fence: &WriteFence,
        revision: &str,
        expected: &str,
    ) -> Result<PushOutcome, Failure> {
        fence.check()?;
        let fault = {
            let mut state = self.state.lock().unwrap();
            state.pushes += 1;
            state.faults.pop_front()
        };
        if let Some(PushFault::Race(other)) = &fault {
            other(self);
        }
        let mut state = self.state.lock().unwrap();
        if state.remote.as_deref() != Some(expected) {
            return Ok(PushOutcome::Lost);
        }
        match fault {
            Some(PushFault::Refuse) => Ok(PushOutcome::Refused("hook declined".into())),
            Some(PushFault::LoseRequest) => Err(Failure::retry("connection reset")),
            fault => {
                state.remote = Some(revision.to_owned());
                match fault {
                    Some(PushFault::LoseAnswer) => Err(Failure::retry("connection reset")),
                    _ => Ok(PushOutcome::Accepted),
                }
            }
        }
    }
}

fn digest(digit: char) -> Digest {
    Digest::parse(&format!("sha256:{}", digit.to_string().repeat(64))).unwrap()
}

/// A registry with one repository.
#[derive(Default)]
pub(super) struct FakeRegistry {
    state: Mutex<RegistryState>,
}

#[derive(Default)]
struct RegistryState {
    tags: Vec<String>,
    missing: Vec<String>,
    /// Digests of tags; any other tag has the digest of zeros.
    digests: BTreeMap<String, Digest>,
    /// Digests whose image runs on arm64 alone; any other runs on amd64.
    arm_only: Vec<Digest>,
    down: usize,
    scans: usize,
}

impl FakeRegistry {
    pub(super) fn set(&self, tags: &[&str]) {
        self.state.lock().unwrap().tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
    }

    pub(super) fn lack(&self, tags: &[&str]) {
        self.state.lock().unwrap().missing = tags.iter().map(|tag| (*tag).to_owned()).collect();
    }

    /// Points a tag at an image, named by one hexadecimal digit.
    pub(super) fn point(&self, tag: &str, digit: char) -> String {
        let digest = digest(digit);
        self.state.lock().unwrap().digests.insert(tag.to_owned(), digest.clone());
        digest.to_string()
    }

    /// Says that this image runs on arm64 alone.
    pub(super) fn only_for_arm(&self, digit: char) {
        self.state.lock().unwrap().arm_only.push(digest(digit));
    }

    pub(super) fn fail(&self, count: usize) {
        self.state.lock().unwrap().down = count;
    }

    pub(super) fn is_up(&self) -> bool {
        self.state.lock().unwrap().down == 0
    }

    pub(super) fn scans(&self) -> usize {
        self.state.lock().unwrap().scans
    }
}

#[async_trait]
impl Registry for FakeRegistry {
    async fn tags(&self, _: &Context, asked: &Repository) -> Result<Vec<String>, Failure> {
        assert_eq!(*asked, repository());
        let mut state = self.state.lock().unwrap();
        state.scans += 1;
        if state.down > 0 {
            state.down -= 1;
            return Err(Failure::retry("503"));
        }
        Ok(state.tags.clone())
    }

    async fn manifest_digest(
        &self,
        _: &Context,
        _: &Repository,
        tag: &Tag,
    ) -> Result<Option<Digest>, Failure> {
        let state = self.state.lock().unwrap();
        let missing = state.missing.iter().any(|missing| missing == tag.as_str());
        let found = state.digests.get(tag.as_str()).cloned().unwrap_or_else(|| digest('0'));
        Ok((!missing).then_some(found))
    }

    async fn platforms(
        &self,
        _: &Context,
        _: &Repository,
        asked: &Digest,
    ) -> Result<Option<Vec<Platform>>, Failure> {
        let arm_only = self.state.lock().unwrap().arm_only.contains(asked);
        Ok(Some(vec![Platform::new("linux", if arm_only { "arm64" } else { "amd64" }, None)]))
    }
}

/// A cluster that only keeps records.
#[derive(Default)]
pub(super) struct Records {
    records: Mutex<BTreeMap<String, Record>>,
    /// Names that cannot be written now.
    stuck: Mutex<Vec<String>>,
}

impl Records {
    pub(super) fn data(&self, name: &str) -> BTreeMap<String, String> {
        self.records.lock().unwrap().get(name).map(|record| record.data.clone()).unwrap_or_default()
    }

    /// Refuses to write a record, until it is mended.
    pub(super) fn jam(&self, name: &str) {
        self.stuck.lock().unwrap().push(name.to_owned());
    }

    pub(super) fn mend(&self) {
        self.stuck.lock().unwrap().clear();
    }

    /// Loses a record.
    pub(super) fn lose(&self, name: &str) {
        self.records.lock().unwrap().remove(name);
    }
}

const NOT_HERE: &str = "the update loop uses records only";

#[async_trait]
impl Cluster for Records {
    async fn discover(&self, _: &Context) -> Result<Arc<Catalog>, Failure> {
        Err(Failure::bug(NOT_HERE))
    }

    async fn list(
        &self,
        _: &Context,
        _: &ServedKind,
        _: Option<&str>,
        _: Option<&str>,
    ) -> Result<Vec<LiveMeta>, Failure> {
        Err(Failure::bug(NOT_HERE))
    }

    async fn get(
        &self,
        _: &Context,
        _: &ServedKind,
        _: Option<&str>,
        _: &str,
    ) -> Result<Option<LiveMeta>, Failure> {
        Err(Failure::bug(NOT_HERE))
    }

    async fn apply(
        &self,
        _: &Context,
        _: &WriteFence,
        _: &ServedKind,
        _: &Value,
        _: bool,
    ) -> Result<ApplyOutcome, Failure> {
        Err(Failure::bug(NOT_HERE))
    }

    async fn delete(
        &self,
        _: &Context,
        _: &WriteFence,
        _: &ServedKind,
        _: &LiveMeta,
    ) -> Result<bool, Failure> {
        Err(Failure::bug(NOT_HERE))
    }

    fn watch(&self, _: &ServedKind, _: Option<&str>, _: Content) -> BoxStream<'static, WatchEvent> {
        Box::pin(futures::stream::pending())
    }

    async fn record(&self, _: &Context, name: &str) -> Result<Option<Record>, Failure> {
        Ok(self.records.lock().unwrap().get(name).cloned())
    }

    async fn write_record(&self, _: &Context, _: &WriteFence, record: &Record) -> Result<Record, Failure> {
        if self.stuck.lock().unwrap().contains(&record.name) {
            return Err(Failure::retry("etcd is slow"));
        }
        let mut records = self.records.lock().unwrap();
        let current = records.get(&record.name).and_then(|current| current.resource_version.clone());
        if current != record.resource_version {
            return Err(Failure::reject("the record has changed"));
        }
        let version = current.and_then(|version| version.parse::<u64>().ok()).unwrap_or_default() + 1;
        let written = Record { resource_version: Some(version.to_string()), ..record.clone() };
        records.insert(record.name.clone(), written.clone());
        Ok(written)
    }
}
