//! Tells a chart template from a manifest with a mistake in it.
//!
//! A template is skipped and counted; a mistake is a finding that stops pruning. So the answer is
//! "template" only where the text that broke the parser has `{{` in a place where YAML begins a value.

use super::compose::{Broken, Composer};
use super::document::Content;

/// Whether the failure of `composer` is that of a chart template.
pub(super) fn is_template(composer: &Composer<'_>, chunk: &str, chunk_start: usize, broken: &Broken) -> bool {
    let error = broken.offset.saturating_sub(chunk_start).min(chunk.len());
    let line_end = chunk.get(error..).and_then(|rest| rest.find('\n')).map_or(chunk.len(), |end| error + end);
    let mut offset = 0;
    for line in chunk.get(..line_end).unwrap_or_default().split_inclusive('\n') {
        if let Some(column) = value_brace(line) {
            let at = chunk_start + offset + column;
            let in_scalar = composer.document.last_before(at).is_some_and(|node| {
                matches!(node.content, Content::Scalar { .. }) && node.range.contains(&at)
            });
            if !in_scalar {
                return true;
            }
        }
        offset += line.len();
    }
    false
}

/// The column of a `{{` that begins a value on this line, outside quotes and comments.
fn value_brace(line: &str) -> Option<usize> {
    let mut quote = None;
    let mut before = None;
    let bytes = line.as_bytes();
    for (column, &byte) in bytes.iter().enumerate() {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'#') if before.is_none() => return None,
            (None, b'{') if bytes.get(column + 1) == Some(&b'{') => {
                if matches!(before, None | Some(b':' | b'-' | b'[' | b'{' | b',')) {
                    return Some(column);
                }
            }
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            before = Some(byte);
        }
    }
    None
}
