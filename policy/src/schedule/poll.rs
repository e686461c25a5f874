//! `poll`: how often an image is scanned, by an interval or by the clock.
//!
//! Called by the readers of annotations; the agent asks it for the next scan. Not here: timers, and the budget of a host.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::cron::{self, Cron};
use super::starts::Starts;
use super::{Problem, duration, zone};
use crate::quote::quoted;

/// The bounds are those of `poll` in the configuration.
const INTERVAL_MIN: SignedDuration = SignedDuration::from_millis(500);
const INTERVAL_MAX: SignedDuration = SignedDuration::from_hours(24);

/// How often an image is scanned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poll {
    /// The value as written.
    pub text: String,
    times: Times,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Times {
    Every(SignedDuration),
    At(Box<Starts>),
}

impl Poll {
    /// Reads `30s`, `@every 30s`, `@hourly` or five cron fields, in UTC unless a zone follows.
    ///
    /// The error says what is wrong and what to write.
    pub fn parse(value: &str) -> Result<Self, (String, String)> {
        let text = value.trim();
        let words: Vec<&str> = text.split_whitespace().collect();
        let times = match words.as_slice() {
            ["@every", interval @ ..] => Times::Every(every(&interval.join(" "))?),
            [name, zone @ ..] if name.starts_with('@') => at(&[*name], zone)?,
            [] | [_] | [_, _] => Times::Every(every(text)?),
            [fields @ .., zone] if fields.len() == 5 && !cron::is_field(zone) => at(fields, &[*zone])?,
            fields => at(fields, &[])?,
        };
        Ok(Self { text: text.to_owned(), times })
    }

    /// The interval between scans; `None` if they follow the clock.
    pub fn interval(&self) -> Option<SignedDuration> {
        match &self.times {
            Times::Every(interval) => Some(*interval),
            Times::At(_) => None,
        }
    }

    /// When to scan next if the scan before was at `after`; always later than that.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        match &self.times {
            Times::Every(interval) => after.checked_add(*interval).ok(),
            Times::At(starts) => starts.next(after),
        }
    }
}

fn every(text: &str) -> Result<SignedDuration, Problem> {
    let (problem, hint) = match duration(text, INTERVAL_MIN..=INTERVAL_MAX) {
        Ok(interval) => return Ok(interval),
        Err(error) => error,
    };
    Err((problem, format!("{hint}, or five cron fields as in `*/5 * * * *`")))
}

fn at(fields: &[&str], zone: &[&str]) -> Result<Times, Problem> {
    let zone = match zone {
        [] => TimeZone::UTC,
        [zone] => zone::parse(zone)?,
        [_, rest, ..] => {
            return Err((format!("{} follows the time zone", quoted(rest)), cron::FORM.to_owned()));
        }
    };
    Ok(Times::At(Box::new(Starts { cron: Cron::parse(fields)?, zone })))
}
