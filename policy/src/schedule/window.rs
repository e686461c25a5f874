//! One window: a start that recurs, a duration and a zone.
//!
//! Called by `Windows`. Not here: what several windows and freezes mean together.

use jiff::{SignedDuration, Timestamp};

use super::cron::Cron;
use super::starts::Starts;
use super::{Problem, duration, zone};

pub(super) const FORM: &str = "write `CRON for DURATION ZONE`, as in `0 9 * * MON-THU for 7h Europe/Berlin`, with `freeze` before it or not";

const DURATION_MIN: SignedDuration = SignedDuration::from_mins(1);
const DURATION_MAX: SignedDuration = SignedDuration::from_hours(31 * 24);

/// Most starts that are followed to find the end of a window that renews itself.
const RENEWALS_MAX: usize = 8;

/// A window or a freeze.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The item as written.
    pub text: String,
    starts: Starts,
    /// Absolute: a day of 23 hours does not shorten it.
    duration: SignedDuration,
}

/// Reads one item; the first part is whether it is a freeze.
pub(super) fn parse(item: &str) -> Result<(bool, Window), Problem> {
    let words: Vec<&str> = item.split_whitespace().collect();
    let (freeze, words) = match words.as_slice() {
        ["freeze", words @ ..] => (true, words),
        words => (false, words),
    };
    let form = |problem: &str| (problem.to_owned(), FORM.to_owned());
    let Some(middle) = words.iter().position(|word| *word == "for") else {
        return Err(form("`for` and a duration are missing"));
    };
    let (fields, rest) = words.split_at(middle);
    let cron = Cron::parse(fields)?;
    let (zone, length) = match rest {
        ["for"] => return Err(form("the duration and the time zone are missing")),
        ["for", length @ .., last]
            if !length.is_empty() && !last.starts_with(|c: char| c.is_ascii_digit()) =>
        {
            (*last, length)
        }
        _ => return Err(form("the time zone is missing")),
    };
    let duration = duration(&length.join(" "), DURATION_MIN..=DURATION_MAX)?;
    let starts = Starts { cron, zone: zone::parse(zone)? };
    Ok((freeze, Window { text: item.to_owned(), starts, duration }))
}

impl Window {
    /// Whether `now` is inside; the start is, the end is not.
    pub(super) fn contains(&self, now: Timestamp) -> bool {
        self.end_of_last(now).is_some()
    }

    /// Until when `now` is inside, if it is; a window that renews itself on and on may last longer than this says.
    pub(super) fn inside_until(&self, now: Timestamp) -> Option<Timestamp> {
        let mut end = self.end_of_last(now)?;
        for _ in 0..RENEWALS_MAX {
            match self.end_of_last(end) {
                Some(later) => end = later,
                None => break,
            }
        }
        Some(end)
    }

    /// The first start after `now`.
    pub(super) fn next_start(&self, now: Timestamp) -> Option<Timestamp> {
        self.starts.next(now)
    }

    /// The first moment after `now` at which [`Self::contains`] may change.
    pub(super) fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        self.inside_until(now).or_else(|| self.next_start(now))
    }

    /// The end that the last start gives, if it lies after `now`.
    fn end_of_last(&self, now: Timestamp) -> Option<Timestamp> {
        let end = self.starts.last(now)?.saturating_add(self.duration).ok()?;
        (end > now).then_some(end)
    }
}
