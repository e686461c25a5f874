//! Annotations and marker keys → an image policy, or an error that names key, value and hint.
//!
//! The keys, their values and how they combine are those of the design's chapter on policies.
//! Not here: where annotations are found (see [`crate::manifest`]); what a policy selects (see [`crate::select`]).

mod filter;
mod glob;
mod hold;
mod key;
mod platform;
mod resolve;
#[cfg(test)]
mod tests;
mod value;

use jiff::{SignedDuration, Timestamp};

pub use filter::{Matched, Pattern, TagFilter};
pub use glob::Glob;
pub use value::min_age;

use crate::range::Range;
use crate::reference::Tag;
use crate::schedule::{Poll, Windows};

/// Keys that this build honours, without the `tidegate.io/` prefix.
///
/// Those before `ignore` concern images and take a `.<container>` suffix; the rest concern the whole object.
pub const KEYS: &[&str] = &[
    "policy",
    "tags",
    "ignore-tags",
    "pin",
    "platforms",
    "min-age",
    "hold",
    "window",
    "group",
    "downgrade",
    "poll",
    "ignore",
    "prune",
];

/// Keys that are reserved, and that this build refuses by name: an object that carries one is held.
pub const LATER_KEYS: &[&str] = &[
    "promote-from",
    "soak",
    "approve",
    "verify",
    "scan",
    "rollback",
    "rollout",
    "analysis",
    "apply",
    "wave",
    "depends-on",
    "drift-ignore",
];

/// Longest value of a key, in bytes after trimming.
pub const VALUE_BYTES_MAX: usize = 4096;

/// One `key` / `value` pair as found on an object (key without the `tidegate.io/` prefix) or in a marker comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Key without prefix, e.g. `policy`, `policy.web`, `ignore-tags`; list keys may repeat (markers do).
    pub key: String,
    /// Value as written.
    pub value: String,
    /// 1-based line in the file.
    pub line: usize,
}

/// What may happen to one image field.
#[derive(Clone, Debug)]
pub struct ImagePolicy {
    /// How candidates are ordered and which are admitted.
    pub order: Order,
    /// Which tags are candidates (`tags`, `ignore-tags`).
    pub filter: TagFilter,
    /// What is written (`pin`).
    pub pin: Pin,
    /// What the image must run on (`platforms`).
    pub platforms: Vec<Platform>,
    /// Only tags first seen at least so long ago (`min-age`).
    pub min_age: Option<SignedDuration>,
    /// When commits may happen (`window`).
    pub windows: Windows,
    /// The fields that move together (`group`).
    pub group: Option<String>,
    /// Whether a changed range may pull the version down (`downgrade: allow`).
    pub downgrade: bool,
    /// How often the image is scanned (`poll`).
    pub poll: Option<Poll>,
    /// The resolved settings as text: the identity of the policy (P1 starts anew when it changes).
    pub text: PolicyText,
    /// Holds in force or with an end (`hold`), whatever key they came from.
    pub holds: Vec<Hold>,
}

/// How candidates are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Highest version in a range.
    Semver(Range),
    /// Last by decimal number; `true` is descending.
    Numeric(bool),
    /// Last by bytes; `true` is descending.
    Alphabetical(bool),
    /// First seen last.
    Newest,
    /// One tag, followed by its digest.
    Digest(Tag),
}

impl ImagePolicy {
    /// A policy of this order and nothing else: every tag is a candidate, tags are written, nothing holds.
    pub fn new(order: Order, text: PolicyText) -> Self {
        Self {
            order,
            filter: TagFilter::default(),
            pin: Pin::default(),
            platforms: Vec::new(),
            min_age: None,
            windows: Windows::default(),
            group: None,
            downgrade: false,
            poll: None,
            text,
            holds: Vec::new(),
        }
    }
}

/// What is written into git.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pin {
    /// `repository:tag`
    #[default]
    Tag,
    /// `repository:tag@digest`
    Digest,
}

/// An operating system, an architecture, and perhaps a variant, as in an OCI image index.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Platform {
    /// `linux`
    pub os: String,
    /// `amd64`
    pub architecture: String,
    /// `v7`; `None` is any variant when it is asked for.
    pub variant: Option<String>,
}

/// The settings that decide what a policy admits, normalized to text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PolicyText {
    /// `policy`, trimmed.
    pub policy: String,
    /// `tags`, one item a line, trimmed; empty when absent.
    pub tags: String,
    /// `ignore-tags`, likewise.
    pub ignore_tags: String,
}

/// `hold`: nothing is changed till then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The text before the first `;`.
    pub reason: String,
    /// End; `None` holds till the annotation is removed.
    pub until: Option<Timestamp>,
    /// Who set it.
    pub by: Option<String>,
}

/// Why settings could not become a policy: the field is held (`invalid-policy`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct AnnotationError {
    /// Key as in the setting: without the `tidegate.io/` prefix, which marker comments do not have.
    pub key: String,
    /// Value as written.
    pub value: String,
    /// 1-based line in the file.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}
