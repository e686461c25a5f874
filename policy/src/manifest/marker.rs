//! Comments that carry a policy: `# tidegate: IMAGE[:tag|:name|:digest] key=value; key=value`.
//!
//! Called by [`super::scan`]. Not here: what the keys mean (see [`crate::annotation`]).

mod locate;
mod parse;

use std::ops::Range;

use super::Part;
use super::scan::Scope;
use super::yaml::NodeId;
use crate::annotation::Setting;
use crate::finding::Finding;

/// A marker and the value it stands beside.
#[derive(Clone, Debug)]
pub(super) struct Marker {
    /// 1-based line.
    pub(super) line: usize,
    /// What the comment says; an error leaves the value beside it alone.
    pub(super) text: Result<Parsed, Box<Finding>>,
    /// The value on its line.
    pub(super) value: NodeId,
    /// The mapping that holds the value; the value itself in a list.
    pub(super) holder: NodeId,
    /// The key of the value in the mapping.
    pub(super) key: Option<String>,
    /// JSON pointer of the value in its document.
    pub(super) pointer: String,
}

/// The words of a marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parsed {
    /// The image as written, without tag and digest.
    pub(super) image: String,
    /// Which part of it the value holds.
    pub(super) part: Part,
    /// The policy.
    pub(super) settings: Vec<Setting>,
}

/// What a marker begins with, after the `#`.
pub(super) const WORD: &str = "tidegate:";

/// How much is looked at of a text that only looks like a marker.
const EXCERPT_CHARS: usize = 256;

/// Reads the markers of a document; those without a value become findings.
pub(super) fn markers(scope: &mut Scope<'_>) -> Vec<Marker> {
    let document = scope.document;
    let is_marker = |range: &&Range<usize>| words(document.slice((*range).clone())).is_some();
    let comments: Vec<Range<usize>> = document.comments.iter().filter(is_marker).cloned().collect();
    let places = locate::locate(scope, &comments);
    let mut markers = Vec::new();
    for (range, places) in comments.iter().zip(places) {
        let words = words(document.slice(range.clone())).unwrap_or_default();
        let line = scope.source.lines.of(range.start);
        let text = parse::parse(words, line).map_err(|message| {
            let hint = "write `# tidegate: IMAGE:tag policy=semver:~1.4; key=value`";
            Box::new(problem(scope.path, line, words, message, hint))
        });
        match locate::choose(places, text.as_ref().ok().map(|parsed| parsed.part)) {
            Ok(locate::Place { value, holder, key, pointer }) => {
                markers.push(Marker { line, text, value, holder, key, pointer });
            }
            Err(message) => {
                let hint = "put it on the line of the value that holds the image";
                scope.report(problem(scope.path, line, words, message.to_owned(), hint));
            }
        }
    }
    report_text(scope, &comments);
    markers
}

/// What a comment says after the word, if it is a marker.
fn words(comment: Option<&str>) -> Option<&str> {
    comment?.trim_start_matches('#').trim_start().strip_prefix(WORD)
}

/// Reports what looks like a marker and is the text of a value, such as YAML inside of YAML.
fn report_text(scope: &mut Scope<'_>, comments: &[Range<usize>]) {
    let base = scope.chunk.start;
    let text = scope.document.slice(scope.chunk.clone()).unwrap_or_default();
    for (at, _) in text.match_indices(WORD) {
        let looks_like_one = text.get(..at).is_some_and(|before| before.trim_end_matches(' ').ends_with('#'));
        let next = comments.partition_point(|comment| comment.end <= base + at);
        let is_one = comments.get(next).is_some_and(|comment| comment.contains(&(base + at)));
        if is_one || !looks_like_one {
            continue;
        }
        // Of a line of any length only what the finding can repeat is looked at.
        let words: String = text
            .get(at + WORD.len()..)
            .unwrap_or_default()
            .chars()
            .take_while(|c| *c != '\n')
            .take(EXCERPT_CHARS)
            .collect();
        let message = "the marker stands inside a value, where it is text".to_owned();
        let line = scope.source.lines.of(base + at);
        let hint = "put the image into a value of its own";
        scope.report(problem(scope.path, line, &words, message, hint));
    }
}

fn problem(path: &str, line: usize, words: &str, message: String, hint: &str) -> Finding {
    Finding {
        file: path.to_owned(),
        line,
        key: Some("tidegate".to_owned()),
        value: Some(super::scan::excerpt(words.trim())),
        message,
        hint: Some(hint.to_owned()),
    }
}
