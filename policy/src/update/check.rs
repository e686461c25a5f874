//! The promises of a plan, looked at once more before anything is written.
//!
//! A violation is a bug of the planner, and nothing is committed then. Called by the agent between
//! [`super::plan`] and the commit.

use std::collections::HashSet;

use crate::annotation::Order;
use crate::history::trace;
use crate::manifest::{FieldPolicy, ImageField};
use crate::reference::{Tag, split_written};
use crate::select::Judge;
use crate::version::Version;

use super::past::Past;
use super::{Change, ManifestFact, UpdateInput, UpdatePlan, hold};

/// A promise that a plan breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// It was made for another revision.
    #[error("the plan is for {planned}, and the tree is at {tree}")]
    OtherParent {
        /// The plan's parent.
        planned: String,
        /// The tree's revision.
        tree: String,
    },
    /// A field changes twice.
    #[error("{0} changes twice")]
    Twice(String),
    /// No such field, or not with that value, or it has no policy.
    #[error("{0} does not hold what the plan changes, or has no policy")]
    OtherField(String),
    /// An edit reaches outside the bytes of its field.
    #[error("an edit of {0} lies outside the field")]
    OutOfRange(String),
    /// The new tag is not newer than what the field holds or held, or is not admitted.
    #[error("{field} would move from {from} to {to}, which its policy and past do not permit")]
    NotPermitted {
        /// Field id.
        field: String,
        /// Reference before.
        from: String,
        /// Reference after.
        to: String,
    },
    /// The manifest did not resolve, or the tag is not listed.
    #[error("{field} would move to {to}, which is not known to exist")]
    NotThere {
        /// Field id.
        field: String,
        /// Reference after.
        to: String,
    },
}

/// Fails if `plan` breaks a promise: parent, one change per field, bytes, no downgrade, existence.
pub fn check(input: &UpdateInput<'_>, plan: &UpdatePlan) -> Result<(), PlanError> {
    if plan.parent != input.tree.revision {
        let (planned, tree) = (plan.parent.clone(), input.tree.revision.clone());
        return Err(PlanError::OtherParent { planned, tree });
    }
    let traces = trace(input.tree, input.history, input.rewrite);
    let mut seen = HashSet::new();
    for change in &plan.changes {
        if !seen.insert(&change.field) {
            return Err(PlanError::Twice(change.field.0.clone()));
        }
        let field = field(input, change).ok_or_else(|| PlanError::OtherField(change.field.0.clone()))?;
        check_bytes(field, change)?;
        check_move(input, &traces, field, change)?;
    }
    Ok(())
}

fn field<'a>(input: &UpdateInput<'a>, change: &Change) -> Option<&'a ImageField> {
    let scan = input.tree.files.get(&change.file)?;
    let mut fields = scan.fields.iter().filter(|field| field.id == change.field);
    let field = fields.next().filter(|field| field.image == change.from)?;
    fields.next().is_none().then_some(field)
}

fn check_bytes(field: &ImageField, change: &Change) -> Result<(), PlanError> {
    let inside = change.edits.iter().all(|edit| {
        field
            .sites
            .iter()
            .any(|site| site.range == edit.range && site.text == edit.old && edit.new != edit.old)
    });
    let first = change.edits.first().is_some_and(|edit| edit.range == (change.start..change.end));
    if inside && first { Ok(()) } else { Err(PlanError::OutOfRange(field.id.0.clone())) }
}

fn check_move(
    input: &UpdateInput<'_>,
    traces: &crate::history::Traces,
    field: &ImageField,
    change: &Change,
) -> Result<(), PlanError> {
    let FieldPolicy::Policy(policy) = &field.policy else {
        return Err(PlanError::OtherField(field.id.0.clone()));
    };
    let (from, to) = (change.from.clone(), change.to.clone());
    let denied = || PlanError::NotPermitted { field: field.id.0.clone(), from: from.clone(), to: to.clone() };
    let reference = hold::readable(&from).map_err(|_| denied())?;
    let tag = split_written(&to).ok().and_then(|written| written.tag).ok_or_else(denied)?;
    let state = input.registry.repositories.get(&reference.repository);
    let exists = state.is_some_and(|state| {
        let listed = state.tags.as_ref().is_some_and(|tags| tags.iter().any(|listed| listed == tag));
        let facts = state.manifests.iter().filter(|(known, _)| known.as_str() == tag);
        listed && facts.into_iter().any(|(_, fact)| matches!(fact, ManifestFact::Present(_)))
    });
    let (Some(state), true) = (state, exists) else {
        return Err(PlanError::NotThere { field: field.id.0.clone(), to });
    };
    let history = traces.fields.get(&field.id);
    let past = Past::of(history, &reference, state);
    let admitted = Judge::new(policy, &past.input()).rejection(tag).is_none();
    let known = history.is_some_and(|history| history.gap.is_none());
    // A second opinion that shares no code with selection: plain versions never go down.
    let plain = matches!(policy.order, Order::Semver(_)) && policy.filter.tags.is_empty();
    let down = plain && is_down(reference.tag.as_ref().map(Tag::as_str), tag);
    if admitted && known && !past.holds(tag) && !down { Ok(()) } else { Err(denied()) }
}

fn is_down(from: Option<&str>, to: &str) -> bool {
    let versions = from.and_then(Version::parse).zip(Version::parse(to));
    versions.is_some_and(|(from, to)| !to.is_newer_than(&from))
}
