//! Files: what is found in them, and what an edit changes.

use tidegate_policy::manifest::edit::{apply, replacements};
use tidegate_policy::manifest::{Edit, ImageField, objects, scan};
use tidegate_policy::reference::Tag;

/// A path that makes a kustomization of every eighth input, and JSON of another.
fn path_of(data: &[u8]) -> &'static str {
    match data.len() % 8 {
        0 => "kustomization.yaml",
        1 => "app.json",
        _ => "app.yaml",
    }
}

/// Any bytes are read without a panic and within bounds; what is found stands where it is said to stand.
pub fn composer(data: &[u8]) {
    let path = path_of(data);
    let lines = data.iter().filter(|byte| **byte == b'\n' || **byte == b'\r').count() + 1;
    let found = scan(path, data);
    for field in &found.fields {
        assert!(!field.sites.is_empty() && field.line >= 1 && field.line <= lines, "{field:?}");
        for site in &field.sites {
            assert_eq!(data.get(site.range.clone()), Some(site.text.as_bytes()), "{site:?}");
        }
        for pair in field.sites.windows(2) {
            assert!(pair[0].range.end <= pair[1].range.start, "{pair:?}");
        }
    }
    let read = objects(path, data);
    for finding in found.findings.iter().chain(&read.findings) {
        assert!(finding.line <= lines && !finding.message.is_empty(), "{finding:?}");
    }
    for object in &read.objects {
        assert!(!object.id.kind.kind.is_empty());
    }
}

/// The first line is a tag, the rest a file: each field that can move to the tag does so by its own bytes alone,
/// reads as planned afterwards, and has nothing left to do.
pub fn edit(data: &[u8]) {
    let at = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (tag, file) = data.split_at(at);
    let file = file.get(1..).unwrap_or_default();
    let Ok(tag) = Tag::parse(&super::text(tag)) else { return };
    let path = path_of(file);
    let found = scan(path, file);
    for field in found.fields.iter().take(16) {
        if found.fields.iter().filter(|other| other.id == field.id).count() > 1 {
            continue; // a finding says so, and nothing is planned for either
        }
        let Ok(edits) = replacements(field, &tag, None) else { continue };
        let Ok(edited) = apply(path, file, &edits) else { continue };
        check_bytes(file, &edited, &edits);
        check_again(path, &edited, field, &tag);
    }
}

fn check_bytes(before: &[u8], after: &[u8], edits: &[Edit]) {
    let (mut old, mut new) = (0, 0);
    for edit in edits {
        let same = edit.range.start - old;
        assert_eq!(before[old..old + same], after[new..new + same], "bytes before an edit changed");
        old = edit.range.end;
        new += same + edit.new.len();
        assert!(after[..new].ends_with(edit.new.as_bytes()));
    }
    assert_eq!(before[old..], after[new..], "bytes after the last edit changed");
}

fn check_again(path: &str, edited: &[u8], field: &ImageField, tag: &Tag) {
    let scan = scan(path, edited);
    let mut same = scan.fields.iter().filter(|other| other.id == field.id);
    let (Some(moved), None) = (same.next(), same.next()) else {
        panic!("{} is not there once after the edit", field.id.0)
    };
    let image = format!(":{tag}");
    assert!(moved.image.ends_with(&image), "{} should end with {image}", moved.image);
    assert_eq!(replacements(moved, tag, None).map(|edits| edits.len()), Ok(0), "the edit is not idempotent");
}
