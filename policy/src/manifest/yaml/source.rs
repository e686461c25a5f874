//! A file as bytes → its documents, each read or refused on its own.
//!
//! Everything is bounded before it is parsed. Called by [`super::super::scan`], `objects` and `edit`.

use std::cell::Cell;
use std::ops::Range;

use super::compose::Composer;
use super::document::Document;
use super::split::{self, Chunk};
use super::template;
use crate::finding::Finding;
use crate::manifest::line::Lines;

/// Largest file that is read.
const FILE_BYTES_MAX: usize = 4 << 20;

/// Most documents in one file.
const DOCUMENTS_MAX: usize = 5_000;

/// A byte-order mark in UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// A file that passed the checks on its bytes.
pub(crate) struct Source<'s> {
    path: &'s str,
    text: &'s str,
    base: usize,
    /// What the documents read so far weigh with their aliases expanded.
    weight: Cell<usize>,
    /// Line numbers.
    pub(crate) lines: Lines,
    /// Its documents, unread.
    pub(crate) chunks: Vec<Chunk>,
}

/// What one document turned out to be.
pub(crate) enum Read<'s> {
    /// It can be read.
    Document(Document<'s>),
    /// Nothing but blanks and comments.
    Empty,
    /// A chart template.
    Template,
    /// Neither.
    Broken(Box<Finding>),
}

impl<'s> Source<'s> {
    /// Checks size, encoding and control characters, and cuts the file into documents.
    pub(crate) fn new(path: &'s str, bytes: &'s [u8]) -> Result<Self, Box<Finding>> {
        let refuse =
            |line, message: &str, hint: &str| Err(Box::new(finding(path, line, message, Some(hint))));
        if bytes.len() > FILE_BYTES_MAX {
            return refuse(0, "the file is larger than 4 MiB and is not read", "split it");
        }
        let base = if bytes.starts_with(BOM) { BOM.len() } else { 0 };
        let bytes = bytes.get(base..).unwrap_or_default();
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let line = Lines::before(bytes, error.valid_up_to());
                return refuse(line, "the file is not UTF-8 text", "save it as UTF-8");
            }
        };
        if let Some(at) = bytes.iter().position(|&b| is_control(b)) {
            let line = Lines::before(bytes, at);
            return refuse(
                line,
                "the file holds a control character",
                "write it as an escape in double quotes",
            );
        }
        let chunks = split::split(text);
        if chunks.len() > DOCUMENTS_MAX {
            return refuse(0, "the file has more than 5,000 documents and is not read", "split it");
        }
        Ok(Self { path, text, base, weight: Cell::new(0), lines: Lines::new(text, base), chunks })
    }

    /// Returns the text of a document.
    pub(crate) fn text(&self, chunk: &Chunk) -> &'s str {
        self.text.get(chunk.range.clone()).unwrap_or_default()
    }

    /// Returns the byte range of a document in the file.
    pub(crate) fn range(&self, chunk: &Chunk) -> Range<usize> {
        self.base + chunk.range.start..self.base + chunk.range.end
    }

    /// Returns the line on which a document starts.
    pub(crate) fn line(&self, chunk: &Chunk) -> usize {
        self.lines.of(self.base + chunk.range.start)
    }

    /// Reads one document; its comments only if `comments`.
    pub(crate) fn read(&self, chunk: &Chunk, comments: bool) -> Read<'s> {
        if let Some(at) = chunk.stray {
            let line = self.lines.of(self.base + at);
            let hint = "begin the document on the next line";
            return Read::Broken(Box::new(finding(
                self.path,
                line,
                "only a comment may follow `---` on its line",
                Some(hint),
            )));
        }
        let range: Range<usize> = chunk.range.clone();
        let mut composer = Composer::new(self.text, self.base, range, self.weight.get());
        match composer.run(comments) {
            Ok(true) => {
                // A document that is refused costs its neighbours nothing.
                self.weight.set(composer.weight);
                Read::Document(composer.document)
            }
            Ok(false) => Read::Empty,
            Err(broken) => {
                let text = self.text(chunk);
                if template::is_template(&composer, text, self.base + chunk.range.start, &broken) {
                    return Read::Template;
                }
                let line = self.lines.of(broken.offset);
                let is_conflict = text.lines().any(|line| line.starts_with("<<<<<<< "));
                let (message, hint) = if is_conflict {
                    ("the file holds the markers of a merge conflict", Some("resolve the conflict"))
                } else {
                    (broken.message.as_str(), broken.hint)
                };
                Read::Broken(Box::new(finding(self.path, line, message, hint)))
            }
        }
    }
}

/// A finding without a key.
pub(crate) fn finding(path: &str, line: usize, message: impl Into<String>, hint: Option<&str>) -> Finding {
    Finding {
        file: path.to_owned(),
        line,
        key: None,
        value: None,
        message: message.into(),
        hint: hint.map(str::to_owned),
    }
}

/// Characters that YAML forbids in a file.
fn is_control(byte: u8) -> bool {
    (byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) || byte == 0x7f
}
