//! When something may happen: windows of commits, and when an image is scanned.
//!
//! Read from the annotations `window` and `poll` and from the configuration. Not here: timers (the agent's).

use jiff::{SignedDuration, Timestamp};

/// The windows of a field: commits happen inside one of them, and in no freeze.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Windows {
    /// Any of them must be open; empty is always open.
    pub open: Vec<Window>,
    /// None of them may be.
    pub freeze: Vec<Window>,
}

/// One window: a start that recurs, a duration and a time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The item as written.
    pub text: String,
}

/// How often an image is scanned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Poll {
    /// So long after the scan before.
    Every(SignedDuration),
}

impl Windows {
    /// Whether commits may happen at `now`.
    pub fn is_open(&self, _now: Timestamp) -> bool {
        self.open.is_empty() && self.freeze.is_empty()
    }

    /// The first moment after `now` at which [`Self::is_open`] may change; `None` if it never does.
    pub fn next_change(&self, _now: Timestamp) -> Option<Timestamp> {
        None
    }
}
