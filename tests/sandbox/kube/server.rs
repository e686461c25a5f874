//! What the parts of the server share: the store, who waits for its changes, the settings of a test.

use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::store::Store;
use super::traffic::Traffic;

/// Settings of a sandbox cluster.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long pods take to become ready.
    pub pod_start: Duration,
    /// How often watches get a bookmark.
    pub bookmark_interval: Duration,
    /// How many changes are kept for watches before they get a 410.
    pub log_limit: usize,
    /// Images whose pods never become ready.
    pub broken_images: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pod_start: Duration::from_millis(100),
            bookmark_interval: Duration::from_secs(10),
            log_limit: 10_000,
            broken_images: Vec::new(),
        }
    }
}

/// The shared state.
pub struct Server {
    /// Settings.
    pub options: Options,
    /// Requests and faults.
    pub traffic: Traffic,
    /// Cancelled when the cluster goes away.
    pub stop: CancellationToken,
    /// Images whose pods never become ready.
    pub broken_images: Mutex<Vec<String>>,
    store: Mutex<Store>,
    written: watch::Sender<u64>,
}

impl Server {
    /// An empty server.
    pub fn new(options: Options) -> Self {
        Self {
            store: Mutex::new(Store::new(options.log_limit)),
            broken_images: Mutex::new(options.broken_images.clone()),
            options,
            traffic: Traffic::default(),
            stop: CancellationToken::new(),
            written: watch::Sender::new(0),
        }
    }

    /// Looks at the store.
    pub fn read<T>(&self, look: impl FnOnce(&Store) -> T) -> T {
        look(&self.store.lock().expect("no holder panics"))
    }

    /// Changes the store and wakes who waits for changes.
    pub fn write<T>(&self, change: impl FnOnce(&mut Store) -> T) -> T {
        let mut store = self.store.lock().expect("no holder panics");
        let before = store.version();
        let outcome = change(&mut store);
        let after = store.version();
        drop(store);
        if after != before {
            self.written.send_replace(after);
        }
        outcome
    }

    /// Is told of every change.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.written.subscribe()
    }
}
