//! What is compared: a version, a decimal number of any length, the text itself, or when it was first seen.

use std::cmp::Ordering;

use jiff::Timestamp;

use crate::version::Version;

/// The value of a tag under a policy. All ranks of one policy are of one kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank<'a> {
    Version(Version),
    Number(Number<'a>),
    Text(&'a str),
    Seen(Timestamp),
}

/// A decimal number: an optional sign, digits, and perhaps a point and digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number<'a> {
    /// Never set for zero.
    negative: bool,
    /// Digits before the point, without leading zeros.
    whole: &'a str,
    /// Digits after the point, without trailing zeros.
    fraction: &'a str,
}

impl<'a> Number<'a> {
    /// Reads a number; `None` if the text is none.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return None,
            None => (digits, ""),
        };
        let decimal = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !decimal(whole) || !decimal(fraction) {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        let zero = whole.is_empty() && fraction.is_empty();
        Some(Self { negative: negative && !zero, whole, fraction })
    }
}

impl Ord for Number<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => return Ordering::Greater,
            (true, false) => return Ordering::Less,
            _ => {}
        }
        let magnitude = (self.whole.len().cmp(&other.whole.len()))
            .then_with(|| self.whole.cmp(other.whole))
            .then_with(|| self.fraction.cmp(other.fraction));
        if self.negative { magnitude.reverse() } else { magnitude }
    }
}

impl PartialOrd for Number<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_length_are_ordered_by_value() {
        let ascending = [
            "-100000000000000000000000000000",
            "-20",
            "-3.5",
            "-3.25",
            "-3",
            "-0.1",
            "0",
            "0.09",
            "0.1",
            "0.5",
            "1",
            "1.05",
            "1.5",
            "+7",
            "10",
            "20260105",
            "99999999999999999999999999999999999999999",
        ];
        let numbers = ascending.map(|text| Number::parse(text).expect(text));
        for pair in numbers.windows(2) {
            assert!(pair[0] < pair[1], "{pair:?}");
        }
    }

    #[test]
    fn spellings_of_a_number_are_equal() {
        for [a, b] in [["7", "007"], ["7", "7.0"], ["0", "-0"], ["0", "-00.00"], ["1.5", "+01.50"]] {
            assert_eq!(Number::parse(a), Number::parse(b), "{a} {b}");
        }
    }

    #[test]
    fn everything_else_is_no_number() {
        for text in [
            "", "-", "+", ".", "5.", ".5", "1e5", "0x1", "inf", "NaN", "1.2.3", "1,5", " 1", "1 ", "٣", "--1",
        ] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }
}
