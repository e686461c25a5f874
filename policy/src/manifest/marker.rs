//! Comments that carry a policy: `# tidegate: IMAGE[:tag|:name|:digest] key=value; key=value`.
//!
//! Called by [`super::scan`]. Not here: what the keys mean (see [`crate::annotation`]).

mod locate;
mod parse;

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

/// Reads the markers of a document; those without a value become findings.
pub(super) fn markers(scope: &mut Scope<'_>) -> Vec<Marker> {
    let document = scope.document;
    let mut markers = Vec::new();
    for range in &document.comments {
        let text = document.slice(range.clone()).unwrap_or_default();
        let Some(words) = text.trim_start_matches('#').trim_start().strip_prefix("tidegate:") else {
            continue;
        };
        let line = scope.source.lines.of(range.start);
        let problem = |message: String, hint: &str| Finding {
            file: scope.path.to_owned(),
            line,
            key: Some("tidegate".to_owned()),
            value: Some(super::scan::excerpt(words.trim())),
            message,
            hint: Some(hint.to_owned()),
        };
        let text = parse::parse(words, line).map_err(|message| {
            Box::new(problem(message, "write `# tidegate: IMAGE:tag policy=semver:~1.4; key=value`"))
        });
        let part = text.as_ref().ok().map(|parsed| parsed.part);
        match locate::locate(scope, range, line, part) {
            Ok(place) => {
                let locate::Place { value, holder, key, pointer } = place;
                markers.push(Marker { line, text, value, holder, key, pointer });
            }
            Err(message) => {
                let finding =
                    problem(message.to_owned(), "put it on the line of the value that holds the image");
                scope.findings.push(finding);
            }
        }
    }
    markers
}
