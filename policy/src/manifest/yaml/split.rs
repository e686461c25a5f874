//! A file cut into documents the way kubectl cuts it: at lines that begin with `---`, before any parsing.
//!
//! Called by [`super::source`]. Not here: reading a document.

use std::ops::Range;

/// The text of one document, without its `---` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// 0-based number of the document in the file.
    pub(crate) document: usize,
    /// Byte range in the text that was split.
    pub(crate) range: Range<usize>,
    /// Offset of the `---` line when something other than a comment follows the dashes on it.
    pub(crate) stray: Option<usize>,
}

/// Splits `text`. What stands before the first `---` counts as a document only if it says something.
pub(crate) fn split(text: &str) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut start = 0;
    let mut stray = None;
    let mut is_first = true;
    let mut separator = if text.starts_with("---") { Some(0) } else { next_separator(text, 0) };
    loop {
        let end = separator.unwrap_or(text.len());
        let body = text.get(start..end).unwrap_or_default();
        // A lone preamble is one empty document, so that every file has at least one.
        let is_preamble = is_first && separator.is_some() && is_blank(body);
        is_first = false;
        if !is_preamble {
            chunks.push(Chunk { document: chunks.len(), range: start..end, stray });
        }
        let Some(dashes) = separator else { return chunks };
        let line = text.get(dashes..).and_then(|rest| rest.split('\n').next()).unwrap_or_default();
        let after = line.trim_start_matches("---").trim();
        // `----` is no separator followed by a dash but one that kubectl refuses.
        stray = (!after.is_empty() && !after.starts_with('#') || line.starts_with("----")).then_some(dashes);
        start = (dashes + line.len() + 1).min(text.len());
        separator = next_separator(text, dashes + 3);
    }
}

/// The offset of the next line that begins with `---`.
fn next_separator(text: &str, from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    rest.find("\n---").map(|newline| from + newline + 1)
}

/// Whether `text` holds nothing but blank lines, comments, `%YAML` and document ends. Other directives change
/// what a document says, and kubectl takes none.
pub(crate) fn is_blank(text: &str) -> bool {
    text.lines().all(|line| {
        let line = line.trim();
        line.is_empty() || line.starts_with('#') || line.starts_with("%YAML") || line == "..."
    })
}
