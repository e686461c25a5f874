//! Image fields that share bytes: an anchor and its aliases are written once and read by several containers.
//!
//! Whoever shares must agree, or nothing moves: a field without a policy, or one that is held, is never
//! changed through its neighbour. Called by [`super::plan`].

use std::collections::{BTreeMap, HashMap};

use crate::manifest::{FieldId, FileScan, ImageField};

use super::{Change, Decision, TreeSnapshot, UpdatePlan, UpdateReport, hold};

/// Takes out of the plan every change that another field would feel and does not make itself; tells whether
/// there was any.
///
/// One round may not be enough: a change that is taken out is one less that agrees.
pub(super) fn hold_disagreeing(
    tree: &TreeSnapshot,
    plan: &mut UpdatePlan,
    report: &mut UpdateReport,
) -> bool {
    let sharing: BTreeMap<&str, Vec<(&ImageField, &ImageField)>> = tree
        .files
        .iter()
        .filter(|(file, _)| plan.changes.iter().any(|change| change.file == **file))
        .map(|(file, scan)| (file.as_str(), pairs(scan)))
        .filter(|(_, pairs)| !pairs.is_empty())
        .collect();
    let before = plan.changes.len();
    if sharing.is_empty() {
        return false;
    }
    while let Some((field, other)) = disagreeing(&sharing, plan) {
        plan.changes.retain(|change| change.field != field);
        for entry in report.fields.iter_mut().filter(|entry| entry.field == field) {
            entry.decision = Decision::Held;
            entry.holds.push(hold::invalid(format!(
                "the same text is the image of {}, which does not make this move (hint: write the image twice)",
                other.0
            )));
        }
    }
    plan.changes.len() < before
}

/// Pairs of fields of one file whose sites overlap, each pair in both orders.
fn pairs(scan: &FileScan) -> Vec<(&ImageField, &ImageField)> {
    let mut sites: Vec<_> = scan
        .fields
        .iter()
        .flat_map(|field| field.sites.iter().map(move |site| (&site.range, field)))
        .collect();
    sites.sort_by_key(|(range, _)| (range.start, range.end));
    let mut pairs = Vec::new();
    for (index, (range, field)) in sites.iter().enumerate() {
        let overlapping = sites.iter().skip(index + 1).take_while(|(next, _)| next.start < range.end);
        for (_, other) in overlapping.filter(|(_, other)| other.id != field.id) {
            pairs.push((*field, *other));
            pairs.push((*other, *field));
        }
    }
    pairs
}

fn disagreeing(
    sharing: &BTreeMap<&str, Vec<(&ImageField, &ImageField)>>,
    plan: &UpdatePlan,
) -> Option<(FieldId, FieldId)> {
    let changes: HashMap<&FieldId, &Change> =
        plan.changes.iter().map(|change| (&change.field, change)).collect();
    for (field, other) in sharing.values().flatten() {
        let Some(change) = changes.get(&field.id) else { continue };
        if changes.get(&other.id).is_none_or(|with| with.edits != change.edits) {
            return Some((field.id.clone(), other.id.clone()));
        }
    }
    None
}
