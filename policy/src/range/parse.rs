//! The grammar of ranges, read left to right with the offset of every part at hand.
//!
//! ```text
//! range       = alternative *( "||" alternative )
//! alternative = item *( ( " " | "," ) item )
//! item        = [ operator ] bound | bound " - " bound
//! bound       = [ "v" ] part [ "." part [ "." part ] ] [ "-" pre ] [ "+" build ]     part = number | "x" | "X" | "*"
//! ```

use super::comparator::{Comparator, Operator, Wildcard};
use super::{ALTERNATIVES_MAX, Alternative, RANGE_BYTES_MAX, RangeError};
use crate::version::Version;

const OPERATOR_HINT: &str = "operators are = != > < >= <= ~ ^, AND is a space or a comma, OR is `||`";
const BOUND_HINT: &str = "write one to three numbers, as in `1.4` or `1.4.2`, or `x` for any";
const HYPHEN_HINT: &str =
    "write `1.2 - 1.4` alone, after a comma, or after `||` and a space, and without operators";

/// Operators, longest first.
const OPERATORS: [(&str, Operator); 11] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::AtLeast),
    ("=>", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("=<", Operator::AtMost),
    ("~>", Operator::Tilde),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

/// Reads all alternatives of a range.
pub(super) fn alternatives(text: &str) -> Result<Vec<Alternative>, RangeError> {
    if text.len() > RANGE_BYTES_MAX {
        return Err(RangeError::TooLong { bytes: text.len() });
    }
    if text.trim_matches(is_space).is_empty() {
        return Err(RangeError::Empty);
    }
    let count = text.split("||").count();
    if count > ALTERNATIVES_MAX {
        return Err(RangeError::TooManyAlternatives { count });
    }
    let mut offset = 0;
    let mut alternatives = Vec::with_capacity(count);
    for part in text.split("||") {
        let mut cursor = Cursor { rest: part, offset };
        alternatives.push(alternative(&mut cursor, offset > 0)?);
        offset += part.len() + "||".len();
    }
    Ok(alternatives)
}

/// Where the reading stands.
#[derive(Clone, Copy)]
struct Cursor<'a> {
    rest: &'a str,
    /// Bytes from the start of the range.
    offset: usize,
}

/// Reads items until the alternative ends.
fn alternative(cursor: &mut Cursor<'_>, after_or: bool) -> Result<Alternative, RangeError> {
    let mut found = Alternative { comparators: Vec::new(), names_pre_release: false };
    // The source of the dialect rewrites `a - b` before it splits at `||` and spaces, so that
    // `1||2 - 3` means something nobody wants, and `1 2 - 3` nothing: both are refused.
    let spaces = cursor.skip_spaces();
    let mut hyphen_allowed = !after_or || spaces || cursor.rest.starts_with('v');
    if cursor.rest.is_empty() {
        return Err(cursor.error("an alternative is empty", OPERATOR_HINT));
    }
    loop {
        let after_hyphen = item(cursor, hyphen_allowed, &mut found.comparators)?;
        let spaces = cursor.skip_spaces();
        let comma = cursor.take(",");
        cursor.skip_spaces();
        if cursor.rest.is_empty() && !comma {
            break;
        }
        if cursor.rest.is_empty() {
            return Err(cursor.error("a comparator is missing after the comma", OPERATOR_HINT));
        }
        if !(spaces || comma || after_hyphen) {
            return Err(cursor.error("unexpected text after a version", OPERATOR_HINT));
        }
        hyphen_allowed = comma || after_hyphen;
    }
    found.names_pre_release = found.comparators.iter().any(|comparator| comparator.bound.is_pre_release());
    Ok(found)
}

/// Reads one comparator, or the two of a hyphen range; returns whether it was the latter.
fn item(
    cursor: &mut Cursor<'_>,
    hyphen_allowed: bool,
    found: &mut Vec<Comparator>,
) -> Result<bool, RangeError> {
    let start = *cursor;
    let operator = OPERATORS.iter().find(|(text, _)| cursor.take(text)).map(|(_, operator)| *operator);
    if operator.is_some() {
        cursor.skip_spaces();
    }
    let lower = bound(cursor, operator.unwrap_or(Operator::Equal))?;
    if !cursor.take_hyphen() {
        found.push(lower);
        return Ok(false);
    }
    if operator.is_some() || !hyphen_allowed {
        return Err(start.error("a hyphen range cannot stand here", HYPHEN_HINT));
    }
    found.push(Comparator { operator: Operator::AtLeast, ..lower });
    found.push(bound(cursor, Operator::AtMost)?);
    Ok(true)
}

/// Reads a bound.
fn bound(cursor: &mut Cursor<'_>, operator: Operator) -> Result<Comparator, RangeError> {
    let start = *cursor;
    cursor.take("v");
    let major = cursor.take_while(is_part);
    if major.is_empty() {
        return Err(start.error("a version is missing", BOUND_HINT));
    }
    let minor = cursor.take_part();
    let patch = minor.and_then(|_| cursor.take_part());
    let pre = cursor.take_suffix('-').map(|pre| format!("-{pre}")).unwrap_or_default();
    cursor.take_suffix('+');

    let any = |part: &str| matches!(part, "x" | "X" | "*");
    // Parts after the first that stands for any number are read and have no meaning.
    let (wildcard, version) = match (minor, patch) {
        _ if any(major) => (Wildcard::Major, format!("0.0.0{pre}")),
        (Some(minor), Some(patch)) if !any(minor) && !any(patch) => {
            (Wildcard::None, format!("{major}.{minor}.{patch}{pre}"))
        }
        (Some(minor), _) if !any(minor) => (Wildcard::Patch, format!("{major}.{minor}.0{pre}")),
        _ => (Wildcard::Minor, format!("{major}.0.0{pre}")),
    };
    match Version::parse(&version) {
        Some(bound) => Ok(Comparator { operator, bound, wildcard }),
        None => Err(start.error("this is no version", BOUND_HINT)),
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}')
}

/// Whether `c` can be in a part. The dialect takes a single `|` for one too; it never makes a number.
fn is_part(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, 'x' | 'X' | '*' | '|')
}

fn is_identifier(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-'
}

impl<'a> Cursor<'a> {
    fn advance(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        self.offset += taken.len();
        taken
    }

    fn take(&mut self, prefix: &str) -> bool {
        let found = self.rest.starts_with(prefix);
        if found {
            self.advance(prefix.len());
        }
        found
    }

    fn take_while(&mut self, wanted: fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        self.advance(end)
    }

    fn skip_spaces(&mut self) -> bool {
        !self.take_while(is_space).is_empty()
    }

    /// Takes ` - `.
    fn take_hyphen(&mut self) -> bool {
        let mut ahead = *self;
        let found = ahead.skip_spaces() && ahead.take("-") && ahead.skip_spaces();
        if found {
            *self = ahead;
        }
        found
    }

    /// Takes `.` and a part.
    fn take_part(&mut self) -> Option<&'a str> {
        let mut ahead = *self;
        let part = if ahead.take(".") { ahead.take_while(is_part) } else { "" };
        if part.is_empty() {
            return None;
        }
        *self = ahead;
        Some(part)
    }

    /// Takes `mark` and identifiers joined by dots.
    fn take_suffix(&mut self, mark: char) -> Option<&'a str> {
        let text = self.rest.strip_prefix(mark)?;
        let mut end = 0;
        for identifier in text.split('.') {
            let length = identifier.find(|c| !is_identifier(c)).unwrap_or(identifier.len());
            if length == 0 {
                break;
            }
            end += length + 1;
            if length < identifier.len() {
                break;
            }
        }
        // One separator was counted for each identifier, and there is one fewer.
        let suffix = text.get(..end.checked_sub(1)?)?;
        self.advance(mark.len_utf8() + suffix.len());
        Some(suffix)
    }

    /// Names the part that starts here and ends at the next space or comma.
    fn error(&self, problem: &'static str, hint: &'static str) -> RangeError {
        let body = self.rest.trim_end_matches(is_space);
        let end = body.find(|c| is_space(c) || c == ',').filter(|&end| end > 0).unwrap_or(body.len());
        let part = body.get(..end).unwrap_or_default().to_owned();
        RangeError::Part { part, offset: self.offset, problem, hint }
    }
}
