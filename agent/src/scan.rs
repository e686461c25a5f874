//! The scanner: lists the repositories that the update loops want, and keeps what it last saw.
//!
//! Each repository has its own task, deadline and back-off; each registry host its own queue and pause.
//! Called by the update loops ([`crate::update`]). Not here: HTTP (see [`crate::registry`]), what to make
//! of a listing (`tidegate_policy::select`).

mod board;
mod connect;
mod host;
mod repository;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use tidegate_policy::reference::Repository;
use tidegate_policy::update::{Interest, ManifestFact, RegistrySnapshot, Wanted};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::backoff::Jitter;
use crate::context::Context;
use crate::error::Failure;
use crate::metrics::Metrics;
use crate::registry::Registry;

use board::Board;
use host::Host;

pub use connect::connect;

/// Manifests of one host that are resolved at a time.
const RESOLVES_MAX: usize = 8;

/// A registry host and how often its repositories are listed.
#[derive(Clone)]
pub struct Connection {
    /// The client.
    pub registry: Arc<dyn Registry>,
    /// Time between listings of one repository.
    pub poll: Duration,
}

/// Makes the client of a host when it is first needed; tried again after a failure.
pub type Connect = Box<dyn Fn(&str) -> Result<Connection, Failure> + Send + Sync>;

/// All registries that are watched; clones share them.
#[derive(Clone)]
pub struct Scanner {
    shared: Arc<Shared>,
}

struct Shared {
    connect: Connect,
    jitter: Jitter,
    metrics: Metrics,
    cancel: CancellationToken,
    board: Board,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
    /// The tasks of the repositories that somebody wants.
    tasks: Mutex<HashMap<Repository, CancellationToken>>,
}

impl Scanner {
    /// Starts with no repository; all work ends when `cancel` is cancelled.
    pub fn new(connect: Connect, jitter: Jitter, metrics: Metrics, cancel: CancellationToken) -> Self {
        Self {
            shared: Arc::new(Shared {
                connect,
                jitter,
                metrics,
                cancel,
                board: Board::default(),
                hosts: Mutex::default(),
                tasks: Mutex::default(),
            }),
        }
    }

    /// Adds somebody who wants to know; nothing is scanned before [`Subscription::want`].
    pub fn subscribe(&self) -> Subscription {
        Subscription { scanner: self.clone(), id: self.shared.board.subscribe(), wanted: BTreeMap::new() }
    }

    fn host(&self, name: &str) -> Arc<Host> {
        let mut hosts = self.shared.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(
            hosts
                .entry(name.to_owned())
                .or_insert_with(|| Arc::new(Host::new(name, self.shared.jitter.clone()))),
        )
    }

    /// Starts the tasks of repositories that are now wanted and ends those of the others.
    fn follow(&self) {
        let mut tasks = self.shared.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock: of two subscriptions that change at once, the later sees both.
        let wanted = self.shared.board.wanted();
        tasks.retain(|repository, task| {
            let keep = wanted.contains(repository);
            if !keep {
                task.cancel();
            }
            keep
        });
        for repository in &wanted {
            tasks.entry(repository.clone()).or_insert_with(|| {
                let cancel = self.shared.cancel.child_token();
                let scan = repository::run(
                    Arc::clone(&self.shared),
                    self.host(&repository.registry),
                    repository.clone(),
                    cancel.clone(),
                );
                tokio::spawn(scan);
                cancel
            });
        }
        let mut hosts = self.shared.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.retain(|name, _| wanted.iter().any(|repository| repository.registry == *name));
    }
}

/// One update loop's interest; dropping it ends the scans that only it wanted.
pub struct Subscription {
    scanner: Scanner,
    id: u64,
    wanted: BTreeMap<Repository, Interest>,
}

impl Subscription {
    /// Replaces what is wanted; new repositories are listed at once.
    pub fn want(&mut self, interests: BTreeMap<Repository, Interest>) {
        if interests != self.wanted {
            self.scanner.shared.board.want(self.id, interests.keys().cloned().collect());
            self.scanner.follow();
            self.wanted = interests;
        }
    }

    /// Waits until what is known of a wanted repository has changed since this last returned.
    pub async fn changed(&self) {
        self.scanner.shared.board.bell(self.id).notified().await;
    }

    /// What is known of the wanted repositories now.
    pub fn snapshot(&self) -> RegistrySnapshot {
        self.scanner.shared.board.snapshot(self.wanted.keys())
    }

    /// When the listing of a repository last changed.
    pub fn changed_at(&self, repository: &Repository) -> Option<Instant> {
        self.scanner.shared.board.changed_at(repository)
    }

    /// Asks the registries for facts; the answers are in the next [`Subscription::snapshot`].
    ///
    /// Returns the first failure: the facts that it concerns are still unknown.
    pub async fn gather(&self, context: &Context, wanted: &[Wanted]) -> Result<(), Failure> {
        let answers = stream::iter(wanted.to_vec()).map(|fact| self.gather_one(context, fact));
        let answers: Vec<_> = answers.buffer_unordered(RESOLVES_MAX).collect().await;
        answers.into_iter().collect()
    }

    async fn gather_one(&self, context: &Context, wanted: Wanted) -> Result<(), Failure> {
        let (repository, tag) = match wanted {
            Wanted::Manifest(repository, tag) => (repository, tag),
            Wanted::Platforms(..) => return Ok(()),
        };
        let host = self.scanner.host(&repository.registry);
        let connection = host.connection(&self.scanner.shared.connect)?;
        let digest = connection.registry.manifest_digest(context, &repository, &tag).await?;
        let fact = digest.map_or(ManifestFact::Missing, ManifestFact::Present);
        self.scanner.shared.board.resolved(&repository, &tag, fact);
        Ok(())
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.scanner.shared.board.unsubscribe(self.id);
        self.scanner.follow();
    }
}
