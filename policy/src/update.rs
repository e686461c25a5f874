//! The update side: snapshots → the one commit that brings the tree in line with its policies.
//!
//! Called by the agent's update loop and by `tidegate plan` and `explain`. Not here: IO of any kind.

mod check;
mod decision;
mod hold;
mod message;
mod plan;
mod shared;
mod subject;
#[cfg(test)]
mod tests;
mod verdicts;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::annotation::Order;
use crate::finding::Finding;
use crate::history::{History, Rewrite};
use crate::manifest::{Edit, FieldId, FieldPolicy};
use crate::reference::{Digest, Repository, Tag};
use crate::schedule::{Poll, Windows};

pub use crate::snapshot::{ManifestFact, RegistrySnapshot, RepositoryState, ScanError, TreeSnapshot};
pub use check::{PlanError, check};
pub use message::message;
pub use plan::plan;
pub use verdicts::{TagVerdict, verdicts};

/// Everything that planning looks at.
#[derive(Clone, Debug)]
pub struct UpdateInput<'a> {
    /// Name of the source in the config.
    pub source: &'a str,
    /// Branch that is followed and written.
    pub branch: &'a str,
    /// The tree at the tip.
    pub tree: &'a TreeSnapshot,
    /// The first-parent history of the tip.
    pub history: &'a History,
    /// What the registries said.
    pub registry: &'a RegistrySnapshot,
    /// The last rewrite of the remote branch, if one was seen.
    pub rewrite: Option<&'a Rewrite>,
    /// Guard rails from the configuration.
    pub guards: &'a Guards,
    /// The present.
    pub now: Timestamp,
}

/// Guard rails that the configuration sets for a source; an annotation can only tighten them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guards {
    /// Only tags first seen at least so long ago.
    pub min_age: Option<SignedDuration>,
    /// Commits happen only inside these, and inside the windows of the field.
    pub windows: Windows,
    /// Whether `downgrade: allow` is honoured.
    pub allow_downgrade: bool,
}

/// What the fields of a tree want to know of one repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    /// The `poll` of each field that has one.
    pub polls: Vec<Poll>,
    /// Whether a field has no `poll`, so that the host's holds for it.
    pub default_poll: bool,
    /// Tags that are followed by digest: each scan must resolve them again.
    pub follow: BTreeSet<Tag>,
    /// Whether the ages of tags matter (`newest`, `min-age`): the ledger must keep them.
    pub ages: bool,
}

/// The commit to make: no choice is left to the executor.
#[derive(Clone, Debug, Default, Serialize)]
pub struct UpdatePlan {
    /// The revision it was planned on, and the only parent the commit may have.
    pub parent: String,
    /// What changes, ordered by file and offset.
    pub changes: Vec<Change>,
    /// Facts without which some fields could not be decided; ask and plan again.
    #[serde(skip)]
    pub wanted: Vec<Wanted>,
    /// When the answer may change though no input does: a `hold` ends, a window opens or closes, a tag is old
    /// enough.
    #[serde(skip)]
    pub wake_at: Option<Timestamp>,
}

impl UpdatePlan {
    /// Takes out the changes of `files`, and with each the changes of its group.
    pub fn leave_out(&mut self, files: &BTreeSet<String>) {
        let broken: BTreeSet<String> = self
            .changes
            .iter()
            .filter(|change| files.contains(&change.file))
            .filter_map(|change| change.group.clone())
            .collect();
        let is_whole = |group: &Option<String>| group.as_ref().is_none_or(|group| !broken.contains(group));
        self.changes.retain(|change| !files.contains(&change.file) && is_whole(&change.group));
    }
}

/// One image field that moves.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    /// Which field.
    pub field: FieldId,
    /// Path in the repository.
    pub file: String,
    /// First byte of the first edit.
    pub start: usize,
    /// End of the first edit (before the edit).
    pub end: usize,
    /// Reference before, as written.
    pub from: String,
    /// Reference after.
    pub to: String,
    /// Why, in words.
    pub reason: String,
    /// Decision id: the same decision gives the same id whoever takes it and however often.
    pub decision: String,
    /// `Kind/namespace/name` of its object.
    #[serde(skip)]
    pub object: String,
    /// Container, `images:` name or JSON pointer.
    #[serde(skip)]
    pub container: String,
    /// The group that moves with it, or not at all.
    #[serde(skip)]
    pub group: Option<String>,
    /// The bytes to replace.
    #[serde(skip)]
    pub edits: Vec<Edit>,
}

/// A fact that a plan still wants.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Wanted {
    /// Does this tag resolve, and to which digest?
    Manifest(Repository, Tag),
    /// What does the image of this digest run on?
    Platforms(Repository, Digest),
}

/// What was decided for every field, moved or not.
#[derive(Clone, Debug, Default)]
pub struct UpdateReport {
    /// One per image field, ordered by field id.
    pub fields: Vec<FieldReport>,
    /// Problems in the tree.
    pub findings: Vec<Finding>,
}

/// The decision for one field.
#[derive(Clone, Debug)]
pub struct FieldReport {
    /// Which field.
    pub field: FieldId,
    /// Where it is.
    pub file: String,
    /// 1-based line.
    pub line: usize,
    /// `Kind/namespace/name` of its object.
    pub object: String,
    /// Container.
    pub container: String,
    /// Reference as written.
    pub image: String,
    /// Outcome.
    pub decision: Decision,
    /// Why it does not move now, in the documented order; empty unless held.
    pub holds: Vec<HoldReport>,
    /// The tag it would move to, or moves to.
    pub selected: Option<String>,
    /// Counts per filter reason; `explain` computes the whole list on demand.
    pub rejected: BTreeMap<&'static str, usize>,
    /// What looks wrong and holds nothing: a shrunken listing, a running tag that is not listed.
    pub warnings: Vec<String>,
}

/// What is done with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// It moves in this plan.
    Update,
    /// It is at the best admitted tag.
    UpToDate,
    /// A hold stops it.
    Held,
    /// A fact is still wanted.
    Waiting,
    /// It has no policy.
    NoPolicy,
}

impl Decision {
    /// Returns the stable kebab-case code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Update => "update",
            Self::UpToDate => "up-to-date",
            Self::Held => "held",
            Self::Waiting => "waiting",
            Self::NoPolicy => "no-policy",
        }
    }
}

/// One reason why a field does not move now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HoldReport {
    /// Stable code.
    pub reason: HoldReason,
    /// For people, naming the values.
    pub message: String,
}

/// Stable codes of holds, in their documented order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HoldReason {
    /// The policy cannot be read.
    InvalidPolicy,
    /// Somebody set `hold`.
    Held,
    /// History is shallow, rewritten or ambiguous.
    NoHistory,
    /// The ages of tags matter, and are not known.
    NoLedger,
    /// The last listing was cut short.
    ListingIncomplete,
    /// The registry cannot be asked.
    RegistryUnreachable,
    /// The registry contradicts itself about the image.
    DigestMismatch,
    /// No window is open, or a freeze is.
    OutsideWindow,
    /// Another member of its group cannot move.
    GroupIncomplete,
}

impl HoldReason {
    /// Returns the stable kebab-case code.
    pub fn code(self) -> &'static str {
        match self {
            Self::InvalidPolicy => "invalid-policy",
            Self::Held => "held",
            Self::NoHistory => "no-history",
            Self::NoLedger => "no-ledger",
            Self::ListingIncomplete => "listing-incomplete",
            Self::RegistryUnreachable => "registry-unreachable",
            Self::DigestMismatch => "digest-mismatch",
            Self::OutsideWindow => "outside-window",
            Self::GroupIncomplete => "group-incomplete",
        }
    }
}

/// Tells what the fields of a tree want to know, by repository: of those with a readable policy and image.
pub fn interests(tree: &TreeSnapshot, guards: &Guards) -> BTreeMap<Repository, Interest> {
    let mut interests: BTreeMap<Repository, Interest> = BTreeMap::new();
    for field in tree.files.values().flat_map(|scan| &scan.fields) {
        let FieldPolicy::Policy(policy) = &field.policy else { continue };
        let Ok(image) = hold::readable(&field.image, policy) else { continue };
        let interest = interests.entry(image.repository).or_default();
        match &policy.poll {
            Some(poll) if !interest.polls.contains(poll) => interest.polls.push(poll.clone()),
            Some(_) => {}
            None => interest.default_poll = true,
        }
        if let Order::Digest(tag) = &policy.order {
            interest.follow.insert(tag.clone());
        }
        interest.ages |=
            policy.order == Order::Newest || policy.min_age.is_some() || guards.min_age.is_some();
    }
    interests
}
