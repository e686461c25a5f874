//! The prune of a unit: candidates from the watches, the decision from a fresh list, deletion by uid and version.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _};
use serde_json::Value;
use tidegate_policy::object::{GroupKind, ObjectId};
use tidegate_policy::sync::UnitKey;
use tidegate_policy::sync::applyset::PART_OF;
use tidegate_policy::sync::check::check;
use tidegate_policy::sync::plan::ApplyPlan;
use tidegate_policy::sync::prune::{self, Held, PruneInput, PrunePlan};
use tracing::{debug, info, warn};

use super::discovery::Known;
use super::parallel::{parallel, slot};
use super::unit::Unit;
use crate::cluster::LiveMeta;
use crate::context::Context;
use crate::error::Failure;
use crate::metrics::Action;

/// How long a first sync waits for the first lists of the watches.
const LISTED_LIMIT: Duration = Duration::from_secs(10);
/// How far back a commit is looked for that allows a prune.
const LOOK_BACK: usize = 1000;

/// What a unit remembers between prunes.
#[derive(Debug, Default)]
pub(super) struct Pruning {
    /// Objects that this process applied and that git no longer names.
    pub(super) left: BTreeSet<ObjectId>,
    /// Objects that left git and stay.
    pub(super) kept: BTreeSet<ObjectId>,
    /// Why a prune that is due waits.
    pub(super) held: Option<Held>,
    /// Whether all members were once looked at in this process.
    looked: bool,
}

impl Unit {
    /// Prunes what left git; does nothing, and asks nothing, if nothing did.
    pub(super) async fn prune(&mut self, context: &Context, known: &Known) -> Result<(), Failure> {
        let kinds = self.kinds_to_list(known).await;
        if kinds.is_empty() {
            self.pruning.held = None;
            self.pruning.looked = true;
            return Ok(());
        }
        let list = self.list_members(context, known, &kinds).await?;
        let mut plan = self.plan_prune(&list, None);
        if plan.held.as_ref().is_some_and(Held::is_acknowledgeable) {
            let allowed = self.acknowledged(context).await?;
            plan = self.plan_prune(&list, allowed);
        }
        self.pruning.looked = true;
        self.tell_prune(&plan);
        let failures = self.delete(context, known, &list, &plan).await?;
        for (id, failure) in failures {
            self.trouble.fail(id, &failure);
        }
        Ok(())
    }

    /// Names the kinds of members that git does not name.
    async fn kinds_to_list(&mut self, known: &Known) -> BTreeSet<GroupKind> {
        let desired = &self.input.desired;
        let mut kinds = BTreeSet::new();
        if !self.pruning.looked {
            let mut all: BTreeSet<GroupKind> = desired.extent().kinds;
            all.extend(self.parent.extent.kinds.iter().cloned());
            all.retain(|kind| known.kinds.contains_key(kind));
            self.hub.watches.listed(&all, LISTED_LIMIT).await;
            // What cannot be watched may still be listed.
            kinds.extend(all.into_iter().filter(|kind| !self.hub.watches.is_watched(kind)));
        }
        let members = self.hub.watches.members(&self.applyset);
        let candidates = members.iter().chain(&self.pruning.left).filter(|id| {
            let named = desired.objects.contains_key(id) || desired.ignored.contains(id);
            !named && !self.pruning.kept.contains(id)
        });
        kinds.extend(candidates.map(|id| id.kind.clone()));
        kinds.retain(|kind| known.kinds.contains_key(kind));
        kinds
    }

    async fn list_members(
        &self,
        context: &Context,
        known: &Known,
        kinds: &BTreeSet<GroupKind>,
    ) -> Result<BTreeMap<ObjectId, LiveMeta>, Failure> {
        let selector = format!("{PART_OF}={}", self.applyset);
        let mut members = BTreeMap::new();
        for kind in kinds {
            let served = known.kind(kind, None)?;
            let list = self.hub.parts.cluster.list(context, &served, None, Some(&selector)).await?;
            members.extend(list.into_iter().map(|live| (live.id.clone(), live)));
        }
        Ok(members)
    }

    fn plan_prune(&self, members: &BTreeMap<ObjectId, LiveMeta>, acknowledged: Option<usize>) -> PrunePlan {
        let owned: Vec<(ObjectId, &Value)> =
            members.iter().map(|(id, live)| (id.clone(), &live.value)).collect();
        let foreign = self.held_by_others(members.keys());
        prune::plan(&PruneInput {
            applyset: &self.applyset,
            desired: &self.input.desired,
            owned: &owned,
            foreign: &foreign,
            acknowledged,
            unapplied: self.trouble.failed.len(),
        })
    }

    /// Reads which prune the commits since the last whole sync allow.
    async fn acknowledged(&self, context: &Context) -> Result<Option<usize>, Failure> {
        let (repo, revision) = (&self.repo, &self.input.revision);
        let since = match &self.parent.synced {
            Some(synced) if repo.is_ancestor(context, synced, revision).await? == Some(true) => {
                Some(synced.as_str())
            }
            _ => None,
        };
        // Without a known start only the newest commit speaks: older words may be about other prunes.
        let limit = if since.is_some() { LOOK_BACK } else { 1 };
        let (commits, _) = repo.history(context, revision, since, limit, &self.path).await?;
        Ok(prune::acknowledged(&self.key.unit, commits.iter().map(|commit| commit.message.as_str())))
    }

    fn tell_prune(&mut self, plan: &PrunePlan) {
        for (id, reason) in &plan.kept {
            if self.pruning.kept.insert(id.clone()) {
                info!(event = "kept", source = %self.key.source, unit = %self.key.unit, object = %id, %reason);
            }
        }
        if let Some(held) = plan.held.as_ref().filter(|held| self.pruning.held.as_ref() != Some(*held)) {
            let hint = held
                .is_acknowledgeable()
                .then(|| format!("commit with the trailer `Tidegate-Prune: {} COUNT`", self.key.unit));
            warn!(
                event = "prune-held", source = %self.key.source, unit = %self.key.unit, revision = %self.input.revision,
                reason = %held, hint = hint.unwrap_or_default(),
            );
        }
        self.pruning.held.clone_from(&plan.held);
    }

    async fn delete(
        &mut self,
        context: &Context,
        known: &Known,
        members: &BTreeMap<ObjectId, LiveMeta>,
        plan: &PrunePlan,
    ) -> Result<Vec<(ObjectId, Failure)>, Failure> {
        if plan.objects.is_empty() {
            if plan.held.is_none() {
                self.pruning.left.clear();
            }
            return Ok(Vec::new());
        }
        let whole =
            ApplyPlan { prune: plan.objects.clone(), prune_held: plan.held.clone(), ..ApplyPlan::default() };
        check(&whole, &self.input.desired, &self.applyset)
            .map_err(|broken| Failure::bug(broken.to_string()))?;
        self.announce(context).await?;
        let this = &*self;
        let delete = |id: &ObjectId| {
            let id = id.clone();
            async move {
                let outcome = this.delete_one(context, known, members, &id).await;
                (id, outcome)
            }
            .boxed()
        };
        let outcomes: Vec<(ObjectId, Result<bool, Failure>)> =
            parallel(plan.objects.iter().map(delete)).collect().await;
        let mut failures = Vec::new();
        for (id, outcome) in outcomes {
            let (source, unit, revision) = (&self.key.source, &self.key.unit, &self.input.revision);
            match outcome {
                Ok(true) => {
                    info!(event = "pruned", %source, %unit, object = %id, %revision);
                    self.hub.parts.metrics.object(source, unit, Action::Pruned);
                    self.pruning.left.remove(&id);
                }
                Ok(false) => {
                    debug!(event = "prune-skipped", %source, %unit, object = %id, reason = "it changed or is gone");
                    failures.push((id.clone(), Failure::retry(format!("{id} changed while it was pruned"))));
                }
                Err(failure) => {
                    warn!(event = "prune-failed", %source, %unit, object = %id, %revision, error = %failure.chain());
                    self.hub.parts.metrics.object(source, unit, Action::Failed);
                    failures.push((id, failure));
                }
            }
        }
        Ok(failures)
    }

    async fn delete_one(
        &self,
        context: &Context,
        known: &Known,
        members: &BTreeMap<ObjectId, LiveMeta>,
        id: &ObjectId,
    ) -> Result<bool, Failure> {
        let live =
            members.get(id).ok_or_else(|| Failure::bug(format!("{id} is pruned and was never listed")))?;
        let kind = known.kind(&id.kind, None)?;
        let _slot = slot(&self.hub.slots).await?;
        self.hub.parts.cluster.delete(context, &self.hub.parts.fence, &kind, live).await
    }

    /// Finds which objects another unit of this process holds.
    fn held_by_others<'a>(&self, ids: impl Iterator<Item = &'a ObjectId>) -> BTreeMap<ObjectId, UnitKey> {
        let claims = self.hub.claims();
        let other = |id: &ObjectId| claims.holder(id).filter(|holder| **holder != self.key).cloned();
        ids.filter_map(|id| Some((id.clone(), other(id)?))).collect()
    }
}
