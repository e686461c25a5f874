//! A field that follows one tag by its digest.
//!
//! A digest that somebody took out is not put back; the registry's own way back to an older one is followed.

use jiff::{SignedDuration, Timestamp};

use crate::reference::{Digest, Tag};
use crate::select::{Judge, Reason};
use crate::update::ManifestFact;
use crate::update::subject::Subject;

use super::draft::{Draft, Next};
use super::step;

/// How soon the ledger will have noted a digest.
const NOTED_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// Why a digest is not taken now, and when that is to be looked at again.
pub(in crate::update) struct Refused {
    pub(in crate::update) reason: Reason,
    pub(in crate::update) look_at: Option<Timestamp>,
}

/// Fills in what the field would do to follow `tag`.
pub(super) fn settle(draft: &mut Draft<'_>, tag: &Tag) {
    let Some(subject) = &draft.subject else { return };
    let digest = digest_of(subject, tag);
    if digest.is_some() && digest == subject.reference.digest.as_ref() {
        return;
    }
    let judge = Judge::new(subject.policy, &subject.past.input());
    let by_tag = judge.rejection(tag.as_str()).map(|reason| Refused { reason, look_at: None });
    if let Some(Refused { reason, look_at }) = by_tag.or_else(|| refused(subject, tag)) {
        draft.report.rejected.insert(reason.code(), 1);
        draft.wake_at(look_at);
        return;
    }
    let entering = subject.reference.tag.as_ref() != Some(tag);
    let step = step::to(subject, tag, entering);
    draft.report.selected = Some(tag.to_string());
    draft.next = Next::Rest;
    draft.take(Some(step));
}

/// What the tag resolves to, as far as that is known.
fn digest_of<'a>(subject: &Subject<'a>, tag: &Tag) -> Option<&'a Digest> {
    match subject.state.manifests.get(tag)? {
        ManifestFact::Present(digest) => Some(digest),
        _ => None,
    }
}

/// Why the digest that `tag` has now is not taken, whatever is said of the tag; `None` if it is.
pub(in crate::update) fn refused(subject: &Subject<'_>, tag: &Tag) -> Option<Refused> {
    let digest = digest_of(subject, tag)?;
    if subject.past.barred_digests.contains(digest.as_str()) {
        return Some(Refused { reason: Reason::TakenOut, look_at: None });
    }
    let look_at = comes_of_age_at(subject, tag, digest)?;
    Some(Refused { reason: Reason::TooYoung, look_at: Some(look_at) })
}

/// When the digest of a tag is to be looked at again; `None` if it is old enough.
fn comes_of_age_at(subject: &Subject<'_>, tag: &Tag, digest: &Digest) -> Option<Timestamp> {
    let (least, now) = (subject.min_age()?, subject.input.now);
    let since = subject.state.first_seen.as_ref().and_then(|seen| seen.digest_at(tag, digest));
    // A digest that is not in the ledger yet will be when it has been looked at once more.
    let of_age = since.map_or_else(|| now.checked_add(NOTED_AFTER), |since| since.checked_add(least));
    let of_age = of_age.unwrap_or(Timestamp::MAX);
    (of_age > now).then_some(of_age)
}
