//! Logs: to stderr, JSON unless stderr is a terminal, filtered by `RUST_LOG`.
//!
//! Control characters in values are escaped by both formats, so that a tag or a server's
//! answer cannot write to the operator's terminal.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging; only the first call has an effect.
pub fn start() {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,kube=warn,hyper=warn,reqwest=warn"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if std::io::stderr().is_terminal() {
        builder.with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).with_target(false).try_init()
    };
    // A second start (tests of the library) keeps the first subscriber.
    drop(started);
}
