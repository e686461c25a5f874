//! `tidegate run`: the daemon, until SIGTERM or SIGINT.

use std::path::PathBuf;

use crate::error::Failure;
use crate::{daemon, telemetry};

/// Arguments of `tidegate run`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/tidegate/tidegate.yaml")]
    config: PathBuf,
    /// Repeats the jitter of an earlier run (its `started` line names the seed).
    #[arg(long)]
    seed: Option<u64>,
}

/// Runs the daemon; returns 0 after an orderly shutdown.
pub fn run(args: &Args) -> Result<u8, Failure> {
    telemetry::start();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::bug("cannot start the runtime").because(error))?;
    let outcome = runtime.block_on(daemon::run(&args.config, args.seed));
    // Owner threads may sit in a system call; they hold nothing that a restart needs.
    runtime.shutdown_background();
    outcome.map(|()| 0)
}
