//! The task of one repository: list, note, wait; at its own pace whatever its neighbours do.
//!
//! Started and ended by the scanner as repositories become wanted and unwanted.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tidegate_policy::reference::{Repository, Tag};
use tidegate_policy::update::{ManifestFact, ScanError};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::config::DEFAULT_POLL;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::metrics::Outcome;
use crate::registry::Registry;

use super::board::ListingChange;
use super::host::Host;
use super::interest::Interests;
use super::{Connection, Shared, resolve};

/// A listing that takes longer is given up.
const SCAN_LIMIT: Duration = Duration::from_mins(1);
const BACKOFF_LEAST: Duration = Duration::from_secs(1);
const BACKOFF_MOST: Duration = Duration::from_mins(5);
/// New tags that a log line names.
const LOGGED_TAGS_MAX: usize = 5;

/// Lists `repository` until `cancel` is cancelled.
pub(super) async fn run(
    shared: Arc<Shared>,
    host: Arc<Host>,
    repository: Repository,
    interests: watch::Receiver<Interests>,
    cancel: CancellationToken,
) {
    let backoff = Backoff::new(BACKOFF_LEAST, BACKOFF_MOST, shared.jitter.clone());
    let mut task = Task { shared, host, repository, interests, backoff, poll: DEFAULT_POLL };
    let work = async {
        loop {
            let scanned = Instant::now();
            let wait = task.scan(&cancel).await;
            task.rest(scanned, wait).await;
        }
    };
    tokio::select! {
        () = cancel.cancelled() => {}
        () = work => {}
    }
}

struct Task {
    shared: Arc<Shared>,
    host: Arc<Host>,
    repository: Repository,
    interests: watch::Receiver<Interests>,
    backoff: Backoff,
    poll: Duration,
}

impl Task {
    /// Lists once; returns how long to wait before the next time.
    async fn scan(&mut self, cancel: &CancellationToken) -> Duration {
        let listing = {
            let _turn = self.host.turn().await;
            let context = Context::new(cancel, SCAN_LIMIT);
            match self.host.connection(&self.shared.connect) {
                Ok(Connection { registry, poll }) => {
                    self.poll = poll;
                    self.look(registry.as_ref(), &context).await
                }
                Err(failure) => Err(failure),
            }
        };
        match listing {
            Ok((tags, followed)) => self.listed(tags, followed),
            Err(failure) => self.failed(&failure),
        }
    }

    /// Lists the tags, and resolves those among them that are followed by digest.
    async fn look(
        &self,
        registry: &dyn Registry,
        context: &Context,
    ) -> Result<(Vec<String>, HashMap<Tag, ManifestFact>), Failure> {
        let follow = self.interests.borrow().follow.clone();
        let tags = registry.tags(context, &self.repository).await?;
        let mut followed = HashMap::new();
        for tag in follow.into_iter().filter(|tag| tags.iter().any(|listed| listed == tag.as_str())) {
            let fact = resolve(registry, context, &self.repository, &tag).await?;
            followed.insert(tag, fact);
        }
        Ok((tags, followed))
    }

    /// Waits until the next listing is due; a changed interest may make that sooner.
    async fn rest(&mut self, scanned: Instant, wait: Duration) {
        let mut due = Instant::now() + wait;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(due) => return,
                Ok(()) = self.interests.changed() => due = due.min(scanned + self.wait()),
            }
        }
    }

    /// How long after a listing the next one is due.
    fn wait(&self) -> Duration {
        self.interests.borrow().wait(self.shared.clock.now(), self.poll, &self.shared.jitter)
    }

    fn listed(&mut self, tags: Vec<String>, followed: HashMap<Tag, ManifestFact>) -> Duration {
        self.host.succeeded();
        self.shared.metrics.scanned(&self.repository.registry, Outcome::Ok);
        if self.backoff.failures() > 0 {
            tracing::info!(event = "scan-recovered", repository = %self.repository, "the registry answers again");
        }
        self.backoff.succeeded();
        let count = tags.len();
        if let Some(change) = self.shared.board.listed(&self.repository, tags, followed) {
            self.log(count, &change);
        }
        self.wait()
    }

    fn log(&self, count: usize, change: &ListingChange) {
        let ListingChange { added, removed, first } = change;
        if *first {
            tracing::info!(event = "listing", repository = %self.repository, tags = count, "first listing");
        } else {
            let named: Vec<&str> = added.iter().take(LOGGED_TAGS_MAX).map(String::as_str).collect();
            tracing::info!(
                event = "listing",
                repository = %self.repository,
                tags = count,
                added = added.len(),
                removed,
                new = named.join(" "),
                "the listing changed"
            );
        }
    }

    fn failed(&mut self, failure: &Failure) -> Duration {
        self.host.failed(&self.repository, failure);
        self.shared.metrics.scanned(&self.repository.registry, Outcome::Failed);
        let (after, least) = match failure.kind {
            Kind::Retry { after } => (after, Duration::ZERO),
            // Nothing changes until a person acts, so there is no hurry.
            Kind::Reject | Kind::Bug => (None, self.poll),
            Kind::Cancelled => (None, Duration::ZERO),
        };
        let wait = self.backoff.failed(after).max(least);
        tracing::warn!(
            event = "scan-failed",
            repository = %self.repository,
            failures = self.backoff.failures(),
            retry_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            error = failure.chain(),
            "the tags could not be listed"
        );
        let error = if failure.partial { ScanError::Incomplete } else { ScanError::Unreachable };
        self.shared.board.failed(&self.repository, error(failure.chain()));
        wait
    }
}
