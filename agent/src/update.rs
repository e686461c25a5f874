//! The update loop of one source: fetch, read, decide, commit, push; and tell the sync loop what was seen.
//!
//! One task per source with a closed set of events. What is decided comes from `tidegate_policy::update`;
//! a lost race is decided again on the new tree, never forced. Called by the verb `run`; the verbs `plan`
//! and `explain` use [`plan_once`]. Not here: listing tags (see [`crate::scan`]), applying (the sync loop).

mod commit;
mod decide;
mod event;
mod ledger;
mod memory;
mod once;
mod read;
mod report;
#[cfg(test)]
mod tests;
mod tick;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::backoff::Jitter;
use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::config::Source;
use crate::fence::WriteFence;
use crate::git::GitRepo;
use crate::metrics::Metrics;
use crate::progress::Worker;
use crate::scan::Subscription;
use crate::source::SeenSender;

use event::{Event, Timers};
use tick::SourceLoop;

pub use once::{EditedFile, Planned, plan_once};
pub use read::{Known, Reader};

/// The longest time for which the loop may be silent: what its [`Worker`] must promise.
pub const SILENCE_MAX: Duration = Duration::from_mins(6);

/// Everything that the loop of one source works with.
pub struct SourceParts {
    /// Its configuration.
    pub source: Source,
    /// Its branch.
    pub repo: Arc<dyn GitRepo>,
    /// Its interest in the registries.
    pub scans: Subscription,
    /// Where the last tip seen is kept; without a cluster it is kept in memory.
    pub cluster: Option<Arc<dyn Cluster>>,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Whether this process may still write.
    pub fence: WriteFence,
    /// Counters.
    pub metrics: Metrics,
    /// Randomness.
    pub jitter: Jitter,
    /// Its entry in `/healthz`.
    pub worker: Worker,
    /// Where seen revisions are published.
    pub seen: SeenSender,
}

/// Runs the loop of one source until `stop` is cancelled; a push under way is given 15 s to end.
///
/// # Guarantees
/// Nothing is published that was not seen on the remote. A failure is logged, waited out and tried again;
/// it never ends the loop.
pub async fn run(parts: SourceParts, stop: CancellationToken) {
    let mut timers = Timers::new(parts.jitter.clone());
    let mut source = SourceLoop::new(parts, stop.clone());
    loop {
        let event = event::next(&timers, &source.parts, &stop).await;
        source.parts.worker.beat();
        match event {
            Event::Stop => return,
            Event::Beat => continue,
            Event::ScanChanged if timers.is_backing_off() => continue, // the next try sees it
            Event::ScanChanged => event::settle(&source.parts.scans, &stop).await,
            Event::FetchDue | Event::PlanDue => {}
        }
        let fetched = event == Event::FetchDue;
        let outcome = source.tick(fetched).await;
        if stop.is_cancelled() {
            return;
        }
        match outcome {
            Ok(next) => {
                source.parts.worker.ready();
                timers.succeeded(fetched, source.parts.source.poll, next);
            }
            Err(failure) => {
                let wait = timers.failed(&failure, source.parts.source.poll);
                source.log_failure(&failure, wait);
            }
        }
    }
}
