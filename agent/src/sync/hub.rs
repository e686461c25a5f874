//! What all units of the process share: the catalog, the watches, the claims, the known parents.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tidegate_policy::sync::UnitKey;
use tidegate_policy::sync::applyset::{ApplySetId, SOURCE, UNIT, id};
use tidegate_policy::sync::claims::Claims;
use tidegate_policy::sync::live::annotation;
use tokio::sync::{Semaphore, watch};

use super::Parts;
use super::discovery::Discovery;
use super::observe::Watches;
use super::owners::Owners;
use super::report::HealthReport;
use crate::cluster::{Cluster, ServedKind};
use crate::context::Context;
use crate::error::Failure;

/// Requests in flight at the API server: more only add latency.
pub(super) const IN_FLIGHT_MAX: usize = 8;

pub(super) struct Hub {
    pub(super) parts: Parts,
    pub(super) discovery: Discovery,
    pub(super) watches: Arc<Watches>,
    pub(super) owners: Owners,
    pub(super) health: watch::Sender<HealthReport>,
    /// One for each request in flight.
    pub(super) slots: Arc<Semaphore>,
    /// Counts changes of claims: each supervisor looks again when another source's wishes changed.
    pub(super) claims_changed: watch::Sender<u64>,
    claims: Mutex<Claims>,
    parents: Mutex<Parents>,
}

/// The parents of all units that ever were, as far as they are still there.
#[derive(Clone, Debug, Default)]
pub(super) struct Parents {
    pub(super) units: BTreeMap<ApplySetId, UnitKey>,
    pub(super) found: BTreeMap<UnitKey, FoundParent>,
}

/// What a list tells of a parent.
#[derive(Clone, Debug)]
pub(super) struct FoundParent {
    pub(super) resource_version: String,
    pub(super) annotations: BTreeMap<String, String>,
}

impl Hub {
    pub(super) fn new(parts: Parts) -> Self {
        let slots = Arc::new(Semaphore::new(IN_FLIGHT_MAX));
        Self {
            discovery: Discovery::new(Arc::clone(&parts.cluster)),
            watches: Arc::new(Watches::new(Arc::clone(&parts.cluster), parts.stop.clone())),
            owners: Owners::new(Arc::clone(&parts.cluster), Arc::clone(&slots)),
            health: watch::Sender::new(HealthReport::default()),
            slots,
            claims_changed: watch::Sender::new(0),
            claims: Mutex::default(),
            parents: Mutex::default(),
            parts,
        }
    }

    pub(super) fn claims(&self) -> MutexGuard<'_, Claims> {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn parents(&self) -> MutexGuard<'_, Parents> {
        self.parents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads which parents there are: they tell which units were synced before, and what they own.
    pub(super) async fn read_parents(&self, context: &Context, kind: &ServedKind) -> Result<(), Failure> {
        let read = Parents::read(context, &*self.parts.cluster, kind, &self.parts.namespace).await?;
        let mut parents = self.parents();
        parents.units.extend(read.units);
        parents.found.extend(read.found);
        Ok(())
    }
}

impl Parents {
    /// Lists the parents in `namespace`; `kind` is that of a ConfigMap.
    pub(super) async fn read(
        context: &Context,
        cluster: &dyn Cluster,
        kind: &ServedKind,
        namespace: &str,
    ) -> Result<Self, Failure> {
        let mut parents = Self::default();
        for live in cluster.list(context, kind, Some(namespace), Some(UNIT)).await? {
            let text = |key| annotation(&live.value, key).map(str::to_owned);
            let (Some(source), Some(unit)) = (text(SOURCE), text(UNIT)) else { continue };
            let key = UnitKey::new(source, unit);
            let parent = FoundParent {
                resource_version: live.resource_version.clone(),
                annotations: annotations(&live.value),
            };
            parents.units.insert(id(&live.id.name, namespace), key.clone());
            parents.found.insert(key, parent);
        }
        Ok(parents)
    }

    /// Lists the units of a source.
    pub(super) fn units_of(&self, source: &str) -> Vec<String> {
        let units = self.units.values().filter(|unit| unit.source == source);
        units.map(|unit| unit.unit.clone()).collect()
    }
}

fn annotations(live: &Value) -> BTreeMap<String, String> {
    let all = live.pointer("/metadata/annotations").and_then(Value::as_object).into_iter().flatten();
    all.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}
