//! New references into old files: the bytes of the value change, and nothing else.
//!
//! Called by [`crate::update`] (which plans edits), by the agent (which applies them) and by the CLI verb
//! `manifest set-image`. Not here: which tag is written.

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
mod verify;

use std::ops::Range;

use super::yaml::scalar;
use super::{Edit, ImageField, Part, Site, Style};
use crate::finding::Finding;
use crate::reference::{Digest, ReferenceError, Tag, Written, split_written};

/// Why an edit cannot be made; nothing is written then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The field holds no image reference.
    #[error("{field} holds no image reference")]
    Reference {
        /// The field id.
        field: String,
        /// What is wrong with it.
        #[source]
        source: ReferenceError,
    },
    /// The reference has a part for which the file has no line.
    #[error("{field} has no line for the {part}: add {hint} first")]
    NoPlace {
        /// The field id.
        field: String,
        /// `name`, `tag` or `digest`.
        part: &'static str,
        /// What to add.
        hint: &'static str,
    },
    /// The file has a line for a part that the reference does not have.
    #[error("{field} has a {part} that would have to be removed: remove its line first")]
    WouldStay {
        /// The field id.
        field: String,
        /// `tag` or `digest`.
        part: &'static str,
    },
    /// The file is not the one that the edit was planned on.
    #[error("{file} does not hold `{old}` at bytes {}..{}: it changed since the edit was planned", range.start, range.end)]
    Moved {
        /// Path of the file.
        file: String,
        /// Where.
        range: Range<usize>,
        /// What was expected there.
        old: String,
    },
    /// Two edits want the same bytes.
    #[error("two different edits of {file} overlap at byte {at}")]
    Overlap {
        /// Path of the file.
        file: String,
        /// Where the second begins.
        at: usize,
    },
    /// The edited file cannot be read.
    #[error("after the edit the file could not be read: {0}")]
    Unreadable(Box<Finding>),
    /// The edited file says something else than planned.
    #[error(
        "after the edit {file} would differ in more than the planned values, first in document {document}"
    )]
    Unplanned {
        /// Path of the file.
        file: String,
        /// 0-based document.
        document: usize,
    },
}

/// Plans the edits that move a field to `tag`, pinned to `digest` if there is one.
///
/// The name keeps its spelling. Without `digest`, a digest in a whole reference is dropped. A part that
/// already has its value gives no edit, so planning again after the edit gives none.
pub fn replacements(field: &ImageField, tag: &Tag, digest: Option<&Digest>) -> Result<Vec<Edit>, EditError> {
    let written = split_written(&field.image)
        .map_err(|source| EditError::Reference { field: field.id.0.clone(), source })?;
    let target = Written { name: written.name, tag: Some(tag.as_str()), digest: digest.map(Digest::as_str) };
    edits(field, written.name, &target)
}

/// Plans the edits that make a field hold `reference`, another repository included.
pub fn set_reference(field: &ImageField, reference: &str) -> Result<Vec<Edit>, EditError> {
    let invalid = |source| EditError::Reference { field: field.id.0.clone(), source };
    let target = split_written(reference).map_err(invalid)?;
    // A value that is no reference yet may still be replaced as a whole.
    let name = split_written(&field.image).map_or(target.name, |written| written.name);
    edits(field, name, &target)
}

fn edits(field: &ImageField, name: &str, target: &Written<'_>) -> Result<Vec<Edit>, EditError> {
    let id = || field.id.0.clone();
    let has = |part| field.sites.iter().any(|site| site.part == part || site.part == Part::Whole);
    let is_entry = id().contains("#images/");
    let no_place = |part, key, marked| {
        Err(EditError::NoPlace { field: id(), part, hint: if is_entry { key } else { marked } })
    };
    if target.name != name && !has(Part::Name) {
        return no_place("name", "`newName: …`", "a line marked `:name`");
    }
    if target.tag.is_some() && !has(Part::Tag) {
        return no_place("tag", "`newTag: …`", "a line marked `:tag`");
    }
    if target.digest.is_some() && !has(Part::Digest) {
        return no_place("digest", "`digest: …`", "a line marked `:digest`");
    }
    let mut edits = Vec::new();
    for site in &field.sites {
        let would_stay = |part| EditError::WouldStay { field: id(), part };
        let value = match site.part {
            Part::Whole => whole(target),
            // A name that stays keeps its spelling, which may leave the registry to another line.
            Part::Name if target.name == name => continue,
            Part::Name => target.name.to_owned(),
            Part::Tag => target.tag.ok_or_else(|| would_stay("tag"))?.to_owned(),
            Part::Digest => target.digest.ok_or_else(|| would_stay("digest"))?.to_owned(),
        };
        if site.text != value {
            edits.push(Edit { range: site.range.clone(), old: site.text.clone(), new: quoted(site, value) });
        }
    }
    Ok(edits)
}

fn whole(target: &Written<'_>) -> String {
    let mut text = target.name.to_owned();
    for (sign, part) in [(':', target.tag), ('@', target.digest)] {
        if let Some(part) = part {
            text.push(sign);
            text.push_str(part);
        }
    }
    text
}

/// Adds quotes where the value would be read as a number, a date or a word, or end early.
fn quoted(site: &Site, value: String) -> String {
    let is_plain =
        value.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') && scalar::is_plain_text(&value);
    if site.style == Style::Plain && !is_plain { format!("\"{value}\"") } else { value }
}

/// Applies edits to the bytes of a file.
///
/// # Guarantees
/// Bytes outside the ranges are kept. The old bytes must be there. The result is read again and differs in
/// exactly the planned values, else it is an error. Equal edits (of fields that share a value) count once.
pub fn apply(path: &str, source: &[u8], edits: &[Edit]) -> Result<Vec<u8>, EditError> {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    edits.dedup();
    let mut out = Vec::with_capacity(source.len() + 64);
    let mut done = 0;
    for edit in &edits {
        let Range { start, end } = edit.range;
        if start < done {
            return Err(EditError::Overlap { file: path.to_owned(), at: start });
        }
        if source.get(start..end) != Some(edit.old.as_bytes()) {
            let (file, range) = (path.to_owned(), edit.range.clone());
            return Err(EditError::Moved { file, range, old: edit.old.clone() });
        }
        out.extend_from_slice(source.get(done..start).unwrap_or_default());
        out.extend_from_slice(edit.new.as_bytes());
        done = end;
    }
    out.extend_from_slice(source.get(done..).unwrap_or_default());
    verify::verify(path, source, &out, &edits)?;
    Ok(out)
}
