//! The grammar of a marker comment.

use super::Parsed;
use crate::annotation::Setting;
use crate::manifest::Part;
use crate::quote::quoted;
use crate::reference::ImageReference;

/// Reads what follows `tidegate:`.
pub(super) fn parse(words: &str, line: usize) -> Result<Parsed, String> {
    let words = words.trim();
    let (target, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
    let (image, part) = target_of(target)?;
    let mut settings: Vec<Setting> = Vec::new();
    let mut rest = rest.trim_start();
    while !rest.is_empty() {
        let (key, after) =
            rest.split_once('=').ok_or_else(|| format!("{} is no `key=value`", quoted(rest)))?;
        let key = key.trim();
        if key.is_empty() || !key.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') {
            return Err(format!("{} is no key", quoted(key)));
        }
        let (value, after) = value_of(after)?;
        rest = after;
        settings.push(Setting { key: key.to_owned(), value, line });
    }
    Ok(Parsed { image, part, settings })
}

/// Splits `IMAGE[:tag|:name|:digest]`.
fn target_of(target: &str) -> Result<(String, Part), String> {
    if target.is_empty() {
        return Err("the marker names no image".to_owned());
    }
    let (image, part) = [(":tag", Part::Tag), (":name", Part::Name), (":digest", Part::Digest)]
        .into_iter()
        .find_map(|(suffix, part)| Some((target.strip_suffix(suffix)?, part)))
        .unwrap_or((target, Part::Whole));
    match ImageReference::parse(image) {
        Ok(ImageReference { tag: None, digest: None, .. }) => Ok((image.to_owned(), part)),
        Ok(_) => Err(format!(
            "after the image comes `:tag`, `:name`, `:digest` or nothing, not {}",
            quoted(target)
        )),
        Err(error) => Err(error.to_string()),
    }
}

/// Takes one value and the `; ` behind it.
fn value_of(text: &str) -> Result<(String, &str), String> {
    let text = text.trim_start();
    let Some(inner) = text.strip_prefix('"') else {
        let (value, rest) = text.split_once("; ").unwrap_or((text, ""));
        return Ok((value.trim_end().to_owned(), rest.trim_start()));
    };
    let mut value = String::new();
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                let rest = inner.get(at + 1..).unwrap_or_default().trim_start();
                return match rest.strip_prefix(';') {
                    Some(rest) => Ok((value, rest.trim_start())),
                    None if rest.is_empty() => Ok((value, rest)),
                    None => Err(format!("`; ` is missing before {}", quoted(rest))),
                };
            }
            // Only a quote and a backslash are escaped, so that regular expressions read as written.
            '\\' if inner.get(at + 1..).is_some_and(|rest| rest.starts_with(['"', '\\'])) => {
                value.extend(chars.next().map(|(_, c)| c));
            }
            _ => value.push(c),
        }
    }
    Err("a quoted value has no end".to_owned())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[track_caller]
    fn check(words: &str, expect: &str) {
        let shown = match parse(words, 7) {
            Ok(parsed) => {
                let settings: Vec<String> =
                    parsed.settings.iter().map(|s| format!("{}={:?}", s.key, s.value)).collect();
                format!("{} {:?} {}", parsed.image, parsed.part, settings.join(" "))
            }
            Err(message) => format!("error: {message}"),
        };
        assert_eq!(shown.trim_end(), expect);
    }

    #[test]
    fn image_part_and_keys_are_read() {
        check(
            "ghcr.io/acme/web:tag policy=semver:~1.4; min-age=2h",
            r#"ghcr.io/acme/web Tag policy="semver:~1.4" min-age="2h""#,
        );
        check(" localhost:5000/web ", "localhost:5000/web Whole");
        check("nginx:name", "nginx Name");
        check("acme/web:digest pin=digest", r#"acme/web Digest pin="digest""#);
        check("nginx policy=semver:>=1.2 <2", r#"nginx Whole policy="semver:>=1.2 <2""#);
    }

    #[test]
    fn a_value_with_the_separator_in_it_is_quoted() {
        check(
            r#"nginx hold="incident 4711; until=2026-12-01T09:00Z; by=ana"; policy=numeric"#,
            r#"nginx Whole hold="incident 4711; until=2026-12-01T09:00Z; by=ana" policy="numeric""#,
        );
        check(r#"nginx tags="regex:^\d+\"\\$""#, r#"nginx Whole tags="regex:^\\d+\"\\$""#);
    }

    #[test]
    fn keys_may_repeat() {
        check("nginx tags=glob:a-*; tags=glob:b-*", r#"nginx Whole tags="glob:a-*" tags="glob:b-*""#);
    }

    #[test]
    fn what_is_no_marker_is_refused() {
        check("", "error: the marker names no image");
        check(
            "nginx:1.2 policy=numeric",
            "error: after the image comes `:tag`, `:name`, `:digest` or nothing, not `nginx:1.2`",
        );
        check("nginx numeric", "error: `numeric` is no `key=value`");
        check("nginx policy.web=numeric", "error: `policy.web` is no key");
        check(r#"nginx policy="numeric"#, "error: a quoted value has no end");
        check(r#"nginx policy="numeric" x"#, "error: `; ` is missing before `x`");
    }
}
