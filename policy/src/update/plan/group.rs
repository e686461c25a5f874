//! Fields that move together: in one commit to the greatest version that all of them admit, or not at all.
//!
//! A member that is already at that version does not block the others; one that is held does. Not here: a field
//! that moves alone ([`super::single`]).

use std::collections::BTreeMap;

use crate::annotation::Order;
use crate::reference::Tag;
use crate::select::{Judge, Reason, Standing};
use crate::update::subject::Subject;
use crate::update::{HoldReason, HoldReport, hold};
use crate::version::compare_spellings;

use super::draft::{Draft, Next};
use super::single;
use super::step::{self, Step};

/// What a member would do at the common version.
enum Part {
    /// It is there.
    There,
    /// It moves to this tag; `true` if it enters its policy with that.
    Moves(Tag, bool),
}

/// The tag that a member moves to and what is known of that step; `None` if it is there.
type Steps = Vec<Option<(Tag, Step)>>;

/// What the tags of a member count for, and which tag stands for it; `None` for the running one.
type Options<'t> = BTreeMap<Standing<'t>, Option<&'t str>>;

/// Fills in what the members of the group `name` do; they are in the order of their field ids.
pub(super) fn settle(name: &str, members: &mut [Draft<'_>]) {
    if let [only] = members {
        return single::settle(only);
    }
    if let Some(message) = incomparable(name, members) {
        for member in members {
            member.hold(hold::invalid(message.clone()));
        }
        return;
    }
    members.iter_mut().for_each(judge_alone);
    if members.iter().any(|member| !member.is_held() && matches!(member.next, Next::Wait)) {
        for member in members {
            member.next = Next::Wait;
        }
        return;
    }
    let steps = loop {
        let Some(parts) = common(members) else { return stay(name, members) };
        match steps_of(members, parts) {
            Ok(steps) => break steps,
            // It was taken before and undone: the next best version is looked for.
            Err((index, tag)) => {
                if let Some(subject) = members.get_mut(index).and_then(|member| member.subject.as_mut()) {
                    subject.past.take_out(tag.as_str());
                }
            }
        }
    };
    take(name, members, steps);
}

/// Why the versions of the members cannot be compared, if they cannot.
fn incomparable(name: &str, members: &[Draft<'_>]) -> Option<String> {
    let mut kinds = members
        .iter()
        .filter_map(|member| Some((&member.report.field.0, kind(&member.subject.as_ref()?.policy.order))));
    let (first, of_first) = kinds.next()?;
    let (other, of_other) = kinds.find(|(_, kind)| *kind != of_first)?;
    Some(format!(
        "the members of group {name} do not compare: {first} has `{of_first}` and {other} has `{of_other}` \
         (hint: give both the same kind of policy)"
    ))
}

fn kind(order: &Order) -> &'static str {
    match order {
        Order::Semver(_) => "semver",
        Order::Numeric(false) => "numeric",
        Order::Numeric(true) => "numeric:desc",
        Order::Alphabetical(false) => "alphabetical",
        Order::Alphabetical(true) => "alphabetical:desc",
        // Annotations refuse these two in a group.
        Order::Newest => "newest",
        Order::Digest(_) => "digest",
    }
}

/// Fills in the report of a member as if it moved alone; what it does is decided by the group.
fn judge_alone(member: &mut Draft<'_>) {
    let held = member.report.holds.len();
    single::settle(member);
    member.report.holds.truncate(held);
}

/// The greatest version that all members are at or can move to, and what that means for each.
///
/// `None` if there is none, or nobody would move.
fn common(members: &[Draft<'_>]) -> Option<Vec<Part>> {
    let judges: Vec<_> = members
        .iter()
        .map(|member| {
            let subject = member.subject.as_ref()?;
            Some((subject, Judge::new(subject.policy, &subject.past.input())))
        })
        .collect::<Option<_>>()?;
    let options: Vec<Options<'_>> = judges.iter().map(|(subject, judge)| options(subject, judge)).collect();
    let (first, rest) = options.split_first()?;
    let version = first.keys().rev().find(|version| rest.iter().all(|other| other.contains_key(version)))?;
    let parts = judges.iter().zip(&options).map(|((subject, judge), options)| {
        let Some(tag) = options.get(version).copied().flatten() else { return Some(Part::There) };
        let entering = subject.reference.tag.is_none() || judge.is_entering();
        Some(Part::Moves(Tag::parse(tag).ok()?, entering))
    });
    let parts: Vec<Part> = parts.collect::<Option<_>>()?;
    parts.iter().any(|part| matches!(part, Part::Moves(..))).then_some(parts)
}

fn options<'t>(subject: &'t Subject<'_>, judge: &'t Judge<'t>) -> Options<'t> {
    let mut options = Options::new();
    for tag in subject.state.tags.iter().flat_map(|tags| tags.iter()).map(String::as_str) {
        let Some(standing) = judge.standing(tag) else { continue };
        let kept = options.entry(standing).or_insert(Some(tag));
        if kept.is_some_and(|kept| compare_spellings(tag, kept).is_gt()) {
            *kept = Some(tag);
        }
    }
    if !is_left_freely(subject, judge) {
        options.extend(judge.current_standing().map(|standing| (standing, None)));
    }
    options
}

/// Whether the running tag is no place to stay: its policy admits it no more, and it may be left downwards.
fn is_left_freely(subject: &Subject<'_>, judge: &Judge<'_>) -> bool {
    let current = subject.reference.tag.as_ref().and_then(|tag| judge.rejection(tag.as_str()));
    subject.past.may_downgrade && current.is_some_and(|reason| reason < Reason::FewerParts)
}

/// The steps of the members that move; fails with a member and a tag that it has been taken away from before.
fn steps_of(members: &[Draft<'_>], parts: Vec<Part>) -> Result<Steps, (usize, Tag)> {
    let mut steps = Vec::with_capacity(parts.len());
    for (index, (member, part)) in members.iter().zip(parts).enumerate() {
        let step = match (part, &member.subject) {
            (Part::Moves(tag, entering), Some(subject)) => match step::to(subject, &tag, entering) {
                Step::Taken => return Err((index, tag)),
                step => Some((tag, step)),
            },
            _ => None,
        };
        steps.push(step);
    }
    Ok(steps)
}

/// All members take their steps, or none does.
fn take(name: &str, members: &mut [Draft<'_>], steps: Steps) {
    let are_known = steps.iter().flatten().all(|(_, step)| matches!(step, Step::Ready(_)));
    let mut moving = Vec::with_capacity(steps.len());
    for (member, step) in members.iter_mut().zip(steps) {
        moving.push(step.is_some());
        let Some((tag, step)) = step else {
            member.report.selected = None;
            member.next = Next::Rest;
            continue;
        };
        member.report.selected = Some(tag.to_string());
        member.next = Next::Rest;
        member.take(Some(step));
        if !are_known && matches!(member.next, Next::Move(_)) {
            member.next = Next::Wait;
        }
    }
    let blocking = members.iter().zip(&moving).find(|(member, moves)| **moves && member.is_held());
    if let Some(blocking) = blocking.map(|(member, _)| named(member)) {
        for (member, _) in
            members.iter_mut().zip(moving).filter(|(member, moves)| *moves && !member.is_held())
        {
            let to = member.report.selected.clone().unwrap_or_default();
            member.hold(incomplete(name, &to, &blocking));
        }
    }
}

/// Nobody moves: whoever could move alone waits for the others.
fn stay(name: &str, members: &mut [Draft<'_>]) {
    let could: Vec<bool> = members.iter().map(|member| member.report.selected.is_some()).collect();
    for index in 0..members.len() {
        let is_free = members.get(index).is_some_and(|member| !member.is_held());
        let to = members.get(index).and_then(|member| member.report.selected.clone());
        let others = || members.iter().enumerate().filter(|(other, _)| *other != index);
        let blocking = others()
            .find(|(_, other)| other.is_held())
            .or_else(|| others().find(|(other, _)| could.get(*other) == Some(&false)))
            .or_else(|| others().next())
            .map(|(_, other)| named(other));
        let Some(member) = members.get_mut(index) else { continue };
        member.next = Next::Rest;
        if let (true, Some(to), Some(blocking)) = (is_free, to, blocking) {
            member.hold(incomplete(name, &to, &blocking));
        }
    }
}

/// A member and what is the matter with it.
fn named(member: &Draft<'_>) -> String {
    let held = member.report.holds.iter().map(|hold| hold.reason).min();
    match held {
        Some(reason) => format!("{}, which is held ({})", member.report.field.0, reason.code()),
        None => format!("{}, which cannot move to the same version now", member.report.field.0),
    }
}

/// The hold of a member that another one blocks.
pub(in crate::update) fn incomplete(name: &str, to: &str, blocking: &str) -> HoldReport {
    let message = format!("group {name} does not move to {to} without {blocking}");
    HoldReport { reason: HoldReason::GroupIncomplete, message }
}
