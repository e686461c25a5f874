//! One registry host: its client, its queue, and when it must be left alone.
//!
//! Called by the tasks of its repositories.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tidegate_policy::reference::Repository;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::backoff::{Backoff, Jitter};
use crate::error::{Failure, Kind};

use super::{Connect, Connection};

/// Listings of one host at a time; the others wait in turn.
const SCANS_MAX: usize = 4;
/// This many repositories failing with none succeeding means that the host is ill, not they.
const ILL_REPOSITORIES: usize = 3;
const BACKOFF_LEAST: Duration = Duration::from_secs(1);
const BACKOFF_MOST: Duration = Duration::from_mins(5);

/// One host, shared by the tasks of its repositories.
pub(super) struct Host {
    name: String,
    queue: Semaphore,
    state: Mutex<State>,
}

struct State {
    connection: Option<Connection>,
    backoff: Backoff,
    failing: HashSet<Repository>,
    paused_until: Option<Instant>,
}

impl Host {
    pub(super) fn new(name: &str, jitter: Jitter) -> Self {
        let backoff = Backoff::new(BACKOFF_LEAST, BACKOFF_MOST, jitter);
        let state = State { connection: None, backoff, failing: HashSet::new(), paused_until: None };
        Self { name: name.to_owned(), queue: Semaphore::new(SCANS_MAX), state: Mutex::new(state) }
    }

    /// Waits for a turn and for the end of any pause.
    pub(super) async fn turn(&self) -> SemaphorePermit<'_> {
        loop {
            if let Some(until) = self.paused_until() {
                tokio::time::sleep_until(until).await;
            }
            let permit = self.queue.acquire().await.expect("the queue is never closed");
            if self.paused_until().is_none() {
                return permit;
            }
        }
    }

    /// The client, made now if there is none.
    pub(super) fn connection(&self, connect: &Connect) -> Result<Connection, Failure> {
        self.locked(|state| {
            if let Some(connection) = &state.connection {
                return Ok(connection.clone());
            }
            let connection = connect(&self.name)?;
            state.connection = Some(connection.clone());
            Ok(connection)
        })
    }

    pub(super) fn succeeded(&self) {
        self.locked(|state| {
            state.failing.clear();
            state.backoff.succeeded();
        });
    }

    /// Counts a failure; pauses the host if it asked for that, or if repository after repository fails.
    pub(super) fn failed(&self, repository: &Repository, failure: &Failure) {
        let after = match failure.kind {
            Kind::Retry { after } => after,
            Kind::Cancelled => None,
            Kind::Reject | Kind::Bug => return, // it answered
        };
        self.locked(|state| {
            state.failing.insert(repository.clone());
            if after.is_some() || state.failing.len() >= ILL_REPOSITORIES {
                state.failing.clear();
                let until = Instant::now() + state.backoff.failed(after);
                state.paused_until = state.paused_until.max(Some(until));
            }
        });
    }

    fn paused_until(&self) -> Option<Instant> {
        self.locked(|state| state.paused_until.filter(|until| *until > Instant::now()))
    }

    fn locked<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
