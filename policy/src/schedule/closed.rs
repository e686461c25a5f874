//! Why the windows of a field are closed, in words, and when they open.
//!
//! Called by the planner for its hold. Not here: whether they are closed.

use jiff::{SignedDuration, Timestamp};

use super::{Window, Windows};
use crate::quote::quoted;

/// How far an opening is searched for.
const SEARCH_MAX: SignedDuration = SignedDuration::from_hours(366 * 24);

/// Most questions to windows in that search, so that a list of many tries fewer moments.
const QUESTIONS_MAX: usize = 512;

/// Most windows that a sentence names.
const NAMED_MAX: usize = 3;

impl Windows {
    /// The first moment from `now` on at which commits may happen; `None` if none is found within a year.
    pub fn next_open(&self, now: Timestamp) -> Option<Timestamp> {
        let limit = now.checked_add(SEARCH_MAX).ok()?;
        let mut at = now;
        for _ in 0..QUESTIONS_MAX / (self.open.len() + self.freeze.len()).max(1) {
            if at > limit {
                return None;
            }
            at = match self.frozen_until(at) {
                Some(end) => end,
                None if self.open.is_empty() || self.open.iter().any(|window| window.contains(at)) => {
                    return Some(at);
                }
                None => self.open.iter().filter_map(|window| window.next_start(at)).min()?,
            };
        }
        None
    }

    /// Says why commits may not happen at `now`; `None` if they may.
    pub fn closed_because(&self, now: Timestamp) -> Option<String> {
        if self.is_open(now) {
            return None;
        }
        let frozen: Vec<&Window> = self.freeze.iter().filter(|freeze| freeze.contains(now)).collect();
        let place = if frozen.is_empty() {
            format!("outside the {}", names("window", &self.open))
        } else {
            format!("inside the {}", names("freeze", frozen))
        };
        let opening = match self.next_open(now) {
            Some(opening) => format!("opens {opening}"),
            None => "no opening is known within a year".to_owned(),
        };
        Some(format!("{place}; {opening}"))
    }

    /// When the freezes that `at` lies in are over, the last of them; others may have begun then.
    fn frozen_until(&self, at: Timestamp) -> Option<Timestamp> {
        self.freeze.iter().filter_map(|freeze| freeze.inside_until(at)).max()
    }
}

/// Writes `window a`, `windows a, b` or `windows a, b, c and 2 more`.
fn names<'a>(noun: &str, windows: impl IntoIterator<Item = &'a Window>) -> String {
    let windows: Vec<String> = windows.into_iter().map(|window| quoted(&window.text)).collect();
    let plural = if windows.len() == 1 { "" } else { "s" };
    let named = windows.iter().take(NAMED_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    match windows.len().saturating_sub(NAMED_MAX) {
        0 => format!("{noun}{plural} {named}"),
        more => format!("{noun}{plural} {named} and {more} more"),
    }
}
