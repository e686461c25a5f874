//! The filters, in their documented order, prepared once for a policy and a field.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use super::rank::{Number, Rank};
use super::standing::Standing;
use super::{Choice, Outcome, Reason, SelectInput, Selection, Verdict};
use crate::annotation::{ImagePolicy, Matched, Order};
use crate::ledger::Seen;
use crate::range::Admission;
use crate::version::{Version, compare_spellings};

/// A policy and what is known of a field, ready to judge tags.
#[derive(Debug)]
pub struct Judge<'a> {
    pub(super) policy: &'a ImagePolicy,
    pub(super) input: SelectInput<'a>,
    /// The running tag, and its rank if the policy can read it.
    pub(super) current: Option<(&'a str, Option<Rank<'a>>)>,
    /// Whether the running tag may be left for anything: it is no longer admitted, and a downgrade is permitted.
    leaves_freely: bool,
    /// The best that the field has held and the policy admits, or that somebody took out under `newest`.
    pub(super) floor: Option<Placed<'a>>,
    missing: HashSet<&'a str>,
    lacking_platform: HashSet<&'a str>,
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
        let set = |tags: &'a [String]| tags.iter().map(String::as_str).collect();
        let mut judge = Self {
            policy,
            input: *input,
            current: None,
            leaves_freely: false,
            floor: None,
            missing: set(input.missing),
            lacking_platform: set(input.lacking_platform),
        };
        judge.current = input.current.map(|tag| (tag, judge.current_rank(tag)));
        judge.leaves_freely =
            input.may_downgrade && input.current.is_some_and(|tag| judge.admitted(tag).is_err());
        let floor = match policy.order {
            Order::Newest => input.barred,
            Order::Digest(_) => &[], // what is barred there are digests, and those are not tags
            _ => input.held,
        };
        let mut best = None;
        for tag in floor {
            if let Ok(rank) = judge.admitted(tag) {
                judge.keep_better(&mut best, Placed { tag, rank });
            }
        }
        judge.floor = best;
        judge
    }

    /// Whether the running tag means nothing to the policy, so that the first move is free of it.
    pub fn is_entering(&self) -> bool {
        match (&self.policy.order, &self.current) {
            // A running tag of unknown age is one of the series all the same.
            (Order::Newest, Some((tag, _))) => {
                !matches!(self.policy.filter.judge(tag), Matched::Candidate(_))
            }
            (_, current) => matches!(current, Some((_, None))),
        }
    }

    /// What the running tag counts for; `None` if there is none or the policy cannot read it.
    pub fn current_standing(&self) -> Option<Standing<'_>> {
        let (_, rank) = self.current.as_ref()?;
        rank.clone().map(|rank| self.standing_of(rank))
    }

    /// What a tag counts for that passes every filter; `None` if one rejects it.
    pub fn standing<'t>(&self, tag: &'t str) -> Option<Standing<'t>> {
        self.judge(tag).ok().map(|rank| self.standing_of(rank))
    }

    fn standing_of<'t>(&self, rank: Rank<'t>) -> Standing<'t> {
        let descending = matches!(self.policy.order, Order::Numeric(true) | Order::Alphabetical(true));
        Standing::new(rank, descending)
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
            if !self.leaves_freely && self.compare(&rank, current) != Ordering::Greater {
                return Err(Reason::NotNewer);
            }
        }
        let is_old = |floor: &Placed<'_>| self.compare(&rank, &floor.rank) != Ordering::Greater;
        if self.floor.as_ref().is_some_and(is_old) {
            return Err(Reason::TakenOut);
        }
        if self.is_too_young(tag) {
            return Err(Reason::TooYoung);
        }
        if self.missing.contains(tag) {
            return Err(Reason::ManifestMissing);
        }
        if self.lacking_platform.contains(tag) {
            return Err(Reason::PlatformMissing);
        }
        Ok(rank)
    }

    /// Runs the filters that ask for nothing but the policy, and for `newest` the ages.
    fn admitted<'t>(&self, tag: &'t str) -> Result<Rank<'t>, Reason> {
        let compared = match self.policy.filter.judge(tag) {
            Matched::Candidate(compared) => compared,
            Matched::NotInTags => return Err(Reason::NotInTags),
            Matched::Ignored => return Err(Reason::Ignored),
        };
        let rank = self.read(tag, compared)?;
        if let (Order::Semver(range), Rank::Version(version)) = (&self.policy.order, &rank) {
            match range.admission(version) {
                Admission::Admitted => {}
                Admission::PreRelease => return Err(Reason::PreRelease),
                Admission::Outside => return Err(Reason::OutOfRange),
            }
        }
        Ok(rank)
    }

    /// Reads the part of a tag that is compared.
    fn read<'t>(&self, tag: &'t str, compared: &'t str) -> Result<Rank<'t>, Reason> {
        match &self.policy.order {
            Order::Semver(_) => Version::parse(compared).map(Rank::Version).ok_or(Reason::NotAVersion),
            Order::Numeric(_) => Number::parse(compared).map(Rank::Number).ok_or(Reason::NotANumber),
            // Empty if the group `version` took no part in the match: there is nothing to compare.
            Order::Alphabetical(_) if compared.is_empty() => Err(Reason::NotAVersion),
            Order::Alphabetical(_) => Ok(Rank::Text(compared)),
            // What was there in the first listing is of unknown age, and never the newest.
            Order::Newest
                if self.input.barred.iter().any(|barred| barred == tag) && self.seen(tag).is_none() =>
            {
                Err(Reason::TakenOut)
            }
            Order::Newest => self.seen(tag).map(Rank::Seen).ok_or(Reason::NotNewer),
            Order::Digest(followed) if followed.as_str() != tag => Err(Reason::NotInTags),
            Order::Digest(_) => Ok(Rank::Text(tag)),
        }
    }

    /// Reads the running tag; `None` if it means nothing to the policy.
    fn current_rank<'t>(&self, tag: &'t str) -> Option<Rank<'t>> {
        let filter = &self.policy.filter;
        if let Order::Alphabetical(_) = self.policy.order {
            // Every text has a place in this order, so only a tag of the policy's own series has a meaning in it.
            return match filter.judge(tag) {
                Matched::Candidate(compared) => self.read(tag, compared).ok(),
                Matched::NotInTags | Matched::Ignored => None,
            };
        }
        // A tag outside the series may still be a version, and then nothing older replaces it.
        let compared = filter.compared(tag).filter(|compared| !compared.is_empty());
        self.read(tag, compared.unwrap_or(tag)).ok()
    }

    /// When a tag was first seen; `None` if it was there in the first listing, or nobody looked.
    pub(super) fn seen(&self, tag: &str) -> Option<Timestamp> {
        match self.input.first_seen?.at(tag)? {
            Seen::At(at) => Some(at),
            Seen::Before(_) => None,
        }
    }

    /// Since when a tag is known to be there: what was there in the first listing is at least so old.
    pub(super) fn known_since(&self, tag: &str) -> Option<Timestamp> {
        match self.input.first_seen?.at(tag)? {
            Seen::At(at) | Seen::Before(at) => Some(at),
        }
    }

    fn is_too_young(&self, tag: &str) -> bool {
        let Some(least) = self.input.min_age else { return false };
        self.known_since(tag).is_none_or(|since| self.input.now.duration_since(since) < least)
    }

    /// When the first of these tags that is only too young will be old enough; `None` if there is none.
    pub fn comes_of_age<T: AsRef<str>>(&self, tags: &[T]) -> Option<Timestamp> {
        let least = self.input.min_age?;
        let young =
            tags.iter().map(AsRef::as_ref).filter(|tag| self.rejection(tag) == Some(Reason::TooYoung));
        young.filter_map(|tag| self.known_since(tag)?.checked_add(least).ok()).min()
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

/// How many numeric parts a version has; other ranks are not counted.
fn parts(rank: &Rank<'_>) -> u8 {
    match rank {
        Rank::Version(version) => version.parts(),
        Rank::Number(_) | Rank::Text(_) | Rank::Seen(_) => 0,
    }
}
