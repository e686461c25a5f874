//! A server's words, made safe to print: no control characters, no secrets, not too long.
//!
//! Called wherever an answer of the git server becomes part of a message.

use secrecy::ExposeSecret;

use super::remote::Login;

/// Longer texts are cut.
const MAX_CHARS: usize = 400;

/// Makes one line of printable text of what a server said.
pub(super) fn printable(text: &str, login: Option<&Login>) -> String {
    let mut line = String::new();
    for character in text.chars() {
        let blank = character.is_control() || character.is_whitespace();
        if blank && !line.ends_with(' ') {
            line.push(' ');
        } else if !blank && !is_invisible(character) {
            line.push(character);
        }
    }
    // Cut only after the secret was looked for, so that no half of it stays.
    if let Some(login) = login {
        for secret in login.secrets() {
            line = line.replace(secret.expose_secret(), "[redacted]");
        }
    }
    let line = line.trim();
    match line.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

/// Marks that reorder or hide text on a terminal.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let login = Login { username: "bob".into(), password: "hunter2".into() };
        assert_eq!(printable(text, Some(&login)), expect);
    }

    #[test]
    fn control_characters_and_line_ends_become_one_space() {
        check("  remote: no\r\n\x1b[31mred\x07 ", "remote: no [31mred");
        check("a\u{202e}b", "ab");
    }

    #[test]
    fn the_password_is_never_repeated() {
        check("login bob:hunter2 failed", "login bob:[redacted] failed");
        check("got Authorization: Basic Ym9iOmh1bnRlcjI= ?", "got Authorization: Basic [redacted] ?");
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(printable(&"ä".repeat(1000), None).chars().count(), MAX_CHARS + 1);
    }
}
