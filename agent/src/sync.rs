//! The sync loop: revisions of a source → objects in the cluster, kept as they were applied.
//!
//! ```text
//! revision ─► supervisor (one per source): units, parsed files, claims ─► Input
//! Input, watch events, timers ─► unit (one task each): plan, apply, prune, correct drift ─► HealthReport
//! ```
//!
//! Called by the daemon (`Sync::source`) and by `tidegate plan` ([`plan_once`]).
//! Not here: what is decided (`tidegate_policy::sync`), how the API server is spoken to (`crate::cluster`).

mod apply;
mod correct;
mod discovery;
mod files;
mod hub;
mod inbox;
mod observe;
mod once;
mod owners;
mod parallel;
mod parent;
mod prune;
mod report;
mod state;
mod supervisor;
mod tell;
mod unit;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::backoff::Jitter;
use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::config;
use crate::fence::WriteFence;
use crate::git::GitRepo;
use crate::metrics::Metrics;
use crate::progress::Progress;
use crate::source::SeenReceiver;

pub use once::{UnitPlan, plan_once};
pub use report::{HealthReport, UnitReport};

/// What the sync loops of all sources share.
#[derive(Clone)]
pub struct Parts {
    /// The API server, as the identity that applies.
    pub cluster: Arc<dyn Cluster>,
    /// Tidegate's own namespace, where the parents of units live.
    pub namespace: String,
    /// Asked before every write.
    pub fence: WriteFence,
    /// The wall clock, for health rules that know time.
    pub clock: Arc<dyn Clock>,
    /// The seed of every back-off.
    pub jitter: Jitter,
    /// Counters.
    pub metrics: Metrics,
    /// Liveness of the workers.
    pub progress: Progress,
    /// Ends every loop.
    pub stop: CancellationToken,
}

/// The sync side of the process.
#[derive(Clone)]
pub struct Sync {
    hub: Arc<hub::Hub>,
}

impl Sync {
    /// Makes the shared part; nothing runs yet.
    pub fn new(parts: Parts) -> Self {
        Self { hub: Arc::new(hub::Hub::new(parts)) }
    }

    /// Returns the health of all units, as it changes.
    pub fn health(&self) -> watch::Receiver<HealthReport> {
        self.hub.health.subscribe()
    }

    /// Syncs one source until the process ends; `order` is its place in the configuration.
    ///
    /// Every revision that `revisions` shows is synced, or the latest if they come faster than they are synced.
    pub async fn source(
        &self,
        order: usize,
        source: config::Source,
        repo: Arc<dyn GitRepo>,
        revisions: SeenReceiver,
    ) {
        supervisor::Supervisor::new(Arc::clone(&self.hub), order, source, repo).run(revisions).await;
    }
}
