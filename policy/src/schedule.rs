//! When something may happen: windows of commits, and when an image is scanned.
//!
//! Read from the annotations `window` and `poll` and from the configuration. Zones come from the data in the
//! binary, so every machine decides alike. Not here: timers (the agent's).

mod closed;
mod cron;
mod duration;
mod field;
mod poll;
mod starts;
mod window;
mod zone;

use jiff::Timestamp;

pub use duration::duration;
pub use poll::Poll;
pub use window::Window;

/// What is wrong with a value, and what to write instead.
type Problem = (String, String);

/// Most windows and freezes of one list.
const ITEMS_MAX: usize = 32;

/// The windows of a field: commits happen inside one of them, and in no freeze.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Windows {
    /// Any of them must be open; empty is always open.
    pub open: Vec<Window>,
    /// None of them may be.
    pub freeze: Vec<Window>,
}

impl Windows {
    /// Reads a list, one `CRON for DURATION ZONE` or `freeze CRON for DURATION ZONE` a line.
    ///
    /// Blank lines are left out. The error says what is wrong and what to write.
    pub fn parse_list(value: &str) -> Result<Self, (String, String)> {
        let items: Vec<&str> = value.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        if items.is_empty() {
            return Err(("no window is given".to_owned(), window::FORM.to_owned()));
        }
        if items.len() > ITEMS_MAX {
            let problem = format!("{} items, at most {ITEMS_MAX} are allowed", items.len());
            return Err((problem, "join some of them with lists, as in `0 9,14 * * *`".to_owned()));
        }
        let mut windows = Self::default();
        for item in items {
            match window::parse(item)? {
                (true, freeze) => windows.freeze.push(freeze),
                (false, open) => windows.open.push(open),
            }
        }
        Ok(windows)
    }

    /// Whether there is neither a window nor a freeze: always open.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty() && self.freeze.is_empty()
    }

    /// Whether commits may happen at `now`: inside a window, if there is any, and in no freeze.
    pub fn is_open(&self, now: Timestamp) -> bool {
        let open = self.open.is_empty() || self.open.iter().any(|window| window.contains(now));
        open && !self.freeze.iter().any(|freeze| freeze.contains(now))
    }

    /// The first moment after `now` at which [`Self::is_open`] may change; `None` if it never does.
    ///
    /// # Guarantees
    /// Never later than the change, and always after `now`. It may be earlier: ask again then.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        self.open.iter().chain(&self.freeze).filter_map(|window| window.next_change(now)).min()
    }
}

#[cfg(test)]
mod tests;
