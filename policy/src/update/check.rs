//! The promises of a plan, looked at once more before anything is written.
//!
//! A violation is a bug of the planner, and nothing is committed then. Called by the agent between
//! [`super::plan`] and the commit.

mod moves;

use std::collections::HashSet;

use crate::history::trace;
use crate::manifest::ImageField;

use super::{Change, UpdateInput, UpdatePlan};

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
    /// Somebody holds the field, or it is outside its windows.
    #[error("{0} would move though it is held")]
    Held(String),
    /// The tag is too young, or its age is not known.
    #[error("{field} would move to {to}, which is not known to be old enough")]
    TooYoung {
        /// Field id.
        field: String,
        /// Reference after.
        to: String,
    },
    /// A member of the field's group would be left behind.
    #[error("{field} would move without {other} of its group")]
    Split {
        /// Field id.
        field: String,
        /// The field that would stay.
        other: String,
    },
}

/// Fails if `plan` breaks a promise: parent, one change per field, bytes, holds, no downgrade, existence, age,
/// whole groups.
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
        moves::check(input, &traces, field, change)?;
        moves::check_group(input, plan, field, change)?;
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
