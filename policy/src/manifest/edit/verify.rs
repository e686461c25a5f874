//! The edited file read again: it must differ in exactly the planned values.

use super::EditError;
use crate::manifest::Edit;
use crate::manifest::yaml::document::{self, Content, Node};
use crate::manifest::yaml::scalar::Scalar;
use crate::manifest::yaml::{Document, Read, Source};

/// Compares every document that an edit touches, node by node.
pub(super) fn verify(path: &str, before: &[u8], after: &[u8], edits: &[&Edit]) -> Result<(), EditError> {
    let old = Source::new(path, before).map_err(EditError::Unreadable)?;
    let new = Source::new(path, after).map_err(EditError::Unreadable)?;
    let unplanned = |document| EditError::Unplanned { file: path.to_owned(), document };
    if old.chunks.len() != new.chunks.len() {
        return Err(unplanned(0));
    }
    let mut checked = 0;
    for (old_chunk, new_chunk) in old.chunks.iter().zip(&new.chunks) {
        let range = old.range(old_chunk);
        let here: Vec<&Edit> = edits
            .iter()
            .copied()
            .filter(|edit| range.start <= edit.range.start && edit.range.end <= range.end)
            .collect();
        if here.is_empty() {
            continue;
        }
        checked += here.len();
        let document = old_chunk.document;
        match (old.read(old_chunk, false), new.read(new_chunk, false)) {
            (Read::Document(old), Read::Document(new)) if differs_as_planned(&old, &new, &here) => {}
            (_, Read::Broken(problem)) => return Err(EditError::Unreadable(problem)),
            _ => return Err(unplanned(document)),
        }
    }
    // An edit outside every document would be one of a comment or of a `---` line.
    if checked == edits.len() { Ok(()) } else { Err(unplanned(0)) }
}

/// Whether each edit changes one scalar to its new text, and nothing else changes.
fn differs_as_planned(old: &Document<'_>, new: &Document<'_>, edits: &[&Edit]) -> bool {
    let mut used = 0;
    let same = old.nodes().zip(new.nodes()).all(|(old_node, new_node)| {
        let edit = edits.iter().find(|edit| {
            matches!(old_node.content, Content::Scalar { .. })
                && old_node.range.start <= edit.range.start
                && edit.range.end <= old_node.range.end
        });
        match edit {
            None => is_same(old_node, new_node),
            Some(edit) => {
                used += 1;
                is_planned(old_node, new_node, edit)
            }
        }
    });
    same && used == edits.len() && old.nodes().count() == new.nodes().count() && old.root == new.root
}

fn is_same(old: &Node<'_>, new: &Node<'_>) -> bool {
    match (&old.content, &new.content) {
        (
            Content::Scalar { text: old, style: old_style, tag: old_tag },
            Content::Scalar { text: new, style: new_style, tag: new_tag },
        ) => old == new && old_style == new_style && old_tag == new_tag,
        (Content::Sequence(old), Content::Sequence(new)) => old == new,
        (Content::Mapping(old), Content::Mapping(new)) => old == new,
        (Content::Alias(old), Content::Alias(new)) => old == new,
        _ => false,
    }
}

/// Whether the scalar holds the new text, as a string; a block scalar keeps the blanks around it.
fn is_planned(old: &Node<'_>, new: &Node<'_>, edit: &Edit) -> bool {
    let (Content::Scalar { text: before, tag: old_tag, .. }, Content::Scalar { text: after, style, tag }) =
        (&old.content, &new.content)
    else {
        return false;
    };
    let planned = edit.new.trim_matches('"');
    let is_written_out = before.trim() == edit.old;
    let expected = if is_written_out { before.replacen(&edit.old, planned, 1) } else { planned.to_owned() };
    let is_string = matches!(document::typed(after, *style, *tag), Ok(Scalar::Str(_)));
    *after == expected && is_string && tag == old_tag
}
