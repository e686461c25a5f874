//! The parent of a unit: a ConfigMap that names its members' kinds and tells its status.
//!
//! It is written at its known resourceVersion only. Who was overtaken by another writer loses that swap,
//! reads again and plans again: the swap is the fence against a stale leader.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tidegate_policy::sync::UnitKey;
use tidegate_policy::sync::applyset::{self, ApplySetId, Extent};
use tokio::time::Instant;

use super::hub::{FoundParent, Hub};
use super::parallel::slot;
use crate::cluster::Record;
use crate::context::Context;
use crate::error::Failure;

/// How long a successful swap speaks for the writes that follow it.
const SWAP_HOLDS: Duration = Duration::from_secs(5);
const WRITE_LIMIT: Duration = Duration::from_secs(15);
/// Annotation: the last revision that was synced whole, prune included.
const SYNCED: &str = "tidegate.io/synced";

pub(super) struct Parent {
    hub: Arc<Hub>,
    key: UnitKey,
    name: String,
    applyset: ApplySetId,
    resource_version: Option<String>,
    /// What the parent says in the cluster.
    shown: Option<Shown>,
    swapped: Option<Instant>,
    /// Kinds and namespaces of the members; a superset of the truth.
    pub(super) extent: Extent,
    /// The last revision that was synced whole, prune included.
    pub(super) synced: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Shown {
    annotations: BTreeMap<String, String>,
    data: BTreeMap<String, String>,
}

impl Parent {
    /// Starts from what a list said of the parent, if there is one.
    pub(super) fn new(hub: Arc<Hub>, key: UnitKey, found: Option<&FoundParent>) -> Self {
        let name = applyset::parent_name(&key);
        let applyset = applyset::id(&name, &hub.parts.namespace);
        let mut parent = Self {
            hub,
            key,
            name,
            applyset,
            resource_version: found.map(|found| found.resource_version.clone()),
            shown: None,
            swapped: None,
            extent: Extent::default(),
            synced: None,
        };
        if let Some(found) = found {
            parent.recall(&found.annotations);
        }
        parent
    }

    pub(super) fn applyset(&self) -> &ApplySetId {
        &self.applyset
    }

    /// Says what is about to be applied, before it is; fails if another writer was faster.
    pub(super) async fn announce(
        &mut self,
        context: &Context,
        extent: &Extent,
        data: &BTreeMap<String, String>,
    ) -> Result<(), Failure> {
        let is_fresh = self.swapped.is_some_and(|at| at.elapsed() < SWAP_HOLDS);
        if is_fresh && self.extent.covers(extent) {
            return Ok(());
        }
        self.extent.widen(extent);
        self.write(context, data).await
    }

    /// Shows a status, unless it is shown already.
    pub(super) async fn show(
        &mut self,
        context: &Context,
        data: &BTreeMap<String, String>,
    ) -> Result<(), Failure> {
        let wanted = Shown { annotations: self.annotations(), data: data.clone() };
        if self.shown.as_ref() == Some(&wanted) {
            return Ok(());
        }
        self.write(context, data).await
    }

    async fn write(&mut self, context: &Context, data: &BTreeMap<String, String>) -> Result<(), Failure> {
        let shown = Shown { annotations: self.annotations(), data: data.clone() };
        let record = Record {
            name: self.name.clone(),
            labels: applyset::labels(&self.key, &self.applyset),
            annotations: shown.annotations.clone(),
            data: data.clone(),
            resource_version: self.resource_version.clone(),
        };
        let parts = &self.hub.parts;
        let written = {
            let _slot = slot(&self.hub.slots).await?;
            let context = context.within(WRITE_LIMIT);
            parts.cluster.write_record(&context, &parts.fence, &record).await
        };
        match written {
            Ok(written) => {
                self.resource_version = written.resource_version;
                self.shown = Some(shown);
                self.swapped = Some(Instant::now());
                Ok(())
            }
            Err(failure) => Err(self.lost(context, failure).await),
        }
    }

    /// Looks whether a failed write was a lost swap; then what the other wrote is where the next try starts.
    async fn lost(&mut self, context: &Context, failure: Failure) -> Failure {
        self.swapped = None;
        self.shown = None;
        let Ok(found) = self.hub.parts.cluster.record(&context.within(WRITE_LIMIT), &self.name).await else {
            return failure;
        };
        let version = found.as_ref().and_then(|record| record.resource_version.clone());
        if version == self.resource_version {
            return failure;
        }
        self.resource_version = version;
        if let Some(record) = found {
            self.recall(&record.annotations);
        }
        Failure::retry(format!("somebody else wrote the parent {} of unit {}", self.name, self.key))
            .because(failure)
    }

    fn recall(&mut self, annotations: &BTreeMap<String, String>) {
        self.extent.widen(&Extent::read(&self.hub.parts.namespace, annotations));
        self.synced = annotations.get(SYNCED).cloned();
    }

    fn annotations(&self) -> BTreeMap<String, String> {
        let mut annotations = applyset::annotations(&self.key, &self.hub.parts.namespace, &self.extent);
        if let Some(synced) = &self.synced {
            annotations.insert(SYNCED.to_owned(), synced.clone());
        }
        annotations
    }
}
