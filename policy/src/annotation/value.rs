//! The values of the keys that take one: `policy`, `pin`, `min-age`, `group`, `downgrade`, and those that concern
//! the whole object.

use jiff::SignedDuration;

use super::{Order, Pin};
use crate::quote::quoted;
use crate::range::Range;
use crate::reference::Tag;
use crate::schedule::duration;
use crate::spelling::nearest;

const FORMS: &str = "write `semver:RANGE`, `numeric`, `alphabetical`, `newest`, `digest:TAG` or `none`";

/// How long the ledger knows when a tag was first seen; a longer `min-age` could never be met.
const MIN_AGE_MAX: SignedDuration = SignedDuration::from_hours(90 * 24);
const MIN_AGE_MIN: SignedDuration = SignedDuration::from_secs(1);

/// Longest name of a group, in bytes.
const GROUP_BYTES_MAX: usize = 63;

/// Reads a `policy` into its order and its normalized text; `None` is `none`.
pub(super) fn policy(value: &str) -> Result<Option<(Order, String)>, (String, String)> {
    let (prefix, body) = match value.split_once(':') {
        Some((prefix, body)) => (prefix.trim(), Some(body.trim())),
        None => (value, None),
    };
    let order = match (prefix, body) {
        ("semver", Some(body)) => {
            let range = Range::parse(body).map_err(|error| (error.to_string(), error.hint().to_owned()))?;
            Order::Semver(range)
        }
        ("semver", None) => {
            return Err(("`semver` needs a range".to_owned(), "write `semver:~1.4`".to_owned()));
        }
        ("numeric", _) => Order::Numeric(descending(prefix, body)?),
        ("alphabetical", _) => Order::Alphabetical(descending(prefix, body)?),
        ("none", None) => return Ok(None),
        ("newest", None) => Order::Newest,
        ("newest", Some(_)) => {
            let hint = "write `newest`, and say with `tags` which tags are candidates";
            return Err(("`newest` takes nothing after it".to_owned(), hint.to_owned()));
        }
        ("digest", Some(tag)) if !tag.is_empty() => Order::Digest(
            Tag::parse(tag).map_err(|error| (error.to_string(), "write `digest:TAG`".to_owned()))?,
        ),
        ("digest", _) => {
            return Err(("`digest` needs a tag to follow".to_owned(), "write `digest:main`".to_owned()));
        }
        _ => return Err(unknown(value, prefix)),
    };
    let text = body.map_or_else(|| prefix.to_owned(), |body| format!("{prefix}:{body}"));
    Ok(Some((order, text)))
}

/// Reads the direction of an order; ascending if none is given.
fn descending(prefix: &str, body: Option<&str>) -> Result<bool, (String, String)> {
    match body {
        None | Some("asc") => Ok(false),
        Some("desc") => Ok(true),
        Some(other) => Err((
            format!("{} is no direction", quoted(other)),
            format!("write `{prefix}:asc`, where the last wins, or `{prefix}:desc`, where the first wins"),
        )),
    }
}

fn unknown(value: &str, prefix: &str) -> (String, String) {
    let hint = match prefix {
        "numerical" => "did you mean `numeric`?".to_owned(),
        _ if Range::parse(value).is_ok() => format!("the prefix is mandatory: write `semver:{value}`"),
        _ => match nearest(prefix, ["semver", "numeric", "alphabetical", "none", "newest", "digest"]) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => FORMS.to_owned(),
        },
    };
    (format!("{} is no kind of policy", quoted(prefix)), hint)
}

/// Reads `pin`.
pub(super) fn pin(value: &str) -> Result<Pin, (String, String)> {
    match value {
        "tag" => Ok(Pin::Tag),
        "digest" => Ok(Pin::Digest),
        _ => Err((
            format!("{} cannot be pinned", quoted(value)),
            "write `tag`, the default, or `digest`".to_owned(),
        )),
    }
}

/// Reads a `min-age`, of an annotation or of the configuration; the error says what is wrong and what to write.
pub fn min_age(value: &str) -> Result<SignedDuration, (String, String)> {
    duration(value, MIN_AGE_MIN..=MIN_AGE_MAX)
}

/// Reads the name of a `group`.
pub(super) fn group(value: &str) -> Result<String, (String, String)> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if value.len() <= GROUP_BYTES_MAX && value.chars().all(is_word) {
        return Ok(value.to_owned());
    }
    let hint = "write one word of letters, digits, `-`, `_` and `.`, at most 63 bytes: `checkout`";
    Err((format!("{} is no name of a group", quoted(value)), hint.to_owned()))
}

/// Reads `downgrade`.
pub(super) fn downgrade(value: &str) -> Result<(), (String, String)> {
    one_of(value, &["allow"])
}

/// Checks a key that has only the values `allowed`.
pub(super) fn one_of(value: &str, allowed: &[&str]) -> Result<(), (String, String)> {
    if allowed.contains(&value) {
        Ok(())
    } else {
        Err((
            format!("{} is no value of this key", quoted(value)),
            format!("write `{}`", allowed.join("` or `")),
        ))
    }
}
