//! What a unit has yet to look at: the latest observation of each object, so never more than it has objects.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tidegate_policy::object::ObjectId;
use tokio::sync::Notify;

use crate::cluster::LiveMeta;

/// The latest news of an object.
#[derive(Clone, Debug)]
pub(super) enum Seen {
    /// It is there, as given.
    Changed(Box<LiveMeta>),
    /// The watch no longer shows it: it is gone, or lost its label.
    Gone,
}

#[derive(Debug, Default)]
pub(super) struct Inbox {
    pending: Mutex<BTreeMap<ObjectId, Seen>>,
    arrived: Notify,
}

impl Inbox {
    pub(super) fn put(&self, id: ObjectId, seen: Seen) {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).insert(id, seen);
        self.arrived.notify_one();
    }

    /// Waits until there is something; a wake-up for what was already taken gives an empty map later.
    pub(super) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    pub(super) fn take(&self) -> BTreeMap<ObjectId, Seen> {
        std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
