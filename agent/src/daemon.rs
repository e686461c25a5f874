//! What `tidegate run` starts, reloads and drains.
//!
//! The loops of one configuration are a [`generation::Generation`]; a changed configuration ends one and starts the
//! next in the same process. Not here: what the loops do (see [`crate::update`] and [`crate::sync`]).

mod generation;
mod reload;
mod signals;

use std::path::Path;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::admin::Admin;
use crate::backoff::Jitter;
use crate::config::Config;
use crate::error::Failure;
use crate::metrics::Metrics;
use crate::progress::Progress;
use crate::state::StateDirectory;

use generation::{Generation, Shared};
use reload::ConfigFile;
use signals::{Signal, Signals};

/// How long work that has begun may take after SIGTERM; the rest of 20 s is for ending the process.
const DRAIN_MAX: Duration = Duration::from_secs(17);

/// Runs until SIGTERM or SIGINT, then drains.
///
/// # Errors
/// The configuration cannot be read, the port is taken, or another process holds the state directory.
pub async fn run(path: &Path, seed: Option<u64>) -> Result<(), Failure> {
    let (mut file, config) = ConfigFile::open(path)?;
    let state = StateDirectory::open(&config.state)?;
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    let shared = Shared {
        state: state.path().to_owned(),
        jitter: Jitter::new(seed),
        metrics: Metrics::new(),
        progress: Progress::default(),
    };
    let admin = Admin::bind(config.listen).await?;
    let mut signals = Signals::listen()?;
    tracing::info!(
        event = "started",
        version = env!("CARGO_PKG_VERSION"),
        seed,
        sources = config.sources.len(),
        "tidegate is running"
    );
    let stop = CancellationToken::new();
    let served = tokio::spawn(admin.serve(shared.progress.clone(), shared.metrics.clone(), stop.clone()));
    let mut generation = Generation::start(&config, &shared).await?;
    let mut running = config;
    loop {
        match signals.next().await {
            Signal::Stop => break,
            Signal::Look => {
                if let Some(config) = file.changed() {
                    tracing::info!(event = "reloading", "the configuration has changed");
                    generation.drain(DRAIN_MAX).await;
                    (generation, running) = restart(config, running, &shared).await?;
                }
            }
        }
    }
    tracing::info!(event = "stopping", "ending what has begun");
    generation.drain(DRAIN_MAX).await;
    stop.cancel();
    served.await.ok();
    tracing::info!(event = "stopped", "good bye");
    Ok(())
}

/// Starts the loops of `config`; if they cannot be started, those of `running` again.
async fn restart(config: Config, running: Config, shared: &Shared) -> Result<(Generation, Config), Failure> {
    match Generation::start(&config, shared).await {
        Ok(generation) => Ok((generation, config)),
        Err(failure) => {
            tracing::error!(
                event = "config",
                error = failure.chain(),
                "the changed configuration cannot be started; the last good one stays in force"
            );
            Ok((Generation::start(&running, shared).await?, running))
        }
    }
}
