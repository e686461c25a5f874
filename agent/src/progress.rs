//! What `/healthz` and `/readyz` answer: whether every worker makes progress.
//!
//! A worker beats whenever it takes up work or goes back to waiting; one that is silent for longer than it
//! promised has stalled, and a restart is better than a process that only looks alive.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The state of all workers; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    workers: Arc<Mutex<BTreeMap<String, State>>>,
}

#[derive(Debug)]
struct State {
    beat: Instant,
    silence_max: Duration,
    ready: bool,
}

/// One worker's handle; dropping it takes the worker off the list.
#[derive(Debug)]
pub struct Worker {
    name: String,
    progress: Progress,
}

impl Progress {
    /// Adds a worker that promises to beat at least every `silence_max`; it is not ready yet.
    pub fn worker(&self, name: impl Into<String>, silence_max: Duration) -> Worker {
        let name = name.into();
        let state = State { beat: Instant::now(), silence_max, ready: false };
        self.locked(|workers| workers.insert(name.clone(), state));
        Worker { name, progress: self.clone() }
    }

    /// Names the workers that have been silent for too long.
    pub fn stalled(&self) -> Vec<String> {
        self.names(|state| state.beat.elapsed() > state.silence_max)
    }

    /// Names the workers that have not succeeded once.
    pub fn unready(&self) -> Vec<String> {
        self.names(|state| !state.ready)
    }

    fn names(&self, wanted: impl Fn(&State) -> bool) -> Vec<String> {
        self.locked(|workers| {
            workers.iter().filter(|(_, state)| wanted(state)).map(|(name, _)| name.clone()).collect()
        })
    }

    fn locked<T>(&self, work: impl FnOnce(&mut BTreeMap<String, State>) -> T) -> T {
        work(&mut self.workers.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Worker {
    /// Says that the worker is alive.
    pub fn beat(&self) {
        self.update(|state| state.beat = Instant::now());
    }

    /// Says that the worker has done its work once; it stays ready.
    pub fn ready(&self) {
        self.update(|state| {
            state.beat = Instant::now();
            state.ready = true;
        });
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        self.progress.locked(|workers| workers.get_mut(&self.name).map(change));
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.progress.locked(|workers| workers.remove(&self.name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_silent_worker_has_stalled_until_it_beats_again() {
        let progress = Progress::default();
        let worker = progress.worker("source fleet", Duration::from_secs(10));
        tokio::time::advance(Duration::from_secs(11)).await;
        assert_eq!(progress.stalled(), ["source fleet"]);
        worker.beat();
        assert!(progress.stalled().is_empty());
        assert_eq!(progress.unready(), ["source fleet"]);
        worker.ready();
        assert!(progress.unready().is_empty());
    }
}
