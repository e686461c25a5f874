//! Durations as people write them: `30s`, `2h`, `1h30m`, `7d`.
//!
//! Called by the readers of windows and polls here, and of `min-age`. Not here: times and dates.

use std::fmt;
use std::ops::RangeInclusive;

use jiff::fmt::friendly::SpanParser;
use jiff::{SignedDuration, Span, SpanRelativeTo};

use crate::quote::quoted;

const FORM: &str = "write a number and a unit, as in `30s`, `15m`, `2h`, `1h30m` or `7d`";

static PARSER: SpanParser = SpanParser::new();

/// Reads a duration within `bounds`; the error says what is wrong and what to write.
///
/// Units are those from milliseconds to weeks; a day is 24 hours. Months and years have no fixed length.
pub fn duration(
    text: &str,
    bounds: RangeInclusive<SignedDuration>,
) -> Result<SignedDuration, (String, String)> {
    let text = text.trim();
    let problem = |problem: String| (problem, FORM.to_owned());
    if text.is_empty() {
        return Err(problem("the duration is missing".to_owned()));
    }
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Err((format!("a unit is missing after {}", quoted(text)), unit_hint(text)));
    }
    // The parser behind this also reads signs, `ago`, clock times and longer sentences.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b' ');
    let starts_with_digit = text.starts_with(|c: char| c.is_ascii_digit());
    let negative = text.starts_with('-') || text.ends_with("ago");
    if negative {
        return Err(problem(format!("{} is negative", quoted(text))));
    }
    let span: Span = match PARSER.parse_span(text) {
        Ok(span) if starts_with_digit && text.bytes().all(plain) => span,
        _ => return Err(problem(format!("{} is no duration", quoted(text)))),
    };
    if span.get_years() != 0 || span.get_months() != 0 {
        let hint = "months and years differ in length: write days, as in `30d`".to_owned();
        return Err((format!("{} has no fixed length", quoted(text)), hint));
    }
    let duration = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| problem(format!("{} is too long", quoted(text))))?;
    within(text, duration, &bounds)
}

fn within(
    text: &str,
    duration: SignedDuration,
    bounds: &RangeInclusive<SignedDuration>,
) -> Result<SignedDuration, (String, String)> {
    let (least, most) = (Shown(*bounds.start()), Shown(*bounds.end()));
    let hint = || format!("write a duration from {least} to {most}");
    if duration < least.0 {
        Err((format!("{} is shorter than {least}", quoted(text)), hint()))
    } else if duration > most.0 {
        Err((format!("{} is longer than {most}", quoted(text)), hint()))
    } else {
        Ok(duration)
    }
}

/// Proposes units for a bare number.
fn unit_hint(text: &str) -> String {
    let number: String = text.chars().take(10).collect();
    format!("write `{number}s`, `{number}m`, `{number}h` or `{number}d`")
}

/// A duration in its largest units, days at most.
struct Shown(SignedDuration);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAY: SignedDuration = SignedDuration::from_hours(24);
        let days = self.0.as_secs() / DAY.as_secs();
        let rest = SignedDuration::new(self.0.as_secs() % DAY.as_secs(), self.0.subsec_nanos());
        match (days, rest.is_zero()) {
            (0, _) => write!(f, "{rest:#}"),
            (days, true) => write!(f, "{days}d"),
            (days, false) => write!(f, "{days}d {rest:#}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<SignedDuration, (String, String)> {
        duration(text, SignedDuration::from_secs(1)..=SignedDuration::from_hours(31 * 24))
    }

    #[track_caller]
    fn check(text: &str, seconds: i64) {
        assert_eq!(read(text), Ok(SignedDuration::from_secs(seconds)), "{text}");
    }

    #[track_caller]
    fn check_error(text: &str, expect: &str) {
        let (problem, hint) = read(text).expect_err(text);
        assert_eq!(problem, expect, "{text}");
        assert!(!hint.is_empty());
    }

    #[test]
    fn units_from_milliseconds_to_weeks_are_read() {
        check("30s", 30);
        check("1s1000ms", 2);
        check("15m", 900);
        check("2h", 7200);
        check("1h30m", 5400);
        check("1h 30m", 5400);
        check("1.5h", 5400);
        check("7d", 7 * 86_400);
        check("2w", 14 * 86_400);
        check("1d12h", 36 * 3600);
        check(" 90min ", 5400);
        check("24hours", 86_400);
    }

    #[test]
    fn what_is_wrong_is_named() {
        check_error("", "the duration is missing");
        check_error("2", "a unit is missing after `2`");
        check_error("1.5", "a unit is missing after `1.5`");
        check_error("1h30", "`1h30` is no duration");
        check_error("h", "`h` is no duration");
        check_error("2x", "`2x` is no duration");
        check_error("-2h", "`-2h` is negative");
        check_error("2h ago", "`2h ago` is negative");
        check_error("+2h", "`+2h` is no duration");
        check_error("02:30:00", "`02:30:00` is no duration");
        check_error("PT2H", "`PT2H` is no duration");
        check_error("1mo", "`1mo` has no fixed length");
        check_error("1y", "`1y` has no fixed length");
        check_error("0s", "`0s` is shorter than 1s");
        check_error("500ms", "`500ms` is shorter than 1s");
        check_error("5w", "`5w` is longer than 31d");
        check_error("99999999999999999999h", "`99999999999999999999h` is no duration");
    }

    #[test]
    fn text_of_any_length_is_refused_in_time() {
        for text in ["1s".repeat(2048), "9".repeat(4096), "1h ".repeat(1365), "\u{661}h".to_owned()] {
            assert!(read(&text).is_err(), "{text}");
        }
    }
}
