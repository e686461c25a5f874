//! One watch per kind for all units: what belongs to a set is told to its unit.
//!
//! The index of members is what the watches have shown so far; it names candidates for a prune, and
//! only a fresh list decides.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use tidegate_policy::object::{GroupKind, ObjectId};
use tidegate_policy::sync::applyset::{ApplySetId, PART_OF};
use tidegate_policy::sync::health::needs_content;
use tidegate_policy::sync::live::label;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::inbox::{Inbox, Seen};
use crate::cluster::{Cluster, Content, LiveMeta, ServedKind, WatchEvent};

/// How far a watch has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Watching {
    /// The first list is not complete.
    Starting,
    /// Events arrive.
    Listed,
    /// The server refuses it, or cannot be reached.
    Failing(String),
}

pub(super) struct Watches {
    cluster: Arc<dyn Cluster>,
    cancel: CancellationToken,
    kinds: Mutex<HashMap<GroupKind, watch::Receiver<Watching>>>,
    routes: Mutex<HashMap<ApplySetId, Arc<Inbox>>>,
    members: Mutex<Members>,
}

#[derive(Debug, Default)]
struct Members {
    sets: HashMap<ObjectId, ApplySetId>,
    objects: BTreeMap<ApplySetId, BTreeSet<ObjectId>>,
}

impl Members {
    /// Files an object under its set; returns the set that had it before.
    fn put(&mut self, id: &ObjectId, set: ApplySetId) -> Option<ApplySetId> {
        let before = self.remove(id).filter(|before| *before != set);
        self.objects.entry(set.clone()).or_default().insert(id.clone());
        self.sets.insert(id.clone(), set);
        before
    }

    fn remove(&mut self, id: &ObjectId) -> Option<ApplySetId> {
        let set = self.sets.remove(id)?;
        if let Some(objects) = self.objects.get_mut(&set) {
            objects.remove(id);
        }
        Some(set)
    }
}

impl Watches {
    pub(super) fn new(cluster: Arc<dyn Cluster>, cancel: CancellationToken) -> Self {
        let (kinds, routes, members) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { cluster, cancel, kinds, routes, members }
    }

    /// Tells `inbox` of every object of `set` from now on.
    pub(super) fn route(&self, set: ApplySetId, inbox: Arc<Inbox>) {
        locked(&self.routes).insert(set, inbox);
    }

    /// Lists what the watches have shown of a set.
    pub(super) fn members(&self, set: &ApplySetId) -> BTreeSet<ObjectId> {
        locked(&self.members).objects.get(set).cloned().unwrap_or_default()
    }

    /// Starts to watch a kind, unless it is watched already.
    pub(super) fn ensure(self: &Arc<Self>, kind: &ServedKind) {
        let mut kinds = locked(&self.kinds);
        if kinds.contains_key(&kind.kind) {
            return;
        }
        let (state, receiver) = watch::channel(Watching::Starting);
        kinds.insert(kind.kind.clone(), receiver);
        let (watches, kind) = (Arc::clone(self), kind.clone());
        tokio::spawn(async move {
            let cancel = watches.cancel.clone();
            tokio::select! {
                () = cancel.cancelled() => {}
                () = watches.follow(&kind, &state) => {}
            }
        });
    }

    /// Waits until the watch of each kind has listed or fails; `false` after `limit`.
    pub(super) async fn listed(&self, kinds: &BTreeSet<GroupKind>, limit: Duration) -> bool {
        let receivers: Vec<_> =
            kinds.iter().filter_map(|kind| locked(&self.kinds).get(kind).cloned()).collect();
        let all = async {
            for mut receiver in receivers {
                // An ended watch task means that the process ends.
                drop(receiver.wait_for(|state| *state != Watching::Starting).await);
            }
        };
        tokio::time::timeout(limit, all).await.is_ok()
    }

    /// Tells whether events of a kind arrive.
    pub(super) fn is_watched(&self, kind: &GroupKind) -> bool {
        locked(&self.kinds).get(kind).is_some_and(|state| *state.borrow() == Watching::Listed)
    }

    async fn follow(&self, kind: &ServedKind, state: &watch::Sender<Watching>) {
        let content = if needs_content(&kind.kind) { Content::Full } else { Content::Metadata };
        let mut events = self.cluster.watch(kind, Some(PART_OF), content);
        let mut listing: Option<HashSet<ObjectId>> = None;
        while let Some(event) = events.next().await {
            match event {
                WatchEvent::Restarted => listing = Some(HashSet::new()),
                WatchEvent::Listed => {
                    self.forget_unlisted(&kind.kind, listing.take().unwrap_or_default());
                    if state.send_replace(Watching::Listed) != Watching::Listed {
                        info!(event = "watching", kind = %kind.kind);
                    }
                }
                WatchEvent::Changed(live) => {
                    if let Some(listing) = &mut listing {
                        listing.insert(live.id.clone());
                    }
                    self.changed(*live);
                }
                WatchEvent::Deleted(live) => self.gone(&live.id),
                WatchEvent::Failing(reason) => {
                    let failing = Watching::Failing(reason.clone());
                    if state.send_replace(failing.clone()) != failing {
                        warn!(event = "watch-failing", kind = %kind.kind, error = %reason);
                    }
                }
            }
        }
    }

    fn changed(&self, live: LiveMeta) {
        let Some(set) = label(&live.value, PART_OF).map(|set| ApplySetId(set.to_owned())) else {
            return self.gone(&live.id);
        };
        let before = locked(&self.members).put(&live.id, set.clone());
        let id = live.id.clone();
        // The set that lost the object to another must hear of it, too.
        if let Some(inbox) = before.and_then(|before| self.inbox(&before)) {
            inbox.put(id.clone(), Seen::Changed(Box::new(live.clone())));
        }
        if let Some(inbox) = self.inbox(&set) {
            inbox.put(id, Seen::Changed(Box::new(live)));
        }
    }

    fn gone(&self, id: &ObjectId) {
        let set = locked(&self.members).remove(id);
        if let Some(inbox) = set.and_then(|set| self.inbox(&set)) {
            inbox.put(id.clone(), Seen::Gone);
        }
    }

    fn forget_unlisted(&self, kind: &GroupKind, listed: HashSet<ObjectId>) {
        let unlisted: Vec<ObjectId> = {
            let members = locked(&self.members);
            let of_kind = members.sets.keys().filter(|id| id.kind == *kind);
            of_kind.filter(|id| !listed.contains(id)).cloned().collect()
        };
        drop(listed);
        for id in unlisted {
            self.gone(&id);
        }
    }

    fn inbox(&self, set: &ApplySetId) -> Option<Arc<Inbox>> {
        locked(&self.routes).get(set).cloned()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
