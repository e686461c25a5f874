//! The filters, in their documented order, prepared once for a policy and a field.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};

use super::rank::{Number, Rank};
use super::{Choice, Outcome, Reason, SelectInput, Selection, Verdict};
use crate::annotation::{ImagePolicy, Matched, Order};
use crate::range::Admission;
use crate::version::{Version, compare_spellings};

/// A policy and what is known of a field, ready to judge tags.
#[derive(Debug)]
pub struct Judge<'a> {
    pub(super) policy: &'a ImagePolicy,
    /// The running tag, and its rank if the policy can read it.
    pub(super) current: Option<(&'a str, Option<Rank<'a>>)>,
    /// The best that the field has held and the policy admits.
    pub(super) floor: Option<Placed<'a>>,
    missing: HashSet<&'a str>,
}

/// A tag and its rank.
#[derive(Debug)]
pub(super) struct Placed<'a> {
    pub(super) tag: &'a str,
    rank: Rank<'a>,
}

impl<'a> Judge<'a> {
    /// Prepares the filters.
    pub fn new(policy: &'a ImagePolicy, input: &SelectInput<'a>) -> Self {
        let current = input.current.map(|tag| (tag, current_rank(policy, tag)));
        let missing = input.missing.iter().map(String::as_str).collect();
        let mut judge = Self { policy, current, floor: None, missing };
        let mut floor = None;
        for tag in input.held {
            if let Ok(rank) = judge.admitted(tag) {
                judge.keep_better(&mut floor, Placed { tag, rank });
            }
        }
        judge.floor = floor;
        judge
    }

    /// Whether the running tag means nothing to the policy, so that the first move is free of it.
    pub fn is_entering(&self) -> bool {
        matches!(self.current, Some((_, None)))
    }

    /// Judges one tag: the first filter that rejects it, or `None`.
    pub fn rejection(&self, tag: &str) -> Option<Reason> {
        self.judge(tag).err()
    }

    /// Selects, with a verdict for each tag; see [`super::select`].
    pub fn select<'t, T: AsRef<str>>(&self, tags: &'t [T]) -> Selection<'t> {
        let mut best = None;
        let mut verdicts = Vec::with_capacity(tags.len());
        for tag in tags.iter().map(AsRef::as_ref) {
            let (outcome, reason) = match self.judge(tag) {
                Ok(rank) => {
                    self.keep_better(&mut best, Placed { tag, rank });
                    (Outcome::Eligible, None)
                }
                Err(reason) => (Outcome::Rejected, Some(reason)),
            };
            verdicts.push(Verdict { tag, outcome, reason });
        }
        let selected = best.map(|best| best.tag);
        for verdict in &mut verdicts {
            if Some(verdict.tag) == selected {
                verdict.outcome = Outcome::Selected;
            }
        }
        Selection { selected, verdicts }
    }

    /// Selects, with counts only; see [`super::choose`].
    pub fn choose<'t, T: AsRef<str>>(&self, tags: &'t [T]) -> Choice<'t> {
        let mut best = None;
        let mut eligible = 0;
        let mut rejected = BTreeMap::new();
        for tag in tags.iter().map(AsRef::as_ref) {
            match self.judge(tag) {
                Ok(rank) => {
                    self.keep_better(&mut best, Placed { tag, rank });
                    eligible += 1;
                }
                Err(reason) => *rejected.entry(reason).or_default() += 1,
            }
        }
        Choice { selected: best.map(|best| best.tag), eligible, rejected }
    }

    /// Runs all filters.
    fn judge<'t>(&self, tag: &'t str) -> Result<Rank<'t>, Reason> {
        let rank = self.admitted(tag)?;
        if let Some((_, Some(current))) = &self.current {
            if parts(&rank) < parts(current) {
                return Err(Reason::FewerParts);
            }
            if self.compare(&rank, current) != Ordering::Greater {
                return Err(Reason::NotNewer);
            }
        }
        if self.floor.as_ref().is_some_and(|floor| self.compare(&rank, &floor.rank) != Ordering::Greater) {
            return Err(Reason::TakenOut);
        }
        if self.missing.contains(tag) {
            return Err(Reason::ManifestMissing);
        }
        Ok(rank)
    }

    /// Runs the filters that ask for nothing but the policy.
    fn admitted<'t>(&self, tag: &'t str) -> Result<Rank<'t>, Reason> {
        let compared = match self.policy.filter.judge(tag) {
            Matched::Candidate(compared) => compared,
            Matched::NotInTags => return Err(Reason::NotInTags),
            Matched::Ignored => return Err(Reason::Ignored),
        };
        let rank = read(&self.policy.order, compared)?;
        if let (Order::Semver(range), Rank::Version(version)) = (&self.policy.order, &rank) {
            match range.admission(version) {
                Admission::Admitted => {}
                Admission::PreRelease => return Err(Reason::PreRelease),
                Admission::Outside => return Err(Reason::OutOfRange),
            }
        }
        Ok(rank)
    }

    /// Compares in the direction of the policy: greater is preferred.
    fn compare(&self, a: &Rank<'_>, b: &Rank<'_>) -> Ordering {
        match self.policy.order {
            Order::Numeric(true) | Order::Alphabetical(true) => b.cmp(a),
            _ => a.cmp(b),
        }
    }

    /// Puts `next` in the place of `best` if it is better; between spellings of an equal value
    /// the longer, then the greater text is.
    fn keep_better<'t>(&self, best: &mut Option<Placed<'t>>, next: Placed<'t>) {
        let is_better = best.as_ref().is_none_or(|best| {
            let order = self.compare(&next.rank, &best.rank);
            order.then_with(|| compare_spellings(next.tag, best.tag)) == Ordering::Greater
        });
        if is_better {
            *best = Some(next);
        }
    }
}

/// Reads the part of a tag that is compared.
fn read<'a>(order: &Order, compared: &'a str) -> Result<Rank<'a>, Reason> {
    match order {
        Order::Semver(_) => Version::parse(compared).map(Rank::Version).ok_or(Reason::NotAVersion),
        Order::Numeric(_) => Number::parse(compared).map(Rank::Number).ok_or(Reason::NotANumber),
        // Empty if the group `version` took no part in the match: there is nothing to compare.
        Order::Alphabetical(_) if compared.is_empty() => Err(Reason::NotAVersion),
        Order::Alphabetical(_) | Order::Newest | Order::Digest(_) => Ok(Rank::Text(compared)),
    }
}

/// Reads the running tag; `None` if it means nothing to the policy.
fn current_rank<'a>(policy: &ImagePolicy, tag: &'a str) -> Option<Rank<'a>> {
    let compared = policy.filter.compared(tag).filter(|compared| !compared.is_empty());
    match policy.order {
        // Every text has a place in this order, so only a tag of the policy's own series has a meaning in it.
        Order::Alphabetical(_) => match policy.filter.judge(tag) {
            Matched::Candidate(compared) => read(&policy.order, compared).ok(),
            Matched::NotInTags | Matched::Ignored => None,
        },
        // A tag outside the series may still be a version, and then nothing older replaces it.
        _ => read(&policy.order, compared.unwrap_or(tag)).ok(),
    }
}

/// How many numeric parts a version has; other ranks are not counted.
fn parts(rank: &Rank<'_>) -> u8 {
    match rank {
        Rank::Version(version) => version.parts(),
        Rank::Number(_) | Rank::Text(_) => 0,
    }
}
