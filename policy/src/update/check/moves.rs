//! Whether one move is permitted, by rules that are written down here once more and share little with the planner.

use crate::annotation::{ImagePolicy, Order, Pin};
use crate::history::{FieldHistory, Held, Traces, Writer};
use crate::ledger::Seen;
use crate::manifest::{FieldPolicy, ImageField};
use crate::reference::{Digest, ImageReference, Tag};
use crate::select::Judge;
use crate::update::subject::Subject;
use crate::update::{Change, ManifestFact, PlanError, RepositoryState, UpdateInput, UpdatePlan, hold};
use crate::version::Version;

/// One move that is looked at once more.
struct Move<'a> {
    input: &'a UpdateInput<'a>,
    policy: &'a ImagePolicy,
    from: ImageReference,
    to: ImageReference,
    history: Option<&'a FieldHistory>,
    state: Option<&'a RepositoryState>,
}

/// Fails if `field` may not make this move.
pub(super) fn check(
    input: &UpdateInput<'_>,
    traces: &Traces,
    field: &ImageField,
    change: &Change,
) -> Result<(), PlanError> {
    let FieldPolicy::Policy(policy) = &field.policy else {
        return Err(PlanError::OtherField(field.id.0.clone()));
    };
    let (from, to) = (hold::readable(&change.from, policy), ImageReference::parse(&change.to));
    let (Ok(from), Ok(to)) = (from, to) else { return Err(not_permitted(change)) };
    let state = input.registry.repositories.get(&from.repository);
    let history = traces.fields.get(&field.id);
    let step = Move { input, policy, from, to, history, state };
    if step.is_held() {
        return Err(PlanError::Held(field.id.0.clone()));
    }
    let to = || (change.field.0.clone(), change.to.clone());
    let Some(digest) = step.digest() else {
        let (field, to) = to();
        return Err(PlanError::NotThere { field, to });
    };
    if !step.is_old_enough(digest) {
        let (field, to) = to();
        return Err(PlanError::TooYoung { field, to });
    }
    let subject = Subject::new(input, traces, (&change.file, field), policy, step.from.clone());
    let admitted = step.tag().is_some_and(|tag| {
        let judge = Judge::new(policy, &subject.past.input());
        judge.rejection(tag.as_str()).is_none()
    });
    let is_sound = step.is_known() && step.runs(digest) && step.writes(digest) && step.is_onward(digest);
    if admitted && is_sound { Ok(()) } else { Err(not_permitted(change)) }
}

/// Fails if another member of the field's group is left behind.
pub(super) fn check_group(
    input: &UpdateInput<'_>,
    plan: &UpdatePlan,
    field: &ImageField,
    change: &Change,
) -> Result<(), PlanError> {
    let FieldPolicy::Policy(policy) = &field.policy else { return Ok(()) };
    let Some(group) = &policy.group else { return Ok(()) };
    let at = compared(policy, &change.to);
    for other in input.tree.files.values().flat_map(|scan| &scan.fields) {
        if other.group.as_ref() != Some(group) || other.id == field.id {
            continue;
        }
        let its = match &other.policy {
            FieldPolicy::None => continue,
            FieldPolicy::Policy(its) => its,
            FieldPolicy::Invalid(_) => {
                let (field, other) = (field.id.0.clone(), other.id.0.clone());
                return Err(PlanError::Split { field, other });
            }
        };
        let moved = plan.changes.iter().find(|change| change.field == other.id);
        let image = moved.map_or(&other.image, |change| &change.to);
        let is_same = match (&at, compared(its, image)) {
            (Some(ours), Some(theirs)) => is_equal(&policy.order, ours, &theirs),
            _ => false,
        };
        if !is_same {
            let (field, other) = (field.id.0.clone(), other.id.0.clone());
            return Err(PlanError::Split { field, other });
        }
    }
    Ok(())
}

impl Move<'_> {
    /// The tag that is moved to: a digest that is followed may be written without it.
    fn tag(&self) -> Option<&Tag> {
        match &self.policy.order {
            Order::Digest(tag) if self.to.tag.as_ref().is_none_or(|written| written == tag) => Some(tag),
            Order::Digest(_) => None,
            _ => self.to.tag.as_ref(),
        }
    }

    fn is_held(&self) -> bool {
        let now = self.input.now;
        let by_people = self.policy.holds.iter().any(|hold| hold.until.is_none_or(|until| until > now));
        by_people || !self.policy.windows.is_open(now) || !self.input.guards.windows.is_open(now)
    }

    /// What the tag resolved to; it is listed, unless it is followed by digest.
    fn digest(&self) -> Option<&Digest> {
        let (state, tag) = (self.state?, self.tag()?);
        let is_listed = state.tags.as_ref()?.iter().any(|listed| listed == tag.as_str());
        match state.manifests.get(tag)? {
            ManifestFact::Present(digest) if is_listed || self.follows_digest() => Some(digest),
            _ => None,
        }
    }

    fn follows_digest(&self) -> bool {
        matches!(self.policy.order, Order::Digest(_))
    }

    fn is_known(&self) -> bool {
        self.history.is_some_and(|history| history.gap.is_none())
    }

    fn is_old_enough(&self, digest: &Digest) -> bool {
        let least = [self.policy.min_age, self.input.guards.min_age].into_iter().flatten().max();
        let Some(least) = least else { return true };
        let since = || {
            let seen = self.state?.first_seen.as_deref()?;
            if self.follows_digest() {
                return seen.digest_at(self.tag()?, digest);
            }
            match seen.at(self.tag()?.as_str())? {
                Seen::Before(at) | Seen::At(at) => Some(at),
            }
        };
        since().is_some_and(|since| self.input.now.duration_since(since) >= least)
    }

    fn runs(&self, digest: &Digest) -> bool {
        let offered = self.state.and_then(|state| state.platforms.get(digest));
        self.policy.platforms.iter().all(|asked| offered.is_some_and(|offered| asked.is_met_by(offered)))
    }

    /// Whether the digest is written if and only if it shall be.
    fn writes(&self, digest: &Digest) -> bool {
        let is_pinned = self.policy.pin == Pin::Digest || self.follows_digest();
        self.to.digest.as_ref() == Some(digest).filter(|_| is_pinned)
    }

    /// A second opinion that shares no code with selection: nothing goes back to what was taken out, and plain
    /// versions do not go down.
    fn is_onward(&self, digest: &Digest) -> bool {
        let held = self.history.map(|history| history.held.as_slice()).unwrap_or_default();
        let to = self.tag().map(Tag::as_str);
        if self.follows_digest() {
            let back = |held: &ImageReference| held.digest.as_ref() == Some(digest);
            return self.from.digest.as_ref() != Some(digest) && !was_taken_out(held, back);
        }
        let back = |held: &ImageReference| held.tag.as_ref().map(Tag::as_str) == to;
        if self.policy.order == Order::Newest {
            return self.from.tag != self.to.tag && !was_taken_out(held, back);
        }
        let is_back =
            held.iter().any(|held| ImageReference::parse(&held.image).is_ok_and(|held| back(&held)));
        let plain = matches!(self.policy.order, Order::Semver(_)) && self.policy.filter.tags.is_empty();
        let may_go_down = self.policy.downgrade
            && self.input.guards.allow_downgrade
            && self.history.is_some_and(|history| history.outlived_policy);
        let down = plain && !may_go_down && is_down(self.from.tag.as_ref().map(Tag::as_str), to);
        !is_back && !down
    }
}

/// Whether anybody but Tidegate replaced a value for which `back` holds.
fn was_taken_out(held: &[Held], back: impl Fn(&ImageReference) -> bool) -> bool {
    let mut by_others = held.windows(2).filter_map(|pair| match pair {
        [newer, older] if newer.by != Some(Writer::Tidegate) => ImageReference::parse(&older.image).ok(),
        _ => None,
    });
    by_others.any(|older| back(&older))
}

fn is_down(from: Option<&str>, to: Option<&str>) -> bool {
    let versions = from.and_then(Version::parse).zip(to.and_then(Version::parse));
    versions.is_some_and(|(from, to)| !to.is_newer_than(&from))
}

/// The part of an image's tag that its policy compares.
fn compared(policy: &ImagePolicy, image: &str) -> Option<String> {
    let tag = ImageReference::parse(image).ok()?.tag?;
    let compared = policy.filter.compared(tag.as_str()).filter(|compared| !compared.is_empty());
    Some(compared.unwrap_or(tag.as_str()).to_owned())
}

fn is_equal(order: &Order, a: &str, b: &str) -> bool {
    match order {
        Order::Semver(_) => Version::parse(a).zip(Version::parse(b)).is_some_and(|(a, b)| a == b),
        // Spellings of a number: only zeros and a sign tell them apart.
        Order::Numeric(_) => digits(a) == digits(b),
        _ => a == b,
    }
}

fn digits(number: &str) -> (bool, &str, &str) {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let (whole, fraction) = (whole.trim_start_matches(['-', '+', '0']), fraction.trim_end_matches('0'));
    let is_negative = number.starts_with('-') && !(whole.is_empty() && fraction.is_empty());
    (is_negative, whole, fraction)
}

fn not_permitted(change: &Change) -> PlanError {
    let Change { field, from, to, .. } = change;
    PlanError::NotPermitted { field: field.0.clone(), from: from.clone(), to: to.clone() }
}
