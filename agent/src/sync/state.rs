//! What a unit remembers: its input, the objects it applied, and what kept it from applying others.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tidegate_policy::object::ObjectId;
use tidegate_policy::sync::UnitKey;
use tidegate_policy::sync::desired::{Desired, Hash};
use tidegate_policy::sync::drift::Recorded;
use tidegate_policy::sync::health::{Health, Status};
use tokio::time::Instant;

use super::report::UnitReport;
use crate::error::{Failure, Kind};

/// So many corrections of one object within [`FIGHT_WINDOW`] are a fight.
const FIGHT_CORRECTIONS: usize = 5;
const FIGHT_WINDOW: Duration = Duration::from_secs(600);

/// What a unit is to be brought to.
#[derive(Clone, Debug)]
pub(super) struct Input {
    pub(super) revision: String,
    /// When the revision was handed over.
    pub(super) seen: Instant,
    pub(super) desired: Arc<Desired>,
    /// Desired objects that another unit of this process holds.
    pub(super) foreign: BTreeMap<ObjectId, UnitKey>,
    /// Units of the source that may want more than they name.
    pub(super) unsettled: BTreeSet<UnitKey>,
}

/// An object that this unit applied.
#[derive(Clone, Debug)]
pub(super) struct Tracked {
    /// What was applied.
    pub(super) hash: Hash,
    /// How it looked then.
    pub(super) recorded: Recorded,
    /// Whether it still is so, as far as was seen.
    pub(super) in_sync: bool,
    pub(super) status: Status,
    corrections: VecDeque<Instant>,
    pub(super) is_fighting: bool,
}

impl Tracked {
    pub(super) fn new(hash: Hash, recorded: Recorded, status: Status) -> Self {
        Self { hash, recorded, in_sync: true, status, corrections: VecDeque::new(), is_fighting: false }
    }

    /// Carries the corrections over to the state after another apply.
    pub(super) fn after(mut self, before: Option<Tracked>) -> Self {
        if let Some(before) = before {
            self.corrections = before.corrections;
            self.is_fighting = before.is_fighting;
        }
        self
    }

    /// Counts a correction about to be made; `false` if there were too many: it is a fight.
    pub(super) fn may_correct(&mut self, now: Instant) -> bool {
        while self.corrections.front().is_some_and(|at| now.duration_since(*at) > FIGHT_WINDOW) {
            self.corrections.pop_front();
        }
        self.is_fighting = self.corrections.len() >= FIGHT_CORRECTIONS;
        if !self.is_fighting {
            self.corrections.push_back(now);
        }
        !self.is_fighting
    }

    /// Gives the object another chance, at a new revision.
    pub(super) fn make_peace(&mut self) {
        self.is_fighting = false;
        self.corrections.clear();
    }
}

/// What kept a unit from being synced whole.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble {
    /// The sync as a whole failed.
    pub(super) general: Option<(String, bool)>,
    /// Objects that could not be read or applied; `true` if that may pass by itself.
    pub(super) failed: BTreeMap<ObjectId, (String, bool)>,
    /// Objects that belong to another, which is named.
    pub(super) refused: BTreeMap<ObjectId, String>,
}

impl Trouble {
    pub(super) fn fail(&mut self, id: ObjectId, failure: &Failure) {
        self.failed.insert(id, (failure.chain(), may_pass(failure)));
    }

    /// Tells whether trying again may help.
    pub(super) fn is_clear(&self) -> bool {
        self.general.is_none() && self.failed.is_empty() && self.refused.is_empty()
    }
}

/// Tells whether a failure may pass without a person's help.
pub(super) fn may_pass(failure: &Failure) -> bool {
    matches!(failure.kind, Kind::Retry { .. } | Kind::Cancelled)
}

/// Sums a unit up.
pub(super) fn report(
    input: &Input,
    objects: &BTreeMap<ObjectId, Tracked>,
    trouble: &Trouble,
    held: Option<String>,
) -> UnitReport {
    let (health, message) = health(input, objects, trouble);
    UnitReport {
        revision: input.revision.clone(),
        health,
        message,
        objects: objects.len(),
        current: objects.values().filter(|object| object.status.health == Health::Current).count(),
        error: error(input, trouble),
        held,
        fighting: objects.iter().filter(|(_, it)| it.is_fighting).map(|(id, _)| id.to_string()).collect(),
    }
}

fn error(input: &Input, trouble: &Trouble) -> Option<String> {
    let general = trouble.general.as_ref().map(|(message, _)| message.clone());
    let finding = || input.desired.findings.first().map(ToString::to_string);
    let failed = || trouble.failed.iter().next().map(|(id, (message, _))| format!("{id}: {message}"));
    let refused = || trouble.refused.iter().next().map(|(id, by)| format!("{id} belongs to {by}"));
    general.or_else(finding).or_else(failed).or_else(refused)
}

fn health(input: &Input, objects: &BTreeMap<ObjectId, Tracked>, trouble: &Trouble) -> (Health, String) {
    if let Some(error) = error(input, trouble) {
        let passes = trouble.refused.is_empty()
            && input.desired.findings.is_empty()
            && trouble.failed.values().chain(&trouble.general).all(|(_, may_pass)| *may_pass);
        return (if passes { Health::InProgress } else { Health::Failed }, error);
    }
    if let Some((id, waiting)) = input.desired.waiting.iter().next() {
        return (Health::InProgress, format!("{id} waits until the server serves {}", waiting.kind));
    }
    if let Some(missing) = input.desired.objects.keys().find(|id| !objects.contains_key(id)) {
        return (Health::InProgress, format!("{missing} is not applied yet"));
    }
    let worst = objects.iter().max_by_key(|(_, object)| object.status.health);
    match worst {
        Some((id, object)) if object.status.health != Health::Current => {
            (object.status.health, format!("{id}: {}", object.status.message))
        }
        _ => (Health::Current, format!("{} objects are current", objects.len())),
    }
}
