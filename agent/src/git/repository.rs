//! The git seam's real implementation: a mirror on a thread of its own, asked through a queue.
//!
//! Not here: what the thread does when asked ([`super::mirror`] and its operations).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use async_trait::async_trait;
use bytes::Bytes;
use tidegate_policy::history::{CommitChange, HistoryEnd};
use tokio::sync::{mpsc, oneshot};

use super::http::Connection;
use super::mirror::Mirror;
use super::remote::{Remote, RemoteConfig};
use super::store::Store;
use super::trouble::Trouble;
use super::{GitRepo, NewCommit, PushOutcome, TreeFile, transport};
use crate::context::Context;
use crate::error::Failure;
use crate::fence::WriteFence;

/// More requests than this wait in their callers.
const QUEUE: usize = 16;

type Job = Box<dyn FnOnce(&mut Mirror) + Send>;

/// One branch of one remote, mirrored on disk.
///
/// # Guarantees
/// Every method ends with its context, and so does the work behind it, also when its future is dropped.
/// Requests are served one after the other. Dropping the value ends the thread.
pub struct Repository {
    remote: Arc<Remote>,
    jobs: mpsc::Sender<Job>,
}

impl Repository {
    /// Checks the configuration, takes the mirror's directory and starts the thread. Nothing is sent.
    pub fn open(config: &RemoteConfig) -> Result<Self, Failure> {
        let remote = Arc::new(Remote::check(config)?);
        transport::prepare()?;
        let store = Store::take(&config.state_dir, &remote)?;
        let connection = Connection::new(Arc::clone(&remote));
        let mirror = Mirror::new(Arc::clone(&remote), connection, store);
        let (jobs, queue) = mpsc::channel(QUEUE);
        thread::Builder::new()
            .name("git".to_owned())
            .spawn(move || serve(mirror, queue))
            .map_err(|error| Failure::retry(format!("cannot start a thread for {remote}")).because(error))?;
        Ok(Self { remote, jobs })
    }

    /// Has the thread do `work`, and waits for it no longer than the context says.
    async fn ask<T: Send + 'static>(
        &self,
        context: &Context,
        what: &str,
        work: impl FnOnce(&mut Mirror, &Context) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Failure> {
        let inner = Context { deadline: context.deadline, cancel: context.cancel.child_token() };
        // Nobody waits any more once this future is dropped.
        let _given_up = inner.cancel.clone().drop_guard();
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |mirror| {
            if !inner.cancel.is_cancelled() {
                answer.send(mirror.attempt(|mirror| work(mirror, &inner))).ok();
            }
        });
        let what = format!("git {what} of {}", self.remote);
        let ended = || Failure::bug(format!("{what} ended the git thread"));
        context
            .run(&what, async {
                self.jobs.send(job).await.map_err(|_| ended())?;
                answered.await.map_err(|_| ended())?
            })
            .await
    }
}

/// Serves requests until the last sender is gone. A panic ends one request, not the thread.
fn serve(mut mirror: Mirror, mut queue: mpsc::Receiver<Job>) {
    while let Some(job) = queue.blocking_recv() {
        if catch_unwind(AssertUnwindSafe(|| job(&mut mirror))).is_err() {
            tracing::error!(event = "git-panic", url = %mirror.remote, "a git operation panicked");
            mirror.distrust();
        }
    }
}

#[async_trait]
impl GitRepo for Repository {
    async fn fetch(&self, context: &Context) -> Result<String, Failure> {
        self.ask(context, "fetch", Mirror::fetch).await
    }

    async fn files(&self, context: &Context, revision: &str, path: &str) -> Result<Vec<TreeFile>, Failure> {
        let (revision, path) = (revision.to_owned(), path.to_owned());
        self.ask(context, "file list", move |mirror, context| mirror.files(context, &revision, &path)).await
    }

    async fn blobs(
        &self,
        context: &Context,
        ids: Vec<String>,
        max_bytes: usize,
    ) -> Result<Vec<Option<Bytes>>, Failure> {
        self.ask(context, "files", move |mirror, context| mirror.blobs(context, &ids, max_bytes)).await
    }

    async fn history(
        &self,
        context: &Context,
        revision: &str,
        until: Option<&str>,
        limit: usize,
        path: &str,
    ) -> Result<(Vec<CommitChange>, HistoryEnd), Failure> {
        let (revision, until, path) = (revision.to_owned(), until.map(str::to_owned), path.to_owned());
        self.ask(context, "history", move |mirror, context| {
            mirror.history(context, &revision, until.as_deref(), limit, &path)
        })
        .await
    }

    async fn is_ancestor(
        &self,
        context: &Context,
        ancestor: &str,
        revision: &str,
    ) -> Result<Option<bool>, Failure> {
        let (ancestor, revision) = (ancestor.to_owned(), revision.to_owned());
        self.ask(context, "history", move |mirror, _| mirror.is_ancestor(&ancestor, &revision)).await
    }

    async fn commit(&self, context: &Context, commit: NewCommit) -> Result<String, Failure> {
        self.ask(context, "commit", move |mirror, _| mirror.write(&commit)).await
    }

    async fn push(
        &self,
        context: &Context,
        fence: &WriteFence,
        revision: &str,
        expected: &str,
    ) -> Result<PushOutcome, Failure> {
        let (fence, revision, expected) = (fence.clone(), revision.to_owned(), expected.to_owned());
        self.ask(context, "push", move |mirror, context| mirror.push(context, &fence, &revision, &expected))
            .await
    }
}
