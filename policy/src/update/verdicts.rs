//! Every tag of one field's repository, with its outcome and a sentence: the answer of `tidegate explain`.
//!
//! Not here: whether the field is held (see [`super::plan`]'s report).

use serde::Serialize;

use crate::annotation::Order;
use crate::history::trace;
use crate::manifest::{FieldId, FieldPolicy, ImageField};
use crate::reference::Tag;
use crate::select::{Judge, Outcome, Reason};

use super::plan::digest::{self, Refused};
use super::subject::Subject;
use super::{UpdateInput, hold};

/// What became of one tag; its JSON is that of `policy select`, and a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TagVerdict {
    /// The tag.
    pub tag: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it was rejected; `None` unless it was.
    pub reason: Option<Reason>,
    /// The same for people.
    pub message: String,
}

/// Judges every listed tag for one field, best known facts included, whatever holds the field.
///
/// `None` if the field is not in the tree, has no readable policy or image, or was never listed.
pub fn verdicts(input: &UpdateInput<'_>, id: &FieldId) -> Option<Vec<TagVerdict>> {
    let mut files = input.tree.files.iter();
    let (file, field) = files.find_map(|(file, scan)| Some((file, find(&scan.fields, id)?)))?;
    let FieldPolicy::Policy(policy) = &field.policy else { return None };
    let reference = hold::readable(&field.image, policy).ok()?;
    let traces = trace(input.tree, input.history, input.rewrite);
    let subject = Subject::new(input, &traces, (file, field), policy, reference);
    let tags = subject.state.tags.as_deref()?;
    let judge = Judge::new(policy, &subject.past.input());
    let selection = judge.select(tags);
    let verdicts = selection.verdicts.iter().map(|verdict| TagVerdict {
        tag: verdict.tag.to_owned(),
        outcome: verdict.outcome,
        reason: verdict.reason,
        message: judge.sentence(&selection, verdict),
    });
    let mut verdicts: Vec<TagVerdict> = verdicts.collect();
    if let Order::Digest(followed) = &policy.order {
        let of_followed = verdicts.iter_mut().filter(|verdict| verdict.tag == followed.as_str());
        of_followed.for_each(|verdict| refuse(&subject, followed, verdict));
    }
    Some(verdicts)
}

/// A tag that is followed passes, and its digest may not.
fn refuse(subject: &Subject<'_>, followed: &Tag, verdict: &mut TagVerdict) {
    let refused = digest::refused(subject, followed).filter(|_| verdict.outcome == Outcome::Selected);
    let Some(Refused { reason, look_at }) = refused else { return };
    let message = match look_at {
        Some(at) => format!("the digest of {followed} is too young; it is looked at again {at}"),
        None => format!("the digest of {followed} was taken out: it was here before"),
    };
    *verdict =
        TagVerdict { outcome: Outcome::Rejected, reason: Some(reason), message, tag: verdict.tag.clone() };
}

fn find<'a>(fields: &'a [ImageField], id: &FieldId) -> Option<&'a ImageField> {
    fields.iter().find(|field| field.id == *id)
}
