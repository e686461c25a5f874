//! The policy of one field, from its object's annotations or from the markers beside it.

use super::Draft;
use crate::annotation::Setting;
use crate::finding::Finding;
use crate::manifest::annotations::{self, Resolved};
use crate::manifest::marker::{Marker, Parsed};
use crate::manifest::yaml::source::finding;
use crate::manifest::{FieldPolicy, Part, kustomization};
use crate::quote::quoted;
use crate::reference::{ImageReference, split_written};

/// Resolves the policy; whatever is in doubt holds the field.
pub(super) fn policy(path: &str, draft: &Draft, marks: &[Marker], line: usize) -> FieldPolicy {
    match resolve(path, draft, marks, line) {
        Ok(None) => FieldPolicy::None,
        Ok(Some(policy)) => FieldPolicy::Policy(Box::new(policy)),
        Err(problem) => FieldPolicy::Invalid(*problem),
    }
}

/// Holds a field whose value is read by an anchor on a line that holds no image.
pub(super) fn unless_shared(
    policy: FieldPolicy,
    path: &str,
    line: usize,
    shared: Option<usize>,
) -> FieldPolicy {
    match (&policy, shared) {
        (FieldPolicy::Policy(_), Some(other)) => {
            let message =
                format!("line {other} reads this value by an anchor and is no image that moves with it");
            let hint = "write the image out in each place, or put a marker beside the anchor";
            FieldPolicy::Invalid(finding(path, line, message, Some(hint)))
        }
        _ => policy,
    }
}

/// The group that the settings of an image name; it counts even where they cannot be read as a policy.
pub(super) fn group(draft: &Draft, marks: &[Marker]) -> Option<String> {
    let annotations = draft.annotations.iter().flat_map(|annotations| &annotations.settings);
    let markers = marks.iter().filter_map(|mark| mark.text.as_ref().ok()).flat_map(|mark| &mark.settings);
    let specific = format!("group.{}", draft.container);
    let mut groups: Vec<&Setting> = annotations
        .chain(markers)
        .filter(|setting| setting.key == "group" || setting.key == specific)
        .collect();
    groups.sort_by_key(|setting| setting.key != specific);
    groups.first().map(|setting| setting.value.trim().to_owned())
}

fn resolve(path: &str, draft: &Draft, marks: &[Marker], line: usize) -> Resolved {
    let annotations = draft.annotations.as_ref().map_err(Clone::clone)?;
    let from_marks = from_markers(path, draft, marks)?;
    let policy = if from_marks.is_empty() {
        annotations.resolve(path, &draft.container)?
    } else if annotations.settings.is_empty() {
        annotations::resolve(path, "", from_marks, &draft.container)?
    } else {
        let message = "the image has a marker and its object has annotations";
        return Err(Box::new(finding(path, line, message, Some("keep one of them"))));
    };
    if policy.is_some()
        && let Err(error) = ImageReference::parse(&draft.image)
    {
        let hint = "write a whole image reference, or remove the policy";
        return Err(Box::new(finding(path, line, error.to_string(), Some(hint))));
    }
    Ok(policy)
}

/// Checks the markers of one image and returns the settings that one of them carries.
fn from_markers<'m>(path: &str, draft: &Draft, marks: &'m [Marker]) -> Result<&'m [Setting], Box<Finding>> {
    let mut settings: &[Setting] = &[];
    for mark in marks {
        let parsed = mark.text.as_ref().map_err(Clone::clone)?;
        if let Some(message) = mismatch(draft, mark, parsed) {
            let hint = "name what stands on the line";
            return Err(Box::new(finding(path, mark.line, message, Some(hint))));
        }
        if !settings.is_empty() && !parsed.settings.is_empty() {
            let message = "the keys of one image stand on two lines";
            let hint = "write them all on one of the lines";
            return Err(Box::new(finding(path, mark.line, message, Some(hint))));
        }
        if !parsed.settings.is_empty() {
            settings = &parsed.settings;
        }
    }
    Ok(settings)
}

/// Says how a marker contradicts the value beside it.
fn mismatch(draft: &Draft, mark: &Marker, parsed: &Parsed) -> Option<String> {
    let is_part = |part| draft.sites.iter().any(|site| site.part == part);
    let by_key = || {
        let key = mark.key.as_deref()?;
        kustomization::PARTS.iter().find(|(name, _)| *name == key).map(|(_, part)| *part)
    };
    // The sites of a free marker have the parts that the markers say; those of a known image have their own.
    let expected = if is_part(Part::Whole) { Some(Part::Whole) } else { by_key() };
    let is_entry = draft.id.contains("#images/");
    let wrong_part = if is_entry { expected != Some(parsed.part) } else { !is_part(parsed.part) };
    if wrong_part {
        return Some(format!(
            "the marker of {} names another part than its line holds",
            quoted(&parsed.image)
        ));
    }
    let written = split_written(&draft.image).ok()?;
    let repository = |text: &str| ImageReference::parse(text).ok().map(|reference| reference.repository);
    if repository(written.name) == repository(&parsed.image) {
        return None;
    }
    Some(format!("the marker names {}, and its line {}", quoted(&parsed.image), quoted(written.name)))
}
