//! What a plain scalar means to kubectl: the resolver of go-yaml v2 followed by the JSON that
//! sigs.k8s.io/yaml makes of it.
//!
//! Checked against `kubectl create --dry-run=client -o json`. Called by [`super::document`] and by
//! [`crate::manifest::edit`], which must know whether a value needs quotes.

use std::borrow::Cow;

/// A scalar with its type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar<'a> {
    /// `~`, `null`, nothing.
    Null,
    /// `true`, `yes`, `on`, …
    Bool(bool),
    /// A whole number that fits 64 bits with sign.
    Int(i64),
    /// Any other number; infinite or not a number where the text says so.
    Float(f64),
    /// Text, timestamps included.
    Str(Cow<'a, str>),
}

/// Resolves a plain (unquoted) scalar.
pub(crate) fn resolve(text: &str) -> Scalar<'_> {
    match text.as_bytes().first() {
        None => Some(Scalar::Null),
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => word(text),
        Some(b'.') => dotted(text),
        Some(b'0'..=b'9' | b'+' | b'-') => number(text),
        Some(_) => None,
    }
    .unwrap_or(Scalar::Str(Cow::Borrowed(text)))
}

/// Whether `text`, written without quotes, is read back as the same text by every reader in use:
/// kubectl, and YAML 1.1 and 1.2 readers such as kustomize and Helm.
pub(crate) fn is_plain_text(text: &str) -> bool {
    matches!(resolve(text), Scalar::Str(_)) && !looks_like_number_or_date(text)
}

/// Base-60 numbers, dates, and numbers with separators: text to one reader and not to another.
fn looks_like_number_or_date(text: &str) -> bool {
    if matches!(text, "<<" | "=") {
        return true;
    }
    let starts_with_digit = text.starts_with(|c: char| c.is_ascii_digit());
    let only = |extra: &[u8]| text.bytes().all(|b| b.is_ascii_digit() || extra.contains(&b));
    let has_separator = text.contains([':', '_']) && only(b":_.");
    let is_date = text.as_bytes().get(4) == Some(&b'-')
        && text.bytes().take(4).all(|b| b.is_ascii_digit())
        && only(b"-:TtZz.+ ");
    starts_with_digit && (has_separator || is_date) || has_exponent_or_base(text)
}

/// `1e3`, `0x1f`, `0o17`, `0b1` in any spelling, whatever their size.
fn has_exponent_or_base(text: &str) -> bool {
    let text = text.trim_start_matches(['+', '-']);
    let lower = text.to_ascii_lowercase();
    let is_digits =
        |part: &str| part.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'+' | b'-'));
    let has_exponent = lower
        .split_once('e')
        .is_some_and(|(mantissa, power)| !mantissa.is_empty() && is_digits(mantissa) && is_digits(power));
    has_exponent
        || ["0x", "0o", "0b"].iter().any(|prefix| {
            lower
                .strip_prefix(prefix)
                .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_hexdigit() || b == b'_'))
        })
}

/// The words that mean a boolean or null.
fn word(text: &str) -> Option<Scalar<'static>> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Some(Scalar::Bool(true))
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Some(Scalar::Bool(false))
        }
        "~" | "null" | "Null" | "NULL" => Some(Scalar::Null),
        _ => None,
    }
}

/// Floats that begin with a dot.
fn dotted(text: &str) -> Option<Scalar<'static>> {
    match text {
        ".nan" | ".NaN" | ".NAN" => Some(Scalar::Float(f64::NAN)),
        ".inf" | ".Inf" | ".INF" => Some(Scalar::Float(f64::INFINITY)),
        // Unlike in what begins with a digit, `_` may only stand between two digits.
        _ if separates_digits(text) => float(&text.replace('_', "")),
        _ => None,
    }
}

/// Whether each `_` of `text` stands between two digits.
fn separates_digits(text: &str) -> bool {
    let is_digit = |part: Option<&str>, end: fn(&str) -> Option<char>| {
        part.and_then(end).is_some_and(|c| c.is_ascii_digit())
    };
    text.match_indices('_').all(|(at, _)| {
        is_digit(text.get(..at), |before| before.chars().next_back())
            && is_digit(text.get(at + 1..), |after| after.chars().next())
    })
}

/// Integers of any base, then floats.
fn number(text: &str) -> Option<Scalar<'static>> {
    match text {
        "+.inf" | "+.Inf" | "+.INF" => return Some(Scalar::Float(f64::INFINITY)),
        "-.inf" | "-.Inf" | "-.INF" => return Some(Scalar::Float(f64::NEG_INFINITY)),
        _ => {}
    }
    let plain = if text.contains('_') { Cow::Owned(text.replace('_', "")) } else { Cow::Borrowed(text) };
    integer(&plain).or_else(|| float(&plain))
}

/// Go's `ParseInt` with base 0: `0x`, `0o`, `0b` and a leading `0` choose the base.
fn integer(text: &str) -> Option<Scalar<'static>> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let (radix, digits) = match (digits.get(..2), digits) {
        (Some("0x" | "0X"), _) => (16, digits.get(2..)?),
        (Some("0o" | "0O"), _) => (8, digits.get(2..)?),
        (Some("0b" | "0B"), _) => (2, digits.get(2..)?),
        (Some(_), _) if digits.starts_with('0') => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    // from_str_radix would take a second sign.
    if !digits.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = i128::from(u64::from_str_radix(digits, radix).ok()?);
    let value = if negative { -magnitude } else { magnitude };
    match i64::try_from(value) {
        Ok(value) => Some(Scalar::Int(value)),
        Err(_) if negative => None,
        // Above the signed range the API machinery keeps a float.
        #[expect(clippy::cast_precision_loss, reason = "kubectl loses the same bits")]
        Err(_) => Some(Scalar::Float(magnitude as f64)),
    }
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, if it fits.
fn float(text: &str) -> Option<Scalar<'static>> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let shape = unsigned.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    if !shape || unsigned.starts_with(['e', 'E', '+', '-']) {
        return None;
    }
    // Go reports a range error where Rust returns infinity; the scalar is then text.
    text.parse::<f64>().ok().filter(|value| value.is_finite()).map(Scalar::Float)
}

#[cfg(test)]
mod tests {
    use super::{Scalar, is_plain_text, resolve};

    /// Prints a scalar as JSON would hold it.
    fn show(text: &str) -> String {
        match resolve(text) {
            Scalar::Null => "null".to_owned(),
            Scalar::Bool(value) => value.to_string(),
            Scalar::Int(value) => value.to_string(),
            Scalar::Float(value) => format!("{value:?}"),
            Scalar::Str(value) => format!("'{value}'"),
        }
    }

    #[track_caller]
    fn check(cases: &[(&str, &str)]) {
        for (text, expect) in cases {
            assert_eq!(&show(text), expect, "for `{text}`");
        }
    }

    #[test]
    fn words_are_read_as_kubectl_reads_them() {
        check(&[
            ("yes", "true"),
            ("y", "true"),
            ("On", "true"),
            ("TRUE", "true"),
            ("tRue", "'tRue'"),
            ("NO", "false"),
            ("n", "false"),
            ("off", "false"),
            ("~", "null"),
            ("Null", "null"),
            ("", "null"),
            ("nope", "'nope'"),
            ("nginx", "'nginx'"),
        ]);
    }

    #[test]
    fn numbers_are_read_as_kubectl_reads_them() {
        check(&[
            ("0644", "420"),
            ("08", "8.0"),
            ("09.5", "9.5"),
            ("0o17", "15"),
            ("0x1F", "31"),
            ("0b11", "3"),
            ("-0b11", "-3"),
            ("-0x10", "-16"),
            ("0x_1", "1"),
            ("+5", "5"),
            ("1_000", "1000"),
            ("1__0", "10"),
            ("1_", "1"),
            ("0_", "0"),
            ("_1", "'_1'"),
            ("01_0", "8"),
            ("1e3", "1000.0"),
            ("1.10", "1.1"),
            ("1.", "1.0"),
            (".5", "0.5"),
            ("+.5", "0.5"),
            ("-.5", "-0.5"),
            (".5_5", "0.55"),
            (".5__5", "'.5__5'"),
            (".5_", "'.5_'"),
            ("._5", "'._5'"),
            ("0", "0"),
            ("1e999", "'1e999'"),
            ("18446744073709551615", "1.8446744073709552e19"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("-9223372036854775809", "-9.223372036854776e18"),
            ("0b", "'0b'"),
            ("0x", "'0x'"),
            ("--1", "'--1'"),
            ("+", "'+'"),
            (".", "'.'"),
            ("1e", "'1e'"),
            ("1.4.2", "'1.4.2'"),
            ("2026-01-05", "'2026-01-05'"),
            ("12:30", "'12:30'"),
            ("1-2", "'1-2'"),
            (".inf", "inf"),
            ("-.INF", "-inf"),
            ("infinity", "'infinity'"),
            ("0x1p2", "'0x1p2'"),
            ("1e3e", "'1e3e'"),
        ]);
    }

    #[test]
    fn a_tag_that_any_reader_would_take_for_something_else_is_no_plain_text() {
        for text in [
            "1.10",
            "1",
            "1e3",
            "1E3",
            "12e4567",
            "0644",
            "0x1f",
            "0o17",
            "1_000",
            "yes",
            "off",
            "null",
            "~",
            "",
            "2026-01-05",
            "12:30",
            "190:20:30",
            "1.2_3",
            ".5",
            "12345678901234567890123",
            "2001-12-14t21:59:43.10Z",
        ] {
            assert!(!is_plain_text(text), "`{text}` must be quoted");
        }
        for text in [
            "1.4.2",
            "v1",
            "main-3f2a",
            "latest",
            "2026.01.05",
            "1.2.3-rc.1",
            "1.4-alpine",
            "ghcr.io/acme/web:1.2",
            "12af",
            "1e3x",
        ] {
            assert!(is_plain_text(text), "`{text}` needs no quotes");
        }
    }
}
