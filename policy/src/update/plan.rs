//! Snapshots → the plan of one commit, and the reason for every field that it leaves alone.
//!
//! Holds and warnings of each field ([`draft`]), then what it would do: alone ([`single`], [`digest`]) or with
//! its group ([`group`]). Called by the agent's update loop, `tidegate plan` and `tidegate explain`. Not here:
//! what tags a policy admits (see [`crate::select`]), how bytes are replaced (see [`crate::manifest::edit`]).

pub(super) mod digest;
mod draft;
pub(super) mod group;
mod single;
mod step;
mod warnings;

use std::collections::BTreeMap;

use crate::history::trace;
use crate::manifest::FieldId;

use super::{Decision, HoldReason, UpdateInput, UpdatePlan, UpdateReport, shared};
use draft::{Draft, Next};

/// Plans the commit that brings the tree in line with its policies.
///
/// # Guarantees
/// Planning again on the planned result gives no change. The order of the input does not matter. A field
/// moves only to a tag that its policy admits, that is newer than every value it held (unless a downgrade is
/// permitted), that the last complete listing shows and whose manifest resolved. The members of a group move
/// together or not at all.
pub fn plan(input: &UpdateInput<'_>) -> (UpdatePlan, UpdateReport) {
    let traces = trace(input.tree, input.history, input.rewrite);
    let mut plan = UpdatePlan { parent: input.tree.revision.clone(), ..UpdatePlan::default() };
    let mut report = UpdateReport::default();
    let mut alone = Vec::new();
    let mut groups: BTreeMap<&str, Vec<Draft<'_>>> = BTreeMap::new();
    for (file, scan) in &input.tree.files {
        report.findings.extend(scan.findings.iter().cloned());
        for field in &scan.fields {
            let draft = Draft::new(input, &traces, file, field);
            match draft.group {
                Some(group) => groups.entry(group).or_default().push(draft),
                None => alone.push(draft),
            }
        }
    }
    alone.iter_mut().for_each(single::settle);
    for (name, members) in &mut groups {
        members.sort_by(|a, b| a.report.field.cmp(&b.report.field));
        group::settle(name, members);
    }
    for draft in alone.into_iter().chain(groups.into_values().flatten()) {
        let (field, next, wake_at) = draft.finish();
        match next {
            Next::Move(change) => plan.changes.push(*change),
            Next::Ask(fact) => plan.wanted.push(fact),
            Next::Rest | Next::Wait => {}
        }
        plan.wake_at = [plan.wake_at, wake_at].into_iter().flatten().min();
        report.fields.push(field);
    }
    agree(input, &mut plan, &mut report);
    plan.changes.sort_by(|a, b| (&a.file, a.start, &a.field).cmp(&(&b.file, b.start, &b.field)));
    plan.wanted.sort();
    plan.wanted.dedup();
    report.fields.sort_by(|a, b| a.field.cmp(&b.field));
    (plan, report)
}

/// Takes out changes until fields that share bytes agree and groups are whole.
fn agree(input: &UpdateInput<'_>, plan: &mut UpdatePlan, report: &mut UpdateReport) {
    let members: Vec<(FieldId, String)> = plan
        .changes
        .iter()
        .filter_map(|change| Some((change.field.clone(), change.group.clone()?)))
        .collect();
    while shared::hold_disagreeing(input.tree, plan, report) {
        let is_planned = |field: &FieldId| plan.changes.iter().any(|change| change.field == *field);
        let broken: BTreeMap<&str, &FieldId> = members
            .iter()
            .filter(|(field, _)| !is_planned(field))
            .map(|(field, group)| (group.as_str(), field))
            .collect();
        plan.changes.retain(|change| {
            let blocking = change.group.as_ref().and_then(|group| Some((group, broken.get(group.as_str())?)));
            let Some((group, blocking)) = blocking else { return true };
            for field in report.fields.iter_mut().filter(|field| field.field == change.field) {
                let blocking =
                    format!("{}, which is held ({})", blocking.0, HoldReason::InvalidPolicy.code());
                let to = field.selected.clone().unwrap_or_default();
                field.decision = Decision::Held;
                field.holds.push(group::incomplete(group, &to, &blocking));
            }
            false
        });
    }
}
