//! The command `tidegate`: parse, start, exit code.

use std::process::ExitCode;

use clap::Parser;
use rustix::fs::Mode;
use rustix::process::umask;
use tidegate_agent::args::Args;

fn main() -> ExitCode {
    // Mirrors hold private repositories: what this process writes is for its own user alone.
    umask(Mode::RWXG | Mode::RWXO);
    // The only crypto provider; reqwest and kube find it here.
    rustls::crypto::ring::default_provider().install_default().ok();
    tidegate_agent::args::run(&Args::parse())
}
