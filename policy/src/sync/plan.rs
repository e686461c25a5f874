//! One sync of one unit, decided: the exact objects in their order, what is pruned, and what is not and why.
//!
//! The agent calls [`plan`] for the stages, carries them out, then asks [`super::prune`] with a fresh
//! list; `tidegate plan` asks for both at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::UnitKey;
use super::applyset::ApplySetId;
use super::claims::{Owner, Standing, standing};
use super::desired::{Desired, DesiredObject, Hash, Waiting};
use super::order::{Rank, rank};
use super::prune::{self, Held, Kept, PruneInput};
use crate::object::{GroupKind, ObjectId};

/// All that decides one sync of a unit.
#[derive(Clone, Copy, Debug)]
pub struct PlanInput<'a> {
    /// The unit.
    pub unit: &'a UnitKey,
    /// Its set.
    pub applyset: &'a ApplySetId,
    /// What its files ask for.
    pub desired: &'a Desired,
    /// Objects that another unit of this process holds.
    pub foreign: &'a BTreeMap<ObjectId, UnitKey>,
    /// Who the live objects belong to, as far as it was looked up.
    pub owners: &'a BTreeMap<ObjectId, Owner>,
    /// The known sets and their units.
    pub parents: &'a BTreeMap<ApplySetId, UnitKey>,
    /// Units that may want more than they name, because a file of theirs is broken.
    pub unsettled: &'a BTreeSet<UnitKey>,
    /// Objects that are live as this unit applied them, with what was applied.
    pub settled: &'a BTreeMap<ObjectId, Hash>,
    /// A fresh list of the objects that carry the unit's label; without it nothing is pruned.
    pub owned: Option<&'a [(ObjectId, &'a Value)]>,
    /// The prune that a commit allows.
    pub acknowledged: Option<usize>,
}

/// What to do to the cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ApplyPlan {
    /// One after the other; the objects of a stage in parallel.
    pub stages: Vec<Stage>,
    /// To be deleted after the last stage.
    pub prune: Vec<ObjectId>,
    /// Why a prune that is due waits.
    pub prune_held: Option<Held>,
}

/// Objects that are applied in parallel.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// The kinds of this stage.
    pub rank: Rank,
    /// By identity.
    pub objects: Vec<Arc<DesiredObject>>,
    /// Kinds that this stage defines: they must be served before the next stage.
    pub defines: Vec<GroupKind>,
}

/// What was decided beside the plan itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SyncReport {
    /// Objects that are not applied because they belong to the one named.
    pub refused: Vec<(ObjectId, String)>,
    /// Objects that existed, belonged to nobody and are taken over.
    pub adopted: Vec<ObjectId>,
    /// Objects that come from another unit of the same source.
    pub moved: Vec<(ObjectId, UnitKey)>,
    /// Objects whose kind is not served yet.
    pub waiting: Vec<(ObjectId, Waiting)>,
    /// Objects that left git and stay.
    pub kept: Vec<(ObjectId, Kept)>,
    /// Objects whose live owner must be looked up before they can be applied: look, and plan again.
    pub wanted: Vec<ObjectId>,
    /// Objects that are live as desired.
    pub unchanged: usize,
}

/// The shape in which `tidegate plan` prints a unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outline {
    /// Source of the unit.
    pub source: String,
    /// The unit.
    pub unit: String,
    /// Objects that would be applied, in order.
    pub apply: Vec<String>,
    /// Objects that would be deleted, in order.
    pub prune: Vec<String>,
    /// Why a prune that is due waits.
    pub held: Option<String>,
}

impl ApplyPlan {
    /// Lists the objects of all stages in order.
    pub fn objects(&self) -> impl Iterator<Item = &Arc<DesiredObject>> {
        self.stages.iter().flat_map(|stage| &stage.objects)
    }

    /// Tells whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.stages.is_empty() && self.prune.is_empty()
    }

    /// Prints the plan of a unit.
    pub fn outline(&self, unit: &UnitKey) -> Outline {
        Outline {
            source: unit.source.clone(),
            unit: unit.unit.clone(),
            apply: self.objects().map(|object| object.id.to_string()).collect(),
            prune: self.prune.iter().map(ToString::to_string).collect(),
            held: self.prune_held.as_ref().map(ToString::to_string),
        }
    }
}

/// Plans one sync of a unit.
///
/// # Guarantees
/// Planning again once every object of the plan is settled gives no stages. An object is applied only
/// if it is this unit's to apply; prune and desired have nothing in common.
pub fn plan(input: &PlanInput<'_>) -> (ApplyPlan, SyncReport) {
    let mut report = SyncReport::default();
    let mut stages: BTreeMap<Rank, Vec<Arc<DesiredObject>>> = BTreeMap::new();
    for (id, object) in &input.desired.objects {
        if admits(input, object, &mut report) {
            stages.entry(rank(&id.kind)).or_default().push(Arc::clone(object));
        }
    }
    report.waiting =
        input.desired.waiting.iter().map(|(id, waiting)| (id.clone(), waiting.clone())).collect();
    let mut plan = ApplyPlan { stages: stages.into_iter().map(stage).collect(), ..ApplyPlan::default() };
    if let Some(owned) = input.owned {
        let pruned = prune::plan(&PruneInput {
            applyset: input.applyset,
            desired: input.desired,
            owned,
            foreign: input.foreign,
            acknowledged: input.acknowledged,
            unapplied: 0,
        });
        plan.prune = pruned.objects;
        plan.prune_held = pruned.held;
        report.kept = pruned.kept;
    }
    (plan, report)
}

fn admits(input: &PlanInput<'_>, object: &DesiredObject, report: &mut SyncReport) -> bool {
    let id = &object.id;
    if let Some(holder) = input.foreign.get(id) {
        report.refused.push((id.clone(), format!("unit {holder}")));
        return false;
    }
    if input.settled.get(id) == Some(&object.hash) {
        report.unchanged += 1;
        return false;
    }
    let Some(owner) = input.owners.get(id) else {
        report.wanted.push(id.clone());
        return false;
    };
    match standing(owner, input.unit, input.applyset, input.parents, |unit| input.unsettled.contains(unit)) {
        Standing::Free => true,
        Standing::Adopt => {
            report.adopted.push(id.clone());
            true
        }
        Standing::Moves(from) => {
            report.moved.push((id.clone(), from));
            true
        }
        Standing::Refused(by) => {
            report.refused.push((id.clone(), by));
            false
        }
    }
}

fn stage((rank, objects): (Rank, Vec<Arc<DesiredObject>>)) -> Stage {
    let defines = objects.iter().filter_map(|object| defined_kind(object)).collect();
    Stage { rank, objects, defines }
}

/// Returns the kind that a custom resource definition defines.
fn defined_kind(object: &DesiredObject) -> Option<GroupKind> {
    if rank(&object.id.kind) != Rank::Definition {
        return None;
    }
    let spec = object.value.get("spec")?;
    Some(GroupKind {
        group: spec.get("group")?.as_str()?.to_owned(),
        kind: spec.get("names")?.get("kind")?.as_str()?.to_owned(),
    })
}

#[cfg(test)]
mod tests;
