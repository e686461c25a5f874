//! Annotations and marker keys → an image policy, or an error that names key, value and hint.
//!
//! Not here: where annotations are found (see [`crate::manifest`]); what a policy selects (see [`crate::select`]).

use jiff::Timestamp;

/// One `key` / `value` pair as found on an object (key without the `tidegate.io/` prefix) or in a marker comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Key without prefix, e.g. `policy`, `policy.web`, `ignore-tags`.
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
    /// The resolved settings as text: the identity of the policy (P1 starts anew when it changes).
    pub text: PolicyText,
    /// Holds in force or with an end (`hold`), whatever key they came from.
    pub holds: Vec<Hold>,
}

/// How candidates are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Highest version in a range (range text as written).
    Semver(String),
    /// Last by decimal number; `true` is descending.
    Numeric(bool),
    /// Last by bytes; `true` is descending.
    Alphabetical(bool),
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
    /// Key as written, with prefix where it had one.
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
