//! What may be deleted: objects that an apply of ours made part of the unit and that git no longer names.
//!
//! Not here: deleting (the agent does, at uid and resourceVersion), and listing: the list must be fresh.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::applyset::{ApplySetId, PART_OF};
use super::desired::Desired;
use super::live::{annotation, controller, is_labelled_by_us, label};
use super::order::rank;
use super::{MANAGER, UnitKey};
use crate::object::{GroupKind, ObjectId};

/// The share of a unit that may go without being asked for, in percent.
const SHARE_MAX: usize = 20;
/// The number of objects that may go whatever their share.
const COUNT_MAX: usize = 3;

/// All that decides a prune.
#[derive(Clone, Copy, Debug)]
pub struct PruneInput<'a> {
    /// The unit's set.
    pub applyset: &'a ApplySetId,
    /// What the unit desires.
    pub desired: &'a Desired,
    /// Objects of a fresh list that carry the unit's label: identity and metadata.
    pub owned: &'a [(ObjectId, &'a Value)],
    /// Objects that another unit of this process holds.
    pub foreign: &'a BTreeMap<ObjectId, UnitKey>,
    /// The greatest count that a commit since the last complete sync allows (see [`acknowledged`]).
    pub acknowledged: Option<usize>,
    /// Desired objects that could not be applied.
    pub unapplied: usize,
}

/// What is to be deleted, or why nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrunePlan {
    /// To be deleted, last applied kinds first; empty while held.
    pub objects: Vec<ObjectId>,
    /// Why a prune that is due waits; it waits as a whole.
    pub held: Option<Held>,
    /// Objects that left git and stay, each with its reason.
    pub kept: Vec<(ObjectId, Kept)>,
}

/// Why a prune waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// A file of the unit could not be understood.
    Incomplete {
        /// Objects that would be deleted.
        count: usize,
    },
    /// Desired objects are not applied yet.
    Unapplied {
        /// Objects that would be deleted.
        count: usize,
        /// Objects that are not applied.
        unapplied: usize,
    },
    /// Nothing would be left of the unit.
    Empties {
        /// Objects that would be deleted.
        count: usize,
    },
    /// More would go than goes unasked.
    TooMany {
        /// Objects that would be deleted.
        count: usize,
        /// Objects of the unit now.
        of: usize,
    },
}

impl Held {
    /// Tells whether a commit with the trailer lets it pass.
    pub fn is_acknowledgeable(&self) -> bool {
        matches!(self, Self::Empties { .. } | Self::TooMany { .. })
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incomplete { count } => {
                write!(f, "prune of {count} objects waits until every file of the unit can be read")
            }
            Self::Unapplied { count, unapplied } => {
                write!(f, "prune of {count} objects waits until {unapplied} others are applied")
            }
            Self::Empties { count } => {
                write!(f, "prune of all {count} objects of the unit waits for a commit that says so")
            }
            Self::TooMany { count, of } => {
                write!(f, "prune of {count} of {of} objects waits for a commit that says so")
            }
        }
    }
}

/// Why an object that left git stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Data or other objects would go with it.
    Kind,
    /// It says so itself.
    Annotation(String),
    /// A controller owns it.
    Controller(String),
    /// Its label was copied, not applied.
    Label,
    /// Another unit holds it now.
    Unit(UnitKey),
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind => f.write_str("objects of this kind are never pruned"),
            Self::Annotation(key) => write!(f, "its annotation `{key}` says so"),
            Self::Controller(owner) => write!(f, "{owner} controls it"),
            Self::Label => write!(f, "its label was not applied by `{MANAGER}`"),
            Self::Unit(unit) => write!(f, "unit {unit} holds it"),
        }
    }
}

/// Decides what of a unit's live objects is deleted.
///
/// # Guarantees
/// No desired or ignored object is ever among `objects`. The order of `owned` is irrelevant.
pub fn plan(input: &PruneInput<'_>) -> PrunePlan {
    let mut plan = PrunePlan::default();
    let mut total = input.desired.objects.len();
    for (id, live) in input.owned {
        let named = input.desired.objects.contains_key(id)
            || input.desired.ignored.contains(id)
            || input.desired.waiting.contains_key(id);
        if label(live, PART_OF) != Some(&input.applyset.0) || named || is_going(live) {
            continue;
        }
        if let Some(reason) = kept(input, id, live) {
            plan.kept.push((id.clone(), reason));
        } else {
            total += 1;
            plan.objects.push(id.clone());
        }
    }
    plan.objects.sort_by(|a, b| rank(&b.kind).cmp(&rank(&a.kind)).then_with(|| a.cmp(b)));
    plan.kept.sort_by(|(a, _), (b, _)| a.cmp(b));
    plan.held = held(input, plan.objects.len(), total);
    if plan.held.is_some() {
        plan.objects.clear();
    }
    plan
}

/// Tells whether objects of a kind are never pruned, because others or data would go with them.
pub fn is_protected(kind: &GroupKind) -> bool {
    matches!(
        (kind.group.as_str(), kind.kind.as_str()),
        ("", "Namespace" | "PersistentVolumeClaim" | "PersistentVolume")
            | ("apiextensions.k8s.io", "CustomResourceDefinition")
    )
}

/// Returns the greatest count that these commit messages allow for a unit: `Tidegate-Prune: <unit> <count>`.
pub fn acknowledged<'a>(unit: &str, messages: impl IntoIterator<Item = &'a str>) -> Option<usize> {
    let trailers = messages.into_iter().flat_map(|message| {
        let lines: Vec<&str> = message.trim_end().lines().map(str::trim_end).collect();
        let start = lines.iter().rposition(|line| line.is_empty()).map_or(lines.len(), |at| at + 1);
        lines.into_iter().skip(start)
    });
    trailers
        .filter_map(|line| line.strip_prefix("Tidegate-Prune:")?.trim().rsplit_once(' '))
        .filter(|(name, _)| name.trim() == unit)
        .filter_map(|(_, count)| count.parse().ok())
        .max()
}

fn is_going(live: &Value) -> bool {
    live.get("metadata")
        .and_then(|metadata| metadata.get("deletionTimestamp"))
        .is_some_and(|time| !time.is_null())
}

fn kept(input: &PruneInput<'_>, id: &ObjectId, live: &Value) -> Option<Kept> {
    if let Some(owner) = controller(live) {
        return Some(Kept::Controller(owner));
    }
    if !is_labelled_by_us(live) {
        return Some(Kept::Label);
    }
    if is_protected(&id.kind) {
        return Some(Kept::Kind);
    }
    if let Some(unit) = input.foreign.get(id) {
        return Some(Kept::Unit(unit.clone()));
    }
    // Written by hand on the live object, any value but the plain opposite is meant to keep it.
    let keeps = |key: &str, no: &str| annotation(live, key).is_some_and(|value| value.trim() != no);
    [
        ("tidegate.io/prune", "enabled"),
        ("kustomize.toolkit.fluxcd.io/prune", "enabled"),
        ("tidegate.io/ignore", "false"),
    ]
    .into_iter()
    .find(|(key, no)| keeps(key, no))
    .map(|(key, _)| Kept::Annotation(key.to_owned()))
}

fn held(input: &PruneInput<'_>, count: usize, total: usize) -> Option<Held> {
    if count == 0 {
        return None;
    }
    if !input.desired.is_complete() {
        return Some(Held::Incomplete { count });
    }
    let unapplied = input.unapplied + input.desired.waiting.len();
    if unapplied > 0 {
        return Some(Held::Unapplied { count, unapplied });
    }
    if input.acknowledged.is_some_and(|allowed| count <= allowed) {
        return None;
    }
    if input.desired.objects.is_empty() {
        return Some(Held::Empties { count });
    }
    (count > COUNT_MAX && count * 100 > total * SHARE_MAX).then_some(Held::TooMany { count, of: total })
}

#[cfg(test)]
mod tests;
