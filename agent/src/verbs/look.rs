//! One look at the world through a configuration, for the verbs that write nothing: `plan` and `explain`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::backoff::Jitter;
use crate::clock::{Clock, SystemClock};
use crate::cluster::{Cluster, KubeCluster};
use crate::config::{self, Config, Source};
use crate::context::Context;
use crate::error::Failure;
use crate::git::{GitRepo, RemoteConfig, Repository};
use crate::metrics::Metrics;
use crate::scan::{self, Scanner};
use crate::state::StateDirectory;
use crate::update::{self, Planned};

/// How long one look may take; slower servers are reported as such.
const LIMIT: Duration = Duration::from_secs(120);

/// The seams of a configuration, with a state directory of their own so that a daemon is not disturbed.
pub(super) struct Look {
    pub(super) config: Config,
    pub(super) context: Context,
    /// The cluster, or why there is none.
    pub(super) cluster: Result<Arc<dyn Cluster>, Failure>,
    scanner: Scanner,
    clock: Arc<dyn Clock>,
    state: StateDirectory,
}

/// Runs `work` on a runtime of its own.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = Runtime::new().map_err(|error| Failure::bug("cannot start the runtime").because(error))?;
    let outcome = runtime.block_on(work);
    runtime.shutdown_background();
    outcome
}

impl Look {
    /// Reads the configuration and connects; servers are asked later.
    pub(super) async fn open(path: &Path) -> Result<Self, Failure> {
        let config = config::load(path)?;
        let cancel = CancellationToken::new();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let jitter = Jitter::new(0);
        let connect = scan::connect(&config.registries, Arc::clone(&clock));
        let cluster = KubeCluster::connect(&config.cluster, jitter.clone()).await;
        Ok(Self {
            context: Context::new(&cancel, LIMIT),
            cluster: cluster.map(|cluster| Arc::new(cluster) as Arc<dyn Cluster>),
            scanner: Scanner::new(connect, jitter, Metrics::new(), Arc::clone(&clock), cancel),
            clock,
            state: StateDirectory::temporary()?,
            config,
        })
    }

    /// The branch of a source.
    pub(super) fn repo(&self, source: &Source) -> Result<Arc<dyn GitRepo>, Failure> {
        Ok(Arc::new(Repository::open(&RemoteConfig::of(source, self.state.path()))?))
    }

    /// Plans the update of a source.
    ///
    /// What the daemon remembers of a rewritten branch lies in the cluster: one that is configured and cannot be
    /// asked is a failure; without any (no kubeconfig) the answer knows nothing of rewrites.
    pub(super) async fn plan(&self, source: &Source, repo: &Arc<dyn GitRepo>) -> Result<Planned, Failure> {
        let cluster = self.cluster.as_ref().ok().cloned();
        let (repo, scans) = (Arc::clone(repo), self.scanner.subscribe());
        update::plan_once(&self.context, source, repo, scans, cluster, self.clock.as_ref()).await
    }
}
