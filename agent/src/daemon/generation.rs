//! The loops of one configuration: started together, drained together.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::backoff::Jitter;
use crate::clock::{Clock, SystemClock};
use crate::cluster::{Cluster, KubeCluster};
use crate::config::Config;
use crate::error::Failure;
use crate::fence::WriteFence;
use crate::git::{GitRepo, RemoteConfig, Repository};
use crate::metrics::Metrics;
use crate::progress::Progress;
use crate::scan::{self, Scanner};
use crate::sync::{self, Sync};
use crate::update::{self, SourceParts};

/// What outlives a configuration.
pub(super) struct Shared {
    pub(super) state: PathBuf,
    pub(super) jitter: Jitter,
    pub(super) metrics: Metrics,
    pub(super) progress: Progress,
}

/// The running loops of one configuration.
pub(super) struct Generation {
    stop: CancellationToken,
    fence: WriteFence,
    tasks: JoinSet<()>,
}

impl Generation {
    /// Connects every seam and starts every loop.
    ///
    /// Servers that cannot be reached are no error: each loop waits for its own.
    pub(super) async fn start(config: &Config, shared: &Shared) -> Result<Self, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let stop = CancellationToken::new();
        let fence = WriteFence::default();
        let cluster = connect(config, shared).await?;
        let connect = scan::connect(&config.registries, Arc::clone(&clock));
        let (jitter, metrics) = (shared.jitter.clone(), shared.metrics.clone());
        let scanner = Scanner::new(connect, jitter, metrics, Arc::clone(&clock), stop.clone());
        let sync = cluster.as_ref().map(|cluster| {
            Sync::new(sync::Parts {
                cluster: Arc::clone(cluster),
                namespace: config.cluster.namespace.clone(),
                fence: fence.clone(),
                clock: Arc::clone(&clock),
                metrics: shared.metrics.clone(),
                progress: shared.progress.clone(),
                jitter: shared.jitter.clone(),
                stop: stop.clone(),
            })
        });
        let mut tasks = JoinSet::new();
        for (order, source) in config.sources.iter().enumerate() {
            let repo: Arc<dyn GitRepo> =
                Arc::new(Repository::open(&RemoteConfig::of(source, &shared.state))?);
            let (seen, revisions) = watch::channel(None);
            let parts = SourceParts {
                source: source.clone(),
                repo: Arc::clone(&repo),
                scans: scanner.subscribe(),
                cluster: cluster.clone(),
                clock: Arc::clone(&clock),
                fence: fence.clone(),
                metrics: shared.metrics.clone(),
                jitter: shared.jitter.clone(),
                worker: shared.progress.worker(format!("source {}", source.name), update::SILENCE_MAX),
                seen,
            };
            tasks.spawn(update::run(parts, stop.clone()));
            if let Some(sync) = sync.clone().filter(|_| source.sync) {
                let source = source.clone();
                tasks.spawn(async move { sync.source(order, source, repo, revisions).await });
            }
        }
        Ok(Self { stop, fence, tasks })
    }

    /// Lets what has begun end, for at most `limit`; then nothing may write any more.
    pub(super) async fn drain(&mut self, limit: Duration) {
        self.stop.cancel();
        let ended = timeout(limit, async { while self.tasks.join_next().await.is_some() {} }).await;
        self.fence.close();
        if ended.is_err() {
            tracing::warn!(
                event = "drain",
                left = self.tasks.len(),
                "some work did not end in time and was dropped"
            );
            self.tasks.shutdown().await;
        }
    }
}

/// Connects to the cluster if any source needs it; a source that only updates works without one.
async fn connect(config: &Config, shared: &Shared) -> Result<Option<Arc<dyn Cluster>>, Failure> {
    match KubeCluster::connect(&config.cluster, shared.jitter.clone()).await {
        Ok(cluster) => Ok(Some(Arc::new(cluster))),
        Err(failure) if config.sources.iter().any(|source| source.sync) => Err(failure),
        Err(failure) => {
            tracing::info!(
                event = "cluster",
                reason = failure.chain(),
                "no cluster: no source syncs, none is needed"
            );
            Ok(None)
        }
    }
}
