//! A field that moves alone: the best tag that its policy admits.
//!
//! Not here: fields that follow a digest ([`super::digest`]) and members of a group ([`super::group`]).

use crate::annotation::Order;
use crate::reference::Tag;
use crate::select::{Judge, Reason};

use super::digest;
use super::draft::{Draft, Next};
use super::step::{self, Step};

/// Fills in what the field would do.
pub(super) fn settle(draft: &mut Draft<'_>) {
    let Some(subject) = &mut draft.subject else { return };
    let Some(tags) = &subject.state.tags else {
        draft.next = Next::Wait;
        return;
    };
    if let Order::Digest(followed) = &subject.policy.order {
        return digest::settle(draft, followed);
    }
    let (step, selected, wake_at) = loop {
        let judge = Judge::new(subject.policy, &subject.past.input());
        let choice = judge.choose(tags);
        let entering = subject.reference.tag.is_none() || judge.is_entering();
        let is_young = choice.rejected.contains_key(&Reason::TooYoung);
        let wake_at = if is_young { judge.comes_of_age(tags) } else { None };
        draft.report.rejected =
            choice.rejected.iter().map(|(reason, count)| (reason.code(), *count)).collect();
        // Scanners drop what is no tag.
        let Some(selected) = choice.selected.and_then(|tag| Tag::parse(tag).ok()) else {
            break (None, None, wake_at);
        };
        match step::to(subject, &selected, entering) {
            Step::Taken => subject.past.take_out(selected.as_str()),
            step => break (Some(step), Some(selected), wake_at),
        }
    };
    draft.wake_at(wake_at);
    draft.report.selected = selected.map(|tag| tag.to_string());
    draft.take(step);
}

impl Draft<'_> {
    /// Takes a step as far as it goes.
    pub(super) fn take(&mut self, step: Option<Step>) {
        match step {
            None | Some(Step::Taken) => self.next = Next::Rest,
            Some(Step::Lacks(fact)) => self.next = Next::Ask(fact),
            Some(Step::Ready(change)) => self.next = Next::Move(change),
            Some(Step::Stopped(hold)) => self.hold(hold),
        }
    }
}
