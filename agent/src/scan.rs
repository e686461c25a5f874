//! The scanner: lists the repositories that the update loops want, and keeps what it last saw.
//!
//! Each repository has its own task, deadline and back-off; each registry host its own queue and pause.
//! Called by the update loops ([`crate::update`]). Not here: HTTP (see [`crate::registry`]), what to make
//! of a listing (`tidegate_policy::select`).

mod board;
mod connect;
mod host;
mod interest;
mod repository;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use tidegate_policy::reference::{Repository, Tag};
use tidegate_policy::update::{Interest, ManifestFact, RegistrySnapshot, Wanted};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::backoff::Jitter;
use crate::clock::Clock;
use crate::context::Context;
use crate::error::Failure;
use crate::metrics::Metrics;
use crate::registry::Registry;

use board::Board;
use host::Host;
use interest::Interests;

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
    clock: Arc<dyn Clock>,
    cancel: CancellationToken,
    board: Board,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
    /// The tasks of the repositories that somebody wants.
    tasks: Mutex<HashMap<Repository, Scan>>,
}

/// The task of one repository, from outside.
struct Scan {
    cancel: CancellationToken,
    interests: watch::Sender<Interests>,
}

impl Scanner {
    /// Starts with no repository; all work ends when `cancel` is cancelled.
    pub fn new(
        connect: Connect,
        jitter: Jitter,
        metrics: Metrics,
        clock: Arc<dyn Clock>,
        cancel: CancellationToken,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                connect,
                jitter,
                metrics,
                clock,
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
        tasks.retain(|repository, scan| {
            let keep = wanted.contains_key(repository);
            if !keep {
                scan.cancel.cancel();
            }
            keep
        });
        for (repository, interests) in &wanted {
            if let Some(scan) = tasks.get(repository) {
                scan.interests.send_if_modified(|known| {
                    let changed = known != interests;
                    known.clone_from(interests);
                    changed
                });
            } else {
                tasks.insert(repository.clone(), self.start(repository, interests.clone()));
            }
        }
        let mut hosts = self.shared.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.retain(|name, _| wanted.keys().any(|repository| repository.registry == *name));
    }

    fn start(&self, repository: &Repository, interests: Interests) -> Scan {
        let cancel = self.shared.cancel.child_token();
        let (sender, receiver) = watch::channel(interests);
        let host = self.host(&repository.registry);
        let scan =
            repository::run(Arc::clone(&self.shared), host, repository.clone(), receiver, cancel.clone());
        tokio::spawn(scan);
        Scan { cancel, interests: sender }
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
            self.scanner.shared.board.want(self.id, interests.clone());
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
        let (Wanted::Manifest(repository, _) | Wanted::Platforms(repository, _)) = &wanted;
        let host = self.scanner.host(&repository.registry);
        let registry = host.connection(&self.scanner.shared.connect)?.registry;
        let board = &self.scanner.shared.board;
        match &wanted {
            Wanted::Manifest(repository, tag) => {
                let fact = resolve(registry.as_ref(), context, repository, tag).await?;
                board.resolved(repository, tag, fact);
            }
            Wanted::Platforms(repository, digest) => {
                match registry.platforms(context, repository, digest).await {
                    Ok(Some(platforms)) => board.offers(repository, digest.clone(), platforms),
                    Ok(None) => board.doubted(repository, digest, &ManifestFact::Missing),
                    Err(failure) if failure.contradiction => {
                        board.doubted(repository, digest, &ManifestFact::Mismatch(failure.chain()));
                    }
                    Err(failure) => return Err(failure),
                }
            }
        }
        Ok(())
    }
}

/// Resolves a tag; a registry that contradicts itself is a fact, not a failure.
async fn resolve(
    registry: &dyn Registry,
    context: &Context,
    repository: &Repository,
    tag: &Tag,
) -> Result<ManifestFact, Failure> {
    match registry.manifest_digest(context, repository, tag).await {
        Ok(digest) => Ok(digest.map_or(ManifestFact::Missing, ManifestFact::Present)),
        Err(failure) if failure.contradiction => Ok(ManifestFact::Mismatch(failure.chain())),
        Err(failure) => Err(failure),
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.scanner.shared.board.unsubscribe(self.id);
        self.scanner.follow();
    }
}
