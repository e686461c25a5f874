//! The task of one repository: list, note, wait; at its own pace whatever its neighbours do.
//!
//! Started and ended by the scanner as repositories become wanted and unwanted.

use std::sync::Arc;
use std::time::Duration;

use tidegate_policy::reference::Repository;
use tidegate_policy::update::ScanError;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::config::DEFAULT_POLL;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::metrics::Outcome;

use super::board::ListingChange;
use super::host::Host;
use super::{Connection, Shared};

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
    cancel: CancellationToken,
) {
    let backoff = Backoff::new(BACKOFF_LEAST, BACKOFF_MOST, shared.jitter.clone());
    let mut task = Task { shared, host, repository, backoff, poll: DEFAULT_POLL };
    let work = async {
        loop {
            let wait = task.scan(&cancel).await;
            tokio::time::sleep(wait).await;
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
                    registry.tags(&context, &self.repository).await
                }
                Err(failure) => Err(failure),
            }
        };
        match listing {
            Ok(tags) => self.listed(tags),
            Err(failure) => self.failed(&failure),
        }
    }

    fn listed(&mut self, tags: Vec<String>) -> Duration {
        self.host.succeeded();
        self.shared.metrics.scanned(&self.repository.registry, Outcome::Ok);
        if self.backoff.failures() > 0 {
            tracing::info!(event = "scan-recovered", repository = %self.repository, "the registry answers again");
        }
        self.backoff.succeeded();
        let count = tags.len();
        if let Some(change) = self.shared.board.listed(&self.repository, tags) {
            self.log(count, &change);
        }
        self.shared.jitter.spread(self.poll)
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
