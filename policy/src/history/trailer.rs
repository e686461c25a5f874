//! Machine-readable trailers of commit messages: written by Tidegate, and by people for `Tidegate-Release`.
//!
//! Values are percent-encoded, so that no file name, tag or object name can end a line or start another
//! trailer. Called by [`super::trace`] to read and by [`crate::update::message`] to write.

use std::fmt::Write as _;

use crate::manifest::FieldId;

/// `Tidegate-Update: <field> <from> -> <to>`: this commit is Tidegate's update of that field.
pub const UPDATE: &str = "Tidegate-Update";
/// `Tidegate-Decision: <id>`: this decision was taken.
pub const DECISION: &str = "Tidegate-Decision";
/// `Tidegate-Release: <field>`: a person lets the field start anew.
pub const RELEASE: &str = "Tidegate-Release";

/// The trailers of one message that concern the update loop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trailers {
    /// Field, reference before, reference after.
    pub updates: Vec<(FieldId, String, String)>,
    /// Decision ids.
    pub decisions: Vec<String>,
    /// Fields that start anew.
    pub releases: Vec<FieldId>,
}

/// Reads the trailers in the last paragraph of `message`; keys in any case, other lines are skipped.
pub fn read(message: &str) -> Trailers {
    let mut trailers = Trailers::default();
    if !message.contains("idegate-") && !message.to_ascii_lowercase().contains("tidegate-") {
        return trailers; // most commits are not ours
    }
    let paragraph: Vec<&str> =
        message.trim_end().lines().rev().take_while(|line| !line.trim().is_empty()).collect();
    for line in paragraph.into_iter().rev() {
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        if key.eq_ignore_ascii_case(UPDATE) {
            trailers.updates.extend(read_update(value));
        } else if key.eq_ignore_ascii_case(DECISION) {
            trailers.decisions.push(value.to_owned());
        } else if key.eq_ignore_ascii_case(RELEASE) {
            trailers.releases.extend(decode(value).map(FieldId));
        }
    }
    trailers
}

fn read_update(value: &str) -> Option<(FieldId, String, String)> {
    let mut words = value.split_ascii_whitespace();
    let (field, from, arrow, to) = (words.next()?, words.next()?, words.next()?, words.next()?);
    if arrow != "->" || words.next().is_some() {
        return None;
    }
    Some((FieldId(decode(field)?), decode(from)?, decode(to)?))
}

/// Writes an update trailer, without a line end.
pub fn update(field: &FieldId, from: &str, to: &str) -> String {
    format!("{UPDATE}: {} {} -> {}", encode(&field.0), encode(from), encode(to))
}

/// Writes a decision trailer, without a line end.
pub fn decision(id: &str) -> String {
    format!("{DECISION}: {}", encode(id))
}

/// Percent-encodes everything but letters, digits and the punctuation of paths and image references.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/#:@+,=".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}"); // writing to a String cannot fail
        }
    }
    encoded
}

/// Undoes [`encode`]; `None` if an escape is broken or the result is not UTF-8.
pub fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let (high, low) = (hex(rest.next()?)?, hex(rest.next()?)?);
            bytes.push(high * 16 + low);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn trailers_are_read_from_the_last_paragraph_only() {
        let message = "web: 1 -> 2\n\nTidegate-Decision: forged\n\nTidegate-Decision: d1\r\ntidegate-release: a%20b\nSigned-off-by: x\n";
        let trailers = read(message);
        assert_eq!(trailers.decisions, ["d1"]);
        assert_eq!(trailers.releases, [FieldId("a b".into())]);
    }

    #[test]
    fn an_update_that_is_not_field_from_arrow_to_is_skipped() {
        for value in ["f a b", "f a => b", "f a -> b c", "f%2 a -> b", ""] {
            assert_eq!(read(&format!("s\n\nTidegate-Update: {value}")).updates, [], "{value}");
        }
    }

    proptest! {
        #[test]
        fn any_field_and_value_survives_the_trailer(field in "(?s).{1,40}", from in "(?s).{1,20}", to in "(?s).{1,20}") {
            let line = update(&FieldId(field.clone()), &from, &to);
            prop_assert!(line.is_ascii());
            prop_assert_eq!(line.lines().count(), 1);
            let read = read(&format!("subject\n\nbody\n\n{line}\n{}\n", decision("d")));
            prop_assert_eq!(read.updates, vec![(FieldId(field), from, to)]);
            prop_assert_eq!(read.decisions, vec!["d".to_owned()]);
            prop_assert!(read.releases.is_empty());
        }
    }
}
