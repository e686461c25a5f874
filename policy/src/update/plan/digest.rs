//! A field that follows one tag by its digest.
//!
//! A digest that somebody took out is not put back; the registry's own way back to an older one is followed.

use crate::reference::{Digest, Tag};
use crate::select::{Judge, Reason};
use crate::update::ManifestFact;
use crate::update::subject::Subject;

use super::draft::{Draft, Next};
use super::step;

/// Fills in what the field would do to follow `tag`.
pub(super) fn settle(draft: &mut Draft<'_>, tag: &Tag) {
    let Some(subject) = &draft.subject else { return };
    let judge = Judge::new(subject.policy, &subject.past.input());
    let digest = match subject.state.manifests.get(tag) {
        Some(ManifestFact::Present(digest)) => Some(digest),
        _ => None,
    };
    if digest.is_some() && digest == subject.reference.digest.as_ref() {
        return;
    }
    let mut comes_of_age = None;
    let rejection = judge.rejection(tag.as_str()).or_else(|| {
        let digest = digest?;
        if subject.past.barred_digests.contains(digest.as_str()) {
            return Some(Reason::TakenOut);
        }
        comes_of_age = too_young(subject, tag, digest)?;
        Some(Reason::TooYoung)
    });
    if let Some(reason) = rejection {
        draft.report.rejected.insert(reason.code(), 1);
        draft.wake_at(comes_of_age);
        return;
    }
    let entering = subject.reference.tag.as_ref() != Some(tag);
    let step = step::to(subject, tag, entering);
    draft.report.selected = Some(tag.to_string());
    draft.next = Next::Rest;
    draft.take(Some(step));
}

/// When the digest of a tag will be old enough, if it is not; `Some(None)` if that is not known.
#[expect(clippy::option_option, reason = "not too young, too young until then, too young until it is noted")]
pub(super) fn too_young(
    subject: &Subject<'_>,
    tag: &Tag,
    digest: &Digest,
) -> Option<Option<jiff::Timestamp>> {
    let least = subject.min_age()?;
    let since = subject.state.first_seen.as_ref().and_then(|seen| seen.digest_at(tag, digest));
    let Some(since) = since else { return Some(None) };
    let of_age = since.checked_add(least).ok();
    if of_age.is_some_and(|at| at <= subject.input.now) { None } else { Some(of_age) }
}
