//! Snapshots → the plan of one commit, and the reason for every field that it leaves alone.
//!
//! Each field is decided by itself, in small steps: holds, selection, manifest, edit. Called by the agent's
//! update loop, `tidegate plan` and `tidegate explain`. Not here: what tags a policy admits (see
//! [`crate::select`]), how bytes are replaced (see [`crate::manifest::edit`]).

use std::collections::BTreeMap;
use std::error::Error as _;

use crate::annotation::{ImagePolicy, Order};
use crate::history::{FieldHistory, Traces, trace};
use crate::manifest::edit::{self, EditError};
use crate::manifest::{Edit, FieldPolicy, ImageField};
use crate::reference::{ImageReference, Tag, split_written};
use crate::select::Judge;

use super::decision::{self, Identity};
use super::past::Past;
use super::{
    Change, Decision, FieldReport, HoldReport, ManifestFact, RepositoryState, UpdateInput, UpdatePlan,
    UpdateReport, Wanted, hold, shared,
};

/// Plans the commit that brings the tree in line with its policies.
///
/// # Guarantees
/// Planning again on the planned result gives no change. The order of the input does not matter. A field
/// moves only to a tag that its policy admits, that is newer than every value it held, that the last
/// complete listing shows and whose manifest resolved.
pub fn plan(input: &UpdateInput<'_>) -> (UpdatePlan, UpdateReport) {
    let traces = trace(input.tree, input.history, input.rewrite);
    let mut plan = UpdatePlan { parent: input.tree.revision.clone(), ..UpdatePlan::default() };
    let mut report = UpdateReport::default();
    for (file, scan) in &input.tree.files {
        report.findings.extend(scan.findings.iter().cloned());
        for field in &scan.fields {
            let outcome = Decider { input, traces: &traces, file, field }.decide();
            plan.changes.extend(outcome.change);
            plan.wanted.extend(outcome.wanted);
            plan.wake_at = [plan.wake_at, outcome.wake_at].into_iter().flatten().min();
            report.fields.push(outcome.report);
        }
    }
    shared::hold_disagreeing(input.tree, &mut plan, &mut report);
    plan.changes.sort_by(|a, b| (&a.file, a.start, &a.field).cmp(&(&b.file, b.start, &b.field)));
    plan.wanted.sort();
    plan.wanted.dedup();
    report.fields.sort_by(|a, b| a.field.cmp(&b.field));
    (plan, report)
}

/// What was decided for one field.
struct Outcome {
    report: FieldReport,
    change: Option<Change>,
    wanted: Option<Wanted>,
    wake_at: Option<jiff::Timestamp>,
}

/// One field and all that is known of it.
struct Decider<'a> {
    input: &'a UpdateInput<'a>,
    traces: &'a Traces,
    file: &'a str,
    field: &'a ImageField,
}

impl Decider<'_> {
    fn decide(&self) -> Outcome {
        let policy = match &self.field.policy {
            FieldPolicy::None => return self.outcome(Decision::NoPolicy),
            FieldPolicy::Invalid(finding) => return self.held(vec![hold::invalid(finding.to_string())]),
            FieldPolicy::Policy(policy) => policy,
        };
        let (mut holds, wake_at) = hold::set_by_people(&policy.holds, self.input.now);
        let reference = match hold::readable(&self.field.image) {
            Ok(reference) => reference,
            Err(invalid) => {
                holds.insert(0, invalid);
                return Outcome { wake_at, ..self.held(holds) };
            }
        };
        if let Some(gap) = self.history().and_then(|history| history.gap.as_ref()) {
            holds.push(hold::without_history(gap, &self.field.id.0));
        }
        let empty = RepositoryState::default();
        let state = self.input.registry.repositories.get(&reference.repository).unwrap_or(&empty);
        holds.extend(hold::without_listing(&reference.repository, state));
        let mut outcome = self.outcome(Decision::Waiting);
        if let Some(tags) = &state.tags {
            outcome = self.choose(policy, &reference, state, tags, holds.is_empty());
            outcome.report.warnings = warnings(&reference, state, tags);
        }
        if !holds.is_empty() {
            outcome.report.decision = Decision::Held;
            outcome.report.holds = holds;
        }
        outcome.wake_at = wake_at;
        outcome
    }

    /// Chooses among the listed tags and says what follows.
    fn choose(
        &self,
        policy: &ImagePolicy,
        reference: &ImageReference,
        state: &RepositoryState,
        tags: &[String],
        free: bool,
    ) -> Outcome {
        let mut outcome = self.outcome(Decision::UpToDate);
        let mut past = Past::of(self.history(), reference, state);
        let (selected, decision, entering) = loop {
            let judge = Judge::new(policy, &past.input());
            let choice = judge.choose(tags);
            let entering = reference.tag.is_none() || judge.is_entering();
            outcome.report.rejected =
                choice.rejected.iter().map(|(reason, count)| (reason.code(), *count)).collect();
            let Some(selected) = choice.selected else { return outcome };
            let decision = self.decision_id(policy, selected);
            // A decision that stands in a trailer was taken before: whoever undid it meant it.
            if past.holds(selected) || !self.traces.decisions.contains(&decision) {
                break (selected.to_owned(), decision, entering);
            }
            let selected = selected.to_owned();
            past.held.push(selected);
        };
        outcome.report.decision = Decision::Waiting;
        outcome.report.selected = Some(selected.clone());
        let Ok(tag) = Tag::parse(&selected) else { return outcome }; // scanners drop what is no tag
        let edits = match edit::replacements(self.field, &tag, None) {
            Ok(edits) => edits,
            Err(error) => return self.held(vec![hold::invalid(chain(&error))]),
        };
        if free && let Some(ManifestFact::Present(_)) = state.manifests.get(&tag) {
            outcome.report.decision = Decision::Update;
            outcome.change = Some(self.change(&tag, edits, decision, reason(policy, entering)));
        } else if free {
            outcome.wanted = Some(Wanted::Manifest(reference.repository.clone(), tag));
        }
        outcome
    }

    fn change(&self, tag: &Tag, edits: Vec<Edit>, decision: String, reason: String) -> Change {
        Change {
            field: self.field.id.clone(),
            file: self.file.to_owned(),
            start: edits.first().map_or(0, |edit| edit.range.start),
            end: edits.first().map_or(0, |edit| edit.range.end),
            from: self.field.image.clone(),
            to: with_tag(&self.field.image, tag),
            reason,
            decision,
            object: self.field.object.clone(),
            container: self.field.container.clone(),
            edits,
        }
    }

    fn decision_id(&self, policy: &ImagePolicy, selected: &str) -> String {
        let to = Tag::parse(selected).map(|tag| with_tag(&self.field.image, &tag));
        decision::id(&Identity {
            branch: self.input.branch,
            field: &self.field.id,
            from: &self.field.image,
            to: to.as_deref().unwrap_or(selected),
            policy: &policy.text,
            changed_by: self.history().and_then(|history| history.changed_by.as_deref()),
        })
    }

    fn history(&self) -> Option<&FieldHistory> {
        self.traces.fields.get(&self.field.id)
    }

    fn held(&self, holds: Vec<HoldReport>) -> Outcome {
        let mut outcome = self.outcome(Decision::Held);
        outcome.report.holds = holds;
        outcome
    }

    fn outcome(&self, decision: Decision) -> Outcome {
        let field = self.field;
        let report = FieldReport {
            field: field.id.clone(),
            file: self.file.to_owned(),
            line: field.line,
            object: field.object.clone(),
            container: field.container.clone(),
            image: field.image.clone(),
            decision,
            holds: Vec::new(),
            selected: None,
            rejected: BTreeMap::new(),
            warnings: Vec::new(),
        };
        Outcome { report, change: None, wanted: None, wake_at: None }
    }
}

/// The image with another tag and no digest, its name spelt as before.
fn with_tag(image: &str, tag: &Tag) -> String {
    let name = split_written(image).map_or(image, |written| written.name);
    format!("{name}:{tag}")
}

/// Why the selected tag is the right one, in words.
fn reason(policy: &ImagePolicy, entering: bool) -> String {
    let best = match &policy.order {
        Order::Semver(_) => "highest version",
        Order::Numeric(_) => "last number",
        Order::Alphabetical(_) => "last name",
        Order::Newest => "newest tag",
        Order::Digest(_) => "newest digest",
    };
    let entering = if entering { " (entering policy)" } else { "" };
    format!("{best} that {} admits{entering}", policy.text.policy)
}

/// An error and its cause on one line.
fn chain(error: &EditError) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

/// What looks wrong and holds nothing.
fn warnings(reference: &ImageReference, state: &RepositoryState, tags: &[String]) -> Vec<String> {
    let repository = &reference.repository;
    let mut warnings = Vec::new();
    if let Some(before) = state.shrunk_from {
        warnings.push(format!("the listing of {repository} shrank from {before} to {} tags", tags.len()));
    }
    if let Some(tag) = &reference.tag
        && !tags.iter().any(|listed| listed == tag.as_str())
    {
        warnings.push(format!("the running tag {tag} is not in the listing of {repository}"));
    }
    warnings
}
