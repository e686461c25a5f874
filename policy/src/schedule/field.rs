//! One field of a cron expression, read into the set of its numbers.
//!
//! Called by `cron`. Not here: what the fields mean together.

use super::Problem;
use crate::quote::quoted;
use crate::spelling::nearest;

/// What a field counts.
pub(super) struct Unit {
    /// How it is called in messages.
    pub(super) name: &'static str,
    /// The least and the greatest number.
    pub(super) least: u32,
    pub(super) most: u32,
    /// The names of the numbers, from the least on; empty if there are none.
    names: &'static [&'static str],
}

pub(super) const MINUTE: Unit = Unit { name: "minute", least: 0, most: 59, names: &[] };
pub(super) const HOUR: Unit = Unit { name: "hour", least: 0, most: 23, names: &[] };
pub(super) const DAY: Unit = Unit { name: "day of the month", least: 1, most: 31, names: &[] };
pub(super) const MONTH: Unit = Unit {
    name: "month",
    least: 1,
    most: 12,
    names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
};
/// Both 0 and 7 are Sunday; a set holds 0 alone.
pub(super) const WEEKDAY: Unit = Unit {
    name: "day of the week",
    least: 0,
    most: 7,
    names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
};

/// The numbers of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Set {
    /// Bit n is the number n.
    bits: u64,
    /// The text starts with `*`: the field does not restrict the day.
    pub(super) star: bool,
}

impl Unit {
    /// Reads a list of numbers, names, ranges and steps.
    pub(super) fn parse(&self, text: &str) -> Result<Set, Problem> {
        let mut bits = 0;
        for item in text.split(',') {
            bits |= self.item(item)?;
        }
        if self.is_week() && bits & (1 << 7) != 0 {
            bits = bits & !(1 << 7) | 1;
        }
        Ok(Set { bits, star: text.starts_with(['*', '?']) })
    }

    /// Reads `*`, `9`, `MON`, `MON-THU`, `*/5` or `9-17/2`.
    fn item(&self, item: &str) -> Result<u64, Problem> {
        let (body, step) = match item.split_once('/') {
            Some((body, step)) => (body, Some(self.step(item, step)?)),
            None => (item, None),
        };
        let (first, last) = match body {
            "*" => (self.least, self.last()),
            "?" if self.is_day() => (self.least, self.last()),
            _ => self.range(body, item, step)?,
        };
        let step = step.unwrap_or(1);
        Ok((first..=last).step_by(step as usize).fold(0, |bits, number| bits | 1 << number))
    }

    fn range(&self, body: &str, item: &str, step: Option<u32>) -> Result<(u32, u32), Problem> {
        let Some((first, last)) = body.split_once('-') else {
            let number = self.number(body)?;
            return match step {
                None => Ok((number, number)),
                Some(step) => {
                    let problem = format!("{} has a step without a range", quoted(item));
                    Err((problem, format!("write `{number}-{}/{step}`", self.last())))
                }
            };
        };
        let (start, mut end) = (self.number(first)?, self.number(last)?);
        if self.is_week() && end == 0 && start > 0 {
            end = 7;
        }
        if start > end {
            let problem = format!("{} runs backwards", quoted(body));
            let hint = format!("write `{first}-{},{}-{last}`", self.last_name(), self.first_name());
            return Err((problem, hint));
        }
        Ok((start, end))
    }

    fn step(&self, item: &str, text: &str) -> Result<u32, Problem> {
        let span = self.last() - self.least;
        match digits(text) {
            Some(step) if (1..=span).contains(&step) => Ok(step),
            _ => Err((
                format!("{} has no step that fits the {}", quoted(item), self.name),
                format!("write a step from 1 to {span}"),
            )),
        }
    }

    /// Reads a number or a name.
    fn number(&self, text: &str) -> Result<u32, Problem> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        if let Some(index) = named.and_then(|index| u32::try_from(index).ok()) {
            return Ok(self.least + index);
        }
        digits(text)
            .filter(|number| (self.least..=self.most).contains(number))
            .ok_or_else(|| self.unknown(text))
    }

    fn unknown(&self, text: &str) -> Problem {
        let problem = if text.is_empty() {
            format!("a number is missing in the {}", self.name)
        } else {
            format!("{} is no {}", quoted(text), self.name)
        };
        let names = match (self.names.first(), self.names.last()) {
            (Some(first), Some(last)) => format!(", or `{first}` to `{last}`"),
            _ => String::new(),
        };
        let hint = match text.get(..3).and_then(|start| self.named(start)).or_else(|| self.named(text)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("write a number from {} to {}{names}", self.least, self.most),
        };
        (problem, hint)
    }

    /// The name that is meant by a longer or misspelt one.
    fn named(&self, text: &str) -> Option<&'static str> {
        if text.len() == 3 { nearest(text, self.names.iter().copied()) } else { None }
    }

    /// The greatest number that has no second name.
    fn last(&self) -> u32 {
        if self.is_week() { 6 } else { self.most }
    }

    fn first_name(&self) -> String {
        self.names.first().map_or_else(|| self.least.to_string(), |name| (*name).to_owned())
    }

    fn last_name(&self) -> String {
        self.names.last().map_or_else(|| self.last().to_string(), |name| (*name).to_owned())
    }

    fn is_week(&self) -> bool {
        self.most == WEEKDAY.most
    }

    fn is_day(&self) -> bool {
        self.is_week() || self.most == DAY.most
    }
}

impl Set {
    /// Yields the numbers, the least first.
    pub(super) fn numbers(self) -> impl Iterator<Item = u32> {
        (0..u64::BITS).filter(move |number| self.bits & (1 << number) != 0)
    }

    /// Whether every number of the unit is in it.
    pub(super) fn is_full(self, unit: &Unit) -> bool {
        (unit.least..=unit.last()).all(|number| self.bits & (1 << number) != 0)
    }
}

/// Reads a number of at most three digits, without a sign.
fn digits(text: &str) -> Option<u32> {
    let plain = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}
