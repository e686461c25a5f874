//! Where custom kinds keep images: paths that the configuration or the command line name.
//!
//! Plain data. Called by whoever reads settings, and by [`super::custom`], which walks the paths. Not here:
//! the pod templates that are known without being named (see [`super::workload`]).

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::quote::quoted;

/// Most paths, so that each object is walked a bounded number of times.
const PATHS_MAX: usize = 100;

/// Longest path, in bytes.
const PATH_BYTES_MAX: usize = 1_024;

/// Most steps of a path; YAML deeper than this is not read.
const STEPS_MAX: usize = 64;

/// Stands for every group, or every item of a list and value of a mapping.
const ANY: &str = "*";

/// Which fields of which kinds hold image references.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImagePaths {
    /// By kind; in the order of their addition.
    by_kind: BTreeMap<String, Vec<ImagePath>>,
    count: usize,
}

/// One path of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ImagePath {
    /// The group it belongs to; `None` for every group.
    group: Option<String>,
    pub(super) steps: Vec<Step>,
    /// A key that must be in the text of a file for the path to lead anywhere; `None` if escapes could hide it.
    word: Option<String>,
}

/// One step from a node to those below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The value at a key, or the item of a list at a number.
    Key(String),
    /// Every item or value.
    Any,
}

/// Why a path cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (hint: {hint})")]
pub struct ImagePathError {
    /// What is wrong, with the text as it was given.
    pub message: String,
    /// What to write.
    pub hint: &'static str,
}

fn refuse<T>(message: String, hint: &'static str) -> Result<T, ImagePathError> {
    Err(ImagePathError { message, hint })
}

impl ImagePaths {
    /// Adds a path for the objects of a kind. An empty `group` is the core group, `*` is every group. `path` is
    /// a JSON pointer whose segments may be `*`. Adding a path again changes nothing.
    pub fn add(&mut self, group: &str, kind: &str, path: &str) -> Result<(), ImagePathError> {
        if !is_kind(kind) {
            let message = format!("{} is no kind", quoted(kind));
            return refuse(message, "write the `kind` of the objects, such as `CronWorkflow`");
        }
        if group != ANY && !group.is_empty() && !is_group(group) {
            let message = format!("{} is no API group", quoted(group));
            return refuse(
                message,
                "write the part of `apiVersion` before the `/`, nothing for the core group, or `*` for any",
            );
        }
        let steps = steps(path)?;
        let word = steps.iter().rev().find_map(|step| match step {
            Step::Key(key) if is_word(key) => Some(key.clone()),
            _ => None,
        });
        let group = (group != ANY).then(|| group.to_owned());
        let path = ImagePath { group, steps, word };
        let known = self.by_kind.entry(kind.to_owned()).or_default();
        if known.contains(&path) {
            return Ok(());
        }
        if self.count == PATHS_MAX {
            let message = format!("there are more than {PATHS_MAX} image paths");
            return refuse(message, "leave out the kinds that have no image to update");
        }
        known.push(path);
        self.count += 1;
        Ok(())
    }

    /// Adds a path written as `KIND.GROUP=/pointer`; `KIND=/pointer` is one of the core group.
    pub fn add_written(&mut self, text: &str) -> Result<(), ImagePathError> {
        let Some((resource, path)) = text.split_once('=') else {
            let message = format!("{} is no KIND.GROUP=/pointer", quoted(text));
            return refuse(
                message,
                "write the kind, `.`, its API group, `=`, and the JSON pointer of the image",
            );
        };
        let (kind, group) = resource.split_once('.').unwrap_or((resource, ""));
        self.add(group, kind, path)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The paths of a kind, in the order of their addition.
    pub(super) fn of<'a>(&'a self, group: &'a str, kind: &str) -> impl Iterator<Item = &'a ImagePath> {
        let of_kind = self.by_kind.get(kind).map_or(&[][..], Vec::as_slice);
        of_kind.iter().filter(move |path| path.group.as_deref().is_none_or(|of| of == group))
    }

    /// Whether `text` may hold a value at one of the paths; `false` is certain unless it holds escapes.
    pub(super) fn may_be_in(&self, text: &[u8]) -> bool {
        if self.is_empty() {
            return false;
        }
        // What is no UTF-8 is refused by whoever reads it.
        let Ok(text) = std::str::from_utf8(text) else { return true };
        self.by_kind.iter().any(|(kind, paths)| {
            let is_there = |path: &ImagePath| path.word.as_ref().is_none_or(|word| text.contains(word));
            text.contains(kind.as_str()) && paths.iter().any(is_there)
        })
    }
}

fn steps(path: &str) -> Result<Vec<Step>, ImagePathError> {
    if path.len() > PATH_BYTES_MAX {
        let message = format!("the path {} has more than {PATH_BYTES_MAX} bytes", quoted(path));
        return refuse(message, "write a shorter path");
    }
    let Some(rest) = path.strip_prefix('/') else {
        let message = format!("the path {} does not begin with `/`", quoted(path));
        return refuse(message, "write a JSON pointer, such as `/spec/templates/*/container/image`");
    };
    let steps = rest.split('/').map(|segment| step(path, segment)).collect::<Result<Vec<_>, _>>()?;
    if steps.len() > STEPS_MAX {
        let message = format!("the path {} has more than {STEPS_MAX} segments", quoted(path));
        return refuse(message, "write a shorter path");
    }
    if steps.iter().all(|step| *step == Step::Any) {
        let message = format!("the path {} names no key", quoted(path));
        return refuse(message, "name the keys that lead to the image");
    }
    Ok(steps)
}

fn step(path: &str, segment: &str) -> Result<Step, ImagePathError> {
    match segment {
        "" => {
            let message = format!("the path {} has an empty segment", quoted(path));
            refuse(message, "write one `/` between two keys and none at the end")
        }
        ANY => Ok(Step::Any),
        "**" => {
            let message = format!("the path {} holds `**`", quoted(path));
            refuse(message, "write one `*` for each level")
        }
        _ => key(segment).map(Step::Key).map_or_else(
            || {
                let message = format!("the path {} holds a `~` that stands for nothing", quoted(path));
                refuse(message, "write `~0` for `~` and `~1` for `/`")
            },
            Ok,
        ),
    }
}

/// Resolves the escapes of a JSON pointer.
fn key(segment: &str) -> Option<String> {
    let mut parts = segment.split('~');
    let mut key = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.strip_prefix('0').map(|rest| ('~', rest));
        let (escaped, rest) = rest.or_else(|| part.strip_prefix('1').map(|rest| ('/', rest)))?;
        key.push(escaped);
        key.push_str(rest);
    }
    Some(key)
}

/// Whether `text` can be the kind of an object.
fn is_kind(text: &str) -> bool {
    text.len() <= 63 && text.starts_with(|c: char| c.is_ascii_alphabetic()) && is_alphanumeric(text)
}

fn is_alphanumeric(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Whether `text` can be an API group: a DNS name in lower case.
fn is_group(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

/// Whether a key always stands in a file as it is: only letters, which nothing but a `\x` escape can hide.
fn is_word(key: &str) -> bool {
    // A number may be the place in a list.
    is_alphanumeric(key) && key.starts_with(|c: char| c.is_ascii_alphabetic())
}
