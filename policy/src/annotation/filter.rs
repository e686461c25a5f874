//! `tags` and `ignore-tags`: which tags are candidates, and which part of a tag is compared.

use regex::bytes::{Regex, RegexBuilder};

use super::Glob;
use crate::spelling::nearest;

/// Most items in one list.
const ITEMS_MAX: usize = 32;

/// Largest compiled regex, in bytes: enough for any tag pattern, and small beside thousands of policies.
const REGEX_BYTES_MAX: usize = 512 * 1024;

/// Largest cache that matching one regex may build up, in bytes.
const REGEX_CACHE_BYTES_MAX: usize = 512 * 1024;

/// The capture group that holds what is compared.
const VERSION_GROUP: &str = "version";

/// The compiled `tags` and `ignore-tags` of a policy.
#[derive(Clone, Debug, Default)]
pub struct TagFilter {
    /// Any of them must match; empty admits every tag.
    pub tags: Vec<Pattern>,
    /// None of them may match.
    pub ignore_tags: Vec<Pattern>,
}

/// One item of a list.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// The item as written, with its prefix.
    pub text: String,
    matcher: Matcher,
}

#[derive(Clone, Debug)]
enum Matcher {
    Glob(Glob),
    /// A regex, and the index of its group `version`.
    Regex(Regex, Option<usize>),
}

/// What a filter makes of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matched<'a> {
    /// A candidate; the text is what is compared, empty if the group `version` took no part in the match.
    Candidate(&'a str),
    /// No item of `tags` matches.
    NotInTags,
    /// An item of `ignore-tags` matches.
    Ignored,
}

impl TagFilter {
    /// Judges a tag: `tags` first, in their order, then `ignore-tags`.
    pub fn judge<'a>(&self, tag: &'a str) -> Matched<'a> {
        match self.compared(tag) {
            None => Matched::NotInTags,
            Some(_) if self.ignored_by(tag).is_some() => Matched::Ignored,
            Some(compared) => Matched::Candidate(compared),
        }
    }

    /// Returns what is compared if `tags` admits the tag, whatever `ignore-tags` says.
    ///
    /// The first item that matches decides: its group `version`, or the whole tag if it has none.
    pub fn compared<'a>(&self, tag: &'a str) -> Option<&'a str> {
        if self.tags.is_empty() {
            return Some(tag);
        }
        self.tags.iter().find_map(|pattern| pattern.compared(tag))
    }

    /// Returns the first item of `ignore-tags` that matches.
    pub fn ignored_by(&self, tag: &str) -> Option<&Pattern> {
        self.ignore_tags.iter().find(|pattern| pattern.compared(tag).is_some())
    }
}

impl Pattern {
    /// Reads one item; the error says what is wrong and what to write.
    fn parse(item: &str) -> Result<Self, (String, String)> {
        let (prefix, body) = item.split_once(':').unwrap_or((item, ""));
        let (prefix, body) = (prefix.trim(), body.trim());
        let matcher = match prefix {
            "glob" | "regex" | "regexp" if body.is_empty() => {
                return Err((
                    format!("`{prefix}:` without a pattern"),
                    "write a pattern after the colon".to_owned(),
                ));
            }
            "glob" => Matcher::Glob(Glob::parse(body).map_err(|(problem, hint)| (problem, hint.to_owned()))?),
            "regex" | "regexp" => regex(body)?,
            _ => {
                let prefix = nearest(prefix, ["glob", "regex", "regexp"]).unwrap_or("glob");
                let problem = "an item needs the prefix `glob:` or `regex:`".to_owned();
                return Err((problem, format!("write `{prefix}:…`, one item a line")));
            }
        };
        Ok(Self { text: item.to_owned(), matcher })
    }

    /// Reads a list, one item a line; blank lines are left out.
    pub(super) fn parse_list(value: &str) -> Result<Vec<Self>, (String, String)> {
        let items: Vec<&str> = lines(value).collect();
        if items.len() > ITEMS_MAX {
            let problem = format!("{} items, at most {ITEMS_MAX} are allowed", items.len());
            return Err((problem, "join some of them with a `regex:`".to_owned()));
        }
        items.into_iter().map(Self::parse).collect()
    }

    /// What is compared if the tag matches: the group `version` where there is one, else the whole tag.
    fn compared<'a>(&self, tag: &'a str) -> Option<&'a str> {
        match &self.matcher {
            Matcher::Glob(glob) => glob.matches(tag).then_some(tag),
            Matcher::Regex(regex, None) => regex.is_match(tag.as_bytes()).then_some(tag),
            Matcher::Regex(regex, Some(group)) => {
                let captures = regex.captures(tag.as_bytes())?;
                let version =
                    captures.get(*group).map_or("", |version| tag.get(version.range()).unwrap_or(""));
                Some(version)
            }
        }
    }
}

/// Yields the items of a list value: trimmed, without blank lines.
pub(super) fn lines(value: &str) -> impl Iterator<Item = &str> {
    value.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// Compiles a regex of bounded size; matching takes time linear in the tag.
///
/// Tags are ASCII, so `\d` and `\w` are too, as in the patterns that people bring from Go; this also
/// keeps repeated classes much smaller.
fn regex(body: &str) -> Result<Matcher, (String, String)> {
    let regex = RegexBuilder::new(body)
        .unicode(false)
        .size_limit(REGEX_BYTES_MAX)
        .dfa_size_limit(REGEX_CACHE_BYTES_MAX)
        .build()
        .map_err(|error| regex_problem(&error))?;
    let group = regex.capture_names().position(|name| name == Some(VERSION_GROUP));
    Ok(Matcher::Regex(regex, group))
}

fn regex_problem(error: &regex::Error) -> (String, String) {
    match error {
        regex::Error::CompiledTooBig(_) => (
            format!("the regex compiles to more than {} KiB", REGEX_BYTES_MAX / 1024),
            "use smaller repetitions".to_owned(),
        ),
        // The last line of the text says what is wrong; the lines before it draw the place.
        error => {
            let text = error.to_string();
            let problem = text.lines().last().unwrap_or_default();
            let problem = problem.strip_prefix("error: ").unwrap_or(problem);
            (
                format!("not a regex: {problem}"),
                "the syntax is that of the Rust `regex` crate: no look-around, no back-references".to_owned(),
            )
        }
    }
}
