//! Why a field does not move now, whatever its policy admits.
//!
//! Called by [`super::plan`]. Not here: filters, which choose among tags (see [`crate::select`]).

use jiff::Timestamp;

use crate::annotation::{Hold, ImagePolicy, Order};
use crate::history::Gap;
use crate::quote::quoted;
use crate::reference::{ImageReference, Repository};

use super::subject::Subject;
use super::{Guards, HoldReason, HoldReport, RepositoryState, ScanError};

/// The image as the planner needs it, or the hold that it is none.
///
/// A bare digest says nothing of the version that runs, so no policy by tags can follow it: only one that follows
/// a digest.
pub(super) fn readable(image: &str, policy: &ImagePolicy) -> Result<ImageReference, HoldReport> {
    let reference = ImageReference::parse(image).map_err(|error| invalid(error.to_string()))?;
    let follows_digest = matches!(policy.order, Order::Digest(_));
    if reference.tag.is_none() && reference.digest.is_some() && !follows_digest {
        return Err(invalid(format!(
            "{} is a bare digest, from which no version can be read (hint: write `name:tag@digest`)",
            quoted(image)
        )));
    }
    Ok(reference)
}

/// A hold because the policy cannot be followed.
pub(super) fn invalid(message: String) -> HoldReport {
    HoldReport { reason: HoldReason::InvalidPolicy, message }
}

/// The `hold` settings in force at `now`, and when the first of them ends.
pub(super) fn set_by_people(holds: &[Hold], now: Timestamp) -> (Vec<HoldReport>, Option<Timestamp>) {
    let in_force = holds.iter().filter(|hold| hold.until.is_none_or(|until| until > now));
    let reports = in_force.clone().map(|hold| {
        let mut message = if hold.reason.is_empty() { "held".to_owned() } else { quoted(&hold.reason) };
        if let Some(until) = hold.until {
            message = format!("{message}; until {until}");
        }
        if let Some(by) = &hold.by {
            message = format!("{message}; by {}", quoted(by));
        }
        HoldReport { reason: HoldReason::Held, message }
    });
    (reports.collect(), in_force.filter_map(|hold| hold.until).min())
}

/// The hold of a field whose past cannot be relied on.
pub(super) fn without_history(gap: &Gap, field: &str) -> HoldReport {
    let hint = match gap {
        Gap::Shallow => "fetch the whole history, or release the field",
        Gap::Ambiguous(_) => "release the field",
        Gap::Rewritten(_) => "set the image in a commit, or release the field",
        Gap::Unscanned(_) | Gap::OtherTip => "this is tried again with the next revision",
    };
    let trailer = crate::history::trailer::encode(field);
    HoldReport {
        reason: HoldReason::NoHistory,
        message: format!("{gap} (hint: {hint}; trailer `Tidegate-Release: {trailer}`)"),
    }
}

/// The holds of a field outside its windows or the configuration's, and when that may change.
pub(super) fn outside_window(
    policy: &ImagePolicy,
    guards: &Guards,
    now: Timestamp,
) -> (Option<HoldReport>, Option<Timestamp>) {
    let closed = [
        policy.windows.closed_because(now),
        guards
            .windows
            .closed_because(now)
            .map(|reason| format!("by the configuration of this source {reason}")),
    ];
    let closed: Vec<String> = closed.into_iter().flatten().collect();
    let hold = (!closed.is_empty())
        .then(|| HoldReport { reason: HoldReason::OutsideWindow, message: closed.join("; ") });
    let changes = [policy.windows.next_change(now), guards.windows.next_change(now)];
    (hold, changes.into_iter().flatten().min())
}

/// The hold of a field that is judged by ages, and there are none.
pub(super) fn without_ledger(subject: &Subject<'_>) -> Option<HoldReport> {
    let state = subject.state;
    if !subject.needs_ages() || state.first_seen.is_some() || state.tags.is_none() {
        return None;
    }
    let what = if subject.policy.order == Order::Newest { "`newest`" } else { "`min-age`" };
    let why = state.no_ledger.clone().unwrap_or_else(|| {
        format!("when the tags of {} were first seen is not known here", subject.reference.repository)
    });
    Some(HoldReport {
        reason: HoldReason::NoLedger,
        message: format!("{what} needs the ages of tags: {why}"),
    })
}

/// The hold of a field whose registry does not answer in full.
pub(super) fn without_listing(repository: &Repository, state: &RepositoryState) -> Option<HoldReport> {
    let (reason, message) = match state.error.as_ref()? {
        ScanError::Incomplete(message) => (HoldReason::ListingIncomplete, message),
        ScanError::Unreachable(message) => (HoldReason::RegistryUnreachable, message),
    };
    Some(HoldReport { reason, message: format!("{repository}: {message}") })
}

#[cfg(test)]
mod tests {
    use crate::annotation::PolicyText;
    use crate::reference::Tag;

    use super::*;

    fn policy(order: Order) -> ImagePolicy {
        ImagePolicy::new(order, PolicyText::default())
    }

    fn hold(until: Option<&str>) -> Hold {
        let until = until.map(|until| until.parse().unwrap());
        Hold { reason: "incident 4711".into(), until, by: Some("ana".into()) }
    }

    #[track_caller]
    fn check(holds: &[Hold], expect: usize, wake: Option<&str>) {
        let (reports, wake_at) = set_by_people(holds, "2026-06-01T12:00Z".parse().unwrap());
        assert_eq!((reports.len(), wake_at), (expect, wake.map(|at| at.parse().unwrap())));
    }

    #[test]
    fn a_hold_ends_at_its_until_and_the_first_end_is_when_to_ask_again() {
        check(&[hold(None)], 1, None);
        check(&[hold(Some("2026-06-01T12:00Z"))], 0, None);
        let (soon, late) = ("2026-06-01T12:01Z", "2026-07-01T00:00Z");
        check(&[hold(Some(late)), hold(Some(soon)), hold(None)], 3, Some(soon));
    }

    #[test]
    fn only_a_policy_that_follows_a_digest_reads_a_bare_one() {
        let image = format!("web@sha256:{}", "0".repeat(64));
        assert!(readable(&image, &policy(Order::Digest(Tag::parse("main").unwrap()))).is_ok());
        assert!(readable("${IMAGE}", &policy(Order::Digest(Tag::parse("main").unwrap()))).is_err());
    }

    #[test]
    fn a_bare_digest_and_a_template_are_held_with_the_text_named() {
        for image in [format!("web@sha256:{}", "0".repeat(64)), "${IMAGE}".to_owned()] {
            let hold = readable(&image, &policy(Order::Newest)).unwrap_err();
            assert_eq!(hold.reason, HoldReason::InvalidPolicy);
        }
        assert!(readable("web", &policy(Order::Newest)).is_ok());
    }
}
