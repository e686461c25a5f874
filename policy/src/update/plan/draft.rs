//! What is decided for one field, while it is being decided.
//!
//! Holds and warnings come first; what the field would do without them is filled in by the other modules.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::annotation::ImagePolicy;
use crate::history::Traces;
use crate::manifest::{FieldPolicy, ImageField};
use crate::update::subject::Subject;
use crate::update::{Change, Decision, FieldReport, HoldReport, UpdateInput, Wanted, hold};

/// One field that is being decided.
pub(super) struct Draft<'a> {
    pub(super) report: FieldReport,
    /// `None` if the field has no policy, or its policy or image cannot be read.
    pub(super) subject: Option<Subject<'a>>,
    /// The group of a field with a policy, readable or not.
    pub(super) group: Option<&'a str>,
    pub(super) next: Next,
    pub(super) wake_at: Option<Timestamp>,
}

/// What a field would do if nothing held it.
pub(super) enum Next {
    /// Stay where it is.
    Rest,
    /// Wait for a listing, or for another member of its group.
    Wait,
    /// Ask for a fact.
    Ask(Wanted),
    /// Move.
    Move(Box<Change>),
}

impl<'a> Draft<'a> {
    /// Begins with what needs no listing: holds and warnings.
    pub(super) fn new(
        input: &'a UpdateInput<'a>,
        traces: &'a Traces,
        file: &'a str,
        field: &'a ImageField,
    ) -> Self {
        let mut draft =
            Self { report: report(file, field), subject: None, group: None, next: Next::Rest, wake_at: None };
        match &field.policy {
            FieldPolicy::None => draft.report.decision = Decision::NoPolicy,
            FieldPolicy::Invalid(finding) => {
                draft.group = field.group.as_deref();
                draft.hold(hold::invalid(finding.to_string()));
            }
            FieldPolicy::Policy(policy) => draft.read(input, traces, file, field, policy),
        }
        draft
    }

    fn read(
        &mut self,
        input: &'a UpdateInput<'a>,
        traces: &'a Traces,
        file: &'a str,
        field: &'a ImageField,
        policy: &'a ImagePolicy,
    ) {
        self.group = policy.group.as_deref();
        let (holds, ends_at) = hold::set_by_people(&policy.holds, input.now);
        self.report.holds.extend(holds);
        self.wake_at(ends_at);
        let (closed, changes_at) = hold::outside_window(policy, input.guards, input.now);
        self.report.holds.extend(closed);
        self.wake_at(changes_at);
        let reference = match hold::readable(&field.image, policy) {
            Ok(reference) => reference,
            Err(invalid) => return self.hold(invalid),
        };
        let subject = Subject::new(input, traces, (file, field), policy, reference);
        if let Some(gap) = subject.history.and_then(|history| history.gap.as_ref()) {
            self.hold(hold::without_history(gap, &field.id.0));
        }
        self.report.holds.extend(hold::without_ledger(&subject));
        self.report.holds.extend(hold::without_listing(&subject.reference.repository, subject.state));
        self.report.warnings = super::warnings::of(&subject);
        self.subject = Some(subject);
    }

    pub(super) fn hold(&mut self, hold: HoldReport) {
        self.report.holds.push(hold);
    }

    pub(super) fn is_held(&self) -> bool {
        !self.report.holds.is_empty()
    }

    /// Asks to be decided again at `at` at the latest.
    pub(super) fn wake_at(&mut self, at: Option<Timestamp>) {
        self.wake_at = [self.wake_at, at].into_iter().flatten().min();
    }

    /// Settles the decision: holds stop what would be done.
    pub(super) fn finish(mut self) -> (FieldReport, Next, Option<Timestamp>) {
        self.report.holds.sort_by_key(|hold| hold.reason);
        if self.report.decision == Decision::NoPolicy {
            return (self.report, Next::Rest, None);
        }
        if self.is_held() {
            self.report.decision = Decision::Held;
            return (self.report, Next::Rest, self.wake_at);
        }
        self.report.decision = match &self.next {
            Next::Rest => Decision::UpToDate,
            Next::Wait | Next::Ask(_) => Decision::Waiting,
            Next::Move(_) => Decision::Update,
        };
        (self.report, self.next, self.wake_at)
    }
}

fn report(file: &str, field: &ImageField) -> FieldReport {
    FieldReport {
        field: field.id.clone(),
        file: file.to_owned(),
        line: field.line,
        object: field.object.clone(),
        container: field.container.clone(),
        image: field.image.clone(),
        decision: Decision::UpToDate,
        holds: Vec::new(),
        selected: None,
        rejected: BTreeMap::new(),
        warnings: Vec::new(),
    }
}
