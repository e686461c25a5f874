//! What only the whole file shows: equal ids, and values that several fields share by an anchor.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::FINDINGS_MAX;
use crate::finding::Finding;
use crate::manifest::yaml::source::finding;
use crate::manifest::{FieldPolicy, FileScan, ImageField};
use crate::quote::quoted;

/// Checks the fields against each other; puts fields and findings in order, each finding once.
pub(super) fn check(path: &str, out: &mut FileScan) {
    out.fields.sort_by_key(|field| field.sites.first().map_or(0, |site| site.range.start));
    let mut problems = equal_ids(path, &out.fields);
    problems.extend(shared_values(path, &out.fields));
    for (index, problem) in problems {
        let Some(field) = out.fields.get_mut(index) else { continue };
        // A field without a policy is not touched, whatever it shares.
        if !matches!(field.policy, FieldPolicy::None) {
            field.policy = FieldPolicy::Invalid(problem.clone());
        }
        out.findings.push(problem);
    }
    let invalid = out.fields.iter().filter_map(|field| match &field.policy {
        FieldPolicy::Invalid(problem) => Some(problem.clone()),
        _ => None,
    });
    out.findings.extend(invalid);
    let mut seen = HashSet::new();
    out.findings.retain(|problem| seen.insert(problem.to_string()));
    out.findings.sort_by_key(|problem| problem.line);
    if out.findings.len() > FINDINGS_MAX {
        out.findings.truncate(FINDINGS_MAX);
        out.findings.push(finding(
            path,
            0,
            "more problems than are listed",
            Some("mend the first ones first"),
        ));
    }
}

fn equal_ids(path: &str, fields: &[ImageField]) -> Vec<(usize, Finding)> {
    let mut by_id: HashMap<&str, usize> = HashMap::new();
    let mut problems = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        let Some(first) = by_id.insert(&field.id.0, index) else { continue };
        let message = format!("two images in this file have the same id {}", quoted(&field.id.0));
        let problem = finding(path, field.line, message, Some("give them different names"));
        problems.push((first, problem.clone()));
        problems.push((index, problem));
    }
    problems
}

fn shared_values(path: &str, fields: &[ImageField]) -> Vec<(usize, Finding)> {
    let mut by_site: BTreeMap<usize, Vec<(usize, &ImageField)>> = BTreeMap::new();
    for (index, field) in fields.iter().enumerate() {
        for site in &field.sites {
            by_site.entry(site.range.start).or_default().push((index, field));
        }
    }
    let mut problems = Vec::new();
    for sharing in by_site.into_values() {
        if sharing.windows(2).all(|pair| matches!(pair, [(_, a), (_, b)] if is_same_policy(a, b))) {
            continue;
        }
        for (index, field) in sharing {
            let message = "several images share this value by an anchor, and their policies differ";
            let hint = "give them the same policy, or write the image out in each place";
            problems.push((index, finding(path, field.line, message, Some(hint))));
        }
    }
    problems
}

fn is_same_policy(a: &ImageField, b: &ImageField) -> bool {
    let same = match (&a.policy, &b.policy) {
        (FieldPolicy::None, FieldPolicy::None) => true,
        (FieldPolicy::Policy(a), FieldPolicy::Policy(b)) => a.text == b.text && a.holds == b.holds,
        _ => false,
    };
    same && a.image == b.image
}
