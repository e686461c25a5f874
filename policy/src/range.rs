//! Version ranges in the dialect of `Masterminds/semver` v3 (as of 3.5), the one of Flux, Helm and Argo CD.
//!
//! Space or comma is AND, `||` is OR, `a - b` includes both ends, `~ ^ = != > < >= => <= =<`, `~>` is `~`,
//! `x`, `X` and `*` stand for any number, a missing part is such an `x`. Not here: what a version is
//! (see [`crate::version`]) and which tags are candidates (see [`crate::select`]).

mod comparator;
mod parse;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::quote::quoted;
use crate::version::Version;
use comparator::Comparator;

/// Longest range, in bytes; the same bound as in the dialect's source.
pub const RANGE_BYTES_MAX: usize = 512;

/// Most alternatives (`||`) in a range; the same bound as in the dialect's source.
pub const ALTERNATIVES_MAX: usize = 32;

/// A range of versions; two are equal if they are written alike.
#[derive(Clone, Debug)]
pub struct Range {
    text: String,
    alternatives: Vec<Alternative>,
}

/// Comparators that must all hold.
#[derive(Clone, Debug)]
struct Alternative {
    comparators: Vec<Comparator>,
    /// Whether one of them names a pre-release; only then are pre-releases admitted.
    names_pre_release: bool,
}

/// What a range says of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Inside.
    Admitted,
    /// A pre-release that the range does not ask for.
    PreRelease,
    /// Outside.
    Outside,
}

/// Why a text is no range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// There is nothing in it.
    #[error("the range is empty")]
    Empty,
    /// It is too long.
    #[error("the range has {bytes} bytes, at most {RANGE_BYTES_MAX} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// It has too many alternatives.
    #[error("the range has {count} alternatives, at most {ALTERNATIVES_MAX} are allowed")]
    TooManyAlternatives {
        /// How many.
        count: usize,
    },
    /// A part of it cannot be read.
    #[error("{}: {problem}", place(.part, *.offset))]
    Part {
        /// The offending part; empty where one is missing.
        part: String,
        /// Where it starts, in bytes from the start of the range.
        offset: usize,
        /// What is wrong with it.
        problem: &'static str,
        /// What to write instead.
        hint: &'static str,
    },
}

/// Names a part of a range and where it starts.
fn place(part: &str, offset: usize) -> String {
    if part.is_empty() {
        format!("after byte {offset} of the range")
    } else {
        format!("at byte {offset} of the range, {}", quoted(part))
    }
}

impl RangeError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Empty => "write a range such as `~1.4`, or `*` for any release",
            Self::TooLong { .. } | Self::TooManyAlternatives { .. } => {
                "write a simpler range, and leave out tags with `ignore-tags`"
            }
            Self::Part { hint, .. } => hint,
        }
    }
}

impl Range {
    /// Reads a range.
    pub fn parse(text: &str) -> Result<Self, RangeError> {
        Ok(Self { text: text.to_owned(), alternatives: parse::alternatives(text)? })
    }

    /// The range as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Judges a version.
    pub fn admission(&self, version: &Version) -> Admission {
        let mut asked_for = false;
        let mut inside_but_for_pre = false;
        for alternative in &self.alternatives {
            let inside = alternative.comparators.iter().all(|comparator| comparator.admits(version));
            asked_for |= alternative.names_pre_release;
            if inside && (alternative.names_pre_release || !version.is_pre_release()) {
                return Admission::Admitted;
            }
            inside_but_for_pre |= inside;
        }
        if version.is_pre_release() && (inside_but_for_pre || !asked_for) {
            Admission::PreRelease
        } else {
            Admission::Outside
        }
    }

    /// Whether the version is inside.
    pub fn admits(&self, version: &Version) -> bool {
        self.admission(version) == Admission::Admitted
    }
}

impl PartialEq for Range {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Range {}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
