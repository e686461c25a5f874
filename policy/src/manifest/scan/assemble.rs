//! Drafts and markers of one document → image fields.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use super::uses::Uses;
use super::{Draft, FIELDS_MAX, Place, Scope, resolve};
use crate::manifest::marker::{self, Marker, Parsed};
use crate::manifest::workload::Identity;
use crate::manifest::yaml::NodeId;
use crate::manifest::yaml::source::finding;
use crate::manifest::{FieldId, FileScan, ImageField, Part, site, workload};
use crate::quote::quoted;

/// More than so many fields in a file.
pub(super) struct TooMany;

/// Turns what was found in one document into fields.
pub(super) fn finish(mut scope: Scope<'_>, has_markers: bool, out: &mut FileScan) -> Result<(), TooMany> {
    let markers = if has_markers { marker::markers(&mut scope) } else { Vec::new() };
    let (mut marks, free) = sort(&scope, markers);
    if out.fields.len() + scope.drafts.len() + free.len() > FIELDS_MAX {
        return Err(TooMany);
    }
    let identity = workload::identity(&scope, scope.document.root);
    for group in free {
        if let Some(draft) = draft_of(&mut scope, identity.as_ref(), &group) {
            scope.drafts.push(draft);
            marks.push(group);
        }
    }
    let drafts = std::mem::take(&mut scope.drafts);
    let shared = shared(&scope, &drafts, &marks);
    for ((draft, marks), shared) in drafts.into_iter().zip(marks).zip(shared) {
        let line = draft.sites.first().map_or(0, |site| scope.source.lines.of(site.range.start));
        let policy = resolve::policy(scope.path, &draft, &marks, line);
        let policy = resolve::unless_shared(policy, scope.path, line, shared);
        let group = resolve::group(&draft, &marks);
        let Draft { id, object, container, image, sites, .. } = draft;
        let document = scope.index;
        out.fields.push(ImageField {
            id: FieldId(id),
            document,
            object,
            container,
            line,
            image,
            sites,
            shared,
            policy,
            group,
        });
    }
    out.findings.append(&mut scope.findings);
    Ok(())
}

/// The lines of other places than images that read the values of each draft, by an anchor. A marker beside the value
/// itself speaks for all of them.
fn shared(scope: &Scope<'_>, drafts: &[Draft], marks: &[Vec<Marker>]) -> Vec<Option<usize>> {
    let starts = drafts.iter().flat_map(|draft| &draft.sites).map(|site| site.range.start).collect();
    let uses = Uses::find(scope.document, starts, |offset| scope.source.lines.of(offset));
    let mut places: HashMap<usize, Vec<Place>> = HashMap::new();
    for draft in drafts {
        for site in &draft.sites {
            places.entry(site.range.start).or_default().extend(draft.places.iter().cloned());
        }
    }
    let is_alias = |marker: &Marker| scope.document.target(marker.value) != marker.value;
    let of = |(draft, marks): (&Draft, &Vec<Marker>)| {
        if marks.iter().any(|marker| !is_alias(marker)) {
            return None;
        }
        let starts = draft.sites.iter().map(|site| site.range.start);
        starts.filter_map(|start| uses.other(start, places.get(&start)?)).min()
    };
    drafts.iter().zip(marks).map(of).collect()
}

/// Sorts markers into those beside each draft and the rest, by mapping and image.
fn sort(scope: &Scope<'_>, markers: Vec<Marker>) -> (Vec<Vec<Marker>>, Vec<Vec<Marker>>) {
    let mut marks: Vec<Vec<Marker>> = scope.drafts.iter().map(|_| Vec::new()).collect();
    let mut drafts: HashMap<(NodeId, Option<&str>), usize> = HashMap::new();
    for (index, draft) in scope.drafts.iter().enumerate() {
        drafts.extend(draft.places.iter().map(|(holder, key)| ((*holder, key.as_deref()), index)));
    }
    let mut groups: HashMap<(NodeId, Option<String>), usize> = HashMap::new();
    let mut free: Vec<Vec<Marker>> = Vec::new();
    for marker in markers {
        let beside = drafts.get(&(marker.holder, marker.key.as_deref())).copied();
        if let Some(marks) = beside.and_then(|index| marks.get_mut(index)) {
            marks.push(marker);
            continue;
        }
        let image = marker.text.as_ref().ok().map(|text| text.image.clone());
        let group = *groups.entry((marker.holder, image)).or_insert_with(|| {
            free.push(Vec::new());
            free.len() - 1
        });
        free.get_mut(group).into_iter().for_each(|group| group.push(marker.clone()));
    }
    (marks, free)
}

/// Makes a field of markers that stand beside no known image; a problem with one costs the whole field.
fn draft_of(scope: &mut Scope<'_>, identity: Option<&Identity>, group: &[Marker]) -> Option<Draft> {
    let mut parts: Vec<(Part, String)> = Vec::new();
    let mut sites = Vec::new();
    for marker in group {
        let added = marker.text.clone().and_then(|parsed| {
            let refuse = |message: String, hint| Box::new(finding(scope.path, marker.line, message, hint));
            let site = site::site(scope.document, marker.value, parsed.part).map_err(|problem| {
                refuse(format!("the value beside the marker cannot be edited: {problem}"), None)
            })?;
            if parts.iter().any(|(part, _)| *part == parsed.part) {
                let message = format!("two markers name the same part of {}", quoted(&parsed.image));
                return Err(refuse(message, Some("remove one of them")));
            }
            parts.push((parsed.part, site::value(scope.document, marker.value).unwrap_or_default()));
            Ok(site)
        });
        match added {
            Ok(site) => sites.push(site),
            Err(problem) => {
                scope.report(*problem);
                return None;
            }
        }
    }
    let is_main = |marker: &&Marker| matches!(&marker.text, Ok(Parsed { part: Part::Tag | Part::Whole, .. }));
    let main = group.iter().find(is_main).or(group.first())?;
    let image = compose(&main.text.as_ref().ok()?.image, &parts);
    sites.sort_by_key(|site| site.range.start);
    let (id, object) = name_of(scope, identity, &main.pointer);
    let container = main.pointer.clone();
    let place = |marker: &Marker| (marker.holder, marker.key.clone().map(Cow::Owned));
    let (annotations, places) = (Ok(Rc::default()), group.iter().map(place).collect());
    Some(Draft { id, object, container, image, sites, annotations, places })
}

/// The whole reference of an image that is written in parts.
fn compose(name: &str, parts: &[(Part, String)]) -> String {
    let of = |part| parts.iter().find(|(is, _)| *is == part).map(|(_, text)| text);
    if let Some(whole) = of(Part::Whole) {
        return whole.clone();
    }
    let tag = of(Part::Tag).map(|tag| format!(":{tag}")).unwrap_or_default();
    let digest = of(Part::Digest).map(|digest| format!("@{digest}")).unwrap_or_default();
    format!("{name}{tag}{digest}")
}

/// The id and the object of a marker's field: the pointer alone in the first document, so that adding a
/// document changes no id; in later ones the object, or the number of the document, comes first.
fn name_of(scope: &Scope<'_>, identity: Option<&Identity>, pointer: &str) -> (String, String) {
    let path = scope.path;
    let id = match identity {
        _ if scope.index == 0 => format!("{path}#{pointer}"),
        Some(identity) => format!("{path}#{}#{pointer}", identity.id),
        None => format!("{path}#{}#{pointer}", scope.index),
    };
    (id, identity.map_or_else(|| path.to_owned(), |identity| identity.object.clone()))
}
