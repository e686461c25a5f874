//! A scalar node → the bytes that an edit replaces.

use super::yaml::document::Content;
use super::yaml::scalar::Scalar;
use super::yaml::{Document, NodeId, ScalarStyle};
use super::{Part, Site, Style};

/// Finds the bytes of the value of `node`, at its anchor if it is an alias.
///
/// Fails with the reason why the value cannot be edited in place.
pub(super) fn site(document: &Document<'_>, node: NodeId, part: Part) -> Result<Site, &'static str> {
    let node = document.node(document.target(node));
    let Content::Scalar { style, text, .. } = &node.content else {
        return Err("the value is no scalar");
    };
    let range = &node.range;
    let (range, style) = match style {
        ScalarStyle::Plain => (range.clone(), Style::Plain),
        ScalarStyle::SingleQuoted => (range.start + 1..range.end - 1, Style::Single),
        ScalarStyle::DoubleQuoted => (range.start + 1..range.end - 1, Style::Double),
        ScalarStyle::Literal | ScalarStyle::Folded => {
            let raw = document.slice(range.clone()).ok_or("the value has no place in the file")?;
            let content = text.trim();
            if content.is_empty() || content.contains('\n') {
                return Err("the block scalar must have exactly one line");
            }
            // The parser's span begins at the content; the header never belongs to it.
            let at = raw.find(content).ok_or("the block scalar is folded")?;
            let start = range.start + at;
            (start..start + content.len(), Style::Block)
        }
    };
    let text = document.slice(range.clone()).ok_or("the value has no place in the file")?;
    if text.is_empty() {
        return Err("the value is empty");
    }
    if text.contains(['\n', '\r']) {
        return Err("the value runs over several lines");
    }
    Ok(Site { part, range, text: text.to_owned(), style })
}

/// Returns the text of a scalar without the line feeds of a block scalar; null is no text.
pub(super) fn value(document: &Document<'_>, node: NodeId) -> Option<String> {
    if matches!(document.scalar(node), Some(Ok(Scalar::Null))) {
        return None;
    }
    let raw = document.text(node)?.trim();
    (!raw.is_empty()).then(|| raw.to_owned())
}
