//! What holds of every plan: checked by the agent before it acts, so that a bug here deletes nothing.

use std::collections::BTreeSet;

use super::applyset::{ApplySetId, PART_OF};
use super::desired::Desired;
use super::live::label;
use super::plan::ApplyPlan;
use super::prune::is_protected;
use crate::object::ObjectId;

/// A plan that must not be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// An object is both wanted and to be deleted.
    #[error("{0} is desired and would be pruned")]
    PruneOfDesired(ObjectId),
    /// An object of a kind that is never pruned.
    #[error("{0} is of a kind that is never pruned")]
    PruneOfProtected(ObjectId),
    /// A prune that is held and carried out.
    #[error("the prune is held, and {0} would be pruned")]
    PruneWhileHeld(ObjectId),
    /// A prune of an incomplete unit.
    #[error("the unit is incomplete, and {0} would be pruned")]
    PruneOfIncomplete(ObjectId),
    /// One object in two places of the plan.
    #[error("{0} would be applied twice")]
    AppliedTwice(ObjectId),
    /// An object that no apply would make part of the unit.
    #[error("{0} would be applied without the label of its unit")]
    Unlabelled(ObjectId),
    /// Stages out of order.
    #[error("the stages are out of order")]
    Order,
}

/// Checks a plan against what it was made from.
pub fn check(plan: &ApplyPlan, desired: &Desired, applyset: &ApplySetId) -> Result<(), Broken> {
    for id in &plan.prune {
        if desired.objects.contains_key(id)
            || desired.ignored.contains(id)
            || desired.waiting.contains_key(id)
        {
            return Err(Broken::PruneOfDesired(id.clone()));
        }
        if is_protected(&id.kind) {
            return Err(Broken::PruneOfProtected(id.clone()));
        }
        if plan.prune_held.is_some() {
            return Err(Broken::PruneWhileHeld(id.clone()));
        }
        if !desired.is_complete() {
            return Err(Broken::PruneOfIncomplete(id.clone()));
        }
    }
    let mut seen = BTreeSet::new();
    for object in plan.objects() {
        if !seen.insert(&object.id) {
            return Err(Broken::AppliedTwice(object.id.clone()));
        }
        if label(&object.value, PART_OF) != Some(&applyset.0) {
            return Err(Broken::Unlabelled(object.id.clone()));
        }
    }
    if !plan.stages.is_sorted_by(|a, b| a.rank < b.rank) {
        return Err(Broken::Order);
    }
    Ok(())
}
