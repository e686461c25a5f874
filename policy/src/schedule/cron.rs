//! Cron expressions of five fields, in civil time: clock and calendar, without a zone.
//!
//! The crate `cron` finds the times. It counts weekdays from 1, wants a field of seconds, and joins the two fields of
//! days by AND alone, so the fields are read here and handed over as plain numbers. Called by `starts`.

use std::fmt::Write;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use cron::Schedule;

use super::Problem;
use super::field::{DAY, HOUR, MINUTE, MONTH, Set, Unit, WEEKDAY};
use crate::quote::quoted;

pub(super) const FORM: &str = "write `MINUTE HOUR DAY MONTH WEEKDAY`, as in `0 9 * * MON-THU`, or `@daily`";

/// Days of the months from January on, in a leap year.
const DAYS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Times that recur.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cron {
    by_day: Schedule,
    /// Set if both the day of the month and that of the week are restricted: a time of either one counts.
    by_weekday: Option<Schedule>,
}

/// Whether a word can be a field, rather than the name of a zone.
pub(super) fn is_field(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '*' | '?')) || WEEKDAY.parse(word).is_ok()
}

impl Cron {
    /// Reads the words of an expression: five fields, or one name such as `@daily`.
    pub(super) fn parse(words: &[&str]) -> Result<Self, Problem> {
        match words {
            [name] if name.starts_with('@') => Self::fields(named(name)?),
            [minute, hour, day, month, weekday] => Self::fields([minute, hour, day, month, weekday]),
            [] => Err(("the cron expression is missing".to_owned(), FORM.to_owned())),
            _ => {
                let fields = if words.len() == 1 { "field" } else { "fields" };
                let problem = format!("{} {fields}, a cron expression has five", words.len());
                let hint = if words.len() > 5 { "there are no fields for seconds and years: " } else { "" };
                Err((problem, format!("{hint}{FORM}")))
            }
        }
    }

    fn fields([minute, hour, day, month, weekday]: [&str; 5]) -> Result<Self, Problem> {
        let time = [MINUTE.parse(minute)?, HOUR.parse(hour)?];
        let (days, months, weekdays) = (DAY.parse(day)?, MONTH.parse(month)?, WEEKDAY.parse(weekday)?);
        let either = !days.star && !weekdays.star;
        if weekdays.star && !some_month_has(days, months) {
            return Err((
                format!("no month of {} has a day {}", quoted(month), quoted(day)),
                "the expression names no time at all".to_owned(),
            ));
        }
        if either {
            let by_day = schedule(time, Some(days), months, None)?;
            let by_weekday = Some(schedule(time, None, months, Some(weekdays))?);
            Ok(Self { by_day, by_weekday })
        } else {
            let by_day = schedule(time, Some(days), months, Some(weekdays))?;
            Ok(Self { by_day, by_weekday: None })
        }
    }

    /// The first time after `time`; both count seconds of a clock that knows no zone.
    pub(super) fn after(&self, time: i64) -> Option<i64> {
        let at = DateTime::<Utc>::from_timestamp(time, 0)?;
        let first = |schedule: &Schedule| schedule.after(&at).next();
        let by_weekday = self.by_weekday.as_ref().and_then(first);
        first(&self.by_day).into_iter().chain(by_weekday).min().map(|found| found.timestamp())
    }

    /// The last time that is not after `time`.
    pub(super) fn until(&self, time: i64) -> Option<i64> {
        let end = DateTime::<Utc>::from_timestamp(time.checked_add(1)?, 0)?;
        let last = |schedule: &Schedule| schedule.after(&end).next_back();
        let by_weekday = self.by_weekday.as_ref().and_then(last);
        last(&self.by_day).into_iter().chain(by_weekday).max().map(|found| found.timestamp())
    }
}

fn named(name: &str) -> Result<[&'static str; 5], Problem> {
    match name {
        "@hourly" => Ok(["0", "*", "*", "*", "*"]),
        "@daily" | "@midnight" => Ok(["0", "0", "*", "*", "*"]),
        "@weekly" => Ok(["0", "0", "*", "*", "SUN"]),
        "@monthly" => Ok(["0", "0", "1", "*", "*"]),
        "@yearly" | "@annually" => Ok(["0", "0", "1", "1", "*"]),
        _ => Err((
            format!("{} is not known here", quoted(name)),
            "write `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly` or five fields".to_owned(),
        )),
    }
}

/// Whether a month of the set has a day of the set.
fn some_month_has(days: Set, months: Set) -> bool {
    let least = days.numbers().next().unwrap_or(u32::MAX);
    months.numbers().any(|month| DAYS.get(month as usize - 1).is_some_and(|last| least <= *last))
}

/// Hands fields over to the crate; one that is missing or holds every number does not restrict.
fn schedule(
    [minutes, hours]: [Set; 2],
    days: Option<Set>,
    months: Set,
    weekdays: Option<Set>,
) -> Result<Schedule, Problem> {
    let mut text = "0".to_owned();
    push(&mut text, Some(minutes), &MINUTE, 0);
    push(&mut text, Some(hours), &HOUR, 0);
    push(&mut text, days, &DAY, 0);
    push(&mut text, Some(months), &MONTH, 0);
    // The crate counts from 1, which is Sunday.
    push(&mut text, weekdays, &WEEKDAY, 1);
    Schedule::from_str(&text).map_err(|_| ("not a cron expression".to_owned(), FORM.to_owned()))
}

fn push(text: &mut String, set: Option<Set>, unit: &Unit, shift: u32) {
    let Some(set) = set.filter(|set| !set.is_full(unit)) else {
        text.push_str(" *");
        return;
    };
    for (index, number) in set.numbers().enumerate() {
        let separator = if index == 0 { ' ' } else { ',' };
        write!(text, "{separator}{}", number + shift).expect("a string takes any text");
    }
}
