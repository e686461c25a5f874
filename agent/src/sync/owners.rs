//! Who live objects belong to, looked up before the first apply: by lists where there are many, else one by one.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use futures::{FutureExt as _, StreamExt as _};
use tidegate_policy::object::{GroupKind, ObjectId};
use tidegate_policy::sync::claims::{Owner, owner};
use tokio::sync::Semaphore;
use tracing::debug;

use super::discovery::Known;
use super::parallel::{parallel, slot};
use crate::cluster::{Cluster, LiveMeta};
use crate::context::Context;
use crate::error::Failure;

/// From how many objects of a kind on a list is cheaper than as many reads.
const LIST_FROM: usize = 16;

/// What was found at an object's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) owner: Owner,
    /// Its version when it was found; to tell whether an apply changed anything.
    pub(super) resource_version: Option<String>,
}

impl Found {
    pub(super) fn of(live: Option<&LiveMeta>) -> Self {
        match live {
            None => Self { owner: Owner::Absent, resource_version: None },
            Some(live) => {
                Self { owner: owner(&live.value), resource_version: Some(live.resource_version.clone()) }
            }
        }
    }
}

pub(super) struct Owners {
    cluster: Arc<dyn Cluster>,
    slots: Arc<Semaphore>,
    /// Found by a list and not asked for yet.
    found: Mutex<HashMap<ObjectId, Found>>,
}

impl Owners {
    pub(super) fn new(cluster: Arc<dyn Cluster>, slots: Arc<Semaphore>) -> Self {
        Self { cluster, slots, found: Mutex::default() }
    }

    /// Lists the kinds of which many objects are to be looked up soon; a list that fails is only slower.
    pub(super) async fn prefetch<'a>(
        &self,
        context: &Context,
        known: &Known,
        ids: impl Iterator<Item = &'a ObjectId>,
    ) {
        let mut kinds: BTreeMap<&GroupKind, BTreeSet<&ObjectId>> = BTreeMap::new();
        for id in ids {
            kinds.entry(&id.kind).or_default().insert(id);
        }
        for (kind, ids) in kinds.into_iter().filter(|(_, ids)| ids.len() >= LIST_FROM) {
            let Ok(served) = known.kind(kind, None) else { continue };
            let namespaces: BTreeSet<Option<&str>> = ids.iter().map(|id| id.namespace.as_deref()).collect();
            let namespace =
                if namespaces.len() == 1 { namespaces.into_iter().next().flatten() } else { None };
            match self.cluster.list(context, &served, namespace, None).await {
                Ok(list) => self.keep(&ids, &list),
                Err(failure) => debug!(event = "list-failed", %kind, error = %failure.chain()),
            }
        }
    }

    /// Returns what a list has already found of an object, if one did; does not forget it.
    pub(super) fn peek(&self, id: &ObjectId) -> Option<Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// Looks up each object; what cannot be read is a failure of its own.
    pub(super) async fn look_up(
        &self,
        context: &Context,
        known: &Known,
        ids: &[ObjectId],
    ) -> Vec<(ObjectId, Result<Found, Failure>)> {
        let one = |id: &ObjectId| {
            let id = id.clone();
            async move {
                let found = self.one(context, known, &id).await;
                (id, found)
            }
            .boxed()
        };
        parallel(ids.iter().map(one)).collect().await
    }

    async fn one(&self, context: &Context, known: &Known, id: &ObjectId) -> Result<Found, Failure> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        if let Some(found) = found {
            return Ok(found);
        }
        let kind = known.kind(&id.kind, None)?;
        let _slot = slot(&self.slots).await?;
        let live = self.cluster.get(context, &kind, id.namespace.as_deref(), &id.name).await?;
        Ok(Found::of(live.as_ref()))
    }

    fn keep(&self, ids: &BTreeSet<&ObjectId>, list: &[LiveMeta]) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        for id in ids {
            found.insert((*id).clone(), Found::of(None));
        }
        for live in list.iter().filter(|live| ids.contains(&live.id)) {
            found.insert(live.id.clone(), Found::of(Some(live)));
        }
    }
}
