//! A file → its image fields with their policies, for the update loop.
//!
//! Fields come from pod templates ([`super::workload`]), from configured paths ([`super::custom`]), from `images:` of a kustomization
//! ([`super::kustomization`]) and from comments ([`super::marker`]). Not here: objects for the sync loop.

mod assemble;
mod check;
mod resolve;
#[cfg(test)]
mod tests;
mod uses;

use std::borrow::Cow;
use std::ops::Range;
use std::rc::Rc;
use std::sync::LazyLock;

use regex::bytes::Regex;

use super::annotations::Annotations;
use super::likeness::Likeness;
use super::yaml::source::finding;
use super::yaml::{Document, NodeId, Read, Source};
use super::{FieldId, FileScan, ImagePaths, Site, kustomization, marker, workload};
use crate::finding::Finding;

/// What a file must contain to hold an image field or a marker: the key `image` or `images`, or the word of a
/// marker. Escapes and NUL bytes (UTF-16) could hide either, so they count too.
static HINT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?-u)image|tidegate:|\\[xuU\r\n]|\x00").expect("a fixed pattern"));

/// Most image fields in one file.
pub(super) const FIELDS_MAX: usize = 5_000;

/// Most findings that are listed for one file.
const FINDINGS_MAX: usize = 1_000;

/// Longest value that a finding repeats, in bytes.
const EXCERPT_BYTES_MAX: usize = 256;

/// Finds the image fields of a file.
///
/// # Guarantees
/// A problem in one document, object or marker is a finding and costs only its own fields. A field whose
/// policy cannot be read is [`super::FieldPolicy::Invalid`], never `None`.
pub fn scan(path: &str, bytes: &[u8]) -> FileScan {
    scan_with(path, bytes, &ImagePaths::default())
}

/// Finds the image fields of a file, those at configured paths included; the guarantees are those of [`scan`].
pub fn scan_with(path: &str, bytes: &[u8], paths: &ImagePaths) -> FileScan {
    let mut out = FileScan::default();
    let may_hold_one = |text: &[u8]| HINT.is_match(text) || paths.may_be_in(text);
    if !may_hold_one(bytes) {
        return out;
    }
    let source = match Source::new(path, bytes) {
        Ok(source) => source,
        Err(problem) => {
            out.findings.push(*problem);
            return out;
        }
    };
    for chunk in &source.chunks {
        let text = source.text(chunk);
        if chunk.stray.is_none() && !may_hold_one(text.as_bytes()) {
            continue;
        }
        let has_markers = text.contains(marker::WORD);
        match source.read(chunk, has_markers) {
            Read::Document(document) => {
                let mut scope = Scope {
                    path,
                    paths,
                    source: &source,
                    document: &document,
                    index: chunk.document,
                    chunk: source.range(chunk),
                    drafts: Vec::new(),
                    findings: Vec::new(),
                };
                scope.collect();
                if let Err(assemble::TooMany) = assemble::finish(scope, has_markers, &mut out) {
                    let message = "the file has more than 5,000 images and is not read";
                    let problem = finding(path, 0, message, Some("split it"));
                    return FileScan { findings: vec![problem], ..FileScan::default() };
                }
            }
            Read::Broken(problem) => out.findings.push(*problem),
            Read::Template => out.skipped += 1,
            Read::Empty => {}
        }
    }
    check::check(path, &mut out);
    if out.fields.iter().filter_map(|field| field.id.within(path)).any(FieldId::says_little) {
        out.likeness = Likeness::of(bytes);
    }
    out
}

/// One document being scanned.
pub(super) struct Scope<'a> {
    pub(super) path: &'a str,
    pub(super) paths: &'a ImagePaths,
    pub(super) source: &'a Source<'a>,
    pub(super) document: &'a Document<'a>,
    /// 0-based number of the document.
    pub(super) index: usize,
    /// Byte range of the document in the file.
    pub(super) chunk: Range<usize>,
    pub(super) drafts: Vec<Draft>,
    pub(super) findings: Vec<Finding>,
}

/// A place of a value: the mapping and the key, or the value itself in a list.
pub(super) type Place = (NodeId, Option<Cow<'static, str>>);

/// An image field before its policy is known.
pub(super) struct Draft {
    pub(super) id: String,
    pub(super) object: String,
    pub(super) container: String,
    pub(super) image: String,
    pub(super) sites: Vec<Site>,
    /// From annotations; an unreadable annotation is an error.
    pub(super) annotations: Result<Rc<Annotations>, Box<Finding>>,
    /// Where its parts stand.
    pub(super) places: Vec<Place>,
}

impl Scope<'_> {
    fn collect(&mut self) {
        let root = self.document.root;
        let api_version = self.document.get_string(root, "apiVersion").unwrap_or_default();
        if kustomization::is_kustomization_path(self.path) || kustomization::is_kustomization(&api_version) {
            kustomization::collect(self, root);
        } else {
            workload::collect(self, root);
        }
    }

    /// Keeps a draft, up to a bound that [`assemble`] then mentions.
    pub(super) fn draft(&mut self, draft: Draft) {
        if self.drafts.len() <= FIELDS_MAX {
            self.drafts.push(draft);
        }
    }

    /// The 1-based line on which a node begins.
    pub(super) fn line(&self, node: NodeId) -> usize {
        self.source.lines.of(self.document.node(node).range.start)
    }

    /// Reports a problem at a node.
    pub(super) fn finding(&mut self, node: NodeId, message: impl Into<String>, hint: Option<&str>) {
        let problem = finding(self.path, self.line(node), message, hint);
        self.report(problem);
    }

    /// Keeps a problem, up to a bound that [`check`] then mentions.
    pub(super) fn report(&mut self, problem: Finding) {
        if self.findings.len() <= FINDINGS_MAX {
            self.findings.push(problem);
        }
    }
}

/// Shortens a value for a finding.
pub(super) fn excerpt(text: &str) -> String {
    let mut end = text.len().min(EXCERPT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}
