//! What the server serves, asked once and again when something is missing.
//!
//! A kind that is missing is a reason to ask again, never a reason to prune.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tidegate_policy::object::GroupKind;
use tidegate_policy::sync::desired::{Kinds, Served};
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use crate::cluster::{Catalog, Cluster, ServedKind};
use crate::context::Context;
use crate::error::Failure;

/// A catalog in both shapes: the seam's and the one that decisions read.
#[derive(Debug)]
pub(super) struct Known {
    catalog: Arc<Catalog>,
    pub(super) kinds: Kinds,
    asked: Instant,
}

pub(super) struct Discovery {
    cluster: Arc<dyn Cluster>,
    known: watch::Sender<Option<Arc<Known>>>,
    /// Held while the server is asked: one question at a time.
    asking: Mutex<()>,
}

impl Known {
    /// Returns how to reach a kind in one of its served versions.
    pub(super) fn kind(&self, kind: &GroupKind, version: Option<&str>) -> Result<ServedKind, Failure> {
        let Some(served) = self.catalog.kinds.get(kind) else {
            return Err(Failure::retry(format!("the server does not serve {kind}")));
        };
        let version = version.unwrap_or(&served.version).to_owned();
        Ok(ServedKind { version, ..served.clone() })
    }
}

impl Discovery {
    pub(super) fn new(cluster: Arc<dyn Cluster>) -> Self {
        Self { cluster, known: watch::Sender::new(None), asking: Mutex::new(()) }
    }

    /// Tells of every catalog that differs from the one before.
    pub(super) fn subscribe(&self) -> watch::Receiver<Option<Arc<Known>>> {
        self.known.subscribe()
    }

    /// Returns the catalog, asking the server only if that was never done.
    pub(super) async fn known(&self, context: &Context) -> Result<Arc<Known>, Failure> {
        let known = self.known.borrow().clone();
        match known {
            Some(known) => Ok(known),
            None => self.refresh(context).await,
        }
    }

    /// Asks the server again, unless somebody did so since this call began.
    pub(super) async fn refresh(&self, context: &Context) -> Result<Arc<Known>, Failure> {
        let begun = Instant::now();
        let _one = self.asking.lock().await;
        if let Some(known) = self.known.borrow().as_ref().filter(|known| known.asked >= begun) {
            return Ok(Arc::clone(known));
        }
        let catalog = self.cluster.discover(context).await?;
        let served =
            |kind: &ServedKind| Served { namespaced: kind.namespaced, versions: kind.versions.clone() };
        let kinds = catalog.kinds.iter().map(|(id, kind)| (id.clone(), served(kind))).collect();
        let known = Arc::new(Known { catalog, kinds, asked: begun });
        self.known.send_if_modified(|before| {
            let changed = before.as_ref().is_none_or(|before| before.kinds != known.kinds);
            *before = Some(Arc::clone(&known));
            changed
        });
        Ok(known)
    }

    /// Waits until the server serves `kinds`; `false` if it does not within `limit`.
    pub(super) async fn await_served(
        &self,
        context: &Context,
        kinds: &BTreeSet<GroupKind>,
        limit: Duration,
    ) -> Result<bool, Failure> {
        let end = Instant::now() + limit;
        let mut pause = Duration::from_millis(50);
        loop {
            let known = self.refresh(context).await?;
            if kinds.iter().all(|kind| known.kinds.contains_key(kind)) {
                return Ok(true);
            }
            if Instant::now() >= end {
                return Ok(false);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(2));
        }
    }
}
