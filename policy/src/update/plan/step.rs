//! The step of one field to one tag: is it known well enough to be taken, and what does it write?
//!
//! Called for fields that move alone ([`super::single`]) and for the members of a group ([`super::group`]).

use std::error::Error as _;

use crate::annotation::{Order, Pin};
use crate::manifest::edit::{self, EditError};
use crate::manifest::{Edit, Part};
use crate::reference::Tag;
use crate::update::subject::Subject;
use crate::update::{Change, HoldReason, HoldReport, ManifestFact, Wanted, hold};

/// What can be said of a step now.
pub(super) enum Step {
    /// It can be taken.
    Ready(Box<Change>),
    /// It was taken before, and undone.
    Taken,
    /// A fact is not known yet.
    Lacks(Wanted),
    /// It cannot be taken.
    Stopped(HoldReport),
}

/// Says what is known of moving `subject` to `tag`, which its policy admits.
pub(super) fn to(subject: &Subject<'_>, tag: &Tag, entering: bool) -> Step {
    let repository = &subject.reference.repository;
    let is_pinned = is_pinned(subject);
    if !is_pinned {
        // What is written is known before any fact: a field that cannot be edited asks for none.
        let image = subject.image_at(Some(tag), None);
        match edits(subject, &image) {
            Err(stopped) => return Step::Stopped(stopped),
            Ok(_) if is_taken(subject, tag, &image) => return Step::Taken,
            Ok(_) => {}
        }
    }
    let digest = match subject.state.manifests.get(tag) {
        Some(ManifestFact::Present(digest)) => digest,
        Some(ManifestFact::Mismatch(message)) => {
            return Step::Stopped(HoldReport {
                reason: HoldReason::DigestMismatch,
                message: format!("{repository}:{tag}: {message}"),
            });
        }
        // A missing one is rejected before, so this only asks once too often.
        Some(ManifestFact::Missing) | None => {
            return Step::Lacks(Wanted::Manifest(repository.clone(), tag.clone()));
        }
    };
    if !subject.policy.platforms.is_empty() && !subject.state.platforms.contains_key(digest) {
        return Step::Lacks(Wanted::Platforms(repository.clone(), digest.clone()));
    }
    let image =
        subject.image_at(Some(tag).filter(|_| writes_tag(subject)), Some(digest).filter(|_| is_pinned));
    if is_pinned && is_taken(subject, tag, &image) {
        return Step::Taken;
    }
    match edits(subject, &image) {
        Ok(edits) => Step::Ready(Box::new(change(subject, image, edits, entering))),
        Err(stopped) => Step::Stopped(stopped),
    }
}

/// Whether the digest is written.
fn is_pinned(subject: &Subject<'_>) -> bool {
    subject.policy.pin == Pin::Digest || follows(subject).is_some()
}

fn follows<'a>(subject: &Subject<'a>) -> Option<&'a Tag> {
    match &subject.policy.order {
        Order::Digest(tag) => Some(tag),
        _ => None,
    }
}

/// Whether the tag is written: not where a digest is followed and the file has a line for it alone.
fn writes_tag(subject: &Subject<'_>) -> bool {
    let has_line = subject.field.sites.iter().any(|site| matches!(site.part, Part::Whole | Part::Tag));
    has_line || follows(subject).is_none()
}

/// A decision that stands in a trailer was taken before: whoever undid it meant it.
fn is_taken(subject: &Subject<'_>, tag: &Tag, image: &str) -> bool {
    let held_before = follows(subject).is_none() && subject.past.holds(tag.as_str());
    !held_before && subject.decision(image).1
}

fn edits(subject: &Subject<'_>, image: &str) -> Result<Vec<Edit>, HoldReport> {
    edit::set_reference(subject.field, image).map_err(|error| hold::invalid(chain(&error)))
}

fn change(subject: &Subject<'_>, to: String, edits: Vec<Edit>, entering: bool) -> Change {
    Change {
        field: subject.field.id.clone(),
        file: subject.file.to_owned(),
        start: edits.first().map_or(0, |edit| edit.range.start),
        end: edits.first().map_or(0, |edit| edit.range.end),
        from: subject.field.image.clone(),
        decision: subject.decision(&to).0,
        to,
        reason: reason(subject, entering),
        object: subject.field.object.clone(),
        container: subject.field.container.clone(),
        group: subject.policy.group.clone(),
        edits,
    }
}

/// Why the step is the right one, in words.
fn reason(subject: &Subject<'_>, entering: bool) -> String {
    let best = match &subject.policy.order {
        Order::Semver(_) => "highest version",
        Order::Numeric(_) => "last number",
        Order::Alphabetical(_) => "last name",
        Order::Newest => "newest tag",
        Order::Digest(_) => "newest digest",
    };
    let group = subject.policy.group.as_ref();
    let group = group.map_or_else(String::new, |group| format!(" with group {group}"));
    let entering = if entering { " (entering policy)" } else { "" };
    format!("{best} that {} admits{group}{entering}", subject.policy.text.policy)
}

/// An error and its cause on one line.
fn chain(error: &EditError) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}
