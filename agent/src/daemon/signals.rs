//! When to stop, and when to look at the configuration again.

use std::time::Duration;

use tokio::signal::unix::{Signal as UnixSignal, SignalKind, signal};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::error::Failure;

/// How often the configuration file is read.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// What the daemon is told from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// SIGTERM or SIGINT.
    Stop,
    /// SIGHUP, or the time has come.
    Look,
}

/// The signals of this process.
pub(super) struct Signals {
    terminate: UnixSignal,
    interrupt: UnixSignal,
    hang_up: UnixSignal,
    interval: Interval,
}

impl Signals {
    /// Takes over SIGTERM, SIGINT and SIGHUP.
    pub(super) fn listen() -> Result<Self, Failure> {
        let on =
            |kind| signal(kind).map_err(|error| Failure::bug("cannot listen for signals").because(error));
        let mut interval = interval(LOOK_EVERY);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        interval.reset();
        Ok(Self {
            terminate: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
            hang_up: on(SignalKind::hangup())?,
            interval,
        })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Signal::Stop,
            _ = self.interrupt.recv() => Signal::Stop,
            _ = self.hang_up.recv() => Signal::Look,
            _ = self.interval.tick() => Signal::Look,
        }
    }
}
