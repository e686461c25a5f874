//! Who an object belongs to: one unit of this process, another ApplySet, another tool, or nobody.
//!
//! [`Claims`] settles it among the units of this process, [`standing`] against the live object.
//! Called by the agent's supervisor of each source and by [`super::plan`].

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::UnitKey;
use super::applyset::{ApplySetId, PART_OF};
use super::live::{annotation, label, managers};
use crate::object::ObjectId;

/// Which unit holds which object, over all sources of this process.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    objects: BTreeMap<ObjectId, Claim>,
    units: BTreeMap<UnitKey, Wants>,
}

#[derive(Clone, Debug)]
struct Claim {
    /// `None` until all wishes of a round are known.
    holder: Option<UnitKey>,
    wanted_by: BTreeSet<(usize, UnitKey)>,
}

#[derive(Clone, Debug, Default)]
struct Wants {
    order: usize,
    objects: BTreeSet<ObjectId>,
    complete: bool,
}

/// What one unit wants at its present revision.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Desired and ignored objects.
    pub objects: BTreeSet<ObjectId>,
    /// Whether all its files were understood; if not, what it wanted before is still reckoned as wanted.
    pub complete: bool,
}

impl Claims {
    /// Replaces the wishes of units of one source, whose place in the config is `order`.
    ///
    /// A holder keeps an object while it wants it. An object without a holder goes to the unit that
    /// `incumbent` names (the live object's label), if it wants it, else to the first by source and name.
    /// Returns the units, of any source, whose holdings changed besides by their own wish.
    pub fn settle(
        &mut self,
        order: usize,
        wishes: BTreeMap<UnitKey, Wish>,
        incumbent: impl Fn(&ObjectId) -> Option<UnitKey>,
    ) -> BTreeSet<UnitKey> {
        let mut touched = BTreeSet::new();
        for (unit, wish) in wishes {
            let before = self.units.remove(&unit).unwrap_or_default().objects;
            let mut objects = wish.objects;
            if !wish.complete {
                objects.extend(before.iter().cloned());
            }
            touched.extend(before.difference(&objects).cloned());
            touched.extend(objects.iter().cloned());
            for id in before.difference(&objects) {
                if let Some(claim) = self.objects.get_mut(id) {
                    claim.wanted_by.remove(&(order, unit.clone()));
                }
            }
            for id in &objects {
                let new = || Claim { holder: None, wanted_by: BTreeSet::new() };
                self.objects.entry(id.clone()).or_insert_with(new).wanted_by.insert((order, unit.clone()));
            }
            self.units.insert(unit, Wants { order, objects, complete: wish.complete });
        }
        touched.iter().flat_map(|id| self.decide(id, &incumbent)).collect()
    }

    /// Forgets a unit that left the config: what it held is free to be claimed.
    pub fn forget(&mut self, unit: &UnitKey) -> BTreeSet<UnitKey> {
        let Some(wants) = self.units.get(unit) else { return BTreeSet::new() };
        let nothing = Wish { objects: BTreeSet::new(), complete: true };
        let affected = self.settle(wants.order, BTreeMap::from([(unit.clone(), nothing)]), |_| None);
        self.units.remove(unit);
        affected
    }

    /// Returns the unit that holds an object.
    pub fn holder(&self, id: &ObjectId) -> Option<&UnitKey> {
        self.objects.get(id)?.holder.as_ref()
    }

    /// Tells whether a unit may still want objects that it does not name, because a file of it is broken.
    pub fn is_unsettled(&self, unit: &UnitKey) -> bool {
        self.units.get(unit).is_some_and(|wants| !wants.complete)
    }

    fn decide(&mut self, id: &ObjectId, incumbent: &impl Fn(&ObjectId) -> Option<UnitKey>) -> Vec<UnitKey> {
        let Some(claim) = self.objects.get_mut(id) else { return Vec::new() };
        let wants = |unit: &UnitKey| claim.wanted_by.iter().any(|(_, wanting)| wanting == unit);
        let Some((_, first)) = claim.wanted_by.first() else {
            self.objects.remove(id);
            return Vec::new();
        };
        if claim.holder.as_ref().is_some_and(wants) {
            return Vec::new();
        }
        let holder = incumbent(id).filter(wants).unwrap_or_else(|| first.clone());
        let affected = claim.wanted_by.iter().map(|(_, unit)| unit.clone()).collect();
        claim.holder = Some(holder);
        affected
    }
}

/// Who a live object says it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// There is no such object.
    Absent,
    /// It exists and nobody claims it.
    Nobody,
    /// It carries the label of this ApplySet.
    ApplySet(ApplySetId),
    /// Another tool tracks it; the text names tool and instance.
    Tracked(String),
}

/// Reads who a live object belongs to, from its metadata.
pub fn owner(live: &Value) -> Owner {
    if let Some(set) = label(live, PART_OF) {
        return Owner::ApplySet(ApplySetId(set.to_owned()));
    }
    tracker(live).map_or(Owner::Nobody, Owner::Tracked)
}

fn tracker(live: &Value) -> Option<String> {
    for (group, what) in [
        ("kustomize.toolkit.fluxcd.io", "Flux Kustomization"),
        ("helm.toolkit.fluxcd.io", "Flux HelmRelease"),
    ] {
        if let Some(name) = label(live, &format!("{group}/name")) {
            let namespace = label(live, &format!("{group}/namespace")).unwrap_or_default();
            return Some(format!("{what} {namespace}/{name}"));
        }
    }
    if let Some(id) = annotation(live, "argocd.argoproj.io/tracking-id") {
        return Some(format!("Argo CD application {}", id.split(':').next().unwrap_or(id)));
    }
    if let Some(instance) = label(live, "argocd.argoproj.io/instance") {
        return Some(format!("Argo CD application {instance}"));
    }
    // The label that Argo CD used by default is everybody's: it counts only with Argo CD's field manager.
    let by_argo = || managers(live).any(|entry| is_argo(entry.get("manager")));
    if let Some(instance) = label(live, "app.kubernetes.io/instance").filter(|_| by_argo()) {
        return Some(format!("Argo CD application {instance}"));
    }
    let release = annotation(live, "meta.helm.sh/release-name")?;
    (label(live, "app.kubernetes.io/managed-by") == Some("Helm")).then(|| {
        let namespace = annotation(live, "meta.helm.sh/release-namespace").unwrap_or_default();
        format!("Helm release {namespace}/{release}")
    })
}

fn is_argo(manager: Option<&Value>) -> bool {
    manager.and_then(Value::as_str).is_some_and(|name| name.starts_with("argocd"))
}

/// Whether a unit that holds an object in this process may also take the live one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is ours, or does not exist.
    Free,
    /// It exists and belongs to nobody: adopted, and reported.
    Adopt,
    /// Another unit of the same source had it and no longer wants it.
    Moves(UnitKey),
    /// It belongs to the one named.
    Refused(String),
}

/// Judges a live object's owner for a unit that holds the object among the units of this process.
///
/// `parents` are the known sets and their units; a unit for which `is_unsettled` holds may
/// still want what it does not name.
pub fn standing(
    owner: &Owner,
    unit: &UnitKey,
    mine: &ApplySetId,
    parents: &BTreeMap<ApplySetId, UnitKey>,
    is_unsettled: impl Fn(&UnitKey) -> bool,
) -> Standing {
    match owner {
        Owner::Absent => Standing::Free,
        Owner::ApplySet(set) if set == mine => Standing::Free,
        Owner::Nobody => Standing::Adopt,
        Owner::Tracked(by) => Standing::Refused(by.clone()),
        Owner::ApplySet(set) => match parents.get(set) {
            Some(other) if other.source != unit.source => Standing::Refused(format!("unit {other}")),
            Some(other) if is_unsettled(other) => {
                Standing::Refused(format!("unit {other}, which has files that cannot be read"))
            }
            Some(other) => Standing::Moves(other.clone()),
            None => Standing::Refused(format!("ApplySet {set}")),
        },
    }
}

#[cfg(test)]
mod tests;
