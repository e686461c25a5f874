//! Globs over whole tags: `*`, `?` and `[…]`.
//!
//! Matched by hand rather than by a compiled regex: a policy lives as long as its file does,
//! and thousands of them must stay small. The work is bounded by pattern length × tag length.

/// A compiled glob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(Vec<Token>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// Any text, also none.
    Any,
    /// Any one character.
    One,
    /// This character.
    Literal(char),
    /// One character in (or not in) the ranges, ends included.
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl Glob {
    /// Reads a glob; the error says what is wrong and what to write.
    pub(super) fn parse(text: &str) -> Result<Self, (String, &'static str)> {
        let mut tokens = Vec::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            let token = match c {
                '*' if tokens.last() == Some(&Token::Any) => continue,
                '*' => Token::Any,
                '?' => Token::One,
                '[' => class(&mut chars)?,
                '{' | '}' | '\\' => {
                    let hint =
                        "a glob has `*`, `?` and `[…]`; write alternatives on several lines, or a `regex:`";
                    return Err((format!("`{c}` has no meaning in a glob and is in no tag"), hint));
                }
                _ => Token::Literal(c),
            };
            tokens.push(token);
        }
        Ok(Self(tokens))
    }

    /// Whether the whole of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        let mut tokens = self.0.as_slice();
        let mut rest = text.chars();
        // Where to go on when a text after the last `*` turns out wrong: let that `*` take one more character.
        let mut retry: Option<(&[Token], std::str::Chars<'_>)> = None;
        loop {
            let mut ahead = rest.clone();
            let fits = match tokens.split_first() {
                Some((Token::Any, after)) => {
                    retry = Some((after, rest.clone()));
                    tokens = after;
                    continue;
                }
                Some((token, after)) => {
                    let fits = ahead.next().is_some_and(|c| token.admits(c));
                    if fits {
                        tokens = after;
                        rest = ahead;
                    }
                    fits
                }
                None => {
                    if rest.as_str().is_empty() {
                        return true;
                    }
                    false
                }
            };
            if fits {
                continue;
            }
            let Some((after, taken)) = &mut retry else { return false };
            if taken.next().is_none() {
                return false;
            }
            tokens = after;
            rest = taken.clone();
        }
    }
}

impl Token {
    fn admits(&self, c: char) -> bool {
        match self {
            Self::Any | Self::One => true,
            Self::Literal(wanted) => *wanted == c,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(first, last)| (*first..=*last).contains(&c)) != *negated
            }
        }
    }
}

/// Reads what follows `[`, up to its `]`.
fn class(chars: &mut std::str::Chars<'_>) -> Result<Token, (String, &'static str)> {
    let hint = "a class is written `[a-z]`, `[abc]` or `[!0-9]`";
    let fail = |problem: &str| Err((problem.to_owned(), hint));
    let mut negated = false;
    let mut ranges: Vec<(char, char)> = Vec::new();
    let mut first = true;
    loop {
        let Some(c) = chars.next() else { return fail("`[` without `]`") };
        match c {
            '!' | '^' if first && !negated => {
                negated = true;
                continue;
            }
            ']' if !first => return Ok(Token::Class { negated, ranges }),
            ']' => return fail("an empty class `[]` matches nothing"),
            _ => {}
        }
        first = false;
        let mut ahead = chars.clone();
        let last = match (ahead.next(), ahead.next()) {
            (Some('-'), Some(last)) if last != ']' => {
                *chars = ahead;
                last
            }
            _ => c,
        };
        if last < c {
            return Err((format!("the range `{c}-{last}` in a class runs backwards"), hint));
        }
        ranges.push((c, last));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(glob: &str, matching: &[&str], others: &[&str]) {
        let glob = Glob::parse(glob).unwrap();
        for tag in matching {
            assert!(glob.matches(tag), "{glob:?} must match {tag}");
        }
        for tag in others {
            assert!(!glob.matches(tag), "{glob:?} must not match {tag}");
        }
    }

    #[test]
    fn a_glob_matches_the_whole_tag() {
        check("main-*", &["main-", "main-1", "main-a-b"], &["main", "xmain-1", ""]);
        check("*-rc*", &["1.0-rc", "1.0-rc.1", "-rc"], &["1.0", "1.0-r"]);
        check("1.?.?", &["1.2.3", "1.é.x"], &["1.22.3", "1.2."]);
        check("*", &["", "x"], &[]);
        check("**a**", &["a", "bab"], &["b", ""]);
        check("v[0-9]*", &["v1", "v1x"], &["v", "vx1"]);
        check("[!a-c]x", &["dx"], &["ax", "cx", "x"]);
        check("[^a]", &["b"], &["a"]);
        check("[a-]", &["a", "-"], &["b"]);
        check("1.4.2", &["1.4.2"], &["1x4x2", "1.4.20"]);
        check("a*b*c", &["abc", "axxbxxc", "abbcbc"], &["ab", "acb"]);
    }

    #[test]
    fn what_has_no_meaning_is_refused() {
        for glob in ["{a,b}", r"a\*", "[abc", "[]", "[!]", "[z-a]"] {
            assert!(Glob::parse(glob).is_err(), "{glob}");
        }
    }

    #[test]
    fn many_stars_do_not_blow_up() {
        let glob = Glob::parse(&format!("{}c", "a*".repeat(2000))).unwrap();
        assert!(!glob.matches(&format!("{}b", "a".repeat(5000))));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn a_glob_agrees_with_its_regex(glob in "[ab*?]{0,8}", tag in "[ab]{0,8}") {
            let regex = glob.replace('?', ".").replace('*', ".*");
            let regex = regex::Regex::new(&format!("^{regex}$")).unwrap();
            prop_assert_eq!(Glob::parse(&glob).unwrap().matches(&tag), regex.is_match(&tag));
        }
    }
}
