//! What the loop waits for, and when it is due.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::backoff::{Backoff, Jitter};
use crate::error::{Failure, Kind};
use crate::scan::Subscription;

use super::SourceParts;

/// A burst of listings becomes one commit: wait until it has been quiet for so long …
const SETTLE: Duration = Duration::from_millis(50);
/// … but no longer than this.
const SETTLE_MAX: Duration = Duration::from_secs(2);
/// How often an idle loop says that it is alive; also how soon a changed wall clock is noticed.
const BEAT: Duration = Duration::from_secs(30);
const BACKOFF_LEAST: Duration = Duration::from_secs(1);
const BACKOFF_MOST: Duration = Duration::from_mins(5);

/// Why the loop wakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// It is time to look at the remote.
    FetchDue,
    /// A registry says something new.
    ScanChanged,
    /// The answer may have changed though no input has: a hold ended, a fact or a push is tried again.
    PlanDue,
    /// Nothing happened for a while.
    Beat,
    /// The process ends.
    Stop,
}

/// When the plan is to be made again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Next {
    /// At this wall-clock time (the end of a hold).
    pub(super) wake_at: Option<Timestamp>,
    /// At this time (a refused push).
    pub(super) retry_at: Option<Instant>,
    /// Soon: a fact could not be had.
    pub(super) lacks_facts: bool,
}

/// When each event is due.
pub(super) struct Timers {
    fetch_at: Instant,
    plan_at: Option<Instant>,
    wake_at: Option<Timestamp>,
    backing_off: bool,
    failures: Backoff,
    facts: Backoff,
    jitter: Jitter,
}

impl Timers {
    /// Everything is due now.
    pub(super) fn new(jitter: Jitter) -> Self {
        Self {
            fetch_at: Instant::now(),
            plan_at: None,
            wake_at: None,
            backing_off: false,
            failures: Backoff::new(BACKOFF_LEAST, BACKOFF_MOST, jitter.clone()),
            facts: Backoff::new(BACKOFF_LEAST, BACKOFF_MOST, jitter.clone()),
            jitter,
        }
    }

    pub(super) fn is_backing_off(&self) -> bool {
        self.backing_off && Instant::now() < self.fetch_at
    }

    /// Sets the timers after a tick.
    pub(super) fn succeeded(&mut self, fetched: bool, poll: Duration, next: Next) {
        if fetched || self.backing_off {
            self.fetch_at = Instant::now() + self.jitter.spread(poll);
        }
        self.backing_off = false;
        self.failures.succeeded();
        self.wake_at = next.wake_at;
        let facts_at = if next.lacks_facts {
            Some(Instant::now() + self.facts.failed(None))
        } else {
            self.facts.succeeded();
            None
        };
        self.plan_at = [next.retry_at, facts_at].into_iter().flatten().min();
    }

    /// Sets the timers after a failed tick; returns how long nothing is tried.
    pub(super) fn failed(&mut self, failure: &Failure, poll: Duration) -> Duration {
        let wait = match failure.kind {
            Kind::Retry { after } => self.failures.failed(after),
            Kind::Cancelled => self.failures.failed(None),
            // Nothing changes until a person acts, so there is no hurry.
            Kind::Reject | Kind::Bug => self.failures.failed(None).max(poll),
        };
        self.backing_off = true;
        self.fetch_at = Instant::now() + wait;
        self.plan_at = None;
        wait
    }
}

/// Waits for the next event.
pub(super) async fn next(timers: &Timers, parts: &SourceParts, stop: &CancellationToken) -> Event {
    let beat_at = Instant::now() + BEAT;
    let woken_at = timers.wake_at.map(|at| {
        let wait = at.duration_since(parts.clock.now());
        Instant::now() + Duration::try_from(wait).unwrap_or_default()
    });
    let plan_at = [timers.plan_at, woken_at].into_iter().flatten().min().filter(|_| !timers.is_backing_off());
    tokio::select! {
        biased;
        () = stop.cancelled() => Event::Stop,
        () = tokio::time::sleep_until(timers.fetch_at) => Event::FetchDue,
        () = tokio::time::sleep_until(plan_at.unwrap_or(beat_at)), if plan_at.is_some() => Event::PlanDue,
        () = parts.scans.changed() => Event::ScanChanged,
        () = tokio::time::sleep_until(beat_at) => Event::Beat,
    }
}

/// Waits until the registries have been quiet for a moment.
pub(super) async fn settle(scans: &Subscription, stop: &CancellationToken) {
    let burst = async { while tokio::time::timeout(SETTLE, scans.changed()).await.is_ok() {} };
    tokio::select! {
        () = stop.cancelled() => {}
        _ = tokio::time::timeout(SETTLE_MAX, burst) => {}
    }
}
