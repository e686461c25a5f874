//! The command `tidegate`: parse, start, exit code.

use std::process::ExitCode;

use clap::Parser;
use tidegate_agent::args::Args;

fn main() -> ExitCode {
    // The only crypto provider; reqwest and kube find it here.
    rustls::crypto::ring::default_provider().install_default().ok();
    tidegate_agent::args::run(&Args::parse())
}
