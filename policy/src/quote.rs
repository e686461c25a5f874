//! Text of unknown origin, made fit to stand in a message: escaped, shortened, in back-ticks.
//!
//! Used by every reader of this crate. Not here: escaping for YAML, commits or HTML.

/// Longest excerpt, in characters before escaping.
const EXCERPT_CHARS_MAX: usize = 100;

/// Quotes `text` for a message: control characters escaped, shortened to 100 characters.
pub fn quoted(text: &str) -> String {
    format!("`{}`", shown(text))
}

/// The same without back-ticks, for values that need none, such as tags.
pub fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(EXCERPT_CHARS_MAX));
    for (index, c) in text.chars().enumerate() {
        if index == EXCERPT_CHARS_MAX {
            out.push('…');
            break;
        }
        match c {
            '"' | '\'' | '\\' => out.push(c),
            _ => out.extend(c.escape_debug()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn control_characters_are_escaped_and_length_is_bounded() {
        assert_eq!(quoted("~1.4"), "`~1.4`");
        assert_eq!(quoted("a\u{1b}]0;\n\u{202e}"), r"`a\u{1b}]0;\n\u{202e}`");
        assert_eq!(quoted(r#"^\d+"$"#), r#"`^\d+"$`"#);
        assert!(quoted(&"x".repeat(5000)).chars().count() < 110);
    }
}
